//! From the cart to a paid or an ended order, and everything that must happen once.

use crate::{
    shop::{Shop, eventually},
    visitor::{Reply, Visitor},
};
use serde_json::Value;

pub const ADDRESS: [(&str, &str); 8] = [
    ("name", "Asha Rao"),
    ("line1", "12 MG Road"),
    ("city", "Bengaluru"),
    ("state", "Karnataka"),
    ("postcode", "560001"),
    ("country", "IN"),
    ("phone", "+91 98450 12345"),
    ("email", "asha@example.org"),
];

pub async fn place(visitor: &Visitor, key: &str) -> Reply {
    visitor.post_with("/api/orders/place", &ADDRESS, &[("idempotency-key", key)]).await
}

pub async fn order(visitor: &Visitor, id: &str) -> Value {
    visitor.get(&format!("/api/orders/get?id={id}")).await.ok()
}

pub async fn wait_for(visitor: &Visitor, id: &str, status: &str) -> Value {
    let what = format!("the order to be {status}");
    // A shop that is overrun says so, and to come again.
    let look = || async {
        let reply = visitor.get(&format!("/api/orders/get?id={id}")).await;
        (reply.status != 503).then(|| reply.ok()).filter(|order| order["status"] == status)
    };
    eventually(&what, look).await
}

/// A guest with so many copies of that book in the cart.
async fn guest_with(shop: &Shop, title: &str, copies: &str) -> Visitor {
    let book = shop.book(title).await;
    let visitor = shop.visitor();
    visitor.post("/api/cart/add", &[("book_id", &book), ("quantity", copies)]).await.ok();
    visitor
}

/// Presses a button on the provider's page.
pub async fn press(visitor: &Visitor, order: &str, outcome: &str) -> Reply {
    let form = [("order_id", order), ("provider", "sandbox")];
    let started = visitor.post("/api/payments/init", &form).await.ok();
    let page = started["redirect_url"].as_str().expect("an address").to_owned();
    assert_eq!(visitor.page(&page).await.status, 200);
    visitor.submit(&page, &page, &[("outcome", outcome)]).await
}

/// Pays, and waits until the shop has heard of it.
pub async fn pay(visitor: &Visitor, order: &str) {
    assert_eq!(press(visitor, order, "pay").await.status, 303);
    wait_for(visitor, order, "PAID").await;
}

