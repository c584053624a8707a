//! The cart over HTTP: limits, notices, and what a malformed request is told.

use crate::shop::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn edits_answer_with_the_whole_cart() {
    let shop = Shop::start().await;
    let (first, second) = (shop.book("The First Book").await, shop.book("The Second Book").await);
    let visitor = shop.visitor();
    let empty = visitor.get("/api/cart").await.ok();
    assert_eq!((empty["version"].clone(), empty["copies"].clone()), (0.into(), 0.into()));
    assert!(!visitor.has_cookie("bb_guest"), "looking makes nobody a guest");

    let one = visitor.post("/api/cart/add", &[("book_id", &first), ("quantity", "2")]).await.ok();
    let two = visitor.post("/api/cart/add", &[("book_id", &second)]).await.ok();
    assert!(two["version"].as_i64() > one["version"].as_i64());
    assert_eq!(two["subtotal"], 2 * 40_000 + 25_000);
    let line = &two["lines"][0];
    assert_eq!((line["title"].clone(), line["line_total"].clone()), ("The First Book".into(), 80_000.into()), "{two}");
    assert_eq!(visitor.post("/api/cart/set", &[("book_id", &first), ("quantity", "1")]).await.ok()["copies"], 2);
    assert_eq!(visitor.post("/api/cart/set", &[("book_id", &first), ("quantity", "0")]).await.ok()["copies"], 1);
    assert_eq!(visitor.post("/api/cart/remove", &[("book_id", &second)]).await.ok()["copies"], 0);
    visitor.post("/api/cart/add", &[("book_id", &second)]).await.ok();
    assert_eq!(visitor.post("/api/cart/clear", &[]).await.ok()["copies"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_hold_ten_copies_and_never_more_than_there_are() {
    let shop = Shop::start().await;
    let (plenty, scarce) = (shop.book("The First Book").await, shop.book("Only Two Copies").await);
    let none = shop.book("None Left").await;
    let visitor = shop.visitor();
    visitor.post("/api/cart/add", &[("book_id", &plenty), ("quantity", "8")]).await.ok();
    let cart = visitor.post("/api/cart/add", &[("book_id", &plenty), ("quantity", "8")]).await.ok();
    assert_eq!(cart["lines"][0]["quantity"], 10, "{cart}");
    assert_eq!(cart["lines"][0]["notice"]["kind"], "cut", "{cart}");
    let cart = visitor.post("/api/cart/add", &[("book_id", &scarce), ("quantity", "5")]).await.ok();
    assert_eq!(cart["lines"][1]["quantity"], 2, "{cart}");
    let refused = visitor.post("/api/cart/add", &[("book_id", &none)]).await;
    assert_eq!(refused.refusal(), (409, "insufficient_stock".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_named() {
    let shop = Shop::start().await;
    let book = shop.book("The First Book").await;
    let visitor = shop.visitor();
    let bad: [&[(&str, &str)]; 6] = [
        &[],
        &[("book_id", "x")],
        &[("book_id", "-1")],
        &[("book_id", &book), ("quantity", "0")],
        &[("book_id", &book), ("quantity", "11")],
        &[("book_id", &book), ("quantity", "two")],
    ];
    for form in bad {
        assert_eq!(visitor.post("/api/cart/add", form).await.refusal(), (400, "bad_request".into()), "{form:?}");
    }
    let unknown = visitor.post("/api/cart/add", &[("book_id", "999999999")]).await;
    assert_eq!(unknown.refusal(), (404, "not_found".into()));
    let broken = visitor.send_raw(|client, url| {
        client.post(format!("{url}/api/cart/add")).header("content-type", "application/json").body("{")
    });
    assert_eq!(broken.await.status / 100, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_guest_cookie_is_nobody() {
    let shop = Shop::start().await;
    let book = shop.book("The First Book").await;
    let victim = shop.visitor();
    victim.post("/api/cart/add", &[("book_id", &book)]).await.ok();
    let cookie = victim.cookie_header();
    let unsigned = format!("bb_guest={}", &cookie[cookie.len() - 36..]);
    let forger = shop.visitor();
    let reply = forger.send_raw(|client, url| client.get(format!("{url}/api/cart")).header("cookie", unsigned));
    assert_eq!(reply.await.ok()["copies"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_says_what_came_along_until_it_was_seen() {
    let shop = Shop::start().await;
    let book = shop.book("The First Book").await;
    let visitor = shop.visitor();
    visitor.post("/api/cart/add", &[("book_id", &book), ("quantity", "2")]).await.ok();
    let form = [("email", "asha@example.org"), ("password", "correct horse battery"), ("name", "Asha")];
    // In another tab, whose cookies the first one does not have: its cart moves away under it.
    let stale = visitor.tab();
    visitor.post("/api/account/register", &form).await.ok();
    let cart = visitor.get("/api/cart").await.ok();
    assert_eq!(cart["notice"], serde_json::json!({"kind": "merged", "titles": 1, "cut": 0, "left_out": 0}), "{cart}");
    assert_eq!(visitor.post("/api/cart/seen", &[("book_id", &book)]).await.ok()["notice"]["kind"], "merged");
    assert!(visitor.post("/api/cart/seen", &[]).await.ok().get("notice").is_none());
    assert_eq!(visitor.post("/api/cart/seen", &[("book_id", "x")]).await.refusal().0, 400);

    let told = stale.post("/api/cart/add", &[("book_id", &book)]).await;
    assert_eq!(told.refusal(), (409, "conflict".into()));
    assert!(!stale.has_cookie("bb_guest"), "they are somebody new from now on");
    assert_eq!(stale.post("/api/cart/add", &[("book_id", &book)]).await.ok()["copies"], 1);
    assert_eq!(visitor.get("/api/cart").await.ok()["copies"], 2, "and edit nobody else's cart");

    visitor.post("/api/account/logout", &[]).await.ok();
    assert!(!visitor.has_cookie("bb_guest"));
    assert_eq!(visitor.get("/api/cart").await.ok()["copies"], 0, "the next person here sees nothing of it");
    visitor.post("/api/cart/add", &[("book_id", &book)]).await.ok();
    visitor.post("/api/account/login", &form[..2]).await.ok();
    assert_eq!(visitor.get("/api/cart").await.ok()["copies"], 3, "both");
}
