//! The account's settings over HTTP: passwords, addresses of mail, sessions, the address book; with plain forms, too.

use crate::{
    shop::{Shop, eventually},
    visitor::Visitor,
};
use std::path::{Path, PathBuf};

const EMAIL: &str = "asha@example.org";
const OLD: &str = "a good password";
const NEW: &str = "an even better one";

/// A shop whose mails are read.
async fn shop(settings: &[(&str, &str)]) -> (Shop, PathBuf) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("bazar-settings-{}-{number}", std::process::id()));
    let all = [&[("BAZAR_MAIL_DIR", folder.to_str().expect("a path"))], settings].concat();
    (Shop::start_with(&all).await, folder)
}

/// The path of the link in the next mail of that kind, which is taken out of the folder.
async fn link(folder: &Path, kind: &str, start: &str) -> String {
    let mail = eventually(kind, || async {
        let mut files = std::fs::read_dir(folder).ok()?.flatten();
        let is_it = |name: &str| name.contains(kind) && name.ends_with(".eml");
        let file = files.find(|file| is_it(&file.file_name().to_string_lossy()))?;
        let mail = std::fs::read_to_string(file.path()).ok()?;
        std::fs::remove_file(file.path()).ok()?;
        Some(mail.replace("=\r\n", ""))
    })
    .await;
    let (_, rest) = mail.split_once(start).expect("a link");
    let token: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
    format!("{start}{token}")
}

fn token(link: &str) -> &str {
    link.rsplit('/').next().expect("a token")
}

async fn log_in(visitor: &Visitor, email: &str, password: &str) -> u16 {
    visitor.post("/api/account/login", &[("email", email), ("password", password)]).await.status
}

