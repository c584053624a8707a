//! A page's main part and its title.

use crate::html::html;
use leptos::prelude::*;
use leptos_meta::Title;

pub const NARROW: &str = "page__main page__main--narrow";
pub const WIDE: &str = "page__main page__main--wide";
pub const PLAIN: &str = "page__main";

#[component]
pub fn Page(#[prop(into)] title: String, class: &'static str, children: Children) -> impl IntoView {
    html! {
        <Title text=title/>
        <main class=class id="main" tabindex="-1">{children()}</main>
    }
}

/// The status of the answer when this page is rendered on the server; nothing in the browser.
pub fn set_status(status: u16) {
    #[cfg(feature = "ssr")]
    if let (Some(response), Ok(status)) =
        (use_context::<leptos_axum::ResponseOptions>(), http::StatusCode::from_u16(status))
    {
        response.set_status(status);
    }
    #[cfg(not(feature = "ssr"))]
    let _ = status;
}
