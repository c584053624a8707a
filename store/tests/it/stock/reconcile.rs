//! Reconciling: each kind of drift is found and mended, a second run finds nothing, and a busy shop is left alone.

use crate::orders::shop::Shop;
use domain::{OrderId, Owner, order::OrderStatus};
use redis::AsyncCommands;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use store::stock::reconcile::{self, Report, Scope, Tally};

const MENDED: Tally = Tally { found: 1, repaired: 1 };

async fn reconcile(shop: &Shop, scope: Scope) -> Report {
    reconcile::run(&shop.store, scope).await.expect("reconcile")
}

/// Exactly this kind was found, once, and mended; then nothing is, and every promise holds.
async fn mends(shop: &Shop, scope: Scope, kind: &str) {
    let report = reconcile(shop, scope).await;
    let found: Vec<_> = report.kinds().into_iter().filter(|(_, tally)| tally.found > 0).collect();
    assert_eq!(found, [(kind, MENDED)], "{report:?}");
    assert!(report.is_repaired());
    is_clean(shop).await;
    shop.assert_sound().await;
}

async fn is_clean(shop: &Shop) {
    let report = reconcile(shop, Scope::All).await;
    assert!(report.kinds().iter().all(|(_, tally)| tally.found == 0) && report.is_repaired(), "{report:?}");
}

/// A shop with an order in the stream, an open one and a cancelled one, of 3, 2 and 1 copies of the same 50.
struct Scene {
    shop: Shop,
    book: domain::BookId,
    waiting: (Owner, OrderId),
    open: (Owner, OrderId),
    ended: (Owner, OrderId),
}

async fn scene() -> Scene {
    let shop = Shop::open().await;
    let book = shop.book(50).await;
    let (open, ended) = (shop.payable_order(&[(book, 2)]).await, shop.payable_order(&[(book, 1)]).await);
    shop.cancel(&ended.0, ended.1).await.expect("cancel");
    shop.apply_gate_ops().await;
    let waiting = shop.waiting_order(&[(book, 3)]).await;
    is_clean(&shop).await;
    Scene { shop, book, waiting, open, ended }
}

#[tokio::test]
async fn copies_too_many_or_too_few_are_counted_anew() {
    let Scene { shop, book, .. } = scene().await;
    for (drift, scope) in [(4, Scope::Recent), (-7, Scope::All)] {
        let _: i64 = shop.redis.clone().hincr(shop.keys.stock(), book.get(), drift).await.unwrap();
        mends(&shop, scope, "drift").await;
        assert_eq!(shop.at_gate(book).await, 45);
    }
    let _: () = shop.redis.clone().hset(shop.keys.stock(), 999_999, 5).await.unwrap();
    mends(&shop, Scope::All, "drift").await;
    let _: () = shop.redis.clone().hdel(shop.keys.stock(), book.get()).await.unwrap();
    mends(&shop, Scope::Recent, "drift").await;
    // The browsers hear of it: the counter moved with the copies.
    let counter: i64 = shop.redis.clone().hget(shop.keys.changes(), 999_999).await.unwrap();
    assert_eq!(counter, 1);
}

#[tokio::test]
async fn an_accepted_order_that_fell_out_of_the_stream_is_written_down_after_all() {
    let Scene { shop, book, waiting, .. } = scene().await;
    let _: () = shop.redis.clone().del(shop.keys.placed()).await.unwrap();
    mends(&shop, Scope::Recent, "lost_entries").await;
    shop.persist_all().await;
    assert_eq!(shop.status(waiting.1).await, Some(OrderStatus::PaymentPending));
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((50, 5), 45));
    is_clean(&shop).await;
    shop.assert_sound().await;
}

#[tokio::test]
async fn one_that_nobody_can_read_gives_its_copies_back() {
    let Scene { shop, book, waiting, .. } = scene().await;
    let _: () = shop.redis.clone().del(shop.keys.placed()).await.unwrap();
    let _: () = shop.redis.clone().hset(shop.keys.reservation(waiting.1), "order", "not json").await.unwrap();
    let report = reconcile(&shop, Scope::All).await;
    assert_eq!((report.orphaned_reservations, report.drift), (MENDED, MENDED));
    assert_eq!(shop.at_gate(book).await, 48);
    assert_eq!(shop.count("SELECT count(*) FROM dead_letters WHERE source = 'placed'").await, 1);
    is_clean(&shop).await;
    shop.assert_sound().await;
}

