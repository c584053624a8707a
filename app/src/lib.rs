//! The pages and the server functions of the shop.
use leptos::prelude::*;

#[component]
pub fn App() -> impl IntoView {
    view! { <p>"Book Bazar"</p> }
}
