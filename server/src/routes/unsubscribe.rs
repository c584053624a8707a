//! `POST /mail/unsubscribe/{token}`: one click in a mail program (RFC 8058), or the button of the page at that address.
//! No session and no cookie: the token in the address is all the proof there is, so it may come from anywhere.

use crate::guard::refuse;
use axum::{
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, header};
use store::{Store, mail};

pub async fn unsubscribe(
    State(store): State<Store>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match mail::unsubscribe(&store, &token).await {
        // Mail programs follow no redirect; people see the page again, which says that it is done.
        Ok(()) if is_page(&headers) && !is_one_click(&body) => {
            Redirect::to(&format!("/mail/unsubscribe/{token}")).into_response()
        }
        Ok(()) => "You are unsubscribed.\n".into_response(),
        Err(error) => {
            if !error.is_refusal() {
                tracing::error!(error = &error as &dyn std::error::Error, "somebody could not unsubscribe");
            }
            refuse(error.to_api())
        }
    }
}

fn is_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// `List-Unsubscribe=One-Click`, as a form or in parts.
fn is_one_click(body: &[u8]) -> bool {
    const WORDS: &[u8] = b"One-Click";
    body.windows(WORDS.len()).any(|part| part == WORDS)
}
