//! What the server gives to the pages and the server functions: the state, the login, the cookies.
//!
//! Mounting, all inside axum-login's auth layer over [`Backend`], which is inside the session layer:
//!
//! ```ignore
//! let api = Router::new()
//!     .route("/api/{*name}", any(app::ssr::api))
//!     // throttles here
//!     .layer(middleware::from_fn_with_state(state.clone(), app::ssr::forms::translate));
//! let pages = Router::new()
//!     .leptos_routes_with_handler(leptos_axum::generate_route_list(app::App), app::ssr::page)
//!     .fallback(app::ssr::page); // the 404 page
//! ```
//!
//! The page's `Content-Security-Policy` is set by the handler, because only Leptos knows the nonce.

mod answer;
mod assets;
mod auth;
mod beside;
mod caller;
pub mod cookies;
pub mod forms;
pub(crate) mod head;
mod pages;
pub mod shift;
mod viewer;

pub(crate) use answer::answer;
pub use assets::{Assets, Scripts};
pub use auth::{AuthSession, Backend, Credentials, User};
pub use beside::Beside;
pub use caller::Caller;
pub use pages::{api, page};
pub use viewer::viewer;

use axum::extract::FromRef;
use axum_extra::extract::cookie::Key;
use leptos::prelude::*;
use std::{ops::Deref, sync::Arc};
use store::Store;

/// What every handler of the process can reach. Layers and contexts clone it some dozen times a request: it is one pointer.
#[derive(Clone)]
pub struct AppState(Arc<Shop>);

impl AppState {
    pub fn new(shop: Shop) -> Self {
        Self(Arc::new(shop))
    }
}

impl Deref for AppState {
    type Target = Shop;

    fn deref(&self) -> &Shop {
        &self.0
    }
}

pub struct Shop {
    pub store: Store,
    /// Signs the guest's and the receipts' cookie.
    pub cookie_key: Key,
    /// The base URL is https: cookies are `Secure` and `__Host-`.
    pub secure_cookies: bool,
    pub leptos_options: LeptosOptions,
    pub assets: Arc<Assets>,
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
