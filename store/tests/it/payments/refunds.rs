//! Money that goes back: never more than came, once per wish, and REFUNDED only on the provider's word.

use super::{Coming, code, deliver, event, ledger::Ledger, ledger::TOTAL, pay_page, send, street::Street};
use crate::orders::shop::Shop;
use domain::{
    ErrorCode, IdempotencyKey, Minor, OrderId,
    account::Role,
    order::{Cause, OrderStatus},
    payment::{RefundStatus, RefundView},
};
use serde_json::json;
use store::{
    Store,
    error::Error,
    jobs::{DrainOutbox, Job, dead_letters},
    orders,
    payments::{
        self, Received,
        refund::{self, Of, Wanted},
    },
    sandbox::{self, Press},
    viewer::Viewer,
};

pub fn wanted(order: OrderId, amount: Option<i64>, key: &str) -> Wanted {
    Wanted {
        of: Of::Order(order),
        amount: amount.map(Minor::new),
        reason: "A torn page".into(),
        restock: false,
        key: IdempotencyKey::parse(key).unwrap(),
        agreed: None,
    }
}

/// An admin without an account of their own.
fn admin() -> Viewer {
    Viewer { role: Role::Owner, ..super::coming().viewer() }
}

pub async fn create(store: &Store, wanted: &Wanted) -> Result<RefundView, Error> {
    refund::create(store, &admin(), wanted).await
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
    let first = create(store, &wanted(order.id, Some(4_700), "a")).await.unwrap();
    assert_eq!((first.amount.get(), first.status), (4_700, RefundStatus::Requested));
    let again = (0..8).map(|_| async { create(store, &wanted(order.id, Some(4_700), "a")).await });
    for same in futures::future::join_all(again).await {
        assert_eq!(same.unwrap(), first);
    }
    assert_eq!(code(create(store, &wanted(order.id, Some(4_701), "a")).await), ErrorCode::KeyReused);
    for wrong in [0, -1, 100_001, i64::MAX] {
        let refused = create(store, &wanted(order.id, Some(wrong), "b")).await.unwrap_err().to_api();
        assert!(refused.fields.contains_key("amount"), "{refused:?}");
    }
    let silent = Wanted { reason: " ".into(), ..wanted(order.id, None, "b") };
    assert_eq!(code(create(store, &silent).await), ErrorCode::InvalidFields);
    assert_eq!(code(create(store, &wanted(super::coming().id, None, "b")).await), ErrorCode::NotFound);
    refund::request(store, first.refund_id).await.unwrap();
    deliver(store).await;
    let story = "PAID | captured | persisted,payment_captured,refund_requested,refund_confirmed";
    assert_eq!(ledger.story(order).await, story);
    // What is left, wanted many times at once under many keys: once.
    let keys: Vec<String> = (0..8).map(|n| format!("c{n}")).collect();
    let all = keys.iter().map(|key| async { create(store, &wanted(order.id, None, key)).await });
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
    assert_eq!(code(create(store, &wanted(order.id, Some(1), "d")).await), ErrorCode::NotFound);
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
    assert_eq!(code(create(store, &wanted(order.id, Some(100_001), "a")).await), ErrorCode::InvalidFields);
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
    let made = create(store, &wanted(order.id, None, "a")).await.unwrap();
    // The provider has given the money back already.
    sandbox::refund(store, "by-hand", &page, TOTAL).await.unwrap().unwrap();
    assert!(matches!(refund::request(store, made.refund_id).await, Err(Error::Unexpected { .. })));
    assert!(ledger.text("SELECT error FROM refunds").await.contains("409"), "the admin sees why");
    assert!(ledger.story(order).await.starts_with("PAID | refunding"));
}

#[tokio::test]
async fn copies_come_back_with_the_money_once() {
    let shop = Shop::open().await;
    let (book, admin) = (shop.book(5).await, shop.admin().await);
    let (_, order) = shop.paid_order(&[(book, 2)]).await;
    shop.apply_gate_ops().await;
    let some = Wanted { restock: true, ..wanted(order, Some(10_000), "a") };
    let early = create(&shop.store, &some).await.unwrap_err().to_api();
    assert!(early.fields.contains_key("restock"), "what waits to be sent is not on sale: {early:?}");
    orders::begin_packing(&shop.store, &admin, order).await.unwrap();
    orders::ship(&shop.store, &admin, order, "Blue Dart", None).await.unwrap();
    let made = create(&shop.store, &some).await.unwrap();
    assert_eq!(create(&shop.store, &some).await.unwrap(), made);
    let again = Wanted { restock: true, ..wanted(order, None, "b") };
    assert!(create(&shop.store, &again).await.unwrap_err().to_api().fields.contains_key("restock"), "they are back");
    create(&shop.store, &wanted(order, None, "b")).await.unwrap();
    assert_eq!(shop.count("SELECT count(*) FROM stock_movements WHERE kind = 'return'").await, 1);
    shop.assert_sound().await;
    shop.apply_gate_ops().await;
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((5, 0), 5));
    assert_eq!(shop.status(order).await, Some(OrderStatus::Shipped));
    assert_eq!(shop.confirm_refunds().await, [Received::Applied; 2]);
    assert_eq!(shop.status(order).await, Some(OrderStatus::Refunded));
    shop.assert_sound().await;
}

