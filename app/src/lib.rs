//! The pages and the server functions of the shop.

pub mod api;
mod boot;
mod error;
mod next;
#[cfg(feature = "ssr")]
mod shell;
#[cfg(feature = "ssr")]
pub mod ssr;

pub use error::AppError;
#[cfg(feature = "ssr")]
pub use shell::shell;

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    components::{Route, Router, Routes},
    path,
};

/// Where the cover of a book is served.
pub fn cover_url(slug: &str) -> String {
    format!("/covers/{slug}.svg")
}

#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <main>
                <Routes fallback=|| "This page is not on any shelf.">
                    <Route path=path!("") view=|| view! { <p>"Book Bazar"</p> }/>
                </Routes>
            </main>
        </Router>
    }
}
