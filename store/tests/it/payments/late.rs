//! Money that comes after the end buys the copies again or goes back, whatever fails in between: never both, never
//! neither, and no copy is lost.

use crate::orders::shop::Shop;
use domain::{BookId, OrderId, Owner, PaymentId, order::OrderStatus};
use redis::AsyncCommands;
use store::{
    error::Error,
    payments::{self, Received},
    stock::{self, reconcile},
};

const CLAIMED: &str = "persisted,deadline_passed,late_money_came,late_money_claimed";
const SENT_BACK: &str = "persisted,deadline_passed,late_money_came,money_goes_back";

/// An order of two copies that expired; its copies are back at the gate.
async fn expired(shop: &Shop, book: BookId) -> OrderId {
    let (_, order) = shop.payable_order(&[(book, 2)]).await;
    shop.let_time_pass(order).await;
    shop.expire_due().await;
    shop.apply_gate_ops().await;
    order
}

async fn story(shop: &Shop, order: OrderId) -> String {
    let sql = "SELECT status || ' ' || claim_no || ' | '
                 || (SELECT string_agg(p.status, ',' ORDER BY created_at, id) FROM payments p WHERE order_id = o.id) || ' | '
                 || (SELECT string_agg(cause, ',' ORDER BY version) FROM order_history WHERE order_id = o.id)
               FROM orders o WHERE id = $1";
    sqlx::query_scalar(sql).bind(order.get()).fetch_one(&shop.pg).await.unwrap()
}

async fn payment_of(shop: &Shop, order: OrderId) -> PaymentId {
    let sql = "SELECT id FROM payments WHERE order_id = $1 ORDER BY captured_at LIMIT 1";
    PaymentId::new(sqlx::query_scalar(sql).bind(order.get()).fetch_one(&shop.pg).await.unwrap())
}

/// Money for an order that has expired, not decided yet.
async fn late(shop: &Shop, book: BookId) -> (OrderId, PaymentId) {
    let order = expired(shop, book).await;
    assert_eq!(shop.capture(order).await.await, Received::Applied);
    (order, payment_of(shop, order).await)
}

/// Somebody else buys so many.
async fn somebody_buys(shop: &Shop, book: BookId, copies: i64) -> (Owner, OrderId) {
    shop.payable_order(&[(book, copies)]).await
}

async fn counts(shop: &Shop, book: BookId) -> ((i32, i32), i64) {
    (shop.ledger(book).await, shop.at_gate(book).await)
}

#[tokio::test]
async fn copies_that_are_still_there_are_bought_again() {
    let shop = Shop::open().await;
    let book = shop.book(5).await;
    let order = expired(&shop, book).await;
    let again = shop.capture(order).await;
    assert_eq!(again.await, Received::Applied);
    assert_eq!(story(&shop, order).await, "EXPIRED 1 | late | persisted,deadline_passed,late_money_came");
    shop.assert_sound().await;
    shop.decide_late().await;
    assert_eq!(story(&shop, order).await, format!("PAID 2 | captured | {CLAIMED}"));
    assert_eq!(counts(&shop, book).await, ((3, 0), 3));
    shop.assert_sound().await;
    shop.apply_gate_ops().await;
    assert_eq!(counts(&shop, book).await, ((3, 0), 3));
    let payment = payment_of(&shop, order).await;
    futures::future::join_all((0..8).map(|_| payments::decide_late(&shop.store, payment))).await;
    assert_eq!(story(&shop, order).await, format!("PAID 2 | captured | {CLAIMED}"));
    assert_eq!(shop.count("SELECT count(*) FROM refunds").await, 0);
    let records: i64 = shop.redis.clone().hlen(shop.keys.reclaims()).await.unwrap();
    assert_eq!((records, counts(&shop, book).await), (0, ((3, 0), 3)));
    shop.assert_sound().await;
}

#[tokio::test]
async fn copies_on_their_way_back_are_waited_for() {
    let shop = Shop::open().await;
    let book = shop.book(2).await;
    let (_, order) = shop.payable_order(&[(book, 2)]).await;
    shop.let_time_pass(order).await;
    shop.expire_due().await;
    shop.capture(order).await.await;
    let payment = payment_of(&shop, order).await;
    assert!(matches!(payments::decide_late(&shop.store, payment).await, Err(Error::Refused(_))));
    shop.assert_sound().await;
    shop.apply_gate_ops().await;
    shop.decide_late().await;
    assert_eq!(story(&shop, order).await, format!("PAID 2 | captured | {CLAIMED}"));
    shop.assert_sound().await;
}

