//! Sandbox Pay beside the shop: its webhooks bring the money, late, twice or not at all, and it keeps its own promises.

use super::{TOTAL, captured, code, deliver, ledger::Ledger, pay_page, send, street::Street};
use domain::ErrorCode;
use store::{
    jobs::Job,
    payments::{self, Received, refund},
    sandbox::{self, DeliverEvents, Press},
    stock,
};

#[tokio::test]
async fn declined_then_paid_by_the_providers_own_webhooks() {
    let street = Street::open().await;
    let store = &street.store;
    let ledger = Ledger::of(store).await;
    let order = ledger.waiting_for_payment().await;
    let (first, page) = pay_page(&street, order).await;
    for _ in 0..2 {
        sandbox::press(store, &page, Press::Decline).await.unwrap().unwrap();
    }
    deliver(store).await;
    let (second, page) = pay_page(&street, order).await;
    assert_ne!(first, second);
    assert_eq!(sandbox::press(store, &page, Press::Pay).await.unwrap().unwrap().status, "paid");
    street.break_shop(true);
    deliver(store).await;
    assert_eq!(
        ledger.text("SELECT last_error FROM sandbox.events WHERE delivered_at IS NULL").await,
        "answered 500 Internal Server Error"
    );
    street.break_shop(false);
    ledger.run("UPDATE sandbox.events SET due_at = now() - interval '1 second'").await;
    deliver(store).await;
    assert_eq!(ledger.story(order).await, "PAID | declined,captured | persisted,payment_failed,payment_captured");
    assert_eq!(ledger.text("SELECT count(*)::text FROM sandbox.events WHERE delivered_at IS NOT NULL").await, "2");
}

#[tokio::test]
async fn a_webhook_that_nobody_takes_is_parked() {
    let street = Street::open().await;
    let store = &street.store;
    let ledger = Ledger::of(store).await;
    let (_, page) = pay_page(&street, ledger.waiting_for_payment().await).await;
    sandbox::press(store, &page, Press::Pay).await.unwrap().unwrap();
    street.break_shop(true);
    ledger.run("UPDATE sandbox.events SET attempts = 9").await;
    deliver(store).await;
    assert_eq!(ledger.text("SELECT source || ' ' || attempts FROM dead_letters").await, "sandbox_events 10");
    assert!(DeliverEvents.fetch(store).await.unwrap().is_none());
}

#[tokio::test]
async fn late_money_goes_back_by_itself() {
    let street = Street::open().await;
    let store = &street.store;
    let ledger = Ledger::of(store).await;
    let order = ledger.waiting_for_payment().await;
    let (payment, page) = pay_page(&street, order).await;
    ledger.run("UPDATE orders SET status = 'EXPIRED'").await;
    payments::close(store, payment).await.unwrap();
    assert_eq!(ledger.story(order).await, "EXPIRED | closed | persisted");
    assert_eq!(code(sandbox::press(store, &page, Press::Pay).await), ErrorCode::NotPayable);
    sandbox::press(store, &page, Press::PayLate).await.unwrap().unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    deliver(store).await;
    assert_eq!(ledger.story(order).await, "EXPIRED | late | persisted,late_money_came");
    // Too few copies are left.
    ledger.run("UPDATE stock SET on_hand = 3").await;
    stock::ensure_loaded(store).await.unwrap();
    payments::decide_late(store, payment).await.unwrap();
    assert_eq!(ledger.story(order).await, "EXPIRED | refunding | persisted,late_money_came,money_goes_back");
    give_back(&street, &ledger).await;
    let story = "REFUNDED | refunded | persisted,late_money_came,money_goes_back,late_money_returned";
    assert_eq!(ledger.story(order).await, story);
    assert_eq!(ledger.text("SELECT status FROM refunds WHERE provider_ref IS NOT NULL").await, "confirmed");
    let again = captured("again", &page, order);
    assert_eq!(send(store, &again).await, Received::Ignored);
    assert_eq!(ledger.story(order).await, story);
}

/// Does what the outbox asks for: twice, as after a crash, and with the provider away at first.
async fn give_back(street: &Street, ledger: &Ledger) {
    let id = ledger.text("SELECT key FROM outbox WHERE topic = 'refund.request'").await.parse().unwrap();
    street.break_provider(true);
    assert_eq!(code(refund::request(&street.store, id).await), ErrorCode::ProviderUnavailable);
    street.break_provider(false);
    refund::request(&street.store, id).await.unwrap();
    refund::request(&street.store, id).await.unwrap();
    deliver(&street.store).await;
    assert_eq!(ledger.text("SELECT count(*)::text FROM sandbox.refunds").await, "1");
}

