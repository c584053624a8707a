//! Headers that tell browsers what a page of ours may do.

use crate::config::BaseUrl;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::fmt::Write;

pub struct Policy {
    /// Everything of the policy but `script-src`.
    rest: String,
    is_https: bool,
}

impl Policy {
    /// `form_targets`: origins of payment pages; browsers check a form's redirects too.
    pub fn new(base: &BaseUrl, form_targets: &[String]) -> Self {
        let socket = if base.is_https() { "wss" } else { "ws" };
        let mut rest = format!(
            "default-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' {socket}://{}; \
             frame-ancestors 'none'; base-uri 'none'; object-src 'none'; form-action 'self'",
            base.authority()
        );
        for target in form_targets {
            let _ = write!(rest, " {target}");
        }
        Self { rest, is_https: base.is_https() }
    }

    fn csp(&self, nonce: Option<&str>) -> HeaderValue {
        let nonce = nonce.map(|nonce| format!(" 'nonce-{nonce}'")).unwrap_or_default();
        let policy = format!("script-src 'self'{nonce} 'wasm-unsafe-eval'; {}", self.rest);
        HeaderValue::from_str(&policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'self'"))
    }

    pub fn apply(&self, headers: &mut HeaderMap) {
        // Only the page knows the nonce of its scripts; all the rest of the policy is decided here. A page that brings a
        // policy without a nonce (the sandbox's) keeps it.
        let nonce = headers.get(header::CONTENT_SECURITY_POLICY).and_then(nonce).map(str::to_owned);
        if let Some(nonce) = nonce {
            headers.insert(header::CONTENT_SECURITY_POLICY, self.csp(Some(&nonce)));
        }
        let mut default = |name: HeaderName, value: HeaderValue| {
            headers.entry(name).or_insert(value);
        };
        default(header::CONTENT_SECURITY_POLICY, self.csp(None));
        default(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        default(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        default(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
        if self.is_https {
            default(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
        }
        let is_page = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        if is_page {
            // A 304 would pair an old page's nonce with a new header; and pages show people's own things.
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            headers.remove(header::ETAG);
            headers.remove(header::LAST_MODIFIED);
        } else {
            // What says nothing about keeping is an answer to one person.
            headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        }
    }
}

fn nonce(policy: &HeaderValue) -> Option<&str> {
    let (_, rest) = policy.to_str().ok()?.split_once("'nonce-")?;
    rest.split_once('\'').map(|(nonce, _)| nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_keep_no_validators_and_the_policy_stays_strict() {
        let base = BaseUrl::parse("https://shop.example").expect("base");
        let policy = Policy::new(&base, &["https://pay.example".to_owned()]);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::ETAG, HeaderValue::from_static("\"1\""));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("script-src 'nonce-abc'; img-src *"));
        policy.apply(&mut headers);
        assert_eq!(headers.get(header::ETAG), None);
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        let csp = headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
        assert!(csp.contains("script-src 'self' 'nonce-abc' 'wasm-unsafe-eval';"), "{csp}");
        assert!(csp.contains("form-action 'self' https://pay.example"), "{csp}");
        assert!(csp.contains("wss://shop.example") && !csp.contains("unsafe-inline"), "{csp}");
    }
}
