//! One span and one line per request, with an id that the answer carries too. Paths are templates: what people looked
//! for, and tokens in addresses, stay out of the logs.

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use http::{HeaderValue, Method};
use std::{collections::HashSet, sync::LazyLock, time::Instant};
use tracing::Instrument;
use uuid::Uuid;

/// All of them share one route; their names are what matters.
static SERVER_FUNCTIONS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| server_fn::axum::server_fn_paths().map(|(path, _)| path).collect());

/// Gives each request an id, which the answer names. Ids are ours alone: a client's could be long, or somebody else's.
#[expect(clippy::disallowed_methods, reason = "what the log calls a request decides nothing")]
pub async fn track(request: Request, next: Next) -> Response {
    let id = Uuid::new_v4().to_string();
    let route = route(&request);
    let method = known(request.method());
    let span = tracing::info_span!("request", request.id = id, http.method = method, http.route = route);
    let started = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = started.elapsed();
    let status = response.status().as_u16();
    span.in_scope(|| {
        let duration_ms = took.as_micros() as f64 / 1000.0;
        if status >= 500 {
            tracing::warn!(http.status = status, duration_ms, "answered");
        } else {
            tracing::info!(http.status = status, duration_ms, "answered");
        }
    });
    let labels = [("method", method.to_owned()), ("route", route), ("status", status.to_string())];
    metrics::counter!("bazar_http_requests_total", &labels[..]).increment(1);
    metrics::histogram!("bazar_http_request_seconds", &labels[..2]).record(took.as_secs_f64());
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

/// The template of the path; whatever no route matched is one of two, so that metrics stay few.
fn route(request: &Request) -> String {
    let path = request.uri().path();
    match request.extensions().get::<MatchedPath>() {
        Some(matched) if matched.as_str().starts_with("/api/") => {
            if SERVER_FUNCTIONS.contains(path) {
                path.to_owned()
            } else {
                "/api/(unknown)".to_owned()
            }
        }
        Some(path) => path.as_str().to_owned(),
        None if path.contains('.') => "(file)".to_owned(),
        None => "(unknown)".to_owned(),
    }
}

/// Any word can be a method on the wire; metrics keep only those that mean something.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
