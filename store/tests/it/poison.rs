//! Work that its workers die of, or that can never be done: alone, then parked, and nobody waits for it.

use crate::orders::shop::Shop;
use domain::{Owner, order::OrderStatus};
use redis::AsyncCommands;
use std::time::Duration;
use store::{
    carts::{self, persist::PersistCarts},
    jobs::{
        Job,
        dead_letters::{self, Ended},
    },
    orders::{ExpireOrders, PersistOrders},
    payments::RetryWaiting,
    stock::ApplyGateOps,
};

async fn sql(shop: &Shop, sql: &'static str) {
    sqlx::query(sql).execute(&shop.pg).await.expect(sql);
}

/// Source, error and attempts of the only letter.
async fn letter(shop: &Shop) -> dead_letters::DeadLetter {
    let mut letters = dead_letters::list(&shop.store, 0).await.expect("listed");
    assert_eq!(letters.len(), 1, "{letters:?}");
    letters.remove(0)
}

/// A new worker takes up what there is; `true`: it died at a batch that took longer than that.
async fn work_for(shop: &Shop, life: Duration) -> bool {
    let worker = PersistOrders::new(&shop.store);
    let mut rounds = 0;
    while rounds < 2 {
        rounds += 1;
        let Some(batch) = worker.fetch(&shop.store).await.expect("read") else { continue };
        let Ok(outcome) = tokio::time::timeout(life, worker.handle(&shop.store, batch)).await else { return true };
        outcome.expect("persist");
    }
    false
}

/// Writing it down takes long enough to die in the middle.
#[tokio::test]
async fn an_order_that_its_workers_die_of_fails_and_the_others_go_on() {
    let shop = Shop::open().await;
    let (deadly, free) = (shop.book(5).await, shop.book(50).await);
    let (owner, poison) = shop.waiting_order(&[(deadly, 2)]).await;
    sql(
        &shop,
        "CREATE FUNCTION is_slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NEW; END'",
    )
    .await;
    sql(&shop, "CREATE TRIGGER slow BEFORE INSERT ON order_items FOR EACH ROW WHEN (NEW.quantity = 2) EXECUTE FUNCTION is_slow()").await;
    // The first two die with whatever they have in hand; from the third on, only the deadly one is in danger.
    let mut neighbours = Vec::new();
    for death in 1..=10 {
        neighbours.push(shop.waiting_order(&[(free, 1)]).await.1);
        shop.abandon_entries().await;
        assert!(work_for(&shop, Duration::from_millis(600)).await, "death {death}");
        // Nobody else has it before its worker is taken for dead.
        assert!(!work_for(&shop, Duration::from_secs(9)).await);
        assert!(death < 4 || shop.stream_len().await == 1, "death {death}: neighbours wait");
        assert_eq!(shop.count("SELECT count(*) FROM dead_letters").await, 0, "death {death}");
    }
    shop.abandon_entries().await;
    shop.persist_all().await;
    assert_eq!(shop.status(poison).await, Some(OrderStatus::Failed));
    let letter = letter(&shop).await;
    assert_eq!(letter.source, "placed");
    assert!(letter.error.contains("without an outcome"), "{}", letter.error);
    assert_eq!(carts::lines(&shop.store, &owner).await.unwrap().lines.len(), 1, "its cart is back");
    for order in neighbours {
        assert_eq!(shop.status(order).await, Some(OrderStatus::PaymentPending));
    }
    shop.apply_gate_ops().await;
    assert_eq!((shop.ledger(deadly).await, shop.at_gate(deadly).await), ((5, 0), 5));
    assert!(!shop.redis.clone().exists::<_, bool>(shop.keys.placed_leases()).await.unwrap());
    shop.assert_sound().await;
}

