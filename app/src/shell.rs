//! The HTML around every page.

use crate::{App, half::Half};
use http::{HeaderName, HeaderValue, header, request::Parts};
use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*};
use leptos_axum::ResponseOptions;
use leptos_meta::{HashedStylesheet, MetaTags};

/// The document; the server calls it once per page.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    set_policy();
    view! {
        <!DOCTYPE html>
        <html lang="en-IN">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="theme-color" content="#0e5a63" media="(prefers-color-scheme: light)"/>
                <meta name="theme-color" content="#12515a" media="(prefers-color-scheme: dark)"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="preload" href="/fonts/fraunces-latin.woff2" r#as="font" r#type="font/woff2" crossorigin/>
                <link rel="preload" href="/fonts/source-sans-3-latin.woff2" r#as="font" r#type="font/woff2" crossorigin/>
                <HashedStylesheet options=options.clone()/>
                <AutoReload options=options.clone()/>
                <HydrationScripts options=of_half(options)/>
                <script r#type="module" src="/search.js" nonce=use_nonce()></script>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// The names of the WASM that belongs to this address, and of its glue.
fn of_half(mut options: LeptosOptions) -> LeptosOptions {
    let path = use_context::<Parts>().map(|parts| parts.uri.path().to_owned()).unwrap_or_default();
    if Half::of(&path) == Half::Admin {
        options.output_name = format!("{}-admin", options.output_name).into();
        // Leptos knows one file of hashes per name.
        options.hash_file = format!("admin-{}", options.hash_file).into();
    }
    options
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
