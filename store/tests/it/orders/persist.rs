//! Writing down: once, whoever dies in between, and whatever else happens to the order meanwhile.

use super::shop::Shop;
use domain::{Minor, order::OrderStatus};
use redis::AsyncCommands;
use std::time::Duration;
use store::{carts, jobs::Job, orders, orders::PersistOrders, stock, viewer::Viewer};

#[tokio::test]
async fn a_batch_is_written_and_its_copies_claimed() {
    let shop = Shop::open().await;
    let books = [shop.book(20).await, shop.book(20).await];
    let mut orders = Vec::new();
    for _ in 0..5 {
        orders.push(shop.waiting_order(&[(books[0], 1), (books[1], 2)]).await.1);
    }
    shop.persist_all().await;
    for order in &orders {
        assert_eq!(shop.status(*order).await, Some(OrderStatus::PaymentPending));
        assert!(shop.has_reservation(*order).await, "kept until the order ends");
    }
    assert_eq!((shop.ledger(books[0]).await, shop.ledger(books[1]).await), ((20, 5), (20, 10)));
    assert_eq!((shop.at_gate(books[0]).await, shop.at_gate(books[1]).await), (15, 10));
    assert_eq!(shop.count("SELECT count(*) FROM stock_movements WHERE kind = 'reserve'").await, 10);
    assert_eq!(shop.count("SELECT count(*) FROM outbox WHERE topic = 'order.changed'").await, 0, "told already");
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_dead_workers_entries_are_taken_over_and_a_late_one_changes_nothing() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let (_, order) = shop.waiting_order(&[(book, 3)]).await;
    let frozen = PersistOrders::new(&shop.store);
    let mut held = None;
    while held.is_none() {
        held = frozen.fetch(&shop.store).await.unwrap();
    }
    assert_eq!(shop.persist.fetch(&shop.store).await.unwrap().map(|batch| batch.len()), None, "it is in other hands");
    shop.abandon_entries().await;
    let heir = PersistOrders::new(&shop.store);
    let batch = heir.fetch(&shop.store).await.unwrap().expect("the abandoned entry");
    heir.handle(&shop.store, batch).await.unwrap();
    assert_eq!(shop.status(order).await, Some(OrderStatus::PaymentPending));
    shop.let_time_pass(order).await;
    shop.expire_due().await;
    shop.apply_gate_ops().await;
    // The frozen worker wakes up.
    frozen.handle(&shop.store, held.unwrap()).await.unwrap();
    assert_eq!(shop.status(order).await, Some(OrderStatus::Expired));
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await, shop.stream_len().await), ((10, 0), 10, 0));
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_crash_after_the_commit_is_made_good() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let (owner, order) = shop.waiting_order(&[(book, 3)]).await;
    // Committed, but the entry is still in the stream: as if the worker died before order_persisted.
    let entry: redis::streams::StreamRangeReply = shop.redis.clone().xrange_all(shop.keys.placed()).await.unwrap();
    shop.persist_all().await;
    let fields: Vec<(String, String)> =
        ["order", "placed_at", "lines"].iter().map(|f| ((*f).to_owned(), entry.ids[0].get(f).unwrap())).collect();
    let _: String = shop.redis.clone().xadd(shop.keys.placed(), "*", &fields).await.unwrap();
    shop.fill(&owner, &[(book, 1)]).await;
    shop.assert_sound().await;
    shop.persist_all().await;
    assert_eq!(carts::lines(&shop.store, &owner).await.unwrap().lines.len(), 1, "nothing is taken twice");
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((10, 3), 7));
    assert_eq!(shop.status(order).await, Some(OrderStatus::PaymentPending));
    shop.assert_sound().await;
}

