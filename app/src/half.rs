//! The browser gets the shop in two halves, each with a WASM of its own: what shoppers use, and what admins use. Whoever
//! buys a book does not load the tools behind the counter. The server renders both; from one half into the other the
//! browser loads the page anew.

use crate::{html::html, pages::not_found::NotFound};
use leptos::{ev::MouseEvent, prelude::*};
use leptos_router::hooks::use_location;
use std::time::Duration;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlAnchorElement};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    Shop,
    Admin,
}

impl Half {
    /// The half that a path of this site belongs to.
    pub fn of(path: &str) -> Self {
        match path.strip_prefix("/admin") {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => Self::Admin,
            _ => Self::Shop,
        }
    }
}

/// In the browser: whether the other half knows this path.
pub fn is_elsewhere(path: &str) -> bool {
    window().location().pathname().is_ok_and(|here| Half::of(&here) != Half::of(path))
}

/// The router listens further out and follows every link; those into the other half are the browser's.
pub fn leave_to_browser(event: &MouseEvent) {
    let clicked = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let link = clicked.and_then(|clicked| clicked.closest("a[href]").ok().flatten());
    let link = link.and_then(|link| link.dyn_into::<HtmlAnchorElement>().ok());
    if link.is_some_and(|link| is_elsewhere(&link.pathname())) {
        event.stop_propagation();
    }
}

/// What is shown where no route of this half leads: the way into the other one, or the 404 page.
/// `half`: the one that runs here; on the server `None`.
pub fn beyond(half: Option<Half>) -> AnyView {
    let location = use_location();
    let path = location.pathname.get_untracked();
    // A page that was just loaded is where it belongs: loading it anew would go round in circles.
    let is_loaded = Owner::current_shared_context().is_some_and(|context| context.during_hydration());
    if is_loaded || half.is_none_or(|half| half == Half::of(&path)) {
        return html! { <NotFound/> };
    }
    let search = location.search.get_untracked();
    let address = if search.is_empty() { path } else { format!("{path}?{search}") };
    // After the router has written the new address, which this one then stands for.
    set_timeout(move || drop(window().location().set_href(&address)), Duration::ZERO);
    ().into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_behind_the_counter_is_the_other_half() {
        for path in ["/admin", "/admin/", "/admin/orders", "/admin/orders/1"] {
            assert_eq!(Half::of(path), Half::Admin, "{path}");
        }
        for path in ["", "/", "/books/admin", "/administration", "/orders/1"] {
            assert_eq!(Half::of(path), Half::Shop, "{path}");
        }
    }
}
