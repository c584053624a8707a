//! The two handlers that the server mounts: every page, and every server function.

use super::{AppState, AuthSession, cookies, head, provide, viewer};
use crate::{
    boot::{Boot, Flash},
    shell,
};
use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use domain::cart::CartView;
use http::{Request, header, request::Parts};

/// Renders the page of this address, whole (async mode); unknown addresses become the 404 page. Mount it on the
/// listed routes (`leptos_routes_with_handler`) and as the fallback.
pub async fn page(State(state): State<AppState>, request: Request<Body>) -> Response {
    let (mut parts, body) = request.into_parts();
    let boot = load(&state, &parts).await;
    let shows_flash = boot.flash.is_some();
    parts.extensions.insert(boot);
    // Leptos redirects by status only those who ask for HTML, and everybody who asks for a page does.
    parts.headers.insert(header::ACCEPT, header::HeaderValue::from_static("text/html"));
    let (given, shown) = (state.clone(), state.clone());
    let render = leptos_axum::render_app_async_with_context(move || provide(&given), move || shell(&shown));
    let mut response = render(Request::from_parts(parts, body)).await;
    // A stored page would pair an old nonce with a new policy, and it shows one person's cart.
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response.headers_mut().entry(head::ROBOTS).or_insert(header::HeaderValue::from_static("noindex"));
    if shows_flash {
        response.headers_mut().append(header::SET_COOKIE, cookies::forget_flash(&state));
    }
    response
}

/// Runs the server function of this address. Mount it on `/api/{*name}` for GET and POST, inside
/// [`super::forms::translate`].
pub async fn api(State(state): State<AppState>, request: Request<Body>) -> Response {
    leptos_axum::handle_server_fns_with_context(move || provide(&state), request).await.into_response()
}

/// A page must come even when the cart cannot: it starts from an empty one then, and live messages correct it.
async fn load(state: &AppState, parts: &Parts) -> Boot {
    let account = parts.extensions.get::<AuthSession>().and_then(|auth| auth.user.as_ref()).map(|u| u.view().clone());
    let viewer = viewer(&parts.headers, state, account.as_ref());
    let empty = || CartView::empty(state.store.config().currency);
    let cart = match &viewer {
        None => empty(),
        Some(viewer) => store::carts::view(&state.store, &viewer.owner).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the page is shown without its cart");
            empty()
        }),
    };
    let providers = store::payments::providers(&state.store).into_iter().map(str::to_owned).collect();
    let delivery = state.store.config().delivery;
    let business = state.store.config().business.clone();
    Boot { account, is_known: viewer.is_some(), cart, delivery, providers, business, flash: flash(state, parts) }
}

/// What was wrong with the form sent last. A missing picture also ends up as a page, but nobody reads that one.
pub(super) fn flash(state: &AppState, parts: &Parts) -> Option<Flash> {
    let is_read = parts.headers.get("sec-fetch-dest").is_none_or(|dest| dest == "document");
    let text = cookies::flash(&parts.headers, state).filter(|_| is_read)?;
    serde_json::from_str(&text).ok()
}
