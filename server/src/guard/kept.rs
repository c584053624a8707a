//! Pages for strangers. Who sends no cookie sees the shelves as everybody does: one rendering, compressed once, serves all who
//! ask for it within a moment (`BAZAR_PAGE_CACHE_MS`).
//!
//! Two layers: [`keep`] stands outside compression and keeps what leaves the shop; [`by_hash`] stands inside and names the
//! scripts of such a page by their hashes, because a nonce must not serve twice. Whatever belongs to one person (any cookie
//! asked with, any cookie given) passes both untouched.

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    fmt::Write,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Addresses may be of any number: more pages are not kept at a time.
const MAX_PAGES: usize = 500;
/// Of one page as it leaves, in bytes; a longer one is rendered for each who asks.
const MAX_BYTES: usize = 256 * 1024;
/// Of path, query and accepted encodings.
const MAX_KEY: usize = 512;

/// What is kept, for `fresh` each; none: nothing.
pub struct Shelf {
    fresh: Duration,
    pages: Mutex<HashMap<String, Kept>>,
}

#[derive(Clone)]
struct Kept {
    since: Instant,
    headers: HeaderMap,
    body: Bytes,
}

impl Shelf {
    pub fn new(fresh: Duration) -> Self {
        Self { fresh, pages: Mutex::default() }
    }

    fn find(&self, key: &str) -> Option<Response> {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = pages.get(key).filter(|kept| kept.since.elapsed() < self.fresh)?.clone();
        drop(pages);
        let mut response = Response::new(Body::from(kept.body));
        *response.headers_mut() = kept.headers;
        Some(response)
    }

    fn put(&self, key: String, kept: Kept) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.len() >= MAX_PAGES {
            pages.retain(|_, kept| kept.since.elapsed() < self.fresh);
        }
        if pages.len() < MAX_PAGES {
            pages.insert(key, kept);
        }
    }
}

/// Whether everybody who asks so gets the same page.
fn is_for_all(request: &Request) -> bool {
    let path = request.uri().path();
    let is_shelf = path == "/"
        || path == "/books"
        || ["/books/", "/authors/", "/categories/"].iter().any(|shelf| path.starts_with(shelf));
    let is_nobodys = [header::COOKIE, header::AUTHORIZATION, header::RANGE]
        .iter()
        .all(|personal| !request.headers().contains_key(personal));
    is_shelf && is_nobodys && request.method() == Method::GET
}