/// Parked without being written, its copies on their way back: nothing is put into the stream again.
#[tokio::test]
async fn one_that_was_parked_is_not_brought_back() {
    let Scene { shop, book, waiting, .. } = scene().await;
    let text: String = shop.redis.clone().hget(shop.keys.reservation(waiting.1), "order").await.unwrap();
    let mut draft: serde_json::Value = serde_json::from_str(&text).unwrap();
    draft["total"] = serde_json::json!(1);
    let _: () = shop.redis.clone().hset(shop.keys.reservation(waiting.1), "order", draft.to_string()).await.unwrap();
    shop.persist_all().await;
    assert!(shop.status(waiting.1).await.is_none() && shop.has_reservation(waiting.1).await);
    is_clean(&shop).await;
    // Nor does the check miss it while its operation waits.
    shop.assert_sound().await;
    shop.apply_gate_ops().await;
    is_clean(&shop).await;
    assert_eq!((shop.at_gate(book).await, shop.stream_len().await), (48, 0));
    shop.assert_sound().await;
}

#[tokio::test]
async fn reservations_and_open_orders_are_brought_together() {
    let Scene { shop, open, ended, .. } = scene().await;
    let mut redis = shop.redis.clone();
    let (kept, held) = (shop.keys.reservation(open.1), shop.keys.holds(&open.0));
    let whole: Vec<(String, String)> = redis.hgetall(&kept).await.unwrap();

    let _: () = redis.hset_multiple(shop.keys.reservation(ended.1), &whole).await.unwrap();
    mends(&shop, Scope::Recent, "orphaned_reservations").await;
    assert!(!shop.has_reservation(ended.1).await);

    let _: () = redis.del(&kept).await.unwrap();
    mends(&shop, Scope::Recent, "missing_reservations").await;
    assert!(shop.has_reservation(open.1).await);

    let _: () = redis.del(&held).await.unwrap();
    mends(&shop, Scope::Recent, "missing_holds").await;
    assert!(redis.zscore::<_, _, Option<i64>>(&held, open.1.to_string()).await.unwrap().is_some());

    let _: () = redis.zadd(shop.keys.holds(&ended.0), ended.1.to_string(), 1).await.unwrap();
    mends(&shop, Scope::Recent, "orphaned_holds").await;
    assert!(!redis.exists::<_, bool>(shop.keys.holds(&ended.0)).await.unwrap());
    // An order that ends after it was put back ends like any other.
    shop.cancel(&open.0, open.1).await.unwrap();
    shop.apply_gate_ops().await;
    assert!(!shop.has_reservation(open.1).await);
    is_clean(&shop).await;
}

#[tokio::test]
async fn operations_that_got_stuck_come_to_the_gate() {
    let Scene { shop, book, open, .. } = scene().await;
    shop.restock(book, 5).await;
    shop.cancel(&open.0, open.1).await.unwrap();
    sqlx::query(
        "UPDATE gate_ops SET due_at = now() + interval '100 years', created_at = now() - interval '2 minutes', attempts = 10
         WHERE applied_at IS NULL",
    )
    .execute(&shop.pg)
    .await
    .unwrap();
    let report = reconcile(&shop, Scope::Recent).await;
    assert_eq!(report.stuck_operations, Tally { found: 2, repaired: 2 });
    assert_eq!(report.drift, Tally::default());
    assert_eq!(shop.at_gate(book).await, 52);
    assert!(!shop.has_reservation(open.1).await);
    is_clean(&shop).await;
    shop.assert_sound().await;
}

#[tokio::test]
async fn what_no_operation_can_bring_is_counted() {
    let Scene { shop, book, .. } = scene().await;
    shop.restock(book, 5).await;
    let spoil = "UPDATE gate_ops SET lines = '[[\"x\", 5]]', created_at = now() - interval '2 minutes', attempts = 9,
                 due_at = '-infinity' WHERE applied_at IS NULL";
    sqlx::query(spoil).execute(&shop.pg).await.unwrap();
    shop.apply_gate_ops().await;
    let report = reconcile(&shop, Scope::Recent).await;
    assert_eq!((report.stuck_operations, report.drift), (MENDED, MENDED));
    assert_eq!(shop.at_gate(book).await, 50);
    assert_eq!(shop.count("SELECT count(*) FROM dead_letters WHERE state = 'retried'").await, 1);
    is_clean(&shop).await;
    shop.assert_sound().await;
}

