//! `GET /orders/open/{token}`: the link in mails about an order. It gives this browser the receipt of a guest's order, by
//! which any browser opens it; an account's order asks for its login. It changes nothing else: programs that check mails
//! follow links.

use crate::guard::refuse;
use app::ssr::{AppState, AuthSession, cookies};
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::{OrderId, Owner};
use http::{HeaderMap, HeaderValue, StatusCode, header};

pub async fn open(
    State(state): State<AppState>,
    Path(token): Path<String>,
    auth: AuthSession,
    headers: HeaderMap,
) -> Response {
    match store::orders::of_link(&state.store, &token).await {
        Ok(Some((order, owner))) => lead_to(&state, &headers, &auth, order, owner),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            if !error.is_refusal() {
                tracing::error!(error = &error as &dyn std::error::Error, "a link to an order could not be followed");
            }
            refuse(error.to_api())
        }
    }
}

fn lead_to(state: &AppState, headers: &HeaderMap, auth: &AuthSession, order: OrderId, owner: Owner) -> Response {
    let page = format!("/orders/{order}");
    let mut response = match owner {
        Owner::Account(account) if auth.user.as_ref().is_none_or(|user| user.view().id != account) => {
            Redirect::to(&app::next::login_for(&page)).into_response()
        }
        _ => Redirect::to(&page).into_response(),
    };
    let mut add = |name, value: HeaderValue| response.headers_mut().append(name, value);
    // It leads to one person's things, and its address is as good as a key.
    add(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    add(header::HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
    if owner.guest().is_some() {
        add(header::SET_COOKIE, cookies::add_receipt(headers, state, order, owner));
        if auth.user.is_none() && cookies::guest(headers, state).is_none() {
            add(header::SET_COOKIE, cookies::new_guest(state).1);
        }
    }
    response
}
