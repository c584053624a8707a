//! Says when live messages do not arrive: what the page shows may be of a moment ago.

use crate::{html::html, shop::use_shop};
use leptos::prelude::*;

/// Always there, so that a screen reader hears what comes into it.
#[component]
pub fn Connection() -> impl IntoView {
    let is_away = use_shop().live.is_away();
    let said = "We cannot reach the shop just now, so this page may be a little behind. We keep trying.";
    html! { <p class="connection" role="status">{move || is_away.get().then_some(said)}</p> }
}
