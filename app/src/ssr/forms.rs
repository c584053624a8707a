//! Between HTTP and the server functions, which answer in JSON only: right status codes for their refusals, and for a
//! plain form (a browser without WASM) a redirect instead, with the refusal and the typed values in the session.

use super::{AppState, pages::FLASH};
use crate::{boot::Flash, next::same_site};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use domain::{ApiError, ErrorCode};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use leptos::server_fn::{error::SERVER_FN_ERROR_HEADER, redirect::REDIRECT_HEADER};
use std::collections::BTreeMap;
use tower_sessions::Session;

/// Longest form, in bytes.
const MAX_BODY: usize = 16 * 1024;
/// Longest answer of a server function that is looked into, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;
/// What the session keeps of a refused form: fields, and characters of each.
const MAX_FIELDS: usize = 24;
const MAX_VALUE: usize = 300;
/// Seconds after which a client may try again when the shop was not ready.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("2");

/// The middleware around `/api/*`; inside the session layer, outside of throttles whose answers it may translate:
/// `.layer(axum::middleware::from_fn_with_state(state, app::ssr::forms::translate))`.
pub async fn translate(State(_): State<AppState>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let form = parts.uri.path().trim_start_matches("/api/").to_owned();
    let is_plain = parts.method == Method::POST && accepts_html(&parts.headers);
    let back = back(&parts.headers);
    let session = parts.extensions.get::<Session>().cloned();
    // Leptos has redirects of its own for HTML, which would lose the refusal.
    parts.headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return refusal(&ApiError::new(ErrorCode::TooLarge, "That form is too long."));
    };
    let typed = if is_plain { typed(&body) } else { BTreeMap::new() };
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let answer = Answer::read(response).await;
    match is_plain {
        true => answer.into_redirect(&form, typed, back, session).await,
        false => answer.into_json(),
    }
}

/// What a server function said.
struct Answer {
    response: Response,
    body: Bytes,
    error: Option<ApiError>,
}

impl Answer {
    async fn read(response: Response) -> Self {
        let (mut head, body) = response.into_parts();
        let body = to_bytes(body, MAX_ANSWER).await.unwrap_or_default();
        let is_error = head.headers.remove(SERVER_FN_ERROR_HEADER).is_some() || !head.status.is_success();
        head.headers.remove(REDIRECT_HEADER);
        let error = is_error.then(|| serde_json::from_slice(&body).unwrap_or_else(|_| foreign(head.status)));
        Self { response: Response::from_parts(head, Body::empty()), body, error }
    }

    fn into_json(self) -> Response {
        let mut response = match &self.error {
            Some(error) => {
                let mut response = refusal(error);
                copy(header::SET_COOKIE, self.response.headers(), response.headers_mut());
                if self.response.headers().contains_key(header::RETRY_AFTER) {
                    response.headers_mut().remove(header::RETRY_AFTER);
                    copy(header::RETRY_AFTER, self.response.headers(), response.headers_mut());
                }
                response
            }
            None => self.response.map(|_| Body::from(self.body)),
        };
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    async fn into_redirect(
        self,
        form: &str,
        typed: BTreeMap<String, String>,
        back: String,
        session: Option<Session>,
    ) -> Response {
        let target = match self.error {
            None => after(form, &typed, &self.body, back),
            Some(error) => {
                let values = typed.into_iter().filter(|(name, _)| !is_secret(name)).collect();
                keep(session, Flash { form: form.to_owned(), error, values }).await;
                back
            }
        };
        let mut response = Redirect::to(&target).into_response();
        copy(header::SET_COOKIE, self.response.headers(), response.headers_mut());
        response
    }
}

/// The page that comes after a form that succeeded.
fn after(form: &str, typed: &BTreeMap<String, String>, body: &Bytes, back: String) -> String {
    let typed = |name: &str| typed.get(name).map(String::as_str);
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let answered = |name: &str| answer.get(name).and_then(|value| value.as_str());
    match form {
        "account/login" | "account/register" => typed("next").and_then(same_site).unwrap_or("/account").to_owned(),
        "account/logout" => "/".to_owned(),
        "cart/set" | "cart/remove" | "cart/clear" => "/cart".to_owned(),
        "orders/place" => answered("order_id").map_or(back, |id| format!("/orders/{id}")),
        "orders/cancel" => typed("order_id").map_or(back, |id| format!("/orders/{}", crate::next::encode(id))),
        "payments/init" => answered("redirect_url").map_or(back, str::to_owned),
        _ => back,
    }
}

/// An error that no server function wrote: an unknown address, a limit, a crash.
fn foreign(status: StatusCode) -> ApiError {
    match status.as_u16() {
        // Leptos says 400 for names it does not know.
        400 | 404 | 405 => ApiError::new(ErrorCode::NotFound, "There is nothing at this address."),
        403 => ApiError::new(ErrorCode::Forbidden, "This is not allowed."),
        413 => ApiError::new(ErrorCode::TooLarge, "That form is too long."),
        429 => ApiError::new(ErrorCode::TooManyRequests, "That was a lot at once. Please wait a moment."),
        503 => ApiError::not_ready(),
        _ => ApiError::internal(),
    }
}

fn refusal(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, axum::Json(error)).into_response();
    if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
    }
    response
}

async fn keep(session: Option<Session>, flash: Flash) {
    let kept = match session {
        Some(session) => session.insert(FLASH, flash).await.is_ok(),
        None => false,
    };
    if !kept {
        tracing::warn!("the refusal of a plain form could not be kept for the next page");
    }
}

fn copy(name: header::HeaderName, from: &HeaderMap, to: &mut HeaderMap) {
    for value in from.get_all(&name) {
        to.append(name.clone(), value.clone());
    }
}

fn accepts_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("text/html") && !accept.starts_with("application/json")
}

/// The page the form was on, as a path of this site.
fn back(headers: &HeaderMap) -> String {
    let referer = headers.get(header::REFERER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = referer.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    path.and_then(same_site).unwrap_or("/").to_owned()
}

fn typed(body: &Bytes) -> BTreeMap<String, String> {
    let pairs = form_urlencoded::parse(body).take(MAX_FIELDS);
    pairs.map(|(name, value)| (name.into_owned(), value.chars().take(MAX_VALUE).collect())).collect()
}

/// What never goes into a session or back into a page.
fn is_secret(name: &str) -> bool {
    name.contains("password") || matches!(name, "idempotency_key" | "expected_total")
}
