//! Addresses that are neither pages nor server functions.

pub mod board;
pub mod catalogue;
pub mod covers;
pub mod health;
pub mod open_order;
pub mod robots;
pub mod sitemap;
pub mod unsubscribe;

use app::ssr::{AppState, Beside};
use axum::{
    Router,
    routing::{MethodRouter, get, post},
};

/// What the admin side has beside its server functions.
pub fn admin() -> Router<AppState> {
    Beside::ALL.into_iter().fold(Router::new(), |router, route| router.route(route.path(), handler(route)))
}

fn handler(route: Beside) -> MethodRouter<AppState> {
    match route {
        Beside::OrdersFile => get(board::csv),
        Beside::BooksFile => get(catalogue::export),
        Beside::Upload => post(catalogue::upload),
    }
}