fn id(placed: &Value) -> String {
    placed["order_id"].as_str().expect("an order").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paid_order_is_paid_by_the_webhook() {
    let shop = Shop::start().await;
    let visitor = guest_with(&shop, "Only Ten Copies", "3").await;
    let placed = place(&visitor, "one").await.ok();
    assert_eq!(placed["total"], 3 * 30_000 + 4_900, "{placed}");
    assert_eq!(visitor.get("/api/cart").await.ok()["copies"], 0);
    let order = id(&placed);
    wait_for(&visitor, &order, "PAYMENT_PENDING").await;

    let back = press(&visitor, &order, "pay").await;
    assert_eq!(back.status, 303);
    assert!(back.location().contains(&order), "{}", back.location());
    let paid = wait_for(&visitor, &order, "PAID").await;
    assert_eq!(paid["payments"][0]["status"], "captured", "{paid}");
    let again = visitor.post("/api/payments/init", &[("order_id", &order), ("provider", "sandbox")]).await;
    assert_eq!(again.refusal(), (409, "not_payable".into()));
    assert_eq!(shop.on_sale(&shop.book("Only Ten Copies").await).await, 7);
    shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_makes_one_order() {
    let shop = Shop::start().await;
    let visitor = guest_with(&shop, "Only Ten Copies", "2").await;
    let both = tokio::join!(place(&visitor, "same"), place(&visitor, "same"));
    let (first, second) = (both.0.ok(), both.1.ok());
    assert_eq!(first["order_id"], second["order_id"]);
    wait_for(&visitor, &id(&first), "PAYMENT_PENDING").await;
    assert_eq!(place(&visitor, "same").await.ok()["order_id"], first["order_id"]);
    assert_eq!(visitor.get("/api/orders").await.ok()["orders"].as_array().map(Vec::len), Some(1));
    assert_eq!(shop.on_sale(&shop.book("Only Ten Copies").await).await, 8);

    // The same key for something else, no key, two keys.
    let mut other = ADDRESS;
    other[1].1 = "13 MG Road";
    let reused = visitor.post_with("/api/orders/place", &other, &[("idempotency-key", "same")]).await;
    assert_eq!(reused.refusal(), (422, "key_reused".into()));
    assert_eq!(visitor.post("/api/orders/place", &ADDRESS).await.refusal(), (400, "missing_key".into()));
    let mut two = ADDRESS.to_vec();
    two.push(("idempotency_key", "a"));
    let differing = visitor.post_with("/api/orders/place", &two, &[("idempotency-key", "b")]).await;
    assert_eq!(differing.refusal(), (400, "bad_request".into()));
    shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_ordered_is_refused() {
    let shop = Shop::start().await;
    let visitor = shop.visitor();
    assert_eq!(place(&visitor, "empty").await.refusal(), (409, "empty_cart".into()));
    let visitor = guest_with(&shop, "The First Book", "1").await;
    let mut wrong = ADDRESS.to_vec();
    wrong.retain(|(name, _)| *name != "city");
    let reply = visitor.post_with("/api/orders/place", &wrong, &[("idempotency-key", "k")]).await;
    assert_eq!(reply.refusal(), (422, "invalid_fields".into()));
    assert!(reply.json()["fields"]["city"].is_string());
    let mut stale = ADDRESS.to_vec();
    stale.push(("expected_total", "1"));
    let reply = visitor.post_with("/api/orders/place", &stale, &[("idempotency-key", "k")]).await;
    assert_eq!(reply.refusal(), (409, "cart_changed".into()));
    // None of these used the key up.
    place(&visitor, "k").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unpaid_order_expires_and_its_copies_come_back() {
    let shop = Shop::start_with(&[("BAZAR_ORDER_TTL_SECONDS", "3"), ("BAZAR_MIN_PAY_SECONDS", "2")]).await;
    let book = shop.book("Only Two Copies").await;
    let visitor = guest_with(&shop, "Only Two Copies", "2").await;
    let order = id(&place(&visitor, "late").await.ok());
    assert_eq!(shop.on_sale(&book).await, 0);
    wait_for(&visitor, &order, "EXPIRED").await;
    eventually("the copies to be on sale", || async { (shop.on_sale(&book).await == 2).then_some(()) }).await;
    let late = visitor.post("/api/payments/init", &[("order_id", &order), ("provider", "sandbox")]).await;
    assert_eq!(late.refusal(), (409, "not_payable".into()));
    shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_order_gives_its_copies_back() {
    let shop = Shop::start().await;
    let book = shop.book("Only Two Copies").await;
    let visitor = guest_with(&shop, "Only Two Copies", "2").await;
    let order = id(&place(&visitor, "no").await.ok());
    visitor.post("/api/orders/cancel", &[("order_id", &order)]).await.ok();
    wait_for(&visitor, &order, "CANCELLED").await;
    eventually("the copies to be on sale", || async { (shop.on_sale(&book).await == 2).then_some(()) }).await;
    shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_another_persons_order() {
    let shop = Shop::start().await;
    let visitor = guest_with(&shop, "The First Book", "1").await;
    let order = id(&place(&visitor, "mine").await.ok());
    wait_for(&visitor, &order, "PAYMENT_PENDING").await;
    let path = format!("/api/orders/get?id={order}");
    for stranger in [shop.visitor(), shop.shopper("other@example.org").await] {
        assert_eq!(stranger.get(&path).await.refusal(), (404, "not_found".into()));
        assert_eq!(stranger.page(&format!("/orders/{order}")).await.status, 404);
        let form = [("order_id", order.as_str()), ("provider", "sandbox")];
        assert_eq!(stranger.post("/api/payments/init", &form).await.refusal().0, 404);
        assert_eq!(stranger.post("/api/orders/cancel", &form[..1]).await.refusal().0, 404);
    }
    // After a login the same browser still finds it, by its receipt.
    let form = [("email", "mine@example.org"), ("password", "a good password"), ("name", "Asha")];
    visitor.post("/api/account/register", &form).await.ok();
    assert_eq!(visitor.get(&path).await.ok()["status"], "PAYMENT_PENDING");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_works_without_javascript() {
    let shop = Shop::start().await;
    let book = shop.book("The First Book").await;
    let visitor = shop.visitor();
    let page = visitor.page("/books/the-first-book").await;
    assert!(page.body.contains("The First Book") && page.body.contains("action=\"/api/cart/add\""), "{}", page.body);
    let added =
        visitor.submit("/books/the-first-book", "/api/cart/add", &[("book_id", &book), ("quantity", "2")]).await;
    assert_eq!((added.status / 100, added.location()), (3, "/books/the-first-book"));
    assert!(visitor.page("/cart").await.body.contains("The First Book"));

    // A refused form comes back with what was typed, once.
    let mut form: Vec<(&str, &str)> = ADDRESS.iter().filter(|(name, _)| *name != "phone").copied().collect();
    form.push(("idempotency_key", "plain"));
    let refused = visitor.submit("/checkout", "/api/orders/place", &form).await;
    assert_eq!((refused.status / 100, refused.location()), (3, "/checkout"));
    let again = visitor.page("/checkout").await;
    assert!(again.body.contains("courier needs a phone") && again.body.contains("12 MG Road"), "{}", again.body);
    assert!(!visitor.page("/checkout").await.body.contains("courier needs a phone"));

    form.push(("phone", "+91 98450 12345"));
    let placed = visitor.submit("/checkout", "/api/orders/place", &form).await;
    assert!(placed.location().starts_with("/orders/"), "{} {}", placed.location(), placed.body);
    let order = placed.location().trim_start_matches("/orders/").to_owned();
    wait_for(&visitor, &order, "PAYMENT_PENDING").await;
    let page = visitor.page(&format!("/orders/{order}")).await;
    assert!(page.body.contains("action=\"/api/payments/init\""), "{}", page.body);
    let form = [("order_id", order.as_str()), ("provider", "sandbox")];
    let pay = visitor.submit(&format!("/orders/{order}"), "/api/payments/init", &form).await;
    let hosted = pay.location().to_owned();
    assert!(hosted.contains("/sandbox/pay/"), "{hosted}");
    let back = visitor.submit(&hosted, &hosted, &[("outcome", "pay")]).await;
    wait_for(&visitor, &order, "PAID").await;
    assert_eq!(visitor.page(back.location()).await.status, 200);
}
