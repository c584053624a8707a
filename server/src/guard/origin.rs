//! Which site a request comes from, by what browsers say and scripts cannot change.

use crate::config::BaseUrl;
use http::{HeaderMap, Uri, header};

/// Whether `Origin` names this shop; `None`: the client sent none, so it is no browser that acts for another site.
pub fn is_ours(headers: &HeaderMap, base: &BaseUrl) -> Option<bool> {
    let origin = headers.get(header::ORIGIN)?;
    let Ok(origin) = origin.to_str() else { return Some(false) };
    if origin.eq_ignore_ascii_case(base.as_str()) {
        return Some(true);
    }
    // The same process under another of its names (localhost, a test's port). A page of another site can choose neither
    // header, and cookies stay with the name they were set for.
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let origin: Option<Uri> = origin.parse().ok();
    let named = origin.as_ref().filter(|uri| !base.is_https() || uri.scheme_str() == Some("https"));
    Some(named.and_then(Uri::authority).is_some_and(|authority| host == Some(authority.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(origin: &str, host: &str, base: &str) -> Option<bool> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().expect("host"));
        if !origin.is_empty() {
            headers.insert(header::ORIGIN, origin.parse().expect("origin"));
        }
        is_ours(&headers, &BaseUrl::parse(base).expect("base"))
    }

    #[test]
    fn only_this_shop_is_ours() {
        let base = "https://shop.example";
        assert_eq!(ours("", "shop.example", base), None);
        assert_eq!(ours("https://shop.example", "10.0.0.7:3000", base), Some(true));
        for foreign in [
            "null",
            "https://evil.example",
            "https://shop.example.evil",
            "http://shop.example",
            "https://shop.example:444",
        ] {
            assert_eq!(ours(foreign, "shop.example", base), Some(false), "{foreign}");
        }
        assert_eq!(ours("http://localhost:3000", "localhost:3000", "http://127.0.0.1:3000"), Some(true));
        assert_eq!(ours("http://localhost:3001", "localhost:3000", "http://127.0.0.1:3000"), Some(false));
    }
}
