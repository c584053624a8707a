//! Sandbox Pay, the built-in payment provider, as the world sees it: an API for its customers under `/sandbox/v1`, a
//! hosted page for people under `/sandbox/pay`. It knows nothing of the shop but what the API was told.

mod api;
mod page;
mod tricks;
mod view;

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{get, post},
};
use store::Store;

pub fn routes<S>(store: Store) -> Router<S> {
    let api = Router::new()
        .route("/sandbox/v1/payments", post(api::create))
        .route("/sandbox/v1/payments/{id}", get(api::retrieve))
        .route("/sandbox/v1/payments/{id}/close", post(api::close))
        .route("/sandbox/v1/payments/{id}/refunds", post(api::refund))
        .route("/sandbox/v1/refunds/{id}", get(api::refund_status))
        .route("/sandbox/v1/statement", get(api::statement))
        .route_layer(from_fn_with_state(store.clone(), api::authorise));
    Router::new().route("/sandbox/pay/{id}", get(page::show).post(page::press)).merge(api).with_state(store)
}
