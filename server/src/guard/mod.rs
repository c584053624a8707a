//! What stands around every request: refusals before it, headers and dressed errors after it.

pub mod body;
pub mod client;
pub mod compress;
pub mod cross_site;
pub mod errors;
pub mod headers;
pub mod kept;
pub mod origin;
pub mod throttle;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use domain::ApiError;
use http::StatusCode;

/// A refusal as every client gets it: `{"code","message","fields"?}` with the status that goes with the code.
pub fn refuse(error: ApiError) -> Response {
    let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(error)).into_response()
}
