//! The provider's API: JSON in, JSON out, a Bearer key, `Idempotency-Key` on what makes something.

use crate::guard::refuse;
use axum::{
    Json,
    extract::{Path, Query, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{ApiError, ErrorCode, UnixMillis};
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use store::{
    Store,
    error::Error,
    sandbox::{self, CreatePayment, CreateRefund, RefundCreated, RefundStatus},
};

pub async fn authorise(State(store): State<Store>, request: Request, next: Next) -> Response {
    let bearer = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let key = bearer.and_then(|value| value.strip_prefix("Bearer "));
    match key {
        Some(key) if sandbox::is_authorised(&store, key) => next.run(request).await,
        _ => refuse(ApiError::new(ErrorCode::Unauthorised, "This API needs a key.")),
    }
}

pub async fn create(State(store): State<Store>, headers: HeaderMap, Json(request): Json<CreatePayment>) -> Response {
    answer(sandbox::create(&store, idempotency_key(&headers), request).await.map(Some))
}

pub async fn retrieve(State(store): State<Store>, Path(id): Path<String>) -> Response {
    answer(sandbox::get(&store, &id).await)
}

pub async fn close(State(store): State<Store>, Path(id): Path<String>) -> Response {
    answer(sandbox::close(&store, &id).await)
}

pub async fn refund(
    State(store): State<Store>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(request): Json<CreateRefund>,
) -> Response {
    let made = sandbox::refund(&store, idempotency_key(&headers), &id, request.amount).await;
    answer(made.map(|id| id.map(|id| RefundCreated { id })))
}

pub async fn refund_status(State(store): State<Store>, Path(id): Path<String>) -> Response {
    let state = sandbox::refund_state(&store, &id).await;
    answer(state.map(|state| state.map(|status| RefundStatus { status })))
}

#[derive(Deserialize)]
pub struct Window {
    from: UnixMillis,
    until: UnixMillis,
    #[serde(default)]
    after: String,
}

pub async fn statement(State(store): State<Store>, Query(window): Query<Window>) -> Response {
    let Window { from, until, after } = window;
    answer(sandbox::statement(&store, from, until, &after).await.map(Some))
}

fn idempotency_key(headers: &HeaderMap) -> &str {
    headers.get("idempotency-key").and_then(|value| value.to_str().ok()).unwrap_or("")
}

fn answer<T: Serialize>(result: Result<Option<T>, Error>) -> Response {
    match result {
        Ok(Some(body)) => Json(body).into_response(),
        Ok(None) => refuse(ApiError::not_found("this payment")),
        Err(error) => failed(&error),
    }
}

pub fn failed(error: &Error) -> Response {
    if !error.is_refusal() {
        tracing::error!(error = ?error, "sandbox provider");
    }
    refuse(error.to_api())
}
