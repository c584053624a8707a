//! Writing down while something is in the way: locked books, an outage, a taken number, a twin, a gate that is wrong.

use super::shop::Shop;
use domain::{BookId, OrderId, order::OrderStatus};
use redis::{AsyncCommands, streams::StreamPendingCountReply};
use std::time::{Duration, Instant};
use store::{
    carts,
    jobs::Job,
    stock::reconcile::{self, Scope},
};

/// What the worker has in hand next.
async fn handle_next(shop: &Shop) -> Result<(), store::error::Error> {
    loop {
        if let Some(batch) = shop.persist.fetch(&shop.store).await? {
            return shop.persist.handle(&shop.store, batch).await;
        }
    }
}

async fn deliveries(shop: &Shop) -> Vec<usize> {
    let pending: Result<StreamPendingCountReply, _> =
        shop.redis.clone().xpending_count(shop.keys.placed(), "persist", "-", "+", 1000).await;
    // The first look at the stream makes its group.
    pending.map(|pending| pending.ids).unwrap_or_default().iter().map(|entry| entry.times_delivered).collect()
}

/// Changes the order as its reservation keeps it.
async fn spoil(shop: &Shop, order: OrderId, field: &str, value: serde_json::Value) {
    let key = shop.keys.reservation(order);
    let text: String = shop.redis.clone().hget(&key, "order").await.expect("redis");
    let mut draft: serde_json::Value = serde_json::from_str(&text).expect("a draft");
    draft[field] = value;
    let _: () = shop.redis.clone().hset(&key, "order", draft.to_string()).await.expect("redis");
}

/// The stream as it is now comes back after what happens in between: as if the worker had died before the gate knew.
async fn copy_stream(shop: &Shop) -> String {
    let copied = shop.keys.placed() + "-copy";
    redis::cmd("COPY").arg(shop.keys.placed()).arg(&copied).exec_async(&mut shop.redis.clone()).await.expect("redis");
    copied
}

async fn waiting_orders(shop: &Shop, book: BookId, count: usize) -> Vec<OrderId> {
    let mut orders = Vec::new();
    for _ in 0..count {
        orders.push(shop.waiting_order(&[(book, 1)]).await.1);
    }
    orders
}

/// Entries that were read often are taken up alone; a locked book must not cost a second for each of them.
#[tokio::test]
async fn many_orders_of_a_locked_book_hold_up_no_others() {
    let shop = Shop::open().await;
    let (locked, free) = (shop.book(50).await, shop.book(50).await);
    let stuck = waiting_orders(&shop, locked, 12).await;
    let mut tx = shop.pg.begin().await.unwrap();
    let lock = "SELECT 1 FROM stock WHERE book_id = $1 FOR UPDATE";
    sqlx::query(lock).bind(locked.get()).execute(&mut *tx).await.unwrap();
    while deliveries(&shop).await.first().is_none_or(|deliveries| *deliveries < 3) {
        handle_next(&shop).await.unwrap();
    }
    let begun = Instant::now();
    let others = waiting_orders(&shop, free, 3).await;
    while shop.count("SELECT count(*) FROM orders").await < 3 {
        handle_next(&shop).await.unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    for order in others {
        assert_eq!(shop.status(order).await, Some(OrderStatus::PaymentPending));
    }
    tx.rollback().await.unwrap();
    shop.persist_all().await;
    for order in stuck {
        assert_eq!(shop.status(order).await, Some(OrderStatus::PaymentPending));
    }
    assert_eq!(shop.count("SELECT count(*) FROM dead_letters").await, 0);
    shop.assert_sound().await;
}

/// Each try during an outage is a delivery more; they must not make the backlog go one by one when Postgres is back.
#[tokio::test]
async fn after_an_outage_the_backlog_goes_in_batches() {
    let (shop, wire) = Shop::on_a_wire().await;
    let book = shop.book(50).await;
    let orders = waiting_orders(&shop, book, 20).await;
    wire.cut();
    for _ in 0..4 {
        assert!(handle_next(&shop).await.is_err());
    }
    assert!(deliveries(&shop).await.iter().all(|deliveries| *deliveries < 2), "{:?}", deliveries(&shop).await);
    wire.mend();
    shop.persist_all().await;
    for order in orders {
        assert_eq!(shop.status(order).await, Some(OrderStatus::PaymentPending));
    }
    assert_eq!(shop.count("SELECT count(DISTINCT xmin::text) FROM order_items").await, 1, "one transaction");
    shop.assert_sound().await;
}

#[tokio::test]
async fn an_order_whose_number_is_taken_gets_another_one() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let (owner, first) = shop.waiting_order(&[(book, 1)]).await;
    let number = shop.place(&owner, "k").await.unwrap().number;
    let others = waiting_orders(&shop, book, 2).await;
    for order in &others {
        spoil(&shop, *order, "number", serde_json::json!(number)).await;
    }
    shop.persist_all().await;
    for order in others.into_iter().chain([first]) {
        assert_eq!(shop.status(order).await, Some(OrderStatus::PaymentPending));
    }
    assert_eq!(shop.count("SELECT count(DISTINCT number) FROM orders").await, 3);
    assert_eq!(shop.count("SELECT count(*) FROM dead_letters").await, 0);
    shop.assert_sound().await;
}

