//! A provider is down: whoever wants to pay is told so at once, may pay elsewhere, and nothing is lost.

use super::{SECRETS, Street, Tale, event, init, order, send, signed, standins::Fault};
use crate::{
    orders::wait_for,
    shop::eventually,
    visitor::{Reply, Visitor},
};
use std::time::{Duration, Instant};
use store::payments::provider::SessionState;

fn assert_unavailable(reply: &Reply, what: &str) {
    assert_eq!(reply.refusal(), (503, "provider_unavailable".into()), "{what}");
    assert!(reply.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{what}: {:?}", reply.headers);
}

/// A person without JavaScript sees why, and the other ways to pay.
async fn assert_said_on_the_page(visitor: &Visitor, order: &str) {
    let path = format!("/orders/{order}");
    let form = [("order_id", order), ("provider", "stripe")];
    let back = visitor.submit(&path, "/api/payments/init", &form).await;
    assert_eq!((back.status / 100, back.location()), (3, path.as_str()));
    let page = visitor.page(&path).await.body;
    assert!(page.contains("does not answer right now") && page.contains("Nothing was charged"), "{page}");
    assert!(page.contains("value=\"razorpay\"") && page.contains("value=\"sandbox\""), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_is_left_alone_until_it_is_back() {
    let street = Street::open().await;
    for (fault, what) in [(Fault::Status(500, "{}"), "500"), (Fault::Cut, "hangs up")] {
        let (visitor, id) = order(&street.shop).await;
        street.stripe.desk().fault = Some(fault);
        assert_unavailable(&init(&visitor, &id, "stripe").await, what);
        assert_said_on_the_page(&visitor, &id).await;
        for _ in 0..5 {
            assert_unavailable(&init(&visitor, &id, "stripe").await, what);
        }
        // Nobody waits for it any more.
        let asked = street.stripe.desk().requests;
        let started = Instant::now();
        assert_unavailable(&init(&visitor, &id, "stripe").await, what);
        assert!(started.elapsed() < Duration::from_secs(2), "{what}: {:?}", started.elapsed());
        assert_eq!(street.stripe.desk().requests, asked, "{what}");
        street.stripe.desk().fault = None;
        let started = eventually("the circuit to close", || async {
            Some(init(&visitor, &id, "stripe").await).filter(|reply| reply.status == 200)
        });
        assert!(started.await.json()["redirect_url"].as_str().is_some_and(|url| url.contains("checkout.stripe.test")));
        let session = street.stripe.desk().sessions.last().cloned().expect("one session");
        let paid = signed(street.stripe.kind, &event(&format!("evt {id}"), &session, Tale::Captured), SECRETS[0]);
        assert_eq!(send(&street.shop, street.stripe.kind, &paid).await.status, 200);
        wait_for(&visitor, &id, "PAID").await;
    }
    assert_eq!(street.stripe.desk().sessions.len(), 2, "one for each order");
    street.shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_cannot_pay_there_pays_elsewhere() {
    let street = Street::open_with(&[("BAZAR_ASK_PAYMENTS_SECONDS", "1")]).await;
    let (visitor, id, left) = street.paying(&street.stripe).await;
    street.stripe.desk().fault = Some(Fault::Status(503, ""));
    init(&visitor, &id, "razorpay").await.ok();
    let session = street.razorpay.desk().sessions.last().cloned().expect("a link");
    let paid = signed(street.razorpay.kind, &event("evt_1", &session, Tale::Captured), SECRETS[0]);
    assert_eq!(send(&street.shop, street.razorpay.kind, &paid).await.status, 200);
    wait_for(&visitor, &id, "PAID").await;
    assert_eq!(street.stripe.state(&left.id), SessionState::Open, "it does not answer");
    street.stripe.desk().fault = None;
    eventually("the first session to be closed", || async {
        (street.stripe.state(&left.id) == SessionState::Closed).then_some(())
    })
    .await;
    street.shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_hangs_or_is_not_there_is_down_as_well() {
    let street = Street::open().await;
    let (visitor, id) = order(&street.shop).await;
    street.razorpay.desk().fault = Some(Fault::Silent);
    let hanging = init(&visitor, &id, "razorpay");
    let refused = async {
        // Nobody listens at this address.
        let mut beside = street.shop.beside();
        beside.set("BAZAR_STRIPE_API", "http://127.0.0.1:1");
        beside.set("BAZAR_BASE_URL", &beside.url.clone());
        beside.set("BAZAR_METRICS_ADDR", "off");
        beside.spawn("web");
        beside.wait_until_ready().await;
        let (visitor, id) = order(&beside).await;
        (init(&visitor, &id, "stripe").await, init(&visitor, &id, "sandbox").await)
    };
    let (hanging, (refused, elsewhere)) = tokio::join!(hanging, refused);
    assert_unavailable(&hanging, "hangs");
    assert_unavailable(&refused, "is not there");
    elsewhere.ok();
    street.shop.assert_sound();
}
