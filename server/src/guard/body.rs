//! Bodies are small and read before any work begins: a slow or endless one holds a buffer, never a transaction.

use super::refuse;
use app::ssr::Beside;
use axum::{
    body::{Body, to_bytes},
    extract::Request,
    response::Response,
};
use domain::{ApiError, ErrorCode};
use store::payments::MAX_WEBHOOK;

/// Forms and JSON of people and their programs.
const LIMIT: usize = 64 * 1024;

/// The same request with its body at hand, or a refusal.
pub async fn read(request: Request) -> Result<Request, Response> {
    // Who may hand in a file is asked before it is read.
    if request.method().is_safe() || request.uri().path() == Beside::Upload.path() {
        return Ok(request);
    }
    let limit = if request.uri().path().starts_with("/webhooks/") { MAX_WEBHOOK } else { LIMIT };
    let (parts, body) = request.into_parts();
    match to_bytes(body, limit).await {
        Ok(bytes) => Ok(Request::from_parts(parts, Body::from(bytes))),
        Err(error) if is_too_large(&error) => Err(refuse(ApiError::new(
            ErrorCode::TooLarge,
            format!("This is more than we take at once: {} KiB are the limit.", limit / 1024),
        ))),
        // The client broke off; nobody reads this.
        Err(_) => Err(refuse(ApiError::new(ErrorCode::BadRequest, "The request ended too early."))),
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}
