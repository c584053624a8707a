//! Registering, logging in and out, and what becomes of a guest's cart.

use crate::shop::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn a_guests_cart_comes_along_once() {
    let shop = Shop::start().await;
    let (first, second) = (shop.book("The First Book").await, shop.book("The Second Book").await);
    let visitor = shop.visitor();
    visitor.post("/api/cart/add", &[("book_id", &first), ("quantity", "2")]).await.ok();
    assert!(visitor.has_cookie("bb_guest"));

    let form = [("email", "Asha@Example.org"), ("password", "a good password"), ("name", "Asha")];
    let account = visitor.post("/api/account/register", &form).await.ok();
    assert_eq!(account["email"], "asha@example.org");
    assert!(visitor.has_cookie("bb_session") && !visitor.has_cookie("bb_guest"));
    assert_eq!(visitor.get("/api/cart").await.ok()["copies"], 2);

    visitor.post("/api/account/logout", &[]).await;
    assert_eq!(visitor.get("/api/cart").await.ok()["copies"], 0, "nothing of the account is left in the browser");

    // A guest again, then login: both carts become one.
    visitor.post("/api/cart/add", &[("book_id", &second)]).await.ok();
    let login = [("email", "asha@example.org"), ("password", "a good password")];
    visitor.post("/api/account/login", &login).await.ok();
    let cart = visitor.get("/api/cart").await.ok();
    assert_eq!((cart["copies"].clone(), cart["lines"].as_array().map(Vec::len)), (3.into(), Some(2)), "{cart}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_logins_and_taken_addresses_are_refused() {
    let shop = Shop::start().await;
    let visitor = shop.shopper("asha@example.org").await;
    let stranger = shop.visitor();
    for (email, password) in [("asha@example.org", "wrong"), ("nobody@example.org", "a good password"), ("", "")] {
        let reply = stranger.post("/api/account/login", &[("email", email), ("password", password)]).await;
        assert_eq!(reply.refusal(), (401, "bad_credentials".into()), "{email}");
    }
    assert!(!stranger.has_cookie("bb_session"), "a refused login opens no session");
    let taken = [("email", "ASHA@example.org"), ("password", "another password"), ("name", "B")];
    let reply = stranger.post("/api/account/register", &taken).await;
    assert_eq!(reply.refusal(), (422, "invalid_fields".into()));
    assert!(reply.json()["fields"]["email"].is_string());
    assert_eq!(visitor.get("/api/cart").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_changed_at_login_and_dies_at_logout() {
    let shop = Shop::start().await;
    let visitor = shop.shopper("asha@example.org").await;
    let old = visitor.cookie_header();
    let login = [("email", "asha@example.org"), ("password", "a good password")];
    visitor.post("/api/account/login", &login).await.ok();
    assert_ne!(visitor.cookie_header(), old, "the session's id changes at every login");
    let stolen = visitor.cookie_header();
    visitor.post("/api/account/logout", &[]).await;
    for cookie in [old, stolen] {
        let reply =
            visitor.send_raw(|client, url| client.get(format!("{url}/api/admin/orders")).header("cookie", cookie));
        assert_eq!(reply.await.refusal(), (401, "unauthorised".into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_are_hardened() {
    let shop = Shop::start().await;
    let book = shop.book("The First Book").await;
    let guest = shop.visitor().post("/api/cart/add", &[("book_id", &book)]).await;
    let form = [("email", "asha@example.org"), ("password", "a good password"), ("name", "Asha")];
    let account = shop.visitor().post("/api/account/register", &form).await;
    for reply in [guest, account] {
        let cookie = reply.header("set-cookie");
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"),
            "{cookie}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_admins_see_the_shops_orders() {
    let shop = Shop::start_with(&[("BAZAR_ADMIN_PASSWORD", "the password of an admin")]).await;
    assert!(shop.run(&["admin", "create", "boss@example.org", "--name", "Boss"]).status.success());
    assert_eq!(shop.visitor().get("/api/admin/orders").await.refusal(), (401, "unauthorised".into()));
    let shopper = shop.shopper("asha@example.org").await;
    assert_eq!(shopper.get("/api/admin/orders").await.refusal(), (403, "forbidden".into()));
    let admin = shop.visitor();
    let login = [("email", "boss@example.org"), ("password", "the password of an admin")];
    assert_eq!(admin.post("/api/account/login", &login).await.ok()["role"], "owner");
    assert_eq!(admin.get("/api/admin/orders").await.ok()["orders"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_down() {
    let limits =
        [("BAZAR_LOGIN_PER_ACCOUNT", "3"), ("BAZAR_LOGIN_PER_ADDRESS", "6"), ("BAZAR_LOGIN_WINDOW_SECONDS", "86400")];
    let shop = Shop::start_with(&limits).await;
    shop.shopper("asha@example.org").await;
    let visitor = shop.visitor();
    let attempt = async |email: &str, password: &str| {
        let form = [("email", email), ("password", password)];
        // A header that nobody configured a proxy for changes nothing.
        let forwarded = format!("10.0.0.{}", password.len());
        visitor.post_with("/api/account/login", &form, &[("x-forwarded-for", &forwarded)]).await
    };
    for _ in 0..2 {
        assert_eq!(attempt("asha@example.org", "wrong").await.status, 401);
    }
    assert_eq!(attempt("asha@example.org", "a good password").await.status, 200, "a success starts anew");
    for _ in 0..3 {
        assert_eq!(attempt("ASHA@example.org", "wrong").await.status, 401);
    }
    let refused = attempt("asha@example.org", "a good password").await;
    assert_eq!(refused.refusal(), (429, "too_many_requests".into()));
    assert!(refused.header("retry-after").parse::<i64>().is_ok_and(|seconds| seconds > 0));
    assert_eq!(attempt("other@example.org", "x").await.status, 429, "the address has tried often enough");
    let register = [("email", "new@example.org"), ("password", "a good password"), ("name", "New")];
    let refused = visitor.post("/api/account/register", &register).await;
    assert_eq!(refused.status, 429, "registering costs as much as guessing");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_https_cookies_belong_to_this_host_alone() {
    let shop = Shop::start_with(&[("BAZAR_BASE_URL", "https://shop.example")]).await;
    let visitor = shop.visitor();
    let form = [("email", "asha@example.org"), ("password", "a good password"), ("name", "Asha")];
    let hosted = |text: &str| text.starts_with("__Host-") && text.contains("; Secure") && text.contains("Path=/");
    let cookies = |reply: &crate::visitor::Reply| -> Vec<String> {
        let values = reply.headers.get_all("set-cookie").iter();
        values.map(|value| value.to_str().expect("a readable cookie").to_owned()).collect()
    };
    let registered = visitor.post("/api/account/register", &form).await;
    assert!(!registered.header("strict-transport-security").is_empty());
    // A browser ignores the removal of such a cookie, too, when it is not marked like this.
    let left = visitor.post("/api/account/logout", &[]).await;
    for reply in [registered, left] {
        let cookies = cookies(&reply);
        assert!(!cookies.is_empty() && cookies.iter().all(|cookie| hosted(cookie)), "{cookies:?}");
    }
    assert!(!visitor.has_cookie("__Host-bb_session"));
}
