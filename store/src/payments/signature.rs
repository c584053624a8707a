//! The signature scheme `t=<unix s>,v1=<hex HMAC-SHA256 of "t.body">`, as Stripe made it known and the sandbox speaks it.
//!
//! Several `v1` may stand in one header and several secrets may be valid at once, so that secrets can be rotated. And the
//! plainer one of Razorpay: the hex code of the body alone, which knows no time.

use crate::config::Secret;
use domain::UnixMillis;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// How far the sender's clock may be from ours, both ways.
pub const TOLERANCE_MS: i64 = 300_000;
/// Most `v1` looked at: a header is somebody else's input.
const MAX_SIGNATURES: usize = 8;

/// The header's value for this body at that second.
pub fn sign(secret: &Secret, unix_seconds: i64, body: &[u8]) -> String {
    let code = mac(secret, &[unix_seconds.to_string().as_bytes(), b".", body]).finalize().into_bytes();
    format!("t={unix_seconds},v1={}", hex::encode(code))
}

/// Whether any of the header's `v1` is right under any of our secrets, and its time is near `now`.
pub fn verify(secrets: &[Secret], header: Option<&str>, body: &[u8], now: UnixMillis) -> Result<(), &'static str> {
    let header = header.ok_or("no signature")?;
    let mut time = None;
    let mut codes = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=').ok_or("malformed signature")? {
            ("t", _) if time.is_some() => return Err("two times in one signature"),
            ("t", value) => time = Some(value),
            ("v1", value) => codes.push(hex::decode(value).map_err(|_| "malformed signature")?),
            // Other schemes may stand beside ours; they prove nothing to us.
            _ => {}
        }
    }
    let time = time.ok_or("no time in the signature")?;
    // Only the spelling that the signature covers: no sign, no spaces.
    let digits = (1..=11).contains(&time.len()) && time.bytes().all(|b| b.is_ascii_digit());
    let seconds: i64 = time.parse().ok().filter(|_| digits).ok_or("malformed time")?;
    if codes.is_empty() || codes.len() > MAX_SIGNATURES {
        return Err("no usable v1 in the signature");
    }
    let genuine = |secret: &Secret| {
        let expected = mac(secret, &[time.as_bytes(), b".", body]);
        // `verify_slice` compares in constant time.
        codes.iter().any(|code| expected.clone().verify_slice(code).is_ok())
    };
    if !secrets.iter().any(genuine) {
        return Err("wrong signature");
    }
    if UnixMillis::new(seconds * 1000).since(now).abs() > TOLERANCE_MS {
        return Err("stale signature");
    }
    Ok(())
}

/// The header's value for this body, in the plainer scheme.
pub fn sign_body(secret: &Secret, body: &[u8]) -> String {
    hex::encode(mac(secret, &[body]).finalize().into_bytes())
}

/// Whether the header is right under any of our secrets, in the plainer scheme.
pub fn verify_body(secrets: &[Secret], header: Option<&str>, body: &[u8]) -> Result<(), &'static str> {
    let code = hex::decode(header.ok_or("no signature")?).map_err(|_| "malformed signature")?;
    let genuine = |secret: &Secret| mac(secret, &[body]).verify_slice(&code).is_ok();
    if secrets.iter().any(genuine) { Ok(()) } else { Err("wrong signature") }
}

fn mac(secret: &Secret, parts: &[&[u8]]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::new_from_slice(secret.reveal().as_bytes()).expect("HMAC takes keys of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis::new(1_700_000_000_000);
    const T: i64 = 1_700_000_000;

    fn secrets(texts: &[&str]) -> Vec<Secret> {
        texts.iter().map(|text| Secret::new(*text)).collect()
    }

    fn checked(keys: &[&str], header: &str, body: &[u8]) -> Result<(), &'static str> {
        verify(&secrets(keys), Some(header), body, NOW)
    }

    #[test]
    fn a_known_vector() {
        // printf '1700000000.{}' | openssl dgst -sha256 -hmac whsec
        let header = sign(&Secret::new("whsec"), T, b"{}");
        assert_eq!(header, "t=1700000000,v1=7d44587dddbaf4c7f70fef20f48cd594834ffea1641e3ac227b84408298738af");
        assert_eq!(checked(&["whsec"], &header, b"{}"), Ok(()));
    }

    #[test]
    fn any_secret_and_any_v1_may_fit() {
        let (old, new) = (sign(&Secret::new("old"), T, b"x"), sign(&Secret::new("new"), T, b"x"));
        let both = format!("{old},{}", &new[new.find("v1").unwrap()..]);
        assert_eq!(checked(&["new", "old"], &old, b"x"), Ok(()));
        assert_eq!(checked(&["new"], &both, b"x"), Ok(()));
        assert_eq!(checked(&["new"], &format!("{new},v0=zz"), b"x"), Ok(()));
        assert_eq!(checked(&["new"], &old, b"x"), Err("wrong signature"));
        assert_eq!(checked(&[], &old, b"x"), Err("wrong signature"));
    }

    #[test]
    fn tampering_is_noticed() {
        let header = sign(&Secret::new("k"), T, b"body");
        assert!(checked(&["k"], &header, b"Body").is_err());
        assert!(checked(&["k"], &header.replace("t=1700000000", "t=1700000001"), b"body").is_err());
        assert!(checked(&["k"], &header.replace("t=", "t=+"), b"body").is_err());
        assert!(checked(&["k"], &header.replace("v1=", "v0="), b"body").is_err());
        assert!(checked(&["k"], &header[..header.len() - 2], b"body").is_err());
        for bad in [
            "",
            "t=",
            "v1=00",
            "t=1700000000",
            "t=1700000000,v1=",
            "t=1,t=2,v1=00",
            "t=x,v1=00",
            "=,=",
            "t=1700000000,v1=0g",
        ] {
            assert!(checked(&["k"], bad, b"body").is_err(), "{bad}");
        }
        assert_eq!(verify(&secrets(&["k"]), None, b"body", NOW), Err("no signature"));
    }

    #[test]
    fn five_minutes_both_ways() {
        for (offset, fits) in [(0, true), (-300, true), (300, true), (-301, false), (301, false)] {
            let header = sign(&Secret::new("k"), T + offset, b"");
            assert_eq!(checked(&["k"], &header, b"").is_ok(), fits, "{offset}");
        }
    }

    #[test]
    fn a_body_alone_under_any_secret() {
        // printf '{}' | openssl dgst -sha256 -hmac rzp
        let known = "36422815db328f84de1d9753f8ac0cf7234ba5815199bcf769777964cf52b3b5";
        assert_eq!(sign_body(&Secret::new("rzp"), b"{}"), known);
        assert_eq!(verify_body(&secrets(&["new", "rzp"]), Some(known), b"{}"), Ok(()));
        for (keys, header, body) in [
            (&["new"][..], Some(known), &b"{}"[..]),
            (&["rzp"], Some(known), b"{ }"),
            (&["rzp"], Some(&known[2..]), b"{}"),
            (&["rzp"], Some(""), b"{}"),
            (&["rzp"], Some("zz"), b"{}"),
            (&["rzp"], None, b"{}"),
            (&[], Some(known), b"{}"),
        ] {
            assert!(verify_body(&secrets(keys), header, body).is_err(), "{keys:?} {header:?}");
        }
    }
}