#[tokio::test]
async fn what_postgres_lacks_fails_alone_and_gives_its_copies_back() {
    let shop = Shop::open().await;
    let (book, other) = (shop.book(10).await, shop.book(10).await);
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(shop.waiting_order(&[(book, 4), (other, 1)]).await.1);
        // The gate believes in more copies than there are.
        let _: i64 = shop.redis.clone().hincr(shop.keys.stock(), book.get(), 4).await.unwrap();
    }
    shop.persist_all().await;
    let mut statuses = Vec::new();
    for order in &orders {
        statuses.push(shop.status(*order).await.unwrap());
    }
    statuses.sort_by_key(|status| status.as_str());
    let [failed, pending] = [OrderStatus::Failed, OrderStatus::PaymentPending];
    assert_eq!(statuses, [failed, pending, pending]);
    shop.apply_gate_ops().await;
    assert_eq!((shop.ledger(book).await, shop.ledger(other).await), ((10, 8), (10, 2)));
    assert_eq!(shop.at_gate(other).await, 8);
    for order in &orders {
        assert_eq!(shop.has_reservation(*order).await, shop.status(*order).await != Some(failed));
    }
    let restored = shop.count("SELECT count(*) FROM order_history WHERE cause = 'refused'").await;
    assert_eq!(restored, 1);
}

#[tokio::test]
async fn a_failed_orders_cart_comes_back() {
    let shop = Shop::open().await;
    let book = shop.book(2).await;
    let (owner, order) = shop.waiting_order(&[(book, 2)]).await;
    assert!(carts::lines(&shop.store, &owner).await.unwrap().lines.is_empty());
    shop.restock(book, -1).await;
    shop.persist_all().await;
    assert_eq!(shop.status(order).await, Some(OrderStatus::Failed));
    shop.apply_gate_ops().await;
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((1, 0), 1));
    assert_eq!(carts::lines(&shop.store, &owner).await.unwrap().lines[0].1.get(), 2);
    shop.assert_sound().await;
}

#[tokio::test]
async fn what_was_in_hand_when_redis_lost_it_is_not_written_down() {
    let shop = Shop::open().await;
    let book = shop.book(2).await;
    // The first look only makes the group.
    assert!(shop.persist.fetch(&shop.store).await.unwrap().is_none());
    let (_, lost) = shop.waiting_order(&[(book, 2)]).await;
    let in_hand = shop.persist.fetch(&shop.store).await.unwrap().expect("an entry");
    shop.lose_redis().await;
    stock::ensure_loaded(&shop.store).await.unwrap();
    // The copies are on sale again, and somebody buys them.
    let (_, order) = shop.waiting_order(&[(book, 2)]).await;
    assert!(shop.persist.handle(&shop.store, in_hand).await.is_err());
    shop.persist_all().await;
    assert_eq!((shop.status(lost).await, shop.status(order).await), (None, Some(OrderStatus::PaymentPending)));
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((2, 2), 0));
    assert_eq!(shop.count("SELECT count(*) FROM dead_letters").await, 0);
    shop.assert_sound().await;
}

#[tokio::test]
async fn overdue_on_arrival_is_expired_without_a_claim() {
    let shop = Shop::open_with(|config| config.order_ttl = Duration::from_millis(50)).await;
    let book = shop.book(5).await;
    let (_, order) = shop.waiting_order(&[(book, 2)]).await;
    tokio::time::sleep(Duration::from_millis(80)).await;
    shop.persist_all().await;
    assert_eq!(shop.status(order).await, Some(OrderStatus::Expired));
    assert_eq!(shop.count("SELECT count(*) FROM stock_movements WHERE order_id IS NOT NULL").await, 0);
    shop.assert_sound().await;
    shop.apply_gate_ops().await;
    assert_eq!(shop.at_gate(book).await, 5);
    assert!(!shop.has_reservation(order).await);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_poisoned_entry_never_blocks_its_batch() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let (_, before) = shop.waiting_order(&[(book, 1)]).await;
    let (_, poisoned) = shop.waiting_order(&[(book, 2)]).await;
    let (_, lost) = shop.waiting_order(&[(book, 1)]).await;
    let (_, after) = shop.waiting_order(&[(book, 1)]).await;
    // One that Postgres will refuse, one whose reservation nobody can read, one that is no order at all.
    let text: String = shop.redis.clone().hget(shop.keys.reservation(poisoned), "order").await.unwrap();
    let mut draft: serde_json::Value = serde_json::from_str(&text).unwrap();
    draft["total"] = serde_json::json!(Minor::new(1));
    let _: () = shop.redis.clone().hset(shop.keys.reservation(poisoned), "order", draft.to_string()).await.unwrap();
    let _: () = shop.redis.clone().hset(shop.keys.reservation(lost), "order", "not json").await.unwrap();
    let _: String = shop.redis.clone().xadd(shop.keys.placed(), "*", &[("order", "nonsense")]).await.unwrap();
    shop.persist_all().await;
    assert_eq!(shop.status(before).await, Some(OrderStatus::PaymentPending));
    assert_eq!(shop.status(after).await, Some(OrderStatus::PaymentPending));
    assert_eq!((shop.status(poisoned).await, shop.status(lost).await), (None, None));
    assert_eq!(shop.count("SELECT count(*) FROM dead_letters WHERE source = 'placed'").await, 3);
    shop.apply_gate_ops().await;
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((10, 2), 8));
    assert!(!shop.has_reservation(poisoned).await && !shop.has_reservation(lost).await);
}

