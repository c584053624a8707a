//! Gate and ledger against real servers: operations apply once, and a lost gate comes back exactly.

mod adjust;
mod counts;
mod loss;
mod reconcile;

use crate::orders::shop::Shop;
use domain::{ErrorCode, order::OrderStatus};
use redis::AsyncCommands;
use store::{jobs::Job, stock, stock::ApplyGateOps};

#[tokio::test]
async fn an_operation_is_applied_once() {
    let shop = Shop::open().await;
    let book = shop.book(5).await;
    shop.restock(book, 3).await;
    shop.apply_gate_ops().await;
    assert_eq!(shop.at_gate(book).await, 8);
    // As if the worker had died between the gate's answer and its own commit.
    sqlx::query("UPDATE gate_ops SET applied_at = NULL, due_at = '-infinity'").execute(&shop.pg).await.unwrap();
    shop.apply_gate_ops().await;
    assert_eq!(shop.at_gate(book).await, 8);
    assert_eq!(shop.count("SELECT count(*) FROM gate_ops WHERE applied_at IS NULL").await, 0);
    // A correction down may leave the gate below zero; nobody sees that.
    let (_, order) = shop.waiting_order(&[(book, 8)]).await;
    shop.restock(book, -2).await;
    shop.apply_gate_ops().await;
    assert_eq!(shop.at_gate(book).await, -2);
    assert_eq!(stock::available(&shop.store, &[book]).await.unwrap().get(&book), Some(&0));
    shop.assert_sound().await;
    shop.persist_all().await;
    assert_eq!(shop.status(order).await, Some(OrderStatus::Failed));
    shop.apply_gate_ops().await;
    assert_eq!((shop.at_gate(book).await, shop.ledger(book).await), (6, (6, 0)));
}

#[tokio::test]
async fn a_hopeless_operation_is_parked_and_stops_nobody() {
    let shop = Shop::open().await;
    let book = shop.book(5).await;
    let bad = "INSERT INTO gate_ops (kind, lines, attempts, due_at) VALUES ('adjust', '[[1, \"x\"]]', 9, '-infinity')";
    sqlx::query(bad).execute(&shop.pg).await.unwrap();
    shop.restock(book, 1).await;
    shop.apply_gate_ops().await;
    assert_eq!(shop.at_gate(book).await, 6);
    assert_eq!(shop.count("SELECT count(*) FROM dead_letters WHERE source = 'gate_ops' AND attempts = 10").await, 1);
}

/// A shop with something of everything: open orders, waiting ones, ended ones, operations not yet applied.
async fn busy_shop() -> (Shop, domain::BookId) {
    let shop = Shop::open().await;
    let book = shop.book(50).await;
    shop.payable_order(&[(book, 1)]).await;
    let (owner, cancelled) = shop.payable_order(&[(book, 2)]).await;
    shop.cancel(&owner, cancelled).await.expect("cancel");
    let (_, expired) = shop.payable_order(&[(book, 3)]).await;
    shop.let_time_pass(expired).await;
    shop.apply_gate_ops().await;
    shop.expire_due().await;
    shop.restock(book, 7).await;
    shop.waiting_order(&[(book, 4)]).await;
    (shop, book)
}

#[tokio::test]
async fn a_lost_epoch_is_refused_and_everything_comes_back() {
    let (shop, book) = busy_shop().await;
    // 57 on hand, 1 claimed, 4 in the stream.
    assert_eq!(shop.ledger(book).await, (57, 1));
    let _: () = shop.redis.clone().del(shop.keys.epoch()).await.unwrap();
    let _: () = shop.redis.clone().hset(shop.keys.stock(), book.get(), 1).await.unwrap();
    let shopper = shop.shopper(&[(book, 1)]).await;
    assert_eq!(shop.place(&shopper, "k").await.unwrap_err().to_api().code, ErrorCode::NotReady);
    assert!(stock::available(&shop.store, &[book]).await.unwrap().is_empty());
    let (one, two) = tokio::join!(stock::ensure_loaded(&shop.store), stock::ensure_loaded(&shop.store));
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(shop.at_gate(book).await, 52);
    shop.assert_sound().await;
    shop.apply_gate_ops().await;
    assert_eq!(shop.at_gate(book).await, 52, "what the load counted is not applied again");
    assert!(shop.place(&shopper, "k").await.is_ok());
    shop.persist_all().await;
    assert_eq!((shop.at_gate(book).await, shop.ledger(book).await), (51, (57, 6)));
    shop.assert_sound().await;
}

