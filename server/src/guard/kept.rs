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

/// Kept at a time: with the bytes of each, 12.5 MiB at most.
const MAX_PAGES: usize = 200;
/// Of one page as it leaves, in bytes; a longer one is rendered for each who asks.
const MAX_BYTES: usize = 64 * 1024;
/// Of a path; ours are shorter.
const MAX_PATH: usize = 256;
/// Of a page before it is compressed, in bytes: none of ours comes near.
const MAX_RENDERED: usize = 4 * 1024 * 1024;

/// A path, and whether it is read compressed.
type Key = (String, bool);

/// What is kept, for `fresh` each; none: nothing.
pub struct Shelf {
    fresh: Duration,
    pages: Mutex<HashMap<Key, Kept>>,
}

/// Of a request whose answer is for all.
#[derive(Clone)]
struct ForAll;

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

    fn find(&self, key: &Key) -> Option<Response> {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = pages.get(key).filter(|kept| kept.since.elapsed() < self.fresh)?.clone();
        drop(pages);
        let mut response = Response::new(Body::from(kept.body));
        *response.headers_mut() = kept.headers;
        Some(response)
    }

    fn put(&self, key: Key, kept: Kept) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.len() >= MAX_PAGES {
            pages.retain(|_, kept| kept.since.elapsed() < self.fresh);
        }
        if pages.len() < MAX_PAGES {
            pages.insert(key, kept);
        }
    }
}

/// Whether everybody who asks so gets the same page. Questions are of any number, and few ask the same one.
fn is_for_all(request: &Request) -> bool {
    let path = request.uri().path();
    let is_shelf = path == "/"
        || path == "/books"
        || ["/books/", "/authors/", "/categories/"].iter().any(|shelf| path.starts_with(shelf));
    let is_nobodys = [header::COOKIE, header::AUTHORIZATION, header::RANGE]
        .iter()
        .all(|personal| !request.headers().contains_key(personal));
    let is_short = path.len() <= MAX_PATH && request.uri().query().is_none();
    is_shelf && is_nobodys && is_short && request.method() == Method::GET
}

