//! `POST /webhooks/{provider}`: what payment providers tell the shop. No session, no cookies; the signature over the raw
//! body proves who speaks.

use crate::guard::refuse;
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    response::{IntoResponse, Response},
    routing::post,
};
use domain::{ApiError, ErrorCode};
use http::{HeaderMap, StatusCode};
use store::{
    Store,
    payments::{self, MAX_WEBHOOK, WebhookError},
};

pub fn routes<S>(store: Store) -> Router<S> {
    let limit = DefaultBodyLimit::max(MAX_WEBHOOK);
    Router::new().route("/webhooks/{provider}", post(receive).layer(limit)).with_state(store)
}

async fn receive(
    State(store): State<Store>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    match payments::receive(&store, &provider, &header, &body).await {
        Ok(received) => {
            tracing::info!(provider, ?received, "webhook");
            StatusCode::OK.into_response()
        }
        Err(WebhookError::UnknownProvider) => refuse(ApiError::not_found("this provider")),
        Err(WebhookError::Bad(why)) => {
            tracing::warn!(provider, why, "webhook refused");
            refuse(ApiError::new(ErrorCode::BadRequest, "This is not a webhook that we can trust."))
        }
        Err(WebhookError::Failed(error)) => {
            tracing::error!(provider, error = ?error, "a webhook could not be taken in");
            refuse(error.to_api())
        }
    }
}
