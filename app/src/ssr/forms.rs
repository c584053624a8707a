//! Between HTTP and the server functions, which answer in JSON only: right status codes for their refusals, and for a
//! plain form (a browser without WASM) a redirect instead, with the refusal and the typed values in a one-shot cookie.

use super::{AppState, cookies};
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

/// Longest form, in bytes; that of a book has a description.
const MAX_BODY: usize = 16 * 1024;
const MAX_BOOK: usize = 64 * 1024;
/// Longest answer of a server function that is looked into, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;
/// Fields of a form that are looked at, and characters of each.
const MAX_FIELDS: usize = 24;
const MAX_VALUE: usize = 300;
/// Characters of [`SEEN`], which has up to 50 lines.
const MAX_SEEN: usize = 1000;
/// Characters of what the form of a book says at length: whole or not at all, because half a description would be saved.
const MAX_TEXT: usize = 6000;
/// What the checkout showed.
const SEEN: &str = "seen";
/// The fields of the checkout, whose form also carries the button that takes what is left.
const CHECKOUT: &[&str] = &[
    "email",
    "name",
    "line1",
    "line2",
    "city",
    "state",
    "postcode",
    "country",
    "phone",
    "address_id",
    "keep_address",
    SEEN,
];
/// The fields of a book.
const BOOK: &[&str] = &[
    "id",
    "sku",
    "isbn13",
    "title",
    "subtitle",
    "authors",
    "year",
    "language",
    "pages",
    "categories",
    "description",
    "price",
    "popularity",
    "copies",
];
const PLACE: &str = "orders/place";
const TAKE: &str = "cart/take_what_is_left";
/// Every plain form of the shop, with the fields that come back into it when it is refused; never a secret.
const FORMS: &[(&str, &[&str])] = &[
    ("account/login", &["email", "next"]),
    ("account/register", &["email", "name", "next"]),
    ("account/logout", &[]),
    ("account/profile", &["name"]),
    ("account/email", &["email"]),
    ("account/email/resend", &[]),
    ("account/email/verify", &[]),
    ("account/password", &[]),
    ("account/password/forgot", &["email"]),
    ("account/password/reset", &[]),
    ("account/sign_out_everywhere", &[]),
    ("account/addresses/save", CHECKOUT),
    ("account/addresses/remove", &[]),
    ("account/addresses/default", &[]),
    ("cart/again", &[]),
    ("cart/add", &["book_id", "quantity"]),
    ("cart/set", &["book_id", "quantity"]),
    ("cart/fewer", &["book_id", "quantity"]),
    ("cart/remove", &["book_id"]),
    ("cart/seen", &["book_id"]),
    ("cart/clear", &[]),
    ("cart/restore", &[]),
    (TAKE, CHECKOUT),
    (PLACE, CHECKOUT),
    ("orders/cancel", &["order_id"]),
    ("payments/init", &["order_id", "provider"]),
    ("admin/books/create", BOOK),
    ("admin/books/save", BOOK),
    ("admin/books/retire", &["id"]),
    ("admin/books/stock", &["id", "delta", "kind", "reason"]),
    ("admin/books/low", &["id", "low_from"]),
    ("admin/books/low_everywhere", &["low_from"]),
    ("admin/files/import", &["id"]),
    ("admin/files/discard", &["id"]),
    ("admin/orders/fulfil", &["order_id"]),
    ("admin/orders/ship", &["order_id", "carrier", "tracking"]),
    ("admin/orders/deliver", &["order_id"]),
    ("admin/orders/cancel", &["order_id", "reason"]),
    ("admin/orders/bulk", &["step", "carrier", "reason"]),
    ("admin/orders/note", &["note"]),
    ("admin/orders/address", CHECKOUT),
    ("admin/orders/resend", &[]),
    ("admin/payments/let_go", &["event_id", "reason"]),
    ("admin/refunds/create", &["order_id", "typed_amount", "reason", "restock"]),
    ("admin/refunds/retry", &["refund_id"]),
    ("admin/staff/set", &["email", "role"]),
    ("admin/work/retry", &["id"]),
    ("admin/work/retry_all", &["source"]),
    ("admin/work/discard", &["id", "reason"]),
    ("admin/work/free", &["key"]),
    ("admin/work/run", &["name"]),
    ("admin/health/run", &["kind"]),
    ("admin/health/repair", &["book_id"]),
];
/// Where forms lead that change settings; `done` names what the page then says (`crate::api::sheets`).
const SETTLED: &[(&str, &str)] = &[
    ("admin/staff/set", "/admin/staff"),
    ("account/profile", "/account/details?done=name"),
    ("account/email", "/account/details?done=email"),
    ("account/email/resend", "/account/details?done=sent"),
    ("account/email/verify", "/account/details?done=verified"),
    ("account/password", "/account/password?done=password"),
    ("account/password/forgot", "/password/forgot?done=forgot"),
    ("account/password/reset", "/password/reset/done"),
    ("account/sign_out_everywhere", "/login"),
    ("account/addresses/save", "/account/addresses?done=address"),
    ("account/addresses/remove", "/account/addresses?done=address"),
    ("account/addresses/default", "/account/addresses?done=address"),
    ("admin/books/low_everywhere", "/admin/books?show=low"),
];
/// Seconds after which a client may try again when the shop was not ready.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("2");