#[tokio::test]
async fn a_second_payment_goes_back_and_the_order_stays_paid() {
    let street = Street::open().await;
    let store = &street.store;
    let ledger = Ledger::of(store).await;
    let order = ledger.waiting_for_payment().await;
    let (_, page) = pay_page(&street, order).await;
    // Another payment, say at another provider, is quicker.
    ledger.run("UPDATE payments SET status = 'closed'").await;
    let quicker = ledger.session(order).await;
    assert_eq!(send(store, &captured("q", &quicker, order)).await, Received::Applied);
    sandbox::press(store, &page, Press::Pay).await.unwrap().unwrap();
    deliver(store).await;
    assert_eq!(ledger.story(order).await, "PAID | refunding,captured | persisted,payment_captured,money_goes_back");
    give_back(&street, &ledger).await;
    let story = "PAID | refunded,captured | persisted,payment_captured,money_goes_back,refund_confirmed";
    assert_eq!(ledger.story(order).await, story);
}

#[tokio::test]
async fn closing_finds_a_session_that_was_never_written_down() {
    let street = Street::open().await;
    let store = &street.store;
    let ledger = Ledger::of(store).await;
    let order = ledger.waiting_for_payment().await;
    let (payment, page) = pay_page(&street, order).await;
    // As if the shop had crashed before it could write the provider's answer down.
    ledger.run("UPDATE payments SET status = 'creating', provider_ref = NULL, redirect_url = NULL").await;
    payments::close(store, payment).await.unwrap();
    assert_eq!(ledger.text("SELECT status FROM payments").await, "closed");
    assert_eq!(sandbox::get(store, &page).await.unwrap().unwrap().status, "closed");
    payments::close(store, payment).await.unwrap();

    let (payment, page) = pay_page(&street, order).await;
    sandbox::press(store, &page, Press::Pay).await.unwrap().unwrap();
    payments::close(store, payment).await.unwrap();
    assert!(ledger.story(order).await.starts_with("PAID"), "what turns out paid pays");
    deliver(store).await;
    assert_eq!(ledger.text("SELECT outcome FROM webhook_inbox ORDER BY id DESC LIMIT 1").await, "ignored");
}

#[tokio::test]
async fn the_provider_keeps_its_own_promises() {
    let street = Street::open().await;
    let store = &street.store;
    let ledger = Ledger::of(store).await;
    let (payment, page) = pay_page(&street, ledger.waiting_for_payment().await).await;
    let request = |amount: i64| sandbox::CreatePayment {
        order_id: "o".into(),
        order_number: "n".into(),
        amount: domain::Minor::new(amount),
        currency: domain::Currency::Inr,
        email: "a@b.in".into(),
        return_url: "http://shop.test".into(),
        cancel_url: "http://shop.test".into(),
    };
    assert_eq!(code(sandbox::create(store, &payment.to_string(), request(1)).await), ErrorCode::KeyReused);
    assert_eq!(code(sandbox::create(store, "", request(1)).await), ErrorCode::MissingKey);
    assert_eq!(code(sandbox::create(store, "k", request(0)).await), ErrorCode::BadRequest);
    assert_eq!(code(sandbox::refund(store, "r", &page, TOTAL).await), ErrorCode::Conflict);
    sandbox::press(store, &page, Press::Pay).await.unwrap().unwrap();
    let first = sandbox::refund(store, "r", &page, TOTAL).await.unwrap();
    assert_eq!(sandbox::refund(store, "r", &page, TOTAL).await.unwrap(), first);
    assert_eq!(code(sandbox::refund(store, "r2", &page, domain::Minor::new(1)).await), ErrorCode::Conflict);
    assert_eq!(sandbox::refund(store, "r3", "sbx_pay_nobody", TOTAL).await.unwrap(), None);
    assert_eq!(sandbox::get(store, "sbx_pay_nobody").await.unwrap(), None);
    assert!(!sandbox::is_authorised(store, "test-kez") && sandbox::is_authorised(store, "test-key"));
}