#[tokio::test]
async fn an_operation_of_the_gate_is_alone_then_parked_and_reconciling_leaves_it() {
    use store::stock::reconcile::{self, Scope};
    let shop = Shop::open().await;
    let book = shop.book(5).await;
    // Two workers died with both of these.
    shop.restock(book, 1).await;
    shop.restock(book, 2).await;
    sql(&shop, "UPDATE gate_ops SET leases = 2 WHERE applied_at IS NULL").await;
    ApplyGateOps.handle(&shop.store, ()).await.unwrap();
    assert_eq!(shop.at_gate(book).await, 6, "one at a time");
    ApplyGateOps.handle(&shop.store, ()).await.unwrap();
    assert_eq!(shop.at_gate(book).await, 8);
    shop.restock(book, 4).await;
    sql(&shop, "UPDATE gate_ops SET leases = 10, created_at = now() - interval '5 minutes' WHERE applied_at IS NULL")
        .await;
    shop.restock(book, 1).await;
    shop.apply_gate_ops().await;
    assert_eq!(shop.at_gate(book).await, 9, "the others go on");
    let letter = letter(&shop).await;
    assert!(letter.source == "gate_ops" && letter.error.contains("10 times"), "{letter:?}");
    let report = reconcile::run(&shop.store, Scope::Recent).await.unwrap();
    assert_eq!(report.stuck_operations.found, 0, "it is left to a person");
    assert_eq!(dead_letters::retry(&shop.store, letter.id).await.unwrap(), Ended::Now);
    shop.apply_gate_ops().await;
    assert_eq!(shop.at_gate(book).await, 13);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_cart_is_alone_then_parked_and_the_others_are_written() {
    let shop = Shop::open().await;
    let book = shop.book(5).await;
    let (deadly, other) = (shop.shopper(&[(book, 1)]).await, shop.shopper(&[(book, 2)]).await);
    let leases = |owner: &Owner| shop.keys.carts_leases(owner.cart_bucket());
    let mut redis = shop.redis.clone();
    let _: () = redis.hset(leases(&deadly), deadly.to_string(), 10).await.unwrap();
    let _: () = redis.hset(leases(&other), other.to_string(), 5).await.unwrap();
    for owner in [&deadly, &other] {
        let dirty = shop.keys.carts_dirty(owner.cart_bucket());
        let _: () = redis.zadd(dirty, owner.to_string(), 1).await.unwrap();
    }
    let batch = PersistCarts.fetch(&shop.store).await.unwrap().expect("due");
    PersistCarts.handle(&shop.store, batch).await.unwrap();
    let letter = letter(&shop).await;
    assert_eq!((letter.source.as_str(), letter.key), ("cart", deadly.to_string()));
    assert!(letter.error.contains("10 times"), "{}", letter.error);
    assert_eq!(shop.count("SELECT count(*) FROM cart_lines").await, 1, "the other one is written");
    assert!(!redis.hexists::<_, _, bool>(leases(&other), other.to_string()).await.unwrap());
    // A person, or the next hour, gives it one more try.
    assert_eq!(dead_letters::retry(&shop.store, letter.id).await.unwrap(), Ended::Now);
    let batch = PersistCarts.fetch(&shop.store).await.unwrap().expect("due");
    PersistCarts.handle(&shop.store, batch).await.unwrap();
    assert_eq!(shop.count("SELECT count(*) FROM cart_lines").await, 2);
    assert_eq!(shop.count("SELECT count(*) FROM dead_letters WHERE state = 'parked'").await, 0);
}

#[tokio::test]
async fn a_webhook_that_can_never_be_applied_is_quarantined_and_tells_why() {
    let shop = Shop::open().await;
    sql(
        &shop,
        "INSERT INTO webhook_inbox (provider, event_id, kind, payload, outcome, received_at, due_at, attempts, leases)
         VALUES ('nobody', '1', 'x', '{}', 'waiting', now(), now(), 9, 0),
                ('nobody', '2', 'x', '{}', 'waiting', now(), now(), 1, 10),
                ('nobody', '3', 'x', '{}', 'waiting', now(), now(), 1, 5)",
    )
    .await;
    let batch = RetryWaiting.fetch(&shop.store).await.unwrap().expect("due");
    assert!(RetryWaiting.handle(&shop.store, batch).await.is_err());
    let letters = dead_letters::list(&shop.store, 0).await.unwrap();
    let errors: Vec<&str> = letters.iter().map(|letter| letter.error.as_str()).collect();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].contains("not configured") && errors[1].contains("10 times"), "{errors:?}");
    assert_eq!(shop.count("SELECT count(*) FROM webhook_inbox WHERE outcome = 'quarantined'").await, 2);
    assert_eq!(shop.count("SELECT count(*) FROM webhook_inbox WHERE outcome = 'waiting' AND leases = 0").await, 1);
    assert_eq!(dead_letters::retry(&shop.store, letters[0].id).await.unwrap(), Ended::Now);
    assert_eq!(shop.count("SELECT count(*) FROM webhook_inbox WHERE outcome = 'waiting' AND attempts = 0").await, 1);
}

