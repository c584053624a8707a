//! What stands around every request: refusals before it, headers and dressed errors after it.

pub mod body;
pub mod client;
pub mod compress;
pub mod cross_site;
pub mod errors;
pub mod headers;
pub mod kept;
pub mod origin;
pub mod shared;
pub mod throttle;

use crate::{config::BaseUrl, site::Site};
use axum::{
    Json,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::ApiError;
use http::StatusCode;
use std::sync::Arc;

/// A refusal as every client gets it: `{"code","message","fields"?}` with the status that goes with the code.
pub fn refuse(error: ApiError) -> Response {
    let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(error)).into_response()
}

/// Before any work: the request comes from no other site, and its body is small and here.
pub async fn admit(State(base): State<Arc<BaseUrl>>, request: Request, next: Next) -> Response {
    if let Some(refusal) = cross_site::refusal(&request, &base) {
        return refusal;
    }
    match body::read(request).await {
        Ok(request) => next.run(request).await,
        Err(refusal) => refusal,
    }
}

/// After all work: an answer came in time, errors are sentences, and browsers know what the page may do.
pub async fn finish(
    State((site, policy)): State<(Arc<Site>, Arc<headers::Policy>)>,
    request: Request,
    next: Next,
) -> Response {
    let wants_page = errors::accepts_html(request.headers());
    let mut response = errors::dress(errors::in_time(request, next).await, wants_page, &site);
    policy.apply(response.headers_mut());
    response
}
