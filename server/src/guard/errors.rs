//! Whatever goes wrong below, the client gets a sentence: JSON for programs, a page for people, and nothing of our insides.

use super::refuse;
use crate::site::Site;
use app::ssr::Beside;
use axum::{
    body::Body,
    extract::Request,
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use domain::{ApiError, ErrorCode};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use std::{any::Any, time::Duration};

/// Longest time until an answer begins. Postgres and Redis give up long before.
const PATIENCE: Duration = Duration::from_secs(15);
/// The same for a file that comes over a slow line.
const PATIENCE_WITH_FILES: Duration = Duration::from_secs(120);

/// The answer, or a bare 503 when it takes too long to begin.
pub async fn in_time(request: Request, next: Next) -> Response {
    let patience = if request.uri().path() == Beside::Upload.path() { PATIENCE_WITH_FILES } else { PATIENCE };
    match tokio::time::timeout(patience, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// For tower-http's `CatchPanicLayer`: an empty 500, which [`dress`] turns into a sentence.
pub fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = message.unwrap_or("of an unknown kind"), "a request panicked");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// Gives bare errors (of axum, tower and our layers) a body, and says when to come again.
pub fn dress(mut response: Response, wants_page: bool, site: &Site) -> Response {
    if is_bare_error(&response) {
        let (mut parts, _) = response.into_parts();
        let error = sentence(parts.status);
        let dressed = if wants_page { page(site, &error) } else { refuse(error) };
        let (dress, body) = dressed.into_parts();
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.headers.extend(dress.headers);
        response = Response::from_parts(parts, body);
    }
    let later = matches!(response.status(), StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS);
    if later && !response.headers().contains_key(header::RETRY_AFTER) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    }
    response
}

pub fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// Errors of ours say what they are; those of libraries have no body, or plain text about themselves.
fn is_bare_error(response: &Response<Body>) -> bool {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
    (status.is_client_error() || status.is_server_error()) && (kind.is_empty() || kind.starts_with(b"text/plain"))
}

fn sentence(status: StatusCode) -> ApiError {
    match status {
        StatusCode::NOT_FOUND => ApiError::not_found("this address"),
        StatusCode::METHOD_NOT_ALLOWED => {
            ApiError::new(ErrorCode::BadRequest, "This address does not take this method.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(ErrorCode::TooLarge, "This is more than we take at once."),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => ApiError::not_ready(),
        status if status.is_client_error() => {
            ApiError::new(ErrorCode::BadRequest, "We do not understand this request.")
        }
        _ => ApiError::internal(),
    }
}

/// Written by hand: whatever renders the other pages may be what just broke.
fn page(site: &Site, error: &ApiError) -> Response {
    let (style, message) = (site.stylesheet(), &error.message);
    Html(format!(
        r#"<!DOCTYPE html><html lang="en-IN"><head><meta charset="utf-8"><title>Book Bazar</title><meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="/favicon.svg" type="image/svg+xml"><link rel="stylesheet" href="{style}"></head><body><main class="page"><div class="empty"><h1>That did not work</h1><p>{message}</p><p><a class="button" href="/">Back to the shop</a></p></div></main></body></html>"#
    ))
    .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, body::to_bytes, middleware::map_response, routing::get};
    use leptos::config::LeptosOptions;
    use tower::ServiceExt;
    use tower_http::catch_panic::CatchPanicLayer;

    async fn ask(path: &str, accept: &str) -> (StatusCode, HeaderMap, String) {
        let site = std::sync::Arc::new(Site::new(&LeptosOptions::builder().output_name("book-bazar").build()));
        let broken = || async {
            if true {
                panic!("the insides")
            }
        };
        let busy = || async { StatusCode::SERVICE_UNAVAILABLE };
        let own = || async { refuse(ApiError::new(ErrorCode::EmptyCart, "There is nothing in your cart.")) };
        let router = Router::new().route("/broken", get(broken)).route("/busy", get(busy)).route("/own", get(own));
        let wants_page = accept == "text/html";
        let dressed = move |response: Response| {
            let site = site.clone();
            async move { dress(response, wants_page, &site) }
        };
        let router = router.layer(CatchPanicLayer::custom(panicked)).layer(map_response(dressed));
        let request =
            Request::builder().uri(path).header(header::ACCEPT, accept).body(Body::empty()).expect("a request");
        let (parts, body) = router.oneshot(request).await.expect("an answer").into_parts();
        let body = to_bytes(body, 1 << 16).await.expect("a body");
        (parts.status, parts.headers, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn a_panic_is_a_sentence_without_our_insides() {
        for (accept, kind) in [("text/html", "text/html; charset=utf-8"), ("application/json", "application/json")] {
            let (status, headers, body) = ask("/broken", accept).await;
            assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(headers[header::CONTENT_TYPE], kind);
            assert!(body.contains("Nothing was lost") && !body.contains("insides"), "{body}");
        }
    }

    #[tokio::test]
    async fn who_must_wait_is_told_how_long() {
        let (status, headers, body) = ask("/busy", "*/*").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(headers[header::RETRY_AFTER], "2");
        assert!(body.contains("not_ready"), "{body}");
    }

    #[tokio::test]
    async fn our_own_refusals_stay_as_they_are() {
        let (status, _, body) = ask("/own", "text/html").await;
        assert_eq!((status, body.contains("empty_cart")), (StatusCode::CONFLICT, true), "{body}");
    }
}
