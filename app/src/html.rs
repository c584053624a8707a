//! Markup as one type.
//!
//! `view!` gives every piece of markup a type of its own, and Leptos compiles its rendering, hydration and rebuilding
//! for each of them. [`html!`] erases it at once, which made the WASM a twentieth smaller.

macro_rules! html {
    ($($markup:tt)*) => {
        leptos::prelude::IntoAny::into_any(leptos::prelude::view! { $($markup)* }.into_inner())
    };
}

pub(crate) use html;

use leptos::prelude::*;
use std::sync::{Arc, Mutex};

/// Markup that follows signals, as one type.
pub fn changing<T: RenderHtml + Send + 'static>(part: impl FnMut() -> T + Send + 'static) -> AnyView
where
    T::State: 'static,
{
    let part: Arc<Mutex<dyn FnMut() -> T + Send>> = Arc::new(Mutex::new(part));
    part.into_any()
}
