//! Money over HTTP: the provider's API and page, the shop's door for webhooks, and money that comes too late.

use crate::{
    orders::{place, wait_for},
    shop::Shop,
    visitor::{Reply, Visitor},
};

/// An order that waits for payment, and the address of its page at the provider.
async fn to_pay(shop: &Shop) -> (Visitor, String, String) {
    let visitor = shop.visitor();
    let book = shop.book("Only Two Copies").await;
    visitor.post("/api/cart/add", &[("book_id", &book), ("quantity", "2")]).await.ok();
    let placed = place(&visitor, "pay").await.ok();
    let order = placed["order_id"].as_str().expect("an order").to_owned();
    wait_for(&visitor, &order, "PAYMENT_PENDING").await;
    let form = [("order_id", order.as_str()), ("provider", "sandbox")];
    let started = visitor.post("/api/payments/init", &form).await.ok();
    let page = started["redirect_url"].as_str().expect("an address").to_owned();
    (visitor, order, page)
}

fn causes(story: &serde_json::Value) -> Vec<&str> {
    let events = story["events"].as_array().expect("a timeline").iter();
    events.filter_map(|event| event["cause"].as_str()).collect()
}

async fn webhook(shop: &Shop, provider: &str, signature: &str, body: Vec<u8>) -> Reply {
    let path = format!("/webhooks/{provider}");
    let send = |client: &reqwest::Client, url: &str| {
        client.post(format!("{url}{path}")).header("sandbox-signature", signature).body(body)
    };
    shop.visitor().send_raw(send).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_door_for_webhooks_opens_to_providers_only() {
    let shop = Shop::start().await;
    let event = || br#"{"id":"e","type":"payment.captured","data":{}}"#.to_vec();
    assert_eq!(webhook(&shop, "sandbox", "t=1,v1=00", event()).await.refusal(), (400, "bad_request".into()));
    assert_eq!(webhook(&shop, "nobody", "t=1,v1=00", event()).await.refusal(), (404, "not_found".into()));
    let huge = vec![b' '; 256 * 1024 + 1];
    assert_eq!(webhook(&shop, "sandbox", "t=1,v1=00", huge).await.refusal(), (413, "too_large".into()));
    let most = vec![b' '; 256 * 1024];
    assert_eq!(webhook(&shop, "sandbox", "t=1,v1=00", most).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_providers_api_needs_its_key() {
    let shop = Shop::start().await;
    let (visitor, _, page) = to_pay(&shop).await;
    let id = page.rsplit('/').next().expect("an id").to_owned();
    let paths = ["payments".to_owned(), format!("payments/{id}/close"), format!("payments/{id}/refunds")];
    for path in paths {
        for key in ["", "Bearer ", "Bearer wrong", "Basic wrong"] {
            let headers = [("authorization", key), ("idempotency-key", "k")];
            let reply = visitor.post_with(&format!("/sandbox/v1/{path}"), &[], &headers).await;
            assert_eq!(reply.refusal(), (401, "unauthorised".into()), "{path} {key}");
        }
    }
    assert_eq!(visitor.get(&format!("/sandbox/v1/payments/{id}")).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosted_page_is_plainly_a_test() {
    let shop = Shop::start().await;
    let (visitor, order, page) = to_pay(&shop).await;
    let shown = visitor.page(&page).await;
    for text in [
        "Test provider. No real money moves here.",
        "₹349",
        "Order BB-",
        "value=\"pay\"",
        "value=\"decline\"",
        "value=\"late\"",
    ] {
        assert!(shown.body.contains(text), "{text}: {}", shown.body);
    }
    assert!(shown.header("content-security-policy").starts_with("default-src 'none'"), "{:?}", shown.headers);
    assert!(!shown.body.contains("<script") && !shown.body.contains("style="), "{}", shown.body);
    assert_eq!(visitor.page("/sandbox/pay/sbx_pay_nobody").await.status, 404);
    assert!(visitor.submit(&page, &page, &[("outcome", "steal")]).await.status >= 400);

    let declined = visitor.submit(&page, &page, &[("outcome", "decline")]).await;
    assert_eq!((declined.status, declined.location().contains(&order)), (303, true));
    assert!(visitor.page(&page).await.body.contains("declined"));
}

#[tokio::test(flavor = "multi_thread")]
async fn money_for_an_order_that_is_over_buys_the_copies_again_or_goes_back() {
    let shop = Shop::start_with(&[("BAZAR_SANDBOX_LATE_SECONDS", "1")]).await;
    let (visitor, order, page) = to_pay(&shop).await;
    visitor.post("/api/orders/cancel", &[("order_id", &order)]).await.ok();
    let closed = crate::shop::eventually("the shop to close the payment", || async {
        Some(visitor.page(&page).await).filter(|page| page.body.contains("closed this payment"))
    })
    .await;
    assert!(!closed.body.contains("value=\"pay\"") && closed.body.contains("value=\"late\""), "{}", closed.body);
    assert_eq!(visitor.submit(&page, &page, &[("outcome", "pay")]).await.status, 409);
    assert_eq!(visitor.submit(&page, &page, &[("outcome", "late")]).await.status, 303);
    let story = wait_for(&visitor, &order, "PAID").await;
    assert_eq!(causes(&story), ["persisted", "shopper_cancelled", "late_money_came", "late_money_claimed"]);
    shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn late_money_for_copies_that_are_gone_goes_back_by_itself() {
    let shop = Shop::start_with(&[("BAZAR_SANDBOX_LATE_SECONDS", "1")]).await;
    let (visitor, order, page) = to_pay(&shop).await;
    visitor.post("/api/orders/cancel", &[("order_id", &order)]).await.ok();
    wait_for(&visitor, &order, "CANCELLED").await;
    let book = shop.book("Only Two Copies").await;
    crate::shop::eventually("its copies", || async { (shop.on_sale(&book).await == 2).then_some(()) }).await;
    // Somebody else is quicker.
    to_pay(&shop).await;
    assert_eq!(visitor.submit(&page, &page, &[("outcome", "late")]).await.status, 303);
    let story = wait_for(&visitor, &order, "REFUNDED").await;
    assert_eq!(story["payments"][0]["status"], "refunded", "{story}");
    let money = ["persisted", "shopper_cancelled", "late_money_came", "money_goes_back", "late_money_returned"];
    assert_eq!(causes(&story), money);
    shop.assert_sound();
}
