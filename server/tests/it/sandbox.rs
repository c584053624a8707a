//! The provider's page as a teaching tool: each button, what the shop answers, and what becomes of the order.

use crate::{
    orders::{order, place, wait_for},
    shop::{Shop, eventually},
    visitor::Visitor,
};

/// An order that waits for payment, and its page at the provider.
struct Paying {
    visitor: Visitor,
    order: String,
    page: String,
}

impl Paying {
    async fn start(shop: &Shop) -> Self {
        let visitor = shop.visitor();
        let book = shop.book("The First Book").await;
        visitor.post("/api/cart/add", &[("book_id", &book), ("quantity", "1")]).await.ok();
        let placed = place(&visitor, "sandbox").await.ok();
        let order = placed["order_id"].as_str().expect("an order").to_owned();
        wait_for(&visitor, &order, "PAYMENT_PENDING").await;
        let form = [("order_id", order.as_str()), ("provider", "sandbox")];
        let started = visitor.post("/api/payments/init", &form).await.ok();
        let page = started["redirect_url"].as_str().expect("an address").to_owned();
        Self { visitor, order, page }
    }

    /// Presses a button; the page stays, and shows what was sent.
    async fn press(&self, outcome: &str, seconds: &str) {
        let form = [("outcome", outcome), ("seconds", seconds)];
        let pressed = self.visitor.submit(&self.page, &self.page, &form).await;
        let id = self.page.rsplit('/').next().expect("an id");
        assert_eq!((pressed.status, pressed.location()), (303, format!("/sandbox/pay/{id}").as_str()), "{outcome}");
    }

    /// The log of the page, as soon as the shop gave so many of these answers.
    async fn log(&self, answer: u16, times: usize) -> String {
        let text = format!("the shop answered <b>{answer}</b>");
        eventually(&format!("{times} answers {answer}"), || async {
            let page = self.visitor.page(&self.page).await.body;
            (page.matches(&text).count() == times).then_some(page)
        })
        .await
    }

    async fn causes(&self) -> Vec<String> {
        let order = order(&self.visitor, &self.order).await;
        let events = order["events"].as_array().expect("a timeline").iter();
        events.map(|event| event["cause"].as_str().expect("a cause").to_owned()).collect()
    }

    async fn is_paid(&self) {
        wait_for(&self.visitor, &self.order, "PAID").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_provider_does_the_order_is_paid_once() {
    let shop = Shop::start().await;
    let buttons = [
        ("decline_then_pay", 2, vec!["persisted", "payment_failed", "payment_captured"]),
        ("pay_after", 1, vec!["persisted", "payment_captured"]),
        ("pay_twice", 2, vec!["persisted", "payment_captured"]),
        ("webhook_twice", 2, vec!["persisted", "payment_captured"]),
        ("webhook_late", 1, vec!["persisted", "payment_captured"]),
    ];
    let mut all = Vec::new();
    for button in buttons {
        let paying = Paying::start(&shop).await;
        paying.press(button.0, "2").await;
        all.push((paying, button));
    }
    for (paying, (outcome, webhooks, causes)) in all {
        paying.is_paid().await;
        let page = paying.log(200, webhooks).await;
        assert!(page.contains("This payment is paid."), "{outcome}: {page}");
        assert_eq!(paying.causes().await, causes, "{outcome}");
    }
    shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_webhook_pays_nothing_and_is_shown_with_its_answer() {
    let shop = Shop::start().await;
    let paying = Paying::start(&shop).await;
    paying.press("forge", "").await;
    let page = paying.log(400, 1).await;
    assert!(page.contains("<b>forged</b>") && page.contains("value=\"pay\""), "{page}");
    assert_eq!(order(&paying.visitor, &paying.order).await["status"], "PAYMENT_PENDING");
    let paid = paying.visitor.submit(&paying.page, &paying.page, &[("outcome", "pay")]).await;
    assert!(paid.location().contains(&paying.order), "a real payment leads back to the shop");
    paying.is_paid().await;
    paying.log(200, 1).await;
    shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_never_comes_is_not_made_up_for_by_the_page() {
    let shop = Shop::start().await;
    let paying = Paying::start(&shop).await;
    paying.press("webhook_never", "").await;
    let page = paying.visitor.page(&paying.page).await.body;
    assert!(page.contains("This payment is paid.") && page.contains("Is never sent."), "{page}");
    assert!(!page.contains("http-equiv"), "there is nothing to wait for: {page}");
    shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_gives_money_back_once() {
    let shop = Shop::start().await;
    let paying = Paying::start(&shop).await;
    paying.press("webhook_twice", "").await;
    paying.is_paid().await;
    paying.log(200, 2).await;
    for _ in 0..2 {
        paying.press("refund", "").await;
    }
    let page = paying.log(200, 3).await;
    assert_eq!(page.matches("<code>refund.succeeded</code>").count(), 1, "{page}");
    shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_bounded_and_presses_too() {
    let shop = Shop::start().await;
    let paying = Paying::start(&shop).await;
    for seconds in ["", "0", "121", "-1", "x"] {
        let form = [("outcome", "pay_after"), ("seconds", seconds)];
        assert_eq!(paying.visitor.submit(&paying.page, &paying.page, &form).await.status, 400, "{seconds:?}");
    }
    let mut forged = 0;
    while paying.visitor.submit(&paying.page, &paying.page, &[("outcome", "forge")]).await.status == 303 {
        forged += 1;
    }
    assert_eq!(forged, 30);
    shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn production_has_no_such_provider_unless_it_is_switched_on() {
    for (switch, there) in [("", false), ("on", true)] {
        let shop = Shop::start_with(&[("BAZAR_ENV", "production"), ("BAZAR_SANDBOX", switch)]).await;
        let visitor = shop.visitor();
        let api = visitor.get("/sandbox/v1/payments/x").await.status;
        assert_eq!(api, if there { 401 } else { 404 }, "{switch:?}");
        let forged = visitor.post("/webhooks/sandbox", &[]).await.status;
        assert_eq!(forged, if there { 400 } else { 404 }, "{switch:?}");
    }
}
