//! Refuses changes that another site makes a browser send with our cookies.

use super::{origin, refuse};
use crate::config::BaseUrl;
use axum::{extract::Request, response::Response};
use domain::{ApiError, ErrorCode};
use http::HeaderMap;

pub fn refusal(request: &Request, base: &BaseUrl) -> Option<Response> {
    let path = request.uri().path();
    // Providers, their API and mail programs carry no cookies of ours: a signature, a key or a token proves who they are.
    const EXEMPT: [&str; 3] = ["/webhooks/", "/sandbox/v1/", "/mail/unsubscribe/"];
    let exempt = EXEMPT.iter().any(|start| path.starts_with(start));
    if request.method().is_safe() || exempt || is_same_site(request.headers(), base) {
        return None;
    }
    Some(refuse(ApiError::new(
        ErrorCode::CrossSite,
        "This request came from another site, so we did nothing. Please use the shop's own pages.",
    )))
}

/// `Sec-Fetch-Site` is exact where it exists; `Origin` covers older browsers; programs send neither.
fn is_same_site(headers: &HeaderMap, base: &BaseUrl) -> bool {
    match headers.get("sec-fetch-site").map(|value| value.as_bytes()) {
        Some(b"same-origin" | b"none") => true,
        Some(_) => false,
        None => origin::is_ours(headers, base).unwrap_or(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(headers: &[(&'static str, &'static str)]) -> bool {
        let pairs = headers.iter().map(|(name, value)| (name.parse().expect("name"), value.parse().expect("value")));
        let base = BaseUrl::parse("https://shop.example").expect("base");
        is_same_site(&pairs.collect(), &base)
    }

    #[test]
    fn browsers_of_other_sites_are_refused_and_programs_are_not() {
        assert!(passes(&[]));
        assert!(passes(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(passes(&[("origin", "https://shop.example")]));
        for site in ["cross-site", "same-site", "nonsense"] {
            assert!(!passes(&[("sec-fetch-site", site), ("origin", "https://shop.example")]), "{site}");
        }
        assert!(!passes(&[("origin", "https://evil.example")]));
        assert!(!passes(&[("origin", "null")]));
    }
}