#[tokio::test]
async fn all_data_lost() {
    let (shop, book) = busy_shop().await;
    shop.lose_redis().await;
    // Applied to an empty gate: must not count twice later.
    shop.restock(book, 1).await;
    shop.apply_gate_ops().await;
    stock::ensure_loaded(&shop.store).await.unwrap();
    // The four copies in the stream went with it; that order was never payable.
    assert_eq!((shop.at_gate(book).await, shop.ledger(book).await), (57, (58, 1)));
    shop.assert_sound().await;
    // The stream's group is gone as well: orders are persisted all the same.
    let (_, order) = shop.payable_order(&[(book, 1)]).await;
    assert_eq!(shop.status(order).await, Some(OrderStatus::PaymentPending));
    assert_eq!(shop.at_gate(book).await, 56);
    shop.assert_sound().await;
}

#[tokio::test]
async fn another_run_of_redis_is_not_trusted() {
    let (shop, book) = busy_shop().await;
    let _: () = shop.redis.clone().set(shop.keys.run_id(), "an earlier run").await.unwrap();
    let _: () = shop.redis.clone().hset(shop.keys.stock(), book.get(), 99).await.unwrap();
    let watch = stock::load::WatchGate;
    assert_eq!(watch.fetch(&shop.store).await.unwrap(), Some(()), "noticed");
    watch.handle(&shop.store, ()).await.unwrap();
    assert_eq!(shop.at_gate(book).await, 52);
    assert!(watch.fetch(&shop.store).await.unwrap().is_none());
}

#[tokio::test]
async fn an_entry_parked_but_not_yet_taken_out_is_not_in_flight() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let (_, order) = shop.waiting_order(&[(book, 3)]).await;
    shop.redis.clone().hset::<_, _, _, ()>(shop.keys.reservation(order), "order", "not json").await.unwrap();
    // As if the worker had died between its commit and the gate.
    let copied = shop.keys.placed() + "-copy";
    redis::cmd("COPY").arg(shop.keys.placed()).arg(&copied).exec_async(&mut shop.redis.clone()).await.unwrap();
    shop.persist_all().await;
    shop.redis.clone().rename::<_, _, ()>(&copied, shop.keys.placed()).await.unwrap();
    assert_eq!((shop.at_gate(book).await, shop.stream_len().await), (7, 1));
    shop.redis.clone().del::<_, ()>(shop.keys.epoch()).await.unwrap();
    stock::ensure_loaded(&shop.store).await.unwrap();
    assert_eq!(shop.at_gate(book).await, 10);
    shop.assert_sound().await;
    shop.abandon_entries().await;
    shop.persist_all().await;
    shop.apply_gate_ops().await;
    assert_eq!((shop.at_gate(book).await, shop.ledger(book).await), (10, (10, 0)));
    shop.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_changes_during_a_rebuild_are_neither_lost_nor_doubled() {
    let shop = Shop::open().await;
    let book = shop.book(100).await;
    let mut orders = Vec::new();
    for _ in 0..10 {
        orders.push(shop.payable_order(&[(book, 2)]).await);
    }
    let rebuilding = async {
        for _ in 0..10 {
            let _: () = shop.redis.clone().del(shop.keys.epoch()).await.unwrap();
            stock::ensure_loaded(&shop.store).await.unwrap();
        }
    };
    let changing = async {
        for (owner, order) in &orders {
            shop.cancel(owner, *order).await.unwrap();
            shop.restock(book, 1).await;
        }
    };
    let applying = async {
        for _ in 0..30 {
            ApplyGateOps.handle(&shop.store, ()).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::join!(rebuilding, changing, applying);
    shop.apply_gate_ops().await;
    assert_eq!((shop.at_gate(book).await, shop.ledger(book).await), (110, (110, 0)));
    shop.assert_sound().await;
}

/// Browsers ignore numbers of an older epoch; a machine whose clock is behind must not make one.
#[tokio::test]
async fn a_rebuild_by_a_slow_clock_is_a_later_epoch_all_the_same() {
    let shop = Shop::open().await;
    let epoch = || async { shop.redis.clone().get::<_, i64>(shop.keys.epoch()).await.unwrap() };
    let first = epoch().await;
    let slow = crate::clock::Clock::default();
    slow.pass(-3_600_000);
    let other = store::Store::connect(shop.store.config().clone(), std::sync::Arc::new(slow)).await.unwrap();
    for after in [first, first + 1] {
        let _: () = shop.redis.clone().del(shop.keys.epoch()).await.unwrap();
        stock::ensure_loaded(&other).await.unwrap();
        assert_eq!(epoch().await, after + 1);
    }
    let _: () = shop.redis.clone().del(shop.keys.epoch()).await.unwrap();
    stock::ensure_loaded(&shop.store).await.unwrap();
    assert!(epoch().await > first + 2);
}
