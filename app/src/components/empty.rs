//! A place with nothing in it: says so, and offers a way on.

use crate::html::html;
use leptos::prelude::*;

/// `mark`: an icon, or a few letters, under the arch.
#[component]
pub fn Empty(mark: AnyView, title: String, text: String, children: Children) -> impl IntoView {
    html! {
        <div class="empty">
            <div class="empty__arch">{mark}</div>
            <h1>{title}</h1>
            <p class="empty__text">{text}</p>
            {children()}
        </div>
    }
}

/// The usual way on.
pub fn way_on(href: &'static str, words: &'static str) -> AnyView {
    html! { <p class="actions"><a class="button button--primary" href=href>{words}</a></p> }
}
