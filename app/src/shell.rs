//! The HTML around every page.

use crate::{
    App,
    half::Half,
    ssr::{AppState, Assets},
};
use http::{HeaderName, HeaderValue, header, request::Parts};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_axum::ResponseOptions;
use leptos_meta::MetaTags;

/// Fetches the WASM once the page is seen whole, or when somebody begins to act: pages can be read and used before, and
/// on a slow line half of the bytes would stand before the first cover.
const START: &str = include_str!("start.js");

/// The document; the server calls it once per page.
pub fn shell(state: &AppState) -> impl IntoView + use<> {
    set_policy();
    let options = state.leptos_options.clone();
    // Whoever works on the pages builds them anew beside the running server.
    let is_watched = std::env::var_os("LEPTOS_WATCH").is_some();
    let read = is_watched.then(|| Assets::read(&options));
    let assets = read.as_ref().unwrap_or(&state.assets);
    view! {
        <!DOCTYPE html>
        <html lang="en-IN">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="theme-color" content="#0e5a63" media="(prefers-color-scheme: light)"/>
                <meta name="theme-color" content="#12515a" media="(prefers-color-scheme: dark)"/>
                // Before the styles, which scripts wait for: from the first byte on it listens to the way back.
                <script nonce=use_nonce()>{start(assets)}</script>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="preload" href="/fonts/fraunces-latin.woff2" r#as="font" r#type="font/woff2" crossorigin/>
                <link rel="preload" href="/fonts/source-sans-3-latin.woff2" r#as="font" r#type="font/woff2" crossorigin/>
                <link rel="stylesheet" href=assets.stylesheet.clone()/>
                <AutoReload options=options/>
                <script r#type="module" src="/search.js" nonce=use_nonce()></script>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// With the WASM that belongs to this address.
fn start(assets: &Assets) -> String {
    let path = use_context::<Parts>().map(|parts| parts.uri.path().to_owned()).unwrap_or_default();
    let scripts = assets.scripts(Half::of(&path));
    format!("{}({:?}, {:?})", START.trim_end(), scripts.glue, scripts.wasm)
}

/// Only scripts with this answer's nonce run; styles, pictures, fonts and sockets are the shop's own. Forms may go on to
/// a payment provider.
fn set_policy() {
    const NAME: HeaderName = header::CONTENT_SECURITY_POLICY;
    let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>()) else { return };
    let policy = format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; object-src 'none'; base-uri 'none'; \
         frame-ancestors 'none'; form-action 'self' https:"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(NAME, policy);
    }
}
