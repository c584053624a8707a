//! Book covers: always the same size in the markup, so nothing shifts when they arrive.

use crate::html::html;
use leptos::prelude::*;

/// `class`: `cover` and modifiers. `alt`: empty where the title stands beside it. `is_early`: in the first view, so not
/// loaded lazily.
pub fn cover(slug: &str, class: &'static str, alt: String, is_early: bool) -> AnyView {
    let loading = if is_early { "eager" } else { "lazy" };
    html! {
        <img class=class src=crate::cover_url(slug) alt=alt width="400" height="600" loading=loading decoding="async"/>
    }
}
