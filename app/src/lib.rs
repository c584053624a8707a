//! The pages and the server functions of the shop.
//!
//! Pages are rendered whole on the server and hydrated in the browser; [`ssr`] is what the server mounts.

pub mod api;
mod app;
mod boot;
pub mod call;
mod components;
mod derived;
mod effect;
mod error;
mod half;
mod html;
mod live;
pub mod next;
mod pages;
#[cfg(feature = "ssr")]
mod shell;
mod shop;
#[cfg(feature = "ssr")]
pub mod ssr;
mod when;

pub use app::{AdminApp, App, ShopApp};
pub use error::AppError;
#[cfg(feature = "ssr")]
pub use shell::shell;

/// Where the cover of a book is served.
pub fn cover_url(slug: &str) -> String {
    format!("/covers/{slug}.svg")
}
