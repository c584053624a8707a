//! Icons: references into one sprite, so that a page carries none of their paths.

use crate::html::html;
use leptos::prelude::*;

/// Decoration only; the word stands beside it.
pub fn icon(name: &'static str) -> AnyView {
    html! { <svg class="icon" aria-hidden="true" inner_html=format!("<use href=\"/icons.svg#{name}\"></use>")></svg> }
}
