//! What is wanted back is wanted until the provider says that it is back, whatever becomes of the work, of webhooks, and
//! of the refund itself.

use super::{
    deliver,
    ledger::Ledger,
    pay_page,
    refunds::create,
    standins::http::{self, Request},
    street::Street,
    till::Till,
};
use crate::clock::Clock;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use store::{
    Store,
    jobs::{DrainOutbox, Job, schedule::Scheduled},
    orders,
    payments::{VerifyPayments, again::AskAgain, reconcile, refund},
    sandbox::{self, Press},
    viewer::Viewer,
};

async fn run_outbox(store: &Store) {
    let lane = DrainOutbox::PAYMENTS;
    if let Some(batch) = lane.fetch(store).await.unwrap() {
        lane.handle(store, batch).await.unwrap();
    }
}

/// No webhook tells of anything: the shop's own refund fails, is asked for an hour later, and is made.
#[tokio::test]
async fn a_refund_that_fails_without_a_word_is_asked_for_anew() {
    let street = Street::open().await;
    let clock = Arc::new(Clock::default());
    let store = &Store::connect(street.store.config().clone(), clock.clone()).await.unwrap();
    let ledger = Ledger::of(store).await;
    let order = ledger.waiting_for_payment().await;
    ledger
        .run(
            r#"UPDATE orders SET address = '{"name": "Asha Rao", "line1": "12 MG Road", "line2": null, "city": "Bengaluru",
                 "state": "Karnataka", "postcode": "560001", "country": "IN", "phone": "98450 12345"}'"#,
        )
        .await;
    let (_, page) = pay_page(&street, order).await;
    sandbox::press(store, &page, Press::Pay).await.unwrap().unwrap();
    deliver(store).await;
    sandbox::press(store, &page, Press::RefuseRefund).await.unwrap().unwrap();
    let admin = Viewer { role: domain::account::Role::Owner, ..Viewer::new(super::coming().owner) };
    orders::call_off(store, &admin, order.id, "Out of print").await.unwrap();
    let ask = async || {
        clock.pass(121_000);
        let batch = VerifyPayments.fetch(store).await.unwrap().unwrap();
        VerifyPayments.handle(store, batch).await.unwrap();
    };
    run_outbox(store).await;
    ask().await;
    run_outbox(store).await;
    let refunds = "SELECT string_agg(status || (provider_ref IS NULL), ',' ORDER BY created_at) FROM refunds";
    assert_eq!(ledger.text(refunds).await, "failedfalse,requestedtrue", "not yet");
    clock.pass(3_600_000);
    run_outbox(store).await;
    ask().await;
    let story = "REFUNDED | refunded | persisted,payment_captured,admin_cancelled,refund_failed,refund_confirmed";
    assert_eq!(ledger.story(order).await, story);
    deliver(store).await;
    assert_eq!(ledger.story(order).await, story);
}

/// The provider does not take it up: it is wanted until it does, whatever becomes of the work.
#[tokio::test]
async fn what_nobody_asks_for_any_more_is_asked_for_again() {
    let street = Street::open().await;
    let store = &street.store;
    let ledger = Ledger::of(store).await;
    let order = ledger.waiting_for_payment().await;
    let (_, page) = pay_page(&street, order).await;
    sandbox::press(store, &page, Press::Pay).await.unwrap().unwrap();
    deliver(store).await;
    create(store, &super::refunds::wanted(order.id, None, "a")).await.unwrap();
    let again = async || AskAgain.run(store).await.unwrap()["asked"].as_i64().unwrap();
    let letters = async || ledger.text("SELECT string_agg(state, ',' ORDER BY id) FROM dead_letters").await;
    assert_eq!(again().await, 0, "it is asked for");
    ledger.run("UPDATE payments SET provider = 'closed-down'").await;
    ledger.run("UPDATE outbox SET attempts = 9 WHERE topic = 'refund.request'").await;
    run_outbox(store).await;
    assert_eq!(letters().await, "parked");
    assert_eq!((again().await, again().await, letters().await), (1, 0, "retried".to_owned()));
    // Its letter was let go.
    ledger.run("DELETE FROM outbox WHERE topic = 'refund.request'").await;
    assert_eq!(again().await, 1);
    ledger.run("UPDATE payments SET provider = 'sandbox'").await;
    run_outbox(store).await;
    assert_eq!(again().await, 0, "the provider has taken it up");
    deliver(store).await;
    assert!(ledger.story(order).await.starts_with("REFUNDED | refunded"), "{}", ledger.story(order).await);
}

#[tokio::test]
async fn what_was_refunded_at_the_provider_is_not_wanted_any_more() {
    let street = Street::open().await;
    let store = &street.store;
    let ledger = Ledger::of(store).await;
    let order = ledger.waiting_for_payment().await;
    let (_, page) = pay_page(&street, order).await;
    sandbox::press(store, &page, Press::Pay).await.unwrap().unwrap();
    deliver(store).await;
    let made = create(store, &super::refunds::wanted(order.id, None, "a")).await.unwrap();
    sandbox::press(store, &page, Press::Refund).await.unwrap().unwrap();
    assert!(refund::request(store, made.refund_id).await.is_err(), "there is no money any more");
    deliver(store).await;
    let story = "REFUNDED | refunded | persisted,payment_captured,refund_requested,refund_confirmed";
    assert_eq!(ledger.story(order).await, story);
    refund::request(store, made.refund_id).await.unwrap();
    let refund = ledger.text("SELECT origin || ' ' || status || ' ' || (error IS NULL) FROM refunds").await;
    assert_eq!(refund, "admin confirmed true");
}

/// A provider lists a refund as failed that it listed as made: the webhook about it was lost.
#[tokio::test]
async fn a_statement_tells_of_a_refund_that_failed_after_it_was_made() {
    let listed = Arc::new(Mutex::new(Vec::<Value>::new()));
    let list = listed.clone();
    let address = http::serve(move |request: Request| {
        let refunds = if request.path.ends_with("/refunds") { list.lock().unwrap().clone() } else { Vec::new() };
        async move { Some((200, json!({"data": refunds, "has_more": false}).to_string())) }
    })
    .await;
    let till = Till::at(3, |config| {
        config.stripe.as_mut().unwrap().api = format!("http://{address}");
    })
    .await;
    let session = till.paid().await;
    let refund = till.want_back(&session, None, "a").await.refund_id;
    for (status, state) in [("succeeded", "REFUNDED | refunded"), ("failed", "REFUNDED | refunding")] {
        *listed.lock().unwrap() = vec![json!({"id": "re_1", "amount": session.amount, "currency": "inr",
            "status": status, "created": 1, "payment_intent": format!("pi_{}", session.name),
            "metadata": {"refund_id": refund, "session_id": session.name, "payment_id": session.payment,
                "order_id": session.order}})];
        let report = reconcile::run(&till.shop.store, 7).await.unwrap();
        assert_eq!((report.differences, report.mended), (1, 1), "{report:?}");
        assert!(till.story(session.order).await.starts_with(state), "{}", till.story(session.order).await);
    }
    assert_eq!(reconcile::run(&till.shop.store, 7).await.unwrap().differences, 0);
    till.shop.assert_sound().await;
}