#[tokio::test]
async fn copies_that_are_gone_send_the_money_back() {
    let shop = Shop::open().await;
    let book = shop.book(3).await;
    let order = expired(&shop, book).await;
    somebody_buys(&shop, book, 2).await;
    shop.capture(order).await.await;
    shop.decide_late().await;
    assert_eq!(story(&shop, order).await, format!("EXPIRED 1 | refunding | {SENT_BACK}"));
    assert_eq!(shop.count("SELECT count(*) FROM outbox WHERE topic = 'refund.request'").await, 1);
    assert_eq!(counts(&shop, book).await, ((3, 2), 1));
    shop.assert_sound().await;
}

#[tokio::test]
async fn what_postgres_refuses_goes_back_to_the_gate() {
    let shop = Shop::open().await;
    let book = shop.book(3).await;
    let order = expired(&shop, book).await;
    shop.capture(order).await.await;
    // Two of three are found missing; the gate has not heard of it.
    shop.restock(book, -2).await;
    shop.decide_late().await;
    assert_eq!(story(&shop, order).await, format!("EXPIRED 1 | refunding | {SENT_BACK}"));
    shop.assert_sound().await;
    shop.apply_gate_ops().await;
    assert_eq!(counts(&shop, book).await, ((1, 0), 1));
    shop.assert_sound().await;
}

#[tokio::test]
async fn of_two_late_payments_one_buys_and_one_goes_back() {
    let shop = Shop::open().await;
    let book = shop.book(5).await;
    let order = expired(&shop, book).await;
    shop.capture(order).await.await;
    shop.capture(order).await.await;
    shop.decide_late().await;
    assert!(story(&shop, order).await.starts_with("PAID 2 | "));
    let money = "SELECT count(*) FILTER (WHERE status = 'captured') * 10 + count(*) FILTER (WHERE status = 'refunding') FROM payments";
    assert_eq!(shop.count(money).await, 11);
    shop.apply_gate_ops().await;
    assert_eq!(counts(&shop, book).await, ((3, 0), 3));
    shop.assert_sound().await;
}

/// Every statement after the gate has taken the copies.
const STEPS: [(&str, &str, &str); 8] = [
    ("stock", "UPDATE", "true"),
    ("stock_movements", "INSERT", "NEW.kind = 'reserve'"),
    ("orders", "UPDATE", "NEW.claim_no > 1"),
    ("payments", "UPDATE", "true"),
    ("order_history", "INSERT", "true"),
    ("stock_movements", "INSERT", "NEW.kind = 'sale'"),
    ("gate_ops", "INSERT", "true"),
    ("outbox", "INSERT", "true"),
];

