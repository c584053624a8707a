//! Puts the house together: pages and server functions behind the session, everything else beside it, the guards around
//! all of it.

use crate::{
    config::{BaseUrl, Config},
    guard::{self, headers::Policy, kept::Shelf, shared, throttle::Throttle},
    live::{self, Sockets},
    routes, sandbox,
    sessions::{self, AuthLayer, Sessions},
    site::{self, Site},
    telemetry, webhooks,
};
use app::ssr::{AppState, shift};
use axum::{
    Extension, Router,
    extract::Request,
    middleware::{from_fn, from_fn_with_state, map_response},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use domain::ApiError;
use futures::future::BoxFuture;
use leptos_axum::LeptosRoutes;
use std::sync::Arc;
use store::Store;
use tower::{ServiceBuilder, ServiceExt};
use tower_http::catch_panic::CatchPanicLayer;

/// How the shop knows who asks.
struct Login {
    auth: AuthLayer,
    shift: shift::Limits,
}

pub fn build(config: &Config, state: AppState, sessions: Sessions, sockets: Sockets) -> Router {
    let base = Arc::new(config.base_url.clone());
    let site = Arc::new(Site::new(&state.leptos_options));
    let shelf = Arc::new(Shelf::new(config.page_cache));
    let policy = Arc::new(Policy::new(&base, &payment_pages(config, &base)));
    let login = Login { auth: sessions.layer(state.store.clone(), state.secure_cookies), shift: config.shift };

    let router = Router::new()
        .merge(shop(config, &state, &login))
        .merge(beside(config, &state.store))
        .fallback(file_or_page(&state, &login, site.clone()))
        // Here and below several layers go in at once, around one that is cheap to clone (`guard::shared`).
        .layer((Extension(base.clone()), Extension(sessions), Extension(sockets), shared::layer()))
        .with_state(state);
    guarded(router, base, site, policy, shelf)
}

/// Pages, server functions and the socket: whatever asks who is there.
fn shop(config: &Config, state: &AppState, login: &Login) -> Router<AppState> {
    let forms = from_fn_with_state(state.clone(), app::ssr::forms::translate);
    let locate = from_fn_with_state(Arc::from(config.proxies.clone()), guard::client::locate);
    let throttle = Arc::new(Throttle::new(config.login, state.store.clone()));
    let throttle = from_fn_with_state(throttle, guard::throttle::guard);
    let api = Router::new().route("/api/{*name}", any(app::ssr::api)).layer((locate, forms, throttle, shared::layer()));
    let pages = Router::new()
        .leptos_routes_with_handler(leptos_axum::generate_route_list(app::App), app::ssr::page)
        .route("/live", get(live::live))
        .route("/orders/open/{token}", get(routes::open_order::open))
        .merge(routes::admin());
    known(state, login, pages.merge(api))
}

/// Behind the session: every request knows who asks.
fn known(state: &AppState, login: &Login, router: Router<AppState>) -> Router<AppState> {
    let renew = from_fn_with_state((state.store.clone(), login.shift), sessions::renew);
    router.layer((map_response(sessions::mend), login.auth.clone(), renew, shared::layer()))
}

/// What needs no session.
fn beside(config: &Config, store: &Store) -> Router<AppState> {
    let mut router = Router::new()
        .route("/healthz", get(routes::health::healthz))
        .route("/readyz", get(routes::health::readyz))
        .route("/robots.txt", get(routes::robots::robots))
        .route("/covers/{file}", get(routes::covers::cover))
        .merge(routes::sitemap::routes(config.sitemap_urls))
        .merge(webhooks::routes(store.clone()))
        .merge(
            Router::new()
                .route("/mail/unsubscribe/{token}", post(routes::unsubscribe::unsubscribe))
                .with_state(store.clone()),
        );
    if config.store.sandbox.is_some() {
        router = router.merge(sandbox::routes(store.clone()));
    }
    router
}

/// Addresses that no route knows: a file of the site, or the shop's own 404 page.
fn file_or_page(
    state: &AppState,
    login: &Login,
    site: Arc<Site>,
) -> impl Fn(Request) -> BoxFuture<'static, Response> + Clone + Send + Sync + 'static {
    let page = known(state, login, Router::new().fallback(app::ssr::page)).with_state(state.clone());
    move |request| {
        let (site, page, asked) = (site.clone(), page.clone(), site::bare(&request));
        Box::pin(async move {
            match site.file(asked).await {
                Some(file) => file,
                None if request.method().is_safe() => page.oneshot(request).await.into_response(),
                None => guard::refuse(ApiError::not_found("this address")),
            }
        })
    }
}

/// From the outside in, and few, since each costs every request; the first one sees a request first and its answer last.
fn guarded(router: Router, base: Arc<BaseUrl>, site: Arc<Site>, policy: Arc<Policy>, shelf: Arc<Shelf>) -> Router {
    router.layer(
        ServiceBuilder::new()
            .layer(from_fn(telemetry::track))
            .layer(from_fn_with_state(shelf, guard::kept::keep))
            .layer(guard::compress::layer())
            .layer(from_fn(guard::kept::by_hash))
            .layer(from_fn_with_state((site, policy), guard::finish))
            .layer(CatchPanicLayer::custom(guard::errors::panicked))
            .layer(from_fn_with_state(base, guard::admit))
            .layer(shared::layer()),
    )
}

/// Origins outside the shop where a payment form may lead: browsers follow its redirects with the same eyes.
fn payment_pages(config: &Config, base: &BaseUrl) -> Vec<String> {
    const STRIPE: &str = "https://checkout.stripe.com";
    const RAZORPAY: [&str; 3] = ["https://rzp.io", "https://razorpay.com", "https://*.razorpay.com"];
    let store = &config.store;
    let mut pages = Vec::new();
    if let Some(stripe) = &store.stripe {
        // A stand-in shows its own pages.
        pages.extend([STRIPE, &stripe.api].map(str::to_owned));
    }
    if let Some(razorpay) = &store.razorpay {
        pages.extend(RAZORPAY.iter().chain([&razorpay.api.as_str()]).map(|page| (*page).to_owned()));
    }
    let sandbox = store.sandbox.iter().filter_map(|sandbox| BaseUrl::of(&sandbox.public_url));
    pages.extend(sandbox.filter(|origin| origin != base).map(|origin| origin.as_str().to_owned()));
    pages
}
