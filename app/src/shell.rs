//! The HTML around every page.

use crate::App;
use leptos::{config::LeptosOptions, prelude::*};
use leptos_meta::{HashedStylesheet, MetaTags};

/// The document; the server calls it once per page.
pub fn shell(options: LeptosOptions) -> impl IntoView {
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
                <HydrationScripts options/>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}