async fn break_step(shop: &Shop, (table, verb, condition): (&str, &str, &str), is_at_commit: bool) {
    let kind = if is_at_commit { "CONSTRAINT TRIGGER" } else { "TRIGGER" };
    let moment = if is_at_commit { "AFTER" } else { "BEFORE" };
    let deferred = if is_at_commit { "DEFERRABLE INITIALLY DEFERRED" } else { "" };
    let sql = format!(
        "CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken on purpose'; END $$;
         CREATE {kind} broken {moment} {verb} ON {table} {deferred} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION fail()"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&shop.pg).await.unwrap();
}

async fn mend_step(shop: &Shop, (table, _, _): (&str, &str, &str)) {
    let sql = format!("DROP TRIGGER broken ON {table}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&shop.pg).await.unwrap();
}

#[tokio::test]
async fn a_decision_that_dies_at_any_step_is_taken_once() {
    let shop = Shop::open().await;
    for (number, step) in STEPS.into_iter().enumerate() {
        let book = shop.book(2).await;
        let (order, payment) = late(&shop, book).await;
        break_step(&shop, step, number + 1 == STEPS.len()).await;
        for _ in 0..2 {
            assert!(payments::decide_late(&shop.store, payment).await.is_err(), "{step:?}");
            // The gate keeps them for this order: nobody else gets them, and nothing is missing.
            assert_eq!(counts(&shop, book).await, ((2, 0), 0), "{step:?}");
            shop.assert_sound().await;
            let report = reconcile::run(&shop.store, reconcile::Scope::All).await.unwrap();
            assert_eq!(report.drift.found, 0, "{step:?}");
        }
        mend_step(&shop, step).await;
        shop.decide_late().await;
        assert_eq!(story(&shop, order).await, format!("PAID 2 | captured | {CLAIMED}"), "{step:?}");
        shop.apply_gate_ops().await;
        assert_eq!(counts(&shop, book).await, ((0, 0), 0), "{step:?}");
        shop.assert_sound().await;
    }
    assert_eq!(shop.count("SELECT count(*) FROM refunds").await, 0);
}

#[tokio::test]
async fn a_refund_that_dies_at_any_step_gives_the_copies_back_once() {
    let shop = Shop::open().await;
    for step in [("refunds", "INSERT", "true"), ("payments", "UPDATE", "true"), ("gate_ops", "INSERT", "true")] {
        let book = shop.book(2).await;
        let (order, payment) = late(&shop, book).await;
        // Taken at the gate by a worker that died; then the copies are found missing.
        break_step(&shop, STEPS[0], false).await;
        assert!(payments::decide_late(&shop.store, payment).await.is_err());
        mend_step(&shop, STEPS[0]).await;
        shop.restock(book, -1).await;
        break_step(&shop, step, false).await;
        assert!(payments::decide_late(&shop.store, payment).await.is_err(), "{step:?}");
        shop.assert_sound().await;
        mend_step(&shop, step).await;
        shop.decide_late().await;
        assert_eq!(story(&shop, order).await, format!("EXPIRED 1 | refunding | {SENT_BACK}"), "{step:?}");
        shop.assert_sound().await;
        shop.apply_gate_ops().await;
        assert_eq!(counts(&shop, book).await, ((1, 0), 1), "{step:?}");
        shop.assert_sound().await;
    }
}

#[tokio::test]
async fn a_gate_that_is_counted_anew_forgets_what_a_dead_worker_took() {
    let shop = Shop::open().await;
    let book = shop.book(2).await;
    let (order, payment) = late(&shop, book).await;
    break_step(&shop, STEPS[0], false).await;
    assert!(payments::decide_late(&shop.store, payment).await.is_err());
    mend_step(&shop, STEPS[0]).await;
    let _: () = shop.redis.clone().del(shop.keys.epoch()).await.unwrap();
    assert!(matches!(payments::decide_late(&shop.store, payment).await, Err(Error::Refused(_))), "not loaded");
    stock::ensure_loaded(&shop.store).await.unwrap();
    assert_eq!(counts(&shop, book).await, ((2, 0), 2));
    shop.assert_sound().await;
    shop.decide_late().await;
    assert_eq!(story(&shop, order).await, format!("PAID 2 | captured | {CLAIMED}"));
    shop.apply_gate_ops().await;
    shop.assert_sound().await;
}

/// A worker that slept through the decision takes copies that nobody will ever write down.
#[tokio::test]
async fn what_a_sleeper_takes_after_the_decision_is_put_back() {
    let shop = Shop::open().await;
    let book = shop.book(4).await;
    let (_, payment) = late(&shop, book).await;
    shop.decide_late().await;
    shop.apply_gate_ops().await;
    let script = redis::Script::new(include_str!("../../../../lua/order_reclaim.lua"));
    let mut call = script.prepare_invoke();
    let keys = &shop.keys;
    for key in [keys.epoch(), keys.stock(), keys.changes(), keys.reclaims(), keys.suspects(), keys.run_id()] {
        call.key(key);
    }
    let run: String = shop.redis.clone().get(keys.run_id()).await.unwrap();
    call.arg(payment.to_string()).arg("nowhere").arg(run).arg(book.get()).arg(2);
    let answer: Vec<String> = call.invoke_async(&mut shop.redis.clone()).await.unwrap();
    assert_eq!((answer, shop.at_gate(book).await), (vec!["PLACED".to_owned()], 0));
    let report = reconcile::run(&shop.store, reconcile::Scope::Recent).await.unwrap();
    assert_eq!((report.drift.repaired, shop.at_gate(book).await), (1, 2));
    shop.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_money_and_shoppers_race_for_the_last_copies() {
    let shop = Shop::open().await;
    let book = shop.book(40).await;
    let mut payments = Vec::new();
    for _ in 0..15 {
        payments.push(late(&shop, book).await);
    }
    let lines = [(book, 2)];
    let shoppers = futures::future::join_all((0..15).map(|_| shop.shopper(&lines))).await;
    let deciding = payments.iter().flat_map(|(_, payment)| [payment, payment]);
    let deciding = futures::future::join_all(deciding.map(|payment| payments::decide_late(&shop.store, *payment)));
    let buying = futures::future::join_all(shoppers.iter().map(|owner| shop.place(owner, "k")));
    let (decided, bought) = tokio::join!(deciding, buying);
    assert!(decided.iter().all(Result::is_ok), "{decided:?}");
    let bought = bought.into_iter().filter(Result::is_ok).count() as i64;
    let claimed = shop.count("SELECT count(*) FROM orders WHERE status = 'PAID'").await;
    let back = shop.count("SELECT count(*) FROM payments WHERE status = 'refunding'").await;
    assert_eq!((claimed + back, claimed + bought), (15, 20));
    shop.persist_all().await;
    shop.apply_gate_ops().await;
    assert_eq!(shop.count("SELECT count(*) FROM orders WHERE status = 'PAYMENT_PENDING'").await, bought);
    for (order, _) in payments {
        let status = shop.status(order).await;
        assert!(matches!(status, Some(OrderStatus::Paid | OrderStatus::Expired)), "{status:?}");
    }
    shop.assert_sound().await;
}