/// The copies of a second placing go back; what belongs to the open order of the first one stays.
#[tokio::test]
async fn a_twin_takes_nothing_from_an_open_order() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let (owner, order) = shop.waiting_order(&[(book, 3)]).await;
    let copied = copy_stream(&shop).await;
    shop.persist_all().await;
    // Postgres has it from another placing; this one took three copies of its own.
    sqlx::query("UPDATE orders SET placed_at = placed_at - interval '1 hour'").execute(&shop.pg).await.unwrap();
    let _: i64 = shop.redis.clone().hincr(shop.keys.stock(), book.get(), -3).await.unwrap();
    shop.redis.clone().rename::<_, _, ()>(&copied, shop.keys.placed()).await.unwrap();
    shop.abandon_entries().await;
    shop.persist_all().await;
    shop.apply_gate_ops().await;
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((10, 3), 7));
    assert!(shop.has_reservation(order).await);
    let hold: Option<i64> = shop.redis.clone().zscore(shop.keys.holds(&owner), order.to_string()).await.unwrap();
    assert!(hold.is_some(), "it counts for its owner");
    assert_eq!(shop.count("SELECT count(*) FROM dead_letters WHERE source = 'placed'").await, 1);
    shop.assert_sound().await;
    shop.cancel(&owner, order).await.unwrap();
    shop.apply_gate_ops().await;
    assert_eq!(shop.at_gate(book).await, 10);
    assert!(!shop.has_reservation(order).await);
}

/// The server dies between the gate's yes and the cart, and then the order turns out to be poison.
#[tokio::test]
async fn who_has_a_parked_order_can_order_again() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let (owner, order) = shop.waiting_order(&[(book, 2)]).await;
    let _: () = shop.redis.clone().hdel(shop.keys.cart(&owner), format!("taken:{order}")).await.unwrap();
    shop.fill(&owner, &[(book, 2)]).await;
    spoil(&shop, order, "total", serde_json::json!(1)).await;
    shop.persist_all().await;
    assert_eq!(shop.count("SELECT count(*) FROM dead_letters WHERE source = 'placed'").await, 1);
    assert_eq!(carts::lines(&shop.store, &owner).await.unwrap().lines.len(), 1, "its cart is back");
    assert!(shop.place(&owner, "again").await.is_ok());
    shop.apply_gate_ops().await;
    shop.persist_all().await;
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((10, 2), 8));
    shop.assert_sound().await;
}

/// The gate has one copy too many, and nobody touched the book for long: only the first shopper is disappointed.
#[tokio::test]
async fn a_refused_claim_puts_its_book_right() {
    let shop = Shop::open().await;
    let book = shop.book(3).await;
    sqlx::query("UPDATE stock_movements SET at = now() - interval '1 day'").execute(&shop.pg).await.unwrap();
    sqlx::query("UPDATE gate_ops SET applied_at = now() - interval '1 hour'").execute(&shop.pg).await.unwrap();
    let _: i64 = shop.redis.clone().hincr(shop.keys.stock(), book.get(), 1).await.unwrap();
    let (_, refused) = shop.waiting_order(&[(book, 4)]).await;
    shop.persist_all().await;
    shop.apply_gate_ops().await;
    assert_eq!(shop.status(refused).await, Some(OrderStatus::Failed));
    assert_eq!(shop.at_gate(book).await, 3, "as many as there are");
    shop.assert_sound().await;
    // The operation that brought the copies back names the book as well.
    let _: () = shop.redis.clone().del(shop.keys.suspects()).await.unwrap();
    let _: i64 = shop.redis.clone().hincr(shop.keys.stock(), book.get(), 1).await.unwrap();
    let report = reconcile::run(&shop.store, Scope::Recent).await.unwrap();
    assert_eq!((report.drift.repaired, shop.at_gate(book).await), (1, 3));
}

/// That is no outage: from the third time on it is alone with its trouble.
#[tokio::test]
async fn an_entry_of_which_connections_break_holds_up_no_others() {
    let shop = Shop::open().await;
    let book = shop.book(50).await;
    let (_, deadly) = shop.waiting_order(&[(book, 2)]).await;
    let others = waiting_orders(&shop, book, 3).await;
    let trap = [
        "CREATE FUNCTION breaks() RETURNS trigger LANGUAGE plpgsql AS
           'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END'",
        "CREATE TRIGGER breaks BEFORE INSERT ON order_items FOR EACH ROW WHEN (NEW.quantity = 2)
           EXECUTE FUNCTION breaks()",
    ];
    for step in trap {
        sqlx::query(step).execute(&shop.pg).await.unwrap();
    }
    for _ in 0..3 {
        assert!(handle_next(&shop).await.is_err());
    }
    for order in others {
        assert_eq!(shop.status(order).await, Some(OrderStatus::PaymentPending));
    }
    sqlx::query("DROP TRIGGER breaks ON order_items").execute(&shop.pg).await.unwrap();
    shop.persist_all().await;
    assert_eq!(shop.status(deadly).await, Some(OrderStatus::PaymentPending));
    shop.assert_sound().await;
}
