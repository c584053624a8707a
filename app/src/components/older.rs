//! The way through a list that is read from its latest entry back.

use super::icon::icon;
use crate::html::html;
use leptos::prelude::*;

/// `first`: the address of the beginning, unless this is it; `next`: of what comes after this page, if anything does.
pub fn older(first: Option<String>, next: Option<String>) -> AnyView {
    if first.is_none() && next.is_none() {
        return ().into_any();
    }
    let first = first.map(|href| {
        html! { <li><a class="pagination__link" rel="first" href=href>{icon("left")}" Newest"</a></li> }
    });
    let next = next.map(|href| {
        html! { <li><a class="pagination__link" rel="next" href=href>"Older "{icon("right")}</a></li> }
    });
    html! {
        <nav class="pagination" aria-label="Pages">
            <ul class="pagination__list">{first}{next}</ul>
        </nav>
    }
}
