//! A payment that fails on a page that stays open: said on the order, once, and nothing ends.

use super::{
    ledger::{Coming, Ledger, TOTAL},
    standins::{KEY, Kind, SECRETS, StandIn, Tale, Webhook},
    webhooks::{about, receive, send},
};
use serde_json::json;
use store::{payments::Received, testkit};

const KIND: Kind = Kind::Razorpay;

/// As Razorpay documents it: the payment names its link only in its description.
fn failed(id: &str, link: &str) -> Webhook {
    let payment = json!({"entity": {"id": format!("pay_{id}"), "entity": "payment", "amount": TOTAL, "currency": "INR",
        "status": "failed", "captured": false, "notes": [], "description": format!("#{link}"),
        "error_code": "BAD_REQUEST_ERROR", "error_description": "Your card was declined"}});
    let body = json!({"entity": "event", "event": "payment.failed", "payload": {"payment": payment}});
    KIND.signed(body.to_string().into_bytes(), id, SECRETS[0], 0)
}

async fn at_razorpay(ledger: &Ledger, order: Coming) -> super::standins::Event {
    let mut paid = about(ledger, KIND, order, "evt_paid", Tale::Captured).await;
    paid.session = format!("plink_{}", order.id.get().simple());
    sqlx::query("UPDATE payments SET provider_ref = $1 WHERE order_id = $2")
        .bind(&paid.session)
        .bind(order.id.get())
        .execute(&ledger.pg)
        .await
        .unwrap();
    paid
}

#[tokio::test]
async fn attempts_on_a_link_are_said_once_until_it_is_paid() {
    let stand_in = StandIn::open(KIND).await;
    let store = testkit::store_with(|config| stand_in.configure(config, KEY)).await;
    let ledger = Ledger::of(&store).await;
    let order = ledger.waiting_for_payment().await;
    let paid = at_razorpay(&ledger, order).await;
    let link = order.id.get().simple().to_string();
    assert_eq!(receive(&store, KIND, &failed("evt_1", &link)).await.unwrap(), Received::Applied);
    for id in ["evt_1", "evt_2", "evt_3"] {
        assert_eq!(receive(&store, KIND, &failed(id, &link)).await.unwrap(), Received::Ignored, "{id}");
    }
    assert_eq!(ledger.story(order).await, "PAYMENT_PENDING | open | persisted,payment_failed");
    for foreign in ["somebody's", "", "another"] {
        let received = receive(&store, KIND, &failed(&format!("evt_of {foreign}"), foreign)).await.unwrap();
        assert_eq!(received, Received::Ignored, "{foreign}: accounts may be shared");
    }
    assert_eq!(send(&store, KIND, &paid).await, Received::Applied);
    assert_eq!(receive(&store, KIND, &failed("evt_4", &link)).await.unwrap(), Received::Ignored, "late, and over");
    assert_eq!(ledger.story(order).await, "PAID | captured | persisted,payment_failed,payment_captured");
}
