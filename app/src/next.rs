//! Where to go after a login: a path of this site and nothing else.

/// The path when it is safe to redirect to: it starts with one slash and stays on this site.
pub fn same_site(path: &str) -> Option<&str> {
    let bytes = path.as_bytes();
    let own = bytes.first() == Some(&b'/') && !matches!(bytes.get(1), Some(b'/' | b'\\'));
    // Browsers drop tabs and newlines and read a backslash as a slash, which would turn `/\t/evil` into another site.
    let plain = path.len() <= 512 && !path.chars().any(|c| c.is_control() || c == '\\' || c.is_whitespace());
    let back_to_api = path.starts_with("/api/");
    (own && plain && !back_to_api).then_some(path)
}

/// The login page that comes back to `path`.
pub fn login_for(path: &str) -> String {
    match same_site(path) {
        Some(path) => format!("/login?next={}", encode(path)),
        None => "/login".into(),
    }
}

/// Percent-encodes everything but what a query value may hold as it is.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => out.push(char::from(byte)),
            _ => {
                const HEX: &[u8; 16] = b"0123456789ABCDEF";
                out.push('%');
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site() {
        for good in ["/", "/checkout", "/orders/1?paying=1", "/books?q=a%20b"] {
            assert_eq!(same_site(good), Some(good));
        }
        for bad in [
            "",
            "x",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\t/evil",
            "/a\\b",
            "/a\nb",
            "/api/cart",
        ] {
            assert_eq!(same_site(bad), None, "{bad:?}");
        }
        assert_eq!(login_for("/orders?a=1&b=2"), "/login?next=/orders%3Fa%3D1%26b%3D2");
        assert_eq!(login_for("//evil.example"), "/login");
    }

    #[test]
    fn other_scripts_are_encoded() {
        assert_eq!(encode("R. K. नारायण"), "R.%20K.%20%E0%A4%A8%E0%A4%BE%E0%A4%B0%E0%A4%BE%E0%A4%AF%E0%A4%A3");
    }
}
