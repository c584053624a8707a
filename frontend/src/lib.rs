//! The browser's entry point: it hydrates the server-rendered page and does nothing else. Built twice, once per half.

#[cfg(feature = "admin")]
use app::AdminApp as Half;
#[cfg(not(feature = "admin"))]
use app::ShopApp as Half;

#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(Half);
}