fn is_whole_page(response: &Response) -> bool {
    let headers = response.headers();
    response.status() == StatusCode::OK
        && !headers.contains_key(header::SET_COOKIE)
        && headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// Of the encodings that compression knows there is one. Leaves of the request's own words only what the key says, so that
/// nobody's way of putting it decides what others get.
fn key(request: &mut Request) -> Key {
    let path = request.uri().path().to_owned();
    let headers = request.headers_mut();
    let is_gzip = headers.get_all(header::ACCEPT_ENCODING).iter().any(accepts_gzip);
    headers.remove(header::ACCEPT_ENCODING);
    if is_gzip {
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    }
    (path, is_gzip)
}

/// Whoever weighs it is taken not to want it.
fn accepts_gzip(line: &HeaderValue) -> bool {
    line.to_str().is_ok_and(|line| line.split(',').any(|encoding| encoding.trim().eq_ignore_ascii_case("gzip")))
}

pub async fn keep(State(shelf): State<Arc<Shelf>>, mut request: Request, next: Next) -> Response {
    if shelf.fresh.is_zero() || !is_for_all(&request) {
        return next.run(request).await;
    }
    let key = key(&mut request);
    if let Some(response) = shelf.find(&key) {
        metrics::counter!("bazar_pages_kept_total").increment(1);
        return response;
    }
    let since = Instant::now();
    request.extensions_mut().insert(ForAll);
    let response = next.run(request).await;
    // Without a hash it has a nonce, or it is no page of ours.
    if !is_whole_page(&response) || !is_sealed(response.headers()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_RENDERED).await else { return cut_short() };
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
pub async fn by_hash(request: Request, next: Next) -> Response {
    let is_for_all = request.extensions().get::<ForAll>().is_some();
    let response = next.run(request).await;
    if !is_for_all || !is_whole_page(&response) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_RENDERED).await else { return cut_short() };
    let sealed = parts.headers.get(header::CONTENT_SECURITY_POLICY).and_then(|policy| policy.to_str().ok());
    let sealed = sealed.and_then(|policy| seal(policy, std::str::from_utf8(&body).ok()?));
    if let Some(policy) = sealed {
        parts.headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Response::from_parts(parts, Body::from(body))
}

fn seal(policy: &str, page: &str) -> Option<HeaderValue> {
    let (before, rest) = policy.split_once("'nonce-")?;
    let (nonce, after) = rest.split_once("' ")?;
    let mut sealed = before.to_owned();
    for script in scripts(page, nonce) {
        let _ = write!(sealed, "'sha256-{}' ", STANDARD.encode(Sha256::digest(script)));
    }
    sealed.push_str(after);
    HeaderValue::from_str(&sealed).ok()
}

/// What stands between the tags of the scripts that the nonce allowed, and that are neither files nor data.
fn scripts<'a>(page: &'a str, nonce: &str) -> impl Iterator<Item = &'a str> {
    let ours = format!(" nonce=\"{nonce}\"");
    page.split("<script").skip(1).filter_map(move |piece| {
        let (tag, rest) = piece.split_once('>')?;
        let (text, _) = rest.split_once("</script>")?;
        let is_run = tag.contains(&ours) && !tag.contains(" src=") && !tag.contains("/ld+json") && !text.is_empty();
        is_run.then_some(text)
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
        for path in ["/", "/books", "/books/gitanjali", "/authors/r-k-narayan", "/categories/fiction"] {
            assert!(is_for_all(&asked(path, &[])), "{path}");
            assert!(!is_for_all(&asked(path, &[("cookie", "guest=1")])), "{path}");
            assert!(!is_for_all(&asked(path, &[("authorization", "Basic x")])), "{path}");
        }
        for path in [
            "/books?q=a",
            "/cart",
            "/orders",
            "/orders/x",
            "/account",
            "/admin/books",
            "/api/cart",
            "/checkout",
            "/login",
            "/search",
        ] {
            assert!(!is_for_all(&asked(path, &[])), "{path}");
        }
        let mut post = asked("/books", &[]);
        *post.method_mut() = Method::POST;
        assert!(!is_for_all(&post));
    }

    #[test]
    fn nobodys_way_of_asking_decides_what_others_get() {
        let heard = |encodings: &[&'static str]| {
            let encodings: Vec<_> = encodings.iter().map(|line| ("accept-encoding", *line)).collect();
            let mut request = asked("/books", &encodings);
            let (_, is_gzip) = key(&mut request);
            let left: Vec<_> = request.headers().get_all(header::ACCEPT_ENCODING).iter().cloned().collect();
            assert_eq!(left, is_gzip.then(|| HeaderValue::from_static("gzip")).into_iter().collect::<Vec<_>>());
            is_gzip
        };
        assert!(heard(&["gzip"]) && heard(&["br, GZIP, zstd"]) && heard(&["identity", "gzip"]));
        assert!(!heard(&[]) && !heard(&[""]) && !heard(&["gzip;q=0"]) && !heard(&["identity", "br"]));
    }

    #[test]
    fn our_scripts_are_named_by_hash_instead_of_the_nonce_and_no_others() {
        let page = r#"<script type="module" nonce="abc">start("a > b")</script><script src="/search.js" nonce="abc"></script>
            <script type="application/ld+json" nonce="abc">{}</script><script>evil()</script>"#;
        assert_eq!(scripts(page, "abc").collect::<Vec<_>>(), [r#"start("a > b")"#]);
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
            shelf.put((number.to_string(), false), kept());
        }
        assert_eq!(shelf.pages.lock().expect("the pages").len(), MAX_PAGES);
        let first = ("0".to_owned(), false);
        assert!(shelf.find(&first).is_some() && shelf.find(&("0".to_owned(), true)).is_none());
        let shelf = Shelf::new(Duration::from_nanos(1));
        shelf.put(first.clone(), kept());
        std::thread::sleep(Duration::from_millis(1));
        assert!(shelf.find(&first).is_none(), "it is too old");
    }
}