/// Only its name says that something is wrong with it, and every run in which it cannot be judged keeps that.
#[tokio::test]
async fn a_suspect_is_one_until_it_is_judged() {
    let shop = Shop::open().await;
    let (locked, other) = (shop.book(5).await, shop.book(5).await);
    for age in ["UPDATE stock_movements SET at = now() - interval '1 day'", "DELETE FROM gate_ops"] {
        sqlx::query(age).execute(&shop.pg).await.unwrap();
    }
    let suspects = async || {
        let names: Vec<i64> = shop.redis.clone().smembers(shop.keys.suspects()).await.unwrap();
        names.len()
    };
    for book in [locked, other] {
        let _: i64 = shop.redis.clone().hincr(shop.keys.stock(), book.get(), 1).await.unwrap();
        let _: () = shop.redis.clone().sadd(shop.keys.suspects(), book.get()).await.unwrap();
    }
    let mut tx = shop.pg.begin().await.unwrap();
    let lock = "SELECT 1 FROM stock WHERE book_id = $1 FOR UPDATE";
    sqlx::query(lock).bind(locked.get()).execute(&mut *tx).await.unwrap();
    let killed = tokio::time::timeout(Duration::from_millis(500), reconcile(&shop, Scope::Recent)).await;
    assert!(killed.is_err() && suspects().await == 2);
    let report = reconcile(&shop, Scope::Recent).await;
    assert_eq!((report.books_in_motion, report.drift.found, suspects().await), (2, 0, 2), "{report:?}");
    tx.rollback().await.unwrap();
    let report = reconcile(&shop, Scope::Recent).await;
    assert_eq!(report.drift, Tally { found: 2, repaired: 2 });
    assert_eq!((shop.at_gate(locked).await, shop.at_gate(other).await), (5, 5));
    is_clean(&shop).await;
    assert_eq!(suspects().await, 0);
    shop.assert_sound().await;
}

/// Shoppers place, cancel, pay and let deadlines pass, and the shelves are filled, as long as `going` says.
async fn rush(shop: &Shop, book: domain::BookId, going: &AtomicBool) {
    for round in 0.. {
        if !going.load(Ordering::Relaxed) {
            break;
        }
        let lines = [1, 2, 3].map(|copies| [(book, copies)]);
        let orders = futures::future::join_all(lines.iter().map(|lines| shop.waiting_order(lines))).await;
        shop.persist_all().await;
        let paying = shop.capture(orders[0].1).await;
        let (_, cancelled) = tokio::join!(paying, shop.cancel(&orders[1].0, orders[1].1));
        cancelled.expect("cancel");
        shop.restock(book, if round % 2 == 0 { 7 } else { 0 }).await;
        if round % 2 == 0 {
            shop.let_time_pass(orders[2].1).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_shop_is_left_alone_and_drift_in_it_is_mended() {
    let shop = Shop::open().await;
    let (hot, quiet) = (shop.book(500).await, shop.book(10).await);
    let going = AtomicBool::new(true);
    let work = async {
        while going.load(Ordering::Relaxed) {
            shop.apply_gate_ops().await;
            shop.expire_due().await;
        }
    };
    let look = async {
        for _ in 0..5 {
            let report = reconcile(&shop, Scope::All).await;
            assert!(report.kinds().iter().all(|(_, tally)| tally.found == 0), "nothing was wrong: {report:?}");
            shop.assert_sound().await;
        }
        // Now something is, of the book that everybody buys as well.
        for book in [hot, quiet] {
            let _: i64 = shop.redis.clone().hincr(shop.keys.stock(), book.get(), -3).await.unwrap();
        }
        let mut mended = 0;
        for _ in 0..100 {
            let report = reconcile(&shop, Scope::All).await;
            mended += report.drift.repaired;
            if mended == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(mended, 2);
        going.store(false, Ordering::Relaxed);
    };
    tokio::join!(rush(&shop, hot, &going), work, look);
    shop.persist_all().await;
    shop.expire_due().await;
    shop.apply_gate_ops().await;
    is_clean(&shop).await;
    shop.assert_sound().await;
}