fn is_whole_page(response: &Response) -> bool {
    let headers = response.headers();
    response.status() == StatusCode::OK
        && !headers.contains_key(header::SET_COOKIE)
        && headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

fn key(request: &Request) -> Option<String> {
    let address = request.uri().path_and_query()?;
    let encodings = request.headers().get(header::ACCEPT_ENCODING).map_or(Ok(""), HeaderValue::to_str).ok()?;
    let key = format!("{address} {encodings}");
    (key.len() <= MAX_KEY).then_some(key)
}

pub async fn keep(State(shelf): State<Arc<Shelf>>, request: Request, next: Next) -> Response {
    let key = match shelf.fresh.is_zero() || !is_for_all(&request) {
        true => None,
        false => key(&request),
    };
    let Some(key) = key else { return next.run(request).await };
    if let Some(response) = shelf.find(&key) {
        metrics::counter!("bazar_pages_kept_total").increment(1);
        return response;
    }
    let since = Instant::now();
    let response = next.run(request).await;
    // Without a hash it has a nonce, or it is no page of ours.
    if !is_whole_page(&response) || !is_sealed(response.headers()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else { return cut_short() };
    if body.len() <= MAX_BYTES {
        shelf.put(key, Kept { since, headers: parts.headers.clone(), body: body.clone() });
    }
    Response::from_parts(parts, Body::from(body))
}

fn cut_short() -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

fn is_sealed(headers: &HeaderMap) -> bool {
    let policy = headers.get(header::CONTENT_SECURITY_POLICY).and_then(|policy| policy.to_str().ok());
    policy.is_some_and(|policy| policy.contains("'sha256-") && !policy.contains("'nonce-"))
}

/// Puts the hashes of the page's scripts where the policy has its nonce.
pub async fn by_hash(State(shelf): State<Arc<Shelf>>, request: Request, next: Next) -> Response {
    let is_kept = !shelf.fresh.is_zero() && is_for_all(&request);
    let response = next.run(request).await;
    if !is_kept || !is_whole_page(&response) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else { return cut_short() };
    let sealed = parts.headers.get(header::CONTENT_SECURITY_POLICY).and_then(|policy| policy.to_str().ok());
    let sealed = sealed.and_then(|policy| seal(policy, std::str::from_utf8(&body).ok()?));
    if let Some(policy) = sealed {
        parts.headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Response::from_parts(parts, Body::from(body))
}

fn seal(policy: &str, page: &str) -> Option<HeaderValue> {
    let (before, rest) = policy.split_once("'nonce-")?;
    let (_, after) = rest.split_once("' ")?;
    let mut sealed = before.to_owned();
    for script in inline_scripts(page) {
        let _ = write!(sealed, "'sha256-{}' ", STANDARD.encode(Sha256::digest(script)));
    }
    sealed.push_str(after);
    HeaderValue::from_str(&sealed).ok()
}

/// What stands between the tags of scripts that are not files.
fn inline_scripts(page: &str) -> impl Iterator<Item = &str> {
    page.split("<script").skip(1).filter_map(|piece| {
        let (tag, rest) = piece.split_once('>')?;
        let (text, _) = rest.split_once("</script>")?;
        (!tag.contains(" src=") && !text.is_empty()).then_some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(path: &str, headers: &[(&'static str, &'static str)]) -> Request {
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).expect("a request")
    }

    #[test]
    fn only_shelves_asked_for_by_nobody_in_particular_are_kept() {
        for path in ["/", "/books", "/books?page=2", "/books/gitanjali", "/authors/r-k-narayan", "/categories/fiction"]
        {
            assert!(is_for_all(&asked(path, &[])), "{path}");
            assert!(!is_for_all(&asked(path, &[("cookie", "guest=1")])), "{path}");
            assert!(!is_for_all(&asked(path, &[("authorization", "Basic x")])), "{path}");
        }
        for path in
            ["/cart", "/orders", "/orders/x", "/account", "/admin/books", "/api/cart", "/checkout", "/login", "/search"]
        {
            assert!(!is_for_all(&asked(path, &[])), "{path}");
        }
        let mut post = asked("/books", &[]);
        *post.method_mut() = Method::POST;
        assert!(!is_for_all(&post));
    }

    #[test]
    fn who_reads_otherwise_gets_another_copy() {
        let plain = key(&asked("/books?page=2", &[]));
        assert_ne!(plain, key(&asked("/books?page=2", &[("accept-encoding", "gzip")])));
        assert_ne!(plain, key(&asked("/books?page=3", &[])));
        assert_eq!(key(&asked(&format!("/books?q={}", "a".repeat(MAX_KEY)), &[])), None);
    }

    #[test]
    fn scripts_are_named_by_hash_instead_of_the_nonce() {
        let page = r#"<script type="module" nonce="abc">start("a > b")</script><script src="/search.js" nonce="abc"></script>"#;
        assert_eq!(inline_scripts(page).collect::<Vec<_>>(), [r#"start("a > b")"#]);
        let policy = "script-src 'self' 'nonce-abc' 'wasm-unsafe-eval'; default-src 'self'";
        let hash = STANDARD.encode(Sha256::digest(r#"start("a > b")"#));
        let sealed = seal(policy, page).expect("a policy");
        assert_eq!(
            sealed,
            format!("script-src 'self' 'sha256-{hash}' 'wasm-unsafe-eval'; default-src 'self'").as_str()
        );
    }

    #[test]
    fn pages_are_few_and_age() {
        let kept = || Kept { since: Instant::now(), headers: HeaderMap::new(), body: Bytes::from_static(b"page") };
        let shelf = Shelf::new(Duration::from_secs(60));
        for number in 0..MAX_PAGES + 10 {
            shelf.put(number.to_string(), kept());
        }
        assert_eq!(shelf.pages.lock().expect("the pages").len(), MAX_PAGES);
        assert!(shelf.find("0").is_some() && shelf.find("none").is_none());
        let shelf = Shelf::new(Duration::from_nanos(1));
        shelf.put("0".to_owned(), kept());
        std::thread::sleep(Duration::from_millis(1));
        assert!(shelf.find("0").is_none(), "it is too old");
    }
}