async fn is_logged_in(visitor: &Visitor) -> bool {
    visitor.get("/api/account/addresses").await.status == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_by_mail_works_once_and_signs_out_everywhere() {
    let (shop, folder) = shop(&[]).await;
    let asha = shop.shopper(EMAIL).await;
    let person = shop.visitor();
    let mut answers = Vec::new();
    for email in [EMAIL, "nobody@example.org"] {
        let reply = person.post("/api/account/password/forgot", &[("email", email)]).await;
        answers.push((reply.status, reply.body));
        let sent = person.submit("/password/forgot", "/api/account/password/forgot", &[("email", email)]).await;
        answers.push((sent.status, sent.location().to_owned()));
    }
    assert_eq!(answers[..2], answers[2..], "nobody learns who has an account");
    assert!(person.page("/password/forgot?done=forgot").await.body.contains("a mail is on its way"));

    let link = link(&folder, "account.reset", "/password/reset/").await;
    let page = person.page(&link).await;
    assert_eq!(
        (page.status, page.header("x-robots-tag"), page.header("referrer-policy")),
        (200, "noindex", "same-origin")
    );
    assert!(page.body.contains("autocomplete=\"new-password\""), "{}", page.body);
    let form = |password| [("token", token(&link)), ("password", password)];
    let weak = person.submit(&link, "/api/account/password/reset", &form("short")).await;
    assert_eq!((weak.status, weak.location()), (303, link.as_str()));
    assert!(person.page(&link).await.body.contains("Use at least 8 characters."));
    let done = person.submit(&link, "/api/account/password/reset", &form(NEW)).await;
    assert_eq!((done.status, done.location()), (303, "/password/reset/done"), "{}", done.body);
    assert!(person.page("/password/reset/done").await.body.contains("signed out everywhere"));

    assert!(!is_logged_in(&asha).await, "sessions of before are over");
    assert_eq!((log_in(&person, EMAIL, OLD).await, log_in(&person, EMAIL, NEW).await), (401, 200));
    let again = person.post("/api/account/password/reset", &form("a third password")).await;
    assert_eq!(again.refusal(), (404, "not_found".into()));
    assert!(person.page(&link).await.body.contains("used already"));
    assert!(!shop.log().contains(token(&link)) && !shop.log().contains(EMAIL), "no secret in the log");
    std::fs::remove_dir_all(&folder).expect("the folder of mails");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_keeps_this_session_under_another_id_and_ends_the_others() {
    let (shop, folder) = shop(&[]).await;
    let asha = shop.shopper(EMAIL).await;
    let elsewhere = shop.visitor();
    assert_eq!(log_in(&elsewhere, EMAIL, OLD).await, 200);
    let before = asha.cookie_header();
    let wrong = asha.post("/api/account/password", &[("current", "wrong"), ("password", NEW)]).await;
    assert_eq!(wrong.refusal(), (422, "invalid_fields".into()));
    assert!(wrong.json()["fields"]["current"].is_string());
    assert!(is_logged_in(&elsewhere).await);

    let stolen = asha.tab();
    let form = [("current", OLD), ("password", NEW)];
    let changed = asha.submit("/account/password", "/api/account/password", &form).await;
    assert_eq!(changed.location(), "/account/password?done=password");
    assert_ne!(asha.cookie_header(), before);
    assert!(is_logged_in(&asha).await, "whoever changed it stays");
    assert!(!is_logged_in(&elsewhere).await && !is_logged_in(&stolen).await);
    assert!(asha.page("/account/password?done=password").await.body.contains("Your new password is set"));

    assert_eq!(log_in(&elsewhere, EMAIL, NEW).await, 200);
    let out = asha.submit("/account/password", "/api/account/sign_out_everywhere", &[]).await;
    assert_eq!(out.location(), "/login");
    assert!(!is_logged_in(&asha).await && !is_logged_in(&elsewhere).await);
    assert_eq!(asha.page("/account/password").await.location(), "/login?next=/account/password");
    std::fs::remove_dir_all(&folder).expect("the folder of mails");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_confirms_the_address_to_its_own_account_and_brings_the_guests_orders() {
    let (shop, folder) = shop(&[]).await;
    let book = shop.book("The First Book").await;
    let guest = shop.visitor();
    guest.post("/api/cart/add", &[("book_id", &book)]).await.ok();
    // `place` orders as asha@example.org.
    let order = crate::orders::place(&guest, "adopted").await.ok()["order_id"].as_str().expect("an order").to_owned();
    crate::orders::wait_for(&guest, &order, "PAYMENT_PENDING").await;
    let page = format!("/orders/{order}");

    // Somebody registers with that address; it is not theirs, so they never see the mail.
    let asha = shop.shopper(EMAIL).await;
    assert_eq!(asha.page(&page).await.status, 404);
    assert_eq!(asha.get("/api/orders").await.ok()["orders"].as_array().map(Vec::len), Some(0));
    assert!(asha.page("/account").await.body.contains("please confirm your address"));

    let link = link(&folder, "account.verify", "/account/email/").await;
    let form = [("token", token(&link))];
    // The mailbox alone is not enough: whoever reads it has not made this account.
    let reader = shop.visitor();
    assert_eq!(reader.page(&link).await.location(), format!("/login?next={link}"));
    assert_eq!(reader.post("/api/account/email/verify", &form).await.refusal().0, 401);
    let other = shop.shopper("ravi@example.org").await;
    assert_eq!(other.post("/api/account/email/verify", &form).await.refusal().0, 404);
    assert!(asha.page(&link).await.body.contains("Do we reach you at asha@example.org?"));
    assert_eq!(asha.page(&page).await.status, 404, "following the link is not yet a yes");

    let sent = asha.submit(&link, "/api/account/email/verify", &form).await;
    assert_eq!(sent.location(), "/account/details?done=verified", "{}", sent.body);
    assert!(asha.page("/account/details?done=verified").await.body.contains("Your address is confirmed"));
    assert_eq!(asha.page(&page).await.status, 200);
    assert_eq!(asha.get("/api/orders").await.ok()["orders"][0]["order_id"], order.as_str());
    assert_eq!(other.page(&page).await.status, 404);
    shop.assert_sound();
    std::fs::remove_dir_all(&folder).expect("the folder of mails");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_address_is_confirmed_where_it_leads() {
    let (shop, folder) = shop(&[]).await;
    let asha = shop.shopper(EMAIL).await;
    link(&folder, "account.verify", "/account/email/").await;
    let form = |password| [("email", "new@example.org"), ("password", password)];
    let wrong = asha.submit("/account/details", "/api/account/email", &form("wrong")).await;
    assert_eq!(wrong.location(), "/account/details");
    let page = asha.page("/account/details").await.body;
    assert!(page.contains("That is not your password.") && page.contains("value=\"new@example.org\""), "{page}");
    assert!(!page.contains("value=\"wrong\""));
    asha.post("/api/account/email", &form(OLD)).await.ok();
    let link = link(&folder, "account.verify", "/account/email/").await;
    assert_eq!(log_in(&shop.visitor(), EMAIL, OLD).await, 200, "until then the old one stands");
    asha.post("/api/account/email/verify", &[("token", token(&link))]).await.ok();
    assert_eq!(log_in(&shop.visitor(), "new@example.org", OLD).await, 200);
    assert_eq!(log_in(&shop.visitor(), EMAIL, OLD).await, 401);
    asha.post("/api/account/profile", &[("name", "Asha Rao")]).await.ok();
    assert!(asha.page("/account").await.body.contains("Asha Rao"));
    assert_eq!(asha.post("/api/account/profile", &[("name", "")]).await.refusal().0, 422);
    for name in ["profile", "email", "password", "email/resend", "sign_out_everywhere", "addresses/save"] {
        let reply = shop.visitor().post(&format!("/api/account/{name}"), &[("name", "x")]).await;
        assert_eq!(reply.refusal(), (401, "unauthorised".into()), "{name}");
    }
    std::fs::remove_dir_all(&folder).expect("the folder of mails");
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_for_mails_and_guessing_from_inside_are_slowed_down() {
    let limits =
        [("BAZAR_LOGIN_PER_ACCOUNT", "3"), ("BAZAR_LOGIN_PER_ADDRESS", "12"), ("BAZAR_LOGIN_WINDOW_SECONDS", "86400")];
    let (shop, folder) = shop(&limits).await;
    let asha = shop.shopper(EMAIL).await;
    let guess = async || asha.post("/api/account/password", &[("current", "wrong"), ("password", NEW)]).await.status;
    for _ in 0..3 {
        assert_eq!(guess().await, 422);
    }
    assert_eq!(guess().await, 429, "a stolen session guesses no faster than a stranger");
    let visitor = shop.visitor();
    let ask = async || {
        let reply = visitor.post("/api/account/password/forgot", &[("email", "nobody@example.org")]).await;
        (reply.status == 429).then_some(())
    };
    let mut asked = 0;
    while ask().await.is_none() {
        asked += 1;
    }
    assert_eq!(asked, 7, "registering and guessing counted, too");
    std::fs::remove_dir_all(&folder).expect("the folder of mails");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checkout_takes_an_address_from_the_book_and_keeps_a_new_one() {
    let (shop, folder) = shop(&[]).await;
    let asha = shop.shopper(EMAIL).await;
    let book = shop.book("The First Book").await;
    let typed = [
        ("name", "Asha Rao"),
        ("line1", "12 MG Road"),
        ("city", "Bengaluru"),
        ("state", "Karnataka"),
        ("postcode", "560001"),
        ("country", "IN"),
        ("phone", "9845012345"),
    ];
    asha.post("/api/cart/add", &[("book_id", &book)]).await.ok();
    let form = [&typed[..], &[("keep_address", "on"), ("idempotency_key", "one")]].concat();
    asha.post("/api/orders/place", &form).await.ok();
    let kept = asha.get("/api/account/addresses").await.ok();
    assert_eq!(
        (kept[0]["address"]["line1"].as_str(), kept[0]["is_default"].as_bool()),
        (Some("12 MG Road"), Some(true))
    );

    asha.post("/api/cart/add", &[("book_id", &book)]).await.ok();
    let page = asha.page("/checkout").await.body;
    assert!(page.contains("Another address") && page.contains("12 MG Road"), "{page}");
    let id = kept[0]["id"].as_str().expect("an id");
    let chosen = asha.post("/api/orders/place", &[("address_id", id), ("idempotency_key", "two")]).await.ok();
    let order = chosen["order_id"].as_str().expect("an order");
    let read = asha.get(&format!("/api/orders/get?id={order}")).await.ok();
    assert_eq!(read["address"]["line1"], "12 MG Road");

    // Somebody else's book is closed, and a guest has none.
    asha.post("/api/cart/add", &[("book_id", &book)]).await.ok();
    let other = shop.shopper("ravi@example.org").await;
    other.post("/api/cart/add", &[("book_id", &book)]).await.ok();
    let refused = other.post("/api/orders/place", &[("address_id", id), ("idempotency_key", "three")]).await;
    assert!(refused.json()["fields"]["address_id"].is_string(), "{}", refused.body);
    asha.submit("/account/addresses", "/api/account/addresses/remove", &[("id", id)]).await;
    assert_eq!(asha.get("/api/account/addresses").await.ok(), serde_json::json!([]));
    let sent = asha
        .submit("/account/addresses/new", "/api/account/addresses/save", &[typed[0], typed[5], ("postcode", "1")])
        .await;
    assert_eq!(sent.location(), "/account/addresses/new");
    let page = asha.page("/account/addresses/new").await.body;
    assert!(page.contains("six digits") && page.contains("value=\"Asha Rao\""), "{page}");
    shop.assert_sound();
    std::fs::remove_dir_all(&folder).expect("the folder of mails");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_bought_again_by_a_press() {
    let (shop, folder) = shop(&[("BAZAR_BUSINESS", "Asha's Books; 1 Church Street; GSTIN 29ABCDE1234F1Z5")]).await;
    let guest = shop.visitor();
    for title in ["The First Book", "Only Two Copies"] {
        let book = shop.book(title).await;
        guest.post("/api/cart/add", &[("book_id", &book), ("quantity", "2")]).await.ok();
    }
    let order = crate::orders::place(&guest, "again").await.ok()["order_id"].as_str().expect("an order").to_owned();
    let page = format!("/orders/{order}");
    let shown = guest.page(&page).await.body;
    assert!(shown.contains("1 Church Street") && shown.contains("/api/cart/again"), "{shown}");
    let sent = guest.submit(&page, "/api/cart/again", &[("order_id", &order)]).await;
    assert_eq!(sent.location(), "/cart");
    let cart = guest.page("/cart").await.body;
    assert!(cart.contains("sold out right now") && cart.contains("The First Book"), "{cart}");
    assert_eq!(guest.get("/api/cart").await.ok()["copies"], 2);
    let stranger = shop.visitor().post("/api/cart/again", &[("order_id", &order)]).await;
    assert_eq!(stranger.refusal().0, 404);
    let _ = std::fs::remove_dir_all(&folder);
}