#[tokio::test]
async fn an_order_that_cannot_expire_is_told_of_and_stays() {
    let shop = Shop::open().await;
    let book = shop.book(5).await;
    let (_, stuck) = shop.payable_order(&[(book, 1)]).await;
    let (_, good) = shop.payable_order(&[(book, 2)]).await;
    // Without its claim nobody can release anything.
    sql(&shop, "CREATE TABLE kept AS SELECT * FROM stock_movements").await;
    let forget = "DELETE FROM stock_movements WHERE order_id = $1";
    sqlx::query(forget).bind(stuck.get()).execute(&shop.pg).await.unwrap();
    for order in [stuck, good] {
        shop.let_time_pass(order).await;
    }
    for attempt in 1..=10 {
        assert_eq!(shop.count("SELECT count(*) FROM dead_letters").await, 0, "attempt {attempt}");
        let due = ExpireOrders.fetch(&shop.store).await.unwrap().expect("due");
        assert!(ExpireOrders.handle(&shop.store, due).await.is_err());
        assert_eq!(shop.status(good).await, Some(OrderStatus::Expired));
        let later = "SELECT count(*) FROM expiry_failures WHERE due_at > now() AND attempts < 10";
        assert_eq!(shop.count(later).await, i64::from(attempt < 10));
        sql(&shop, "UPDATE expiry_failures SET due_at = '-infinity' WHERE attempts < 10").await;
    }
    assert!(ExpireOrders.fetch(&shop.store).await.unwrap().is_none(), "nobody tries it any more");
    assert_eq!(shop.status(stuck).await, Some(OrderStatus::PaymentPending));
    let letter = letter(&shop).await;
    assert_eq!((letter.source.as_str(), letter.attempts, letter.key), ("expiry", 10, stuck.to_string()));
    // Mended by hand, and tried again.
    sql(
        &shop,
        "INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, order_id, claim_no, at)
         SELECT book_id, kind, quantity, on_hand_delta, reserved_delta, order_id, claim_no, at FROM kept
         WHERE order_id IS NOT NULL ON CONFLICT DO NOTHING",
    )
    .await;
    assert_eq!(dead_letters::retry(&shop.store, letter.id).await.unwrap(), Ended::Now);
    shop.expire_due().await;
    assert_eq!(shop.status(stuck).await, Some(OrderStatus::Expired));
    shop.apply_gate_ops().await;
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_locked_book_holds_up_the_end_of_its_own_orders_only() {
    let shop = Shop::open().await;
    let (locked, free) = (shop.book(50).await, shop.book(50).await);
    let mut stuck = Vec::new();
    let mut others = Vec::new();
    for _ in 0..5 {
        stuck.push(shop.payable_order(&[(locked, 1), (free, 1)]).await.1);
        others.push(shop.payable_order(&[(free, 1)]).await.1);
    }
    let mut tx = shop.pg.begin().await.unwrap();
    let lock = "SELECT 1 FROM stock WHERE book_id = $1 FOR UPDATE";
    sqlx::query(lock).bind(locked.get()).execute(&mut *tx).await.unwrap();
    sql(&shop, "UPDATE orders SET expires_at = now()").await;
    let started = std::time::Instant::now();
    let due = ExpireOrders.fetch(&shop.store).await.unwrap().expect("due");
    ExpireOrders.handle(&shop.store, due).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    for (stuck, other) in stuck.iter().zip(&others) {
        assert_eq!(shop.status(*other).await, Some(OrderStatus::Expired));
        assert_eq!(shop.status(*stuck).await, Some(OrderStatus::PaymentPending));
    }
    assert_eq!(shop.count("SELECT count(*) FROM expiry_failures").await, 0, "no fault of theirs");
    tx.rollback().await.unwrap();
    shop.expire_due().await;
    shop.apply_gate_ops().await;
    assert_eq!((shop.at_gate(locked).await, shop.at_gate(free).await), (50, 50));
    shop.assert_sound().await;
}
