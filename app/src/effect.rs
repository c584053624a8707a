//! Effects as one type: Leptos compiles their machinery for each closure anew.

use leptos::prelude::Effect;

/// Runs in the browser, once the page is there, and again when a signal that it reads has changed.
pub fn effect(run: impl FnMut() + 'static) {
    start(Box::new(run));
}

fn start(mut run: Box<dyn FnMut()>) {
    Effect::new(move |_: Option<()>| run());
}
