//! A page around data: waits for it, shows it, or shows why it cannot.

use crate::{
    AppError,
    call::{read, resource},
    derived::Derived,
    html::html,
    pages::error::error_page,
};
use leptos::prelude::*;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Shows what the server function at `address` answers. The server waits until the page is whole; in the browser the
/// old page stays until the new one is there.
pub fn loaded<T: DeserializeOwned + 'static>(
    address: impl Fn() -> String + Send + Sync + 'static,
    show: impl Fn(T) -> AnyView + Send + Sync + 'static,
) -> AnyView {
    around(Derived::new(address), Arc::new(move |text| read(text).map(&show)))
}

/// Makes a page of a server function's answer.
type Show = dyn Fn(&str) -> Result<AnyView, AppError> + Send + Sync;

/// Everything that does not depend on the type, so that it is compiled once.
fn around(address: Derived<String>, show: Arc<Show>) -> AnyView {
    let data = resource(address);
    let shown = move || {
        let show = show.clone();
        Suspend::new(async move {
            let shown = data.await.0.and_then(|text| show(&text));
            shown.unwrap_or_else(error_page)
        })
    };
    html! { <Transition>{whole(shown)}</Transition> }
}

/// On the server nothing changes any more: Leptos would call a closure, and build the page, once to see what it waits for
/// and once to write it.
#[cfg(feature = "ssr")]
pub fn whole<V>(page: impl Fn() -> V) -> V {
    page()
}

/// In the browser the page follows its address.
#[cfg(not(feature = "ssr"))]
pub fn whole<P>(page: P) -> P {
    page
}