#[tokio::test]
async fn a_poisoned_twin_of_a_written_order_gives_its_copies_back() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let (_, order) = shop.waiting_order(&[(book, 3)]).await;
    let copied = shop.keys.placed() + "-copy";
    redis::cmd("COPY").arg(shop.keys.placed()).arg(&copied).exec_async(&mut shop.redis.clone()).await.unwrap();
    shop.persist_all().await;
    // Postgres has the order from an earlier placing; this one took three copies of its own, and cannot be written.
    let earlier = "UPDATE orders SET placed_at = placed_at - interval '1 hour'";
    sqlx::query(earlier).execute(&shop.pg).await.unwrap();
    let _: i64 = shop.redis.clone().hincr(shop.keys.stock(), book.get(), -3).await.unwrap();
    let text: String = shop.redis.clone().hget(shop.keys.reservation(order), "order").await.unwrap();
    let mut draft: serde_json::Value = serde_json::from_str(&text).unwrap();
    draft["total"] = serde_json::json!(Minor::new(1));
    let _: () = shop.redis.clone().hset(shop.keys.reservation(order), "order", draft.to_string()).await.unwrap();
    shop.redis.clone().rename::<_, _, ()>(&copied, shop.keys.placed()).await.unwrap();
    shop.abandon_entries().await;
    shop.persist_all().await;
    assert_eq!(shop.count("SELECT count(*) FROM dead_letters WHERE source = 'placed'").await, 1);
    shop.apply_gate_ops().await;
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((10, 3), 7));
    assert_eq!(shop.status(order).await, Some(OrderStatus::PaymentPending));
}

#[tokio::test]
async fn with_postgres_away_orders_wait_and_are_seen() {
    let (shop, wire) = Shop::on_a_wire().await;
    let book = shop.book(10).await;
    let (owner, order) = shop.waiting_order(&[(book, 1)]).await;
    let later = shop.shopper(&[(book, 1)]).await;
    wire.cut();
    let viewer = Viewer::new(owner);
    let view = orders::get(&shop.store, &viewer, order).await.unwrap().expect("shown from the gate");
    assert_eq!(view.status, OrderStatus::Pending);
    assert_eq!(orders::list(&shop.store, &viewer).await.unwrap().orders.len(), 1);
    let mut batch = None;
    while batch.is_none() {
        batch = shop.persist.fetch(&shop.store).await.unwrap();
    }
    assert!(shop.persist.handle(&shop.store, batch.unwrap()).await.is_err());
    assert_eq!(shop.stream_len().await, 1);
    // The gate sells on.
    let second = shop.place(&later, "k").await.unwrap().order_id;
    wire.mend();
    shop.persist_all().await;
    for order in [order, second] {
        assert_eq!(shop.status(order).await, Some(OrderStatus::PaymentPending));
    }
    assert_eq!(shop.count("SELECT count(*) FROM dead_letters").await, 0);
    shop.assert_sound().await;
}
