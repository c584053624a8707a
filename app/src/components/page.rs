//! A page's main part and its title.

use crate::effect::effect;
use crate::html::html;
use leptos::prelude::*;
use leptos_meta::Title;
use std::time::Duration;
use wasm_bindgen::JsCast;

pub const NARROW: &str = "page__main page__main--narrow";
pub const WIDE: &str = "page__main page__main--wide";
pub const PLAIN: &str = "page__main";

#[component]
pub fn Page(#[prop(into)] title: String, class: &'static str, children: Children) -> impl IntoView {
    #[cfg(feature = "ssr")]
    crate::ssr::head::private(&title);
    focus_unless_first(title.clone());
    html! {
        <Title text=title.clone()/>
        <main class=class id="main" tabindex="-1" aria-label=title>{children()}</main>
    }
}

/// A new page is built before the old one goes; a view transition takes a few frames more.
const ONCE_SHOWN: Duration = Duration::from_millis(100);
/// So often a page is looked for that is not there yet.
const LOOKS: u8 = 30;

/// After following a link without a reload, keyboard and screen reader go on at the new page, not at the old link.
fn focus_unless_first(title: String) {
    let is_first = Owner::current_shared_context().is_some_and(|context| context.during_hydration());
    effect(move || {
        if !is_first {
            // It names the page that the tab began with; "Share" would send that one.
            if let Ok(Some(canonical)) = document().query_selector("link[rel=canonical]") {
                canonical.remove();
            }
            let title = title.clone();
            set_timeout(move || focus_main(title, LOOKS), ONCE_SHOWN);
        }
    });
}

/// On a busy machine the page of before is there for longer.
fn focus_main(title: String, looks: u8) {
    let is_shown = |main: &web_sys::Element| main.get_attribute("aria-label").is_some_and(|label| label == title);
    if document().get_element_by_id("main").as_ref().is_some_and(is_shown) {
        focus("main", true);
    } else if looks > 0 {
        set_timeout(move || focus_main(title, looks - 1), ONCE_SHOWN);
    }
}

/// Keyboard, screen reader and eye go on at this part of a page that is not its first in this tab.
pub fn focus_once_shown(id: &'static str) {
    let is_first = Owner::current_shared_context().is_some_and(|context| context.during_hydration());
    effect(move || {
        if !is_first {
            // After the page's own focus.
            set_timeout(move || focus(id, false), ONCE_SHOWN + ONCE_SHOWN / 2);
        }
    });
}

fn focus(id: &str, stays_put: bool) {
    let element = document().get_element_by_id(id).and_then(|found| found.dyn_into::<web_sys::HtmlElement>().ok());
    if let Some(element) = element {
        let options = web_sys::FocusOptions::new();
        options.set_prevent_scroll(stays_put);
        let _ = element.focus_with_options(&options);
    }
}

/// For pages that only somebody with the link should see.
pub fn keep_out_of_search() {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        let name = http::HeaderName::from_static("x-robots-tag");
        response.insert_header(name, http::HeaderValue::from_static("noindex"));
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
