//! Signed cookies: who a guest is, which orders this browser placed, and what was wrong with the form sent last.

use super::AppState;
use axum::response::IntoResponse;
use axum_extra::extract::cookie::{Cookie, SameSite, SignedCookieJar};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{GuestId, OrderId, Owner};
use http::{HeaderMap, HeaderValue, header};

/// Orders one browser remembers.
const MAX_RECEIPTS: usize = 20;
const A_YEAR: time::Duration = time::Duration::days(365);
/// Long enough to follow a redirect.
const FLASH_LIFE: time::Duration = time::Duration::minutes(5);
/// Longest flash, in bytes: as a cookie it stays under the 4096 that browsers keep.
pub const MAX_FLASH: usize = 2900;

/// The guest this browser is, if it was given an id.
pub fn guest(headers: &HeaderMap, state: &AppState) -> Option<GuestId> {
    let cookie = jar(headers, state).get(&name(state, "bb_guest"))?;
    cookie.value().parse().ok()
}

/// The orders this browser placed, newest first.
pub fn receipts(headers: &HeaderMap, state: &AppState) -> Vec<(OrderId, Owner)> {
    let cookie = jar(headers, state).get(&name(state, "bb_receipts"));
    cookie.map(|cookie| parse_receipts(cookie.value())).unwrap_or_default()
}

/// A new guest and the `Set-Cookie` that makes this browser be it.
pub fn new_guest(state: &AppState) -> (GuestId, HeaderValue) {
    let guest = GuestId::new(state.store.uuid());
    (guest, set(state, "bb_guest", guest.to_string(), A_YEAR))
}

/// The `Set-Cookie` that adds an order to the ones this browser remembers.
pub fn add_receipt(headers: &HeaderMap, state: &AppState, order: OrderId, owner: Owner) -> HeaderValue {
    let mut receipts = receipts(headers, state);
    receipts.retain(|(known, _)| *known != order);
    receipts.insert(0, (order, owner));
    receipts.truncate(MAX_RECEIPTS);
    set(state, "bb_receipts", write_receipts(&receipts), A_YEAR)
}

/// The `Set-Cookie` that ends the guest: their cart went to an account, the next one starts anew.
pub fn forget_guest(state: &AppState) -> HeaderValue {
    forget(state, "bb_guest")
}

/// The `Set-Cookie` that forgets the orders placed here.
pub fn forget_receipts(state: &AppState) -> HeaderValue {
    forget(state, "bb_receipts")
}

/// The `Set-Cookie` that carries a refused form to the next page. A cookie and not a session: whatever strangers send, the
/// shop stores nothing for it.
pub fn set_flash(state: &AppState, text: &str) -> HeaderValue {
    set(state, "bb_flash", BASE64_URL_SAFE_NO_PAD.encode(text), FLASH_LIFE)
}

/// What [`set_flash`] wrote.
pub fn flash(headers: &HeaderMap, state: &AppState) -> Option<String> {
    let cookie = jar(headers, state).get(&name(state, "bb_flash"))?;
    String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cookie.value()).ok()?).ok()
}

/// The `Set-Cookie` after the next page has shown it.
pub fn forget_flash(state: &AppState) -> HeaderValue {
    forget(state, "bb_flash")
}

fn jar(headers: &HeaderMap, state: &AppState) -> SignedCookieJar {
    SignedCookieJar::from_headers(headers, state.cookie_key.clone())
}

/// `__Host-` binds a cookie to exactly this host, but browsers take it only over https.
fn name(state: &AppState, base: &str) -> String {
    if state.secure_cookies { format!("__Host-{base}") } else { base.to_owned() }
}

fn build(state: &AppState, base: &str, value: String, age: time::Duration) -> Cookie<'static> {
    // Lax, not Strict: the way back from a hosted payment page must find them.
    Cookie::build((name(state, base), value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(state.secure_cookies)
        .max_age(age)
        .build()
}

fn set(state: &AppState, base: &str, value: String, age: time::Duration) -> HeaderValue {
    let jar = SignedCookieJar::new(state.cookie_key.clone()).add(build(state, base, value, age));
    let response = jar.into_response();
    response.headers().get(header::SET_COOKIE).cloned().unwrap_or_else(|| HeaderValue::from_static(""))
}

fn forget(state: &AppState, base: &str) -> HeaderValue {
    let mut cookie = build(state, base, String::new(), time::Duration::ZERO);
    // Also by date: not every client reads Max-Age.
    cookie.make_removal();
    HeaderValue::from_str(&cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn write_receipts(receipts: &[(OrderId, Owner)]) -> String {
    let receipt = |(order, owner): &(OrderId, Owner)| match owner {
        Owner::Guest(guest) => format!("{order}.{guest}"),
        Owner::Account(account) => format!("{order}.a{account}"),
    };
    receipts.iter().map(receipt).collect::<Vec<_>>().join("_")
}

fn parse_receipts(text: &str) -> Vec<(OrderId, Owner)> {
    let pairs = text.split('_').filter_map(|pair| pair.split_once('.'));
    let owner = |text: &str| match text.strip_prefix('a').map(|account| format!("a:{account}").parse()) {
        Some(Ok(owner)) => Some(owner),
        // Also an id of a guest that begins with an a.
        _ => text.parse().ok().map(Owner::Guest),
    };
    let parsed = pairs.filter_map(|(order, of)| Some((order.parse().ok()?, owner(of)?)));
    parsed.take(MAX_RECEIPTS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_come_back_and_stay_few() {
        let id = |n: usize| format!("6f9619ff-8b86-4d01-b42d-0000000000{n:02}");
        let text = (0..30).map(|n| format!("{}.{}", id(n), id(n))).collect::<Vec<_>>().join("_");
        let receipts = parse_receipts(&text);
        assert_eq!(receipts.len(), MAX_RECEIPTS);
        assert_eq!(parse_receipts(&write_receipts(&receipts)), receipts);
        assert!(write_receipts(&receipts).len() < 3000, "a browser keeps 4 KB");
        assert!(parse_receipts("nonsense_x.y_.").is_empty());
        let guest = "af9619ff-8b86-4d01-b42d-000000000001";
        let mixed = parse_receipts(&format!("{}.a7_{}.{guest}", id(1), id(2)));
        let owners: Vec<String> = mixed.iter().map(|(_, owner)| owner.to_string()).collect();
        assert_eq!(owners, ["a:7".to_owned(), format!("g:{guest}")]);
        assert_eq!(parse_receipts(&write_receipts(&mixed)), mixed);
    }
}