#[tokio::test]
async fn the_consequence_is_read_before_it_comes() {
    let shop = Shop::open().await;
    let book = shop.book(5).await;
    let (_, order) = shop.paid_order(&[(book, 2)]).await;
    let wish = |amount, agreed: &str, key| Wanted { agreed: Some(agreed.into()), ..wanted(order, amount, key) };
    let ask = async |wanted: &Wanted| create(&shop.store, wanted).await.unwrap_err().to_api();
    let part = ask(&wish(Some(4_700), "", "a")).await;
    assert_eq!(part.code, ErrorCode::NeedsConfirmation);
    assert_eq!(
        part.message,
        "₹47 goes back to asha@example.org by Sandbox Pay. The rest of it stays. No copies return to stock."
    );
    let all = ask(&Wanted { restock: true, ..wish(None, "", "b") }).await;
    assert!(all.message.ends_with("Nothing of the payment is left then. 2 copies return to stock."), "{}", all.message);
    assert_eq!(shop.count("SELECT count(*) FROM refunds").await, 0);
    create(&shop.store, &wish(Some(4_700), &part.fields["agreed"], "a")).await.unwrap();
    // The same words about what is left now would be another consequence.
    let stale = ask(&Wanted { restock: true, ..wish(None, &all.fields["agreed"], "b") }).await;
    assert_ne!(stale.fields["agreed"], all.fields["agreed"]);
    assert_eq!(shop.count("SELECT count(*) FROM refunds").await, 1);
    shop.assert_sound().await;
}

#[tokio::test]
async fn who_wanted_it_is_told_to_admins_only() {
    let shop = Shop::open().await;
    let (book, admin) = (shop.book(5).await, shop.admin().await);
    let (owner, order) = shop.paid_order(&[(book, 1)]).await;
    let (_, off) = shop.paid_order(&[(book, 1)]).await;
    refund::create(&shop.store, &admin, &wanted(order, Some(100), "a")).await.unwrap();
    orders::call_off(&shop.store, &admin, off, "Out of print").await.unwrap();
    let view = async |viewer: &Viewer, order| orders::get(&shop.store, viewer, order).await.unwrap().unwrap();
    let boss = Some("Boss".to_owned());
    let seen = view(&admin, order).await;
    assert_eq!((&seen.refunds[0].by, &seen.events.last().unwrap().by), (&boss, &boss));
    assert_eq!(view(&admin, off).await.refunds[0].by, boss);
    let seen = view(&Viewer::new(owner), order).await;
    assert_eq!((&seen.refunds[0].by, &seen.events.last().unwrap().by), (&None, &None));
    let said = seen.events.last().unwrap();
    assert_eq!((said.cause, said.note.as_deref()), (Cause::RefundRequested, Some("₹1: A torn page")));
}

#[tokio::test]
async fn a_refund_that_cannot_be_made_is_said_and_can_be_wanted_again() {
    let street = Street::open().await;
    let store = &street.store;
    let ledger = Ledger::of(store).await;
    let (order, page) = paid(&street, &ledger).await;
    sandbox::press(store, &page, Press::RefuseRefund).await.unwrap().unwrap();
    let made = create(store, &wanted(order.id, None, "a")).await.unwrap();
    assert!(ledger.story(order).await.starts_with("PAID | refunding"));
    refund::request(store, made.refund_id).await.unwrap();
    deliver(store).await;
    let story = "PAID | captured | persisted,payment_captured,refund_requested,refund_failed";
    assert_eq!(ledger.story(order).await, story, "the order is a paid one again");
    assert_eq!(
        ledger.text("SELECT status || ' ' || error FROM refunds").await,
        "failed The provider could not make it."
    );
    assert_eq!(code(refund::retry(store, &admin(), made.refund_id).await), ErrorCode::Conflict, "over is over");
    let again = create(store, &wanted(order.id, None, "b")).await.unwrap();
    refund::request(store, again.refund_id).await.unwrap();
    deliver(store).await;
    assert!(ledger.story(order).await.starts_with("REFUNDED | refunded"), "{}", ledger.story(order).await);
    assert_eq!(ledger.text("SELECT count(*)::text FROM sandbox.refunds WHERE status = 'succeeded'").await, "1");
}