/// The middleware around `/api/*`, outside of throttles whose answers it may translate:
/// `.layer(axum::middleware::from_fn_with_state(state, app::ssr::forms::translate))`.
pub async fn translate(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let form = parts.uri.path().trim_start_matches("/api/").to_owned();
    let known = FORMS.iter().find(|(name, _)| *name == form).map(|(_, fields)| *fields);
    let known = known.filter(|_| parts.method == Method::POST && accepts_html(&parts.headers));
    let back = back(&parts.headers);
    // Leptos has redirects of its own for HTML, which would lose the refusal.
    parts.headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let most = if form.starts_with("admin/books/") { MAX_BOOK } else { MAX_BODY };
    let Ok(body) = to_bytes(body, most).await else {
        return refusal(&ApiError::new(ErrorCode::TooLarge, "That form is too long."));
    };
    let typed = if known.is_some() { typed(&body) } else { BTreeMap::new() };
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let answer = Answer::read(response).await;
    match known {
        Some(fields) => answer.into_redirect(&state, &form, fields, typed, back),
        None => answer.into_json(),
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

    fn into_redirect(
        self,
        state: &AppState,
        form: &str,
        fields: &[&str],
        mut typed: BTreeMap<String, String>,
        back: String,
    ) -> Response {
        let target = if self.error.is_some() { back } else { after(form, &typed, &self.body, back) };
        typed.retain(|name, _| fields.contains(&name.as_str()));
        // The checkout goes on with what was typed into it.
        let is_step = form == TAKE && !typed.is_empty();
        let form = if is_step { PLACE } else { form };
        let flash = match self.error {
            Some(error) => Some((Some(slim(error)), typed)),
            None if is_step => Some((None, typed)),
            None => said(&self.body).map(|error| (Some(error), BTreeMap::new())),
        };
        let flash = flash.map(|(error, values)| carried(Flash { form: form.to_owned(), error, values }));
        let mut response = Redirect::to(&target).into_response();
        copy(header::SET_COOKIE, self.response.headers(), response.headers_mut());
        if let Some(flash) = flash {
            response.headers_mut().append(header::SET_COOKIE, cookies::set_flash(state, &flash));
        }
        response
    }
}

/// The flash as it travels; should it be too long for a cookie, the longest values stay behind.
fn carried(mut flash: Flash) -> String {
    loop {
        let text = serde_json::to_string(&flash).unwrap_or_default();
        let longest = flash.values.iter().max_by_key(|(_, value)| value.len()).map(|(name, _)| name.clone());
        match longest {
            Some(name) if text.len() > cookies::MAX_FLASH => flash.values.remove(&name),
            _ => return text,
        };
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
        "cart/set" | "cart/fewer" | "cart/remove" | "cart/seen" | "cart/clear" | "cart/restore" | "cart/again" => {
            "/cart".to_owned()
        }
        TAKE => typed("next").and_then(same_site).unwrap_or("/checkout").to_owned(),
        PLACE => answered("order_id").map_or(back, |id| format!("/orders/{id}")),
        "admin/books/create" => answer.get("id").map_or(back, |id| format!("/admin/books/{id}?done=made")),
        "admin/books/save" | "admin/books/retire" | "admin/books/stock" | "admin/books/low" => answer
            .get("id")
            .map_or(back, |id| format!("/admin/books/{id}?done={}", form.rsplit('/').next().unwrap_or(""))),
        "orders/cancel" => typed("order_id").map_or(back, |id| format!("/orders/{}", crate::next::encode(id))),
        "payments/init" => answered("redirect_url").map_or(back, str::to_owned),
        _ => SETTLED.iter().find(|(name, _)| *name == form).map_or(back, |(_, page)| (*page).to_owned()),
    }
}

/// A form that succeeded in part: the next page says what did not.
fn said(body: &Bytes) -> Option<ApiError> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(ApiError::new(ErrorCode::NotOrderable, answer.get("said")?.as_str()?))
}

/// A refusal without what the next page looks up by itself: the cart, and what is left of its books.
fn slim(mut error: ApiError) -> ApiError {
    error.cart = None;
    error.fields.retain(|name, _| !name.starts_with("book_"));
    if let Some((end, _)) = error.message.char_indices().nth(MAX_VALUE) {
        error.message.replace_range(end.., "…");
    }
    error
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
    let cut = |name: &str, value: &str| {
        let most = match name {
            SEEN => MAX_SEEN,
            "description" | "authors" => MAX_TEXT,
            _ => MAX_VALUE,
        };
        value.chars().take(most).collect()
    };
    pairs.map(|(name, value)| (name.clone().into_owned(), cut(&name, &value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flash_fits_into_a_cookie_and_holds_no_secret() {
        let fields = FORMS.iter().flat_map(|(_, fields)| fields.iter());
        assert!(fields.into_iter().all(|field| !field.contains("password") && !field.contains("_key")));
        let values = CHECKOUT.iter().map(|field| (field.to_string(), "अ".repeat(MAX_VALUE))).collect();
        let mut error = ApiError::new(ErrorCode::InsufficientStock, "अ".repeat(5000));
        (0..50).for_each(|book| drop(error.fields.insert(format!("book_{book}"), "0".into())));
        let text = carried(Flash { form: PLACE.to_owned(), error: Some(slim(error)), values });
        assert!(text.len() <= cookies::MAX_FLASH);
        let back: Flash = serde_json::from_str(&text).unwrap();
        assert!(!back.values.is_empty(), "what fits comes along");
    }
}
