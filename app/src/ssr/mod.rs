//! What the server gives to the pages and the server functions: the state, the login, the cookies.
//!
//! Mounting, from the inside out: [`forms::translate`] around `/api/*`, then axum-login's auth layer over [`Backend`],
//! then the session layer. Leptos' handlers get their contexts by [`provide`]:
//!
//! ```ignore
//! let contexts = { let state = state.clone(); move || app::ssr::provide(&state) };
//! leptos_axum::handle_server_fns_with_context(contexts, request)
//! ```

mod auth;
pub mod cookies;
mod viewer;

pub use auth::{AuthSession, Backend, Credentials, User};
pub use viewer::viewer;

use axum::extract::FromRef;
use axum_extra::extract::cookie::Key;
use leptos::prelude::*;
use store::Store;

/// What every handler of the process can reach.
#[derive(Clone)]
pub struct AppState {
    pub store: Store,
    /// Signs the guest's and the receipts' cookie.
    pub cookie_key: Key,
    /// The base URL is https: cookies are `Secure` and `__Host-`.
    pub secure_cookies: bool,
    pub leptos_options: LeptosOptions,
    pub hub: store::live::Hub,
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos_options.clone()
    }
}

impl FromRef<AppState> for Key {
    fn from_ref(state: &AppState) -> Self {
        state.cookie_key.clone()
    }
}

/// The contexts that pages and server functions expect; give it to both of Leptos' handlers.
pub fn provide(state: &AppState) {
    provide_context(state.clone());
}