#[tokio::test]
async fn money_stays_on_its_way_when_its_copies_are_back_on_sale() {
    let shop = Shop::open().await;
    let (book, admin) = (shop.book(5).await, shop.admin().await);
    let (_, order) = shop.paid_order(&[(book, 2)]).await;
    create(&shop.store, &Wanted { restock: true, ..wanted(order, None, "a") }).await.unwrap();
    assert_eq!(shop.fail_refunds().await, [Received::Applied]);
    assert_eq!(code(orders::begin_packing(&shop.store, &admin, order).await), ErrorCode::Conflict);
    shop.assert_sound().await;
    assert_eq!(shop.confirm_refunds().await, [Received::Applied]);
    assert_eq!(shop.status(order).await, Some(OrderStatus::Refunded));
    shop.apply_gate_ops().await;
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((5, 0), 5));
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_parked_request_is_asked_again_by_an_admin() {
    const RETRIES: &str = "SELECT count(*)::text FROM admin_audit WHERE action = 'refund.retry'";
    let street = Street::open().await;
    let store = &street.store;
    let ledger = Ledger::of(store).await;
    let (order, _) = paid(&street, &ledger).await;
    let made = create(store, &wanted(order.id, None, "a")).await.unwrap();
    let run = async || {
        let lane = DrainOutbox::PAYMENTS;
        let batch = lane.fetch(store).await.unwrap();
        if let Some(batch) = batch {
            lane.handle(store, batch).await.unwrap();
        }
    };
    // Refused for good: the provider does not know the session.
    ledger.run("UPDATE payments SET provider_ref = 'sbx_pay_x'").await;
    ledger.run("UPDATE outbox SET attempts = 9 WHERE topic = 'refund.request'").await;
    run().await;
    assert_eq!(dead_letters::list(store, 0).await.unwrap().len(), 1);
    assert!(ledger.text("SELECT error FROM refunds").await.contains("does not know it"), "the admin sees why");
    ledger
        .run("UPDATE payments p SET provider_ref = s.id FROM sandbox.payments s WHERE s.idempotency_key = p.id::text")
        .await;
    // The log and the work are one transaction, whichever of them fails.
    let stop = "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$";
    ledger.run(stop).await;
    for (plant, lift) in [
        ("CREATE TRIGGER stop BEFORE INSERT ON outbox EXECUTE FUNCTION stop()", "DROP TRIGGER stop ON outbox"),
        (
            "CREATE TRIGGER stop BEFORE INSERT ON admin_audit EXECUTE FUNCTION stop()",
            "DROP TRIGGER stop ON admin_audit",
        ),
    ] {
        ledger.run(plant).await;
        refund::retry(store, &admin(), made.refund_id).await.expect_err("it cannot be written down");
        ledger.run(lift).await;
        assert_eq!(dead_letters::list(store, 0).await.unwrap().len(), 1);
        assert_eq!(ledger.text(RETRIES).await, "0");
    }
    for _ in 0..2 {
        refund::retry(store, &admin(), made.refund_id).await.unwrap();
    }
    assert_eq!(ledger.text(RETRIES).await, "2");
    assert_eq!(dead_letters::list(store, 0).await.unwrap().len(), 0);
    assert_eq!(ledger.text("SELECT count(*)::text FROM outbox WHERE topic = 'refund.request'").await, "1");
    run().await;
    deliver(store).await;
    assert!(ledger.story(order).await.starts_with("REFUNDED | refunded"), "{}", ledger.story(order).await);
}

#[tokio::test]
async fn what_does_not_fit_the_books_is_shown_to_admins_until_somebody_lets_it_go() {
    let (store, ledger) = super::shop().await;
    let order = ledger.waiting_for_payment().await;
    let session = ledger.session(order).await;
    let mut wrong = super::captured("1", &session, order);
    wrong["data"]["amount"] = json!(1);
    assert_eq!(send(&store, &wrong).await, Received::Quarantined);
    assert_eq!(send(&store, &super::captured("2", "nobody's", super::coming())).await, Received::Waiting);
    let shown = payments::quarantined(&store, Some(order.id)).await.unwrap();
    assert_eq!((shown.len(), shown[0].order_id), (1, Some(order.id)));
    assert!(shown[0].number.is_some() && shown[0].why.contains("another amount"), "{shown:?}");
    assert_eq!(payments::quarantined(&store, None).await.unwrap(), shown);
    assert_eq!(payments::quarantined(&store, Some(super::coming().id)).await.unwrap(), []);
}
