//! `/robots.txt`: books are for everyone to find, a shopper's own pages are not.

use crate::config::BaseUrl;
use axum::Extension;
use http::header;
use std::sync::Arc;

pub async fn robots(Extension(base): Extension<Arc<BaseUrl>>) -> impl axum::response::IntoResponse {
    let closed =
        ["/api/", "/cart", "/mail/", "/checkout", "/orders", "/account", "/admin", "/login", "/register", "/sandbox/"];
    let lines: String = closed.iter().map(|path| format!("Disallow: {path}\n")).collect();
    let text = format!("User-agent: *\n{lines}\nSitemap: {base}/sitemap.xml\n");
    ([(header::CACHE_CONTROL, "public, max-age=86400"), (header::CONTENT_TYPE, "text/plain; charset=utf-8")], text)
}
