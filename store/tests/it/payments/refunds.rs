//! Money that goes back: never more than came, once per wish, and REFUNDED only on the provider's word.

use super::{Coming, code, deliver, event, ledger::Ledger, ledger::TOTAL, pay_page, send, street::Street};
use crate::orders::shop::Shop;
use domain::{ErrorCode, IdempotencyKey, Minor, OrderId, order::OrderStatus, payment::RefundStatus};
use serde_json::json;
use store::{
    error::Error,
    payments::{
        Received,
        refund::{self, Of, Wanted},
    },
    sandbox::{self, Press},
};

pub fn wanted(order: OrderId, amount: Option<i64>, key: &str) -> Wanted {
    Wanted {
        of: Of::Order(order),
        amount: amount.map(Minor::new),
        reason: "A torn page".into(),
        restock: false,
        key: IdempotencyKey::parse(key).unwrap(),
    }
}

/// An order that is paid at the sandbox, and its page there.
async fn paid(street: &Street, ledger: &Ledger) -> (Coming, String) {
    let order = ledger.waiting_for_payment().await;
    let (_, page) = pay_page(street, order).await;
    sandbox::press(&street.store, &page, Press::Pay).await.unwrap().unwrap();
    deliver(&street.store).await;
    (order, page)
}

#[tokio::test]
async fn in_parts_and_never_more_than_came() {
    let street = Street::open().await;
    let store = &street.store;
    let ledger = Ledger::of(store).await;
    let (order, _) = paid(&street, &ledger).await;
    let first = refund::create(store, &wanted(order.id, Some(4_700), "a")).await.unwrap();
    assert_eq!((first.amount.get(), first.status), (4_700, RefundStatus::Requested));
    let again = (0..8).map(|_| async { refund::create(store, &wanted(order.id, Some(4_700), "a")).await });
    for same in futures::future::join_all(again).await {
        assert_eq!(same.unwrap(), first);
    }
    assert_eq!(code(refund::create(store, &wanted(order.id, Some(4_701), "a")).await), ErrorCode::KeyReused);
    for wrong in [0, -1, 100_001, i64::MAX] {
        let refused = refund::create(store, &wanted(order.id, Some(wrong), "b")).await.unwrap_err().to_api();
        assert!(refused.fields.contains_key("amount"), "{refused:?}");
    }
    let silent = Wanted { reason: " ".into(), ..wanted(order.id, None, "b") };
    assert_eq!(code(refund::create(store, &silent).await), ErrorCode::InvalidFields);
    assert_eq!(code(refund::create(store, &wanted(super::coming().id, None, "b")).await), ErrorCode::NotFound);
    refund::request(store, first.refund_id).await.unwrap();
    deliver(store).await;
    let story = "PAID | captured | persisted,payment_captured,refund_requested,refund_confirmed";
    assert_eq!(ledger.story(order).await, story);
    // What is left, wanted many times at once under many keys: once.
    let keys: Vec<String> = (0..8).map(|n| format!("c{n}")).collect();
    let all = keys.iter().map(|key| async { refund::create(store, &wanted(order.id, None, key)).await });
    let made: Vec<_> = futures::future::join_all(all).await.into_iter().filter_map(Result::ok).collect();
    assert_eq!((made.len(), made[0].amount.get()), (1, 100_000));
    assert!(ledger.story(order).await.starts_with("PAID | refunding"), "not before the provider says so");
    let packing = ledger.text("SELECT count(*)::text FROM payments WHERE status = 'captured'").await;
    assert_eq!(packing, "0", "nothing is packed or sent any more");
    for _ in 0..2 {
        refund::request(store, made[0].refund_id).await.unwrap();
    }
    deliver(store).await;
    assert!(ledger.story(order).await.starts_with("REFUNDED | refunded"), "{}", ledger.story(order).await);
    assert_eq!(code(refund::create(store, &wanted(order.id, Some(1), "d")).await), ErrorCode::NotFound);
    assert_eq!(ledger.text("SELECT sum(amount_minor)::text FROM sandbox.refunds").await, TOTAL.get().to_string());
}

#[tokio::test]
async fn a_refund_made_at_the_provider_is_recorded_if_there_is_so_much() {
    let street = Street::open().await;
    let store = &street.store;
    let ledger = Ledger::of(store).await;
    let (order, page) = paid(&street, &ledger).await;
    let made = |id: &str, refund_ref: &str, amount: i64| {
        let mut event = event(id, "refund.succeeded", &page, order);
        event["data"]["amount"] = json!(amount);
        event["data"]["refund_id"] = json!(refund_ref);
        event
    };
    assert_eq!(send(store, &made("1", "r1", 4_700)).await, Received::Applied);
    assert_eq!(send(store, &made("2", "r1", 4_700)).await, Received::Ignored, "told twice under two names");
    assert_eq!(send(store, &made("3", "r2", 100_001)).await, Received::Quarantined);
    assert_eq!(code(refund::create(store, &wanted(order.id, Some(100_001), "a")).await), ErrorCode::InvalidFields);
    assert_eq!(send(store, &made("4", "r3", 100_000)).await, Received::Applied);
    let story = "REFUNDED | refunded | persisted,payment_captured,refund_confirmed,refund_confirmed";
    assert_eq!(ledger.story(order).await, story);
    assert_eq!(
        ledger.text("SELECT string_agg(origin || ' ' || provider_ref, ',' ORDER BY amount_minor) FROM refunds").await,
        "provider r1,provider r3"
    );
}

#[tokio::test]
async fn a_provider_that_refuses_is_seen_and_asked_again() {
    let street = Street::open().await;
    let store = &street.store;
    let ledger = Ledger::of(store).await;
    let (order, page) = paid(&street, &ledger).await;
    let made = refund::create(store, &wanted(order.id, None, "a")).await.unwrap();
    // The provider has given the money back already.
    sandbox::refund(store, "by-hand", &page, TOTAL).await.unwrap().unwrap();
    assert!(matches!(refund::request(store, made.refund_id).await, Err(Error::Unexpected { .. })));
    assert!(ledger.text("SELECT error FROM refunds").await.contains("409"), "the admin sees why");
    assert!(ledger.story(order).await.starts_with("PAID | refunding"));
}

#[tokio::test]
async fn copies_come_back_with_the_money_once() {
    let shop = Shop::open().await;
    let book = shop.book(5).await;
    let (_, order) = shop.payable_order(&[(book, 2)]).await;
    shop.capture(order).await.await;
    shop.apply_gate_ops().await;
    let some = Wanted { restock: true, ..wanted(order, Some(10_000), "a") };
    let made = refund::create(&shop.store, &some).await.unwrap();
    assert_eq!(refund::create(&shop.store, &some).await.unwrap(), made);
    let rest = Wanted { restock: true, ..wanted(order, None, "b") };
    refund::create(&shop.store, &rest).await.unwrap();
    assert_eq!(shop.count("SELECT count(*) FROM stock_movements WHERE kind = 'return'").await, 1);
    shop.assert_sound().await;
    shop.apply_gate_ops().await;
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((5, 0), 5));
    shop.assert_sound().await;
    assert_eq!(shop.status(order).await, Some(OrderStatus::Paid));
}
