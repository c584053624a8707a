//! `/robots.txt`: books are for everyone to find; a shopper's own pages are not, nor are searches and the countless ways to
//! filter a list, which show the same books again.

use crate::config::BaseUrl;
use axum::Extension;
use http::header;
use std::sync::Arc;

const CLOSED: [&str; 10] =
    ["/api/", "/cart", "/mail/", "/checkout", "/orders", "/account", "/admin", "/login", "/register", "/sandbox/"];
/// Arguments of lists; the page stays.
const FILTERS: [&str; 8] = ["q", "category", "author", "language", "min", "max", "in_stock", "sort"];

pub async fn robots(Extension(base): Extension<Arc<BaseUrl>>) -> impl axum::response::IntoResponse {
    let closed: String = CLOSED.iter().map(|path| format!("Disallow: {path}\n")).collect();
    let filters: String = FILTERS.iter().map(|name| format!("Disallow: /*?{name}=\nDisallow: /*&{name}=\n")).collect();
    let text = format!("User-agent: *\n{closed}{filters}\nSitemap: {base}/sitemap.xml\n");
    ([(header::CACHE_CONTROL, "public, max-age=86400"), (header::CONTENT_TYPE, "text/plain; charset=utf-8")], text)
}
