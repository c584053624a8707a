//! One that is stuck holds up nobody: a locked book, orders that cannot be ended, twenty thousand at once.

use super::shop::Shop;
use domain::order::OrderStatus;
use std::time::{Duration, Instant};
use store::{
    jobs::Job,
    orders::{ExpireOrders, PersistOrders},
};

#[tokio::test]
async fn a_locked_book_holds_up_its_own_orders_only() {
    let shop = Shop::open().await;
    let (locked, free) = (shop.book(300).await, shop.book(300).await);
    let mut stuck = Vec::new();
    for _ in 0..3 {
        stuck.push(shop.waiting_order(&[(locked, 1), (free, 1)]).await.1);
    }
    let (_, before) = shop.waiting_order(&[(free, 1)]).await;
    let mut tx = shop.pg.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM stock WHERE book_id = $1 FOR UPDATE")
        .bind(locked.get())
        .execute(&mut *tx)
        .await
        .unwrap();
    // Often enough that the stuck ones are tried alone, and that another worker finds the rest.
    for round in 0..6 {
        let (_, later) = shop.waiting_order(&[(free, 1)]).await;
        let started = Instant::now();
        while shop.status(later).await.is_none() {
            if let Some(batch) = shop.persist.fetch(&shop.store).await.unwrap() {
                shop.persist.handle(&shop.store, batch).await.unwrap();
            }
        }
        assert!(started.elapsed() < Duration::from_secs(4), "round {round}: {:?}", started.elapsed());
    }
    assert_eq!(shop.status(before).await, Some(OrderStatus::PaymentPending));
    assert_eq!((shop.status(stuck[0]).await, shop.stream_len().await), (None, 3));
    tx.rollback().await.unwrap();
    shop.persist_all().await;
    for order in stuck {
        assert_eq!(shop.status(order).await, Some(OrderStatus::PaymentPending));
    }
    assert_eq!(shop.count("SELECT count(*) FROM dead_letters").await, 0);
    shop.assert_sound().await;
}

#[tokio::test]
async fn what_a_worker_leaves_behind_is_read_to_its_end() {
    let shop = Shop::open().await;
    let book = shop.book(1000).await;
    let lines = [(book, 1)];
    for _ in 0..9 {
        futures::future::join_all((0..50).map(|_| shop.waiting_order(&lines))).await;
    }
    // More than one batch is in this worker's hands, and its first attempts failed.
    let worker = PersistOrders::new(&shop.store);
    let mut held = 0;
    while held < 450 {
        held += worker.fetch(&shop.store).await.unwrap().map_or(0, |batch| batch.len());
    }
    worker.handle(&shop.store, Vec::new()).await.unwrap();
    let started = Instant::now();
    while shop.stream_len().await > 0 {
        assert!(started.elapsed() < Duration::from_secs(12), "{} left", shop.stream_len().await);
        if let Some(batch) = worker.fetch(&shop.store).await.unwrap() {
            worker.handle(&shop.store, batch).await.unwrap();
        }
    }
    assert_eq!(shop.ledger(book).await, (1000, 450));
}

#[tokio::test]
async fn orders_that_cannot_be_ended_do_not_keep_the_others() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let (_, good) = shop.payable_order(&[(book, 1)]).await;
    shop.let_time_pass(good).await;
    // Without a claim nobody can release anything.
    sqlx::query(
        "INSERT INTO orders (id, number, owner, account_id, guest_id, idempotency_key, fingerprint, status, claim_no, email,
           address, currency, subtotal_minor, delivery_minor, total_minor, placed_at, expires_at)
         SELECT gen_random_uuid(), 'x' || n, owner, account_id, guest_id, 'k' || n, fingerprint, status, claim_no, email,
           address, currency, subtotal_minor, delivery_minor, total_minor, placed_at, '2000-01-01'
         FROM orders, generate_series(1, 600) n",
    )
    .execute(&shop.pg)
    .await
    .unwrap();
    let due = ExpireOrders.fetch(&shop.store).await.unwrap().expect("something is due");
    assert!(ExpireOrders.handle(&shop.store, due).await.is_err());
    assert_eq!(shop.status(good).await, Some(OrderStatus::Expired));
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_due_at_once_drain() {
    let shop = Shop::open().await;
    let book = shop.book(20_000).await;
    shop.payable_order(&[(book, 1)]).await;
    let many = [
        "CREATE TEMPORARY TABLE new AS SELECT gen_random_uuid() AS id, n FROM generate_series(1, 19999) n",
        "INSERT INTO orders (id, number, owner, account_id, guest_id, idempotency_key, fingerprint, status, claim_no, email,
           address, currency, subtotal_minor, delivery_minor, total_minor, placed_at, expires_at)
         SELECT new.id, 'x' || n, owner, account_id, guest_id, 'k' || n, fingerprint, status, claim_no, email,
           address, currency, subtotal_minor, delivery_minor, total_minor, placed_at, expires_at FROM orders, new",
        "INSERT INTO order_items SELECT new.id, line_no, book_id, title, slug, quantity, unit_price_minor, line_total_minor
         FROM order_items, new",
        "INSERT INTO order_history SELECT new.id, version, status, cause, note, at FROM order_history, new",
        "INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, order_id, claim_no, at)
         SELECT book_id, 'reserve', 1, 0, 1, new.id, 1, at FROM stock_movements, new WHERE kind = 'reserve'",
        "UPDATE stock SET reserved = 20000",
        "UPDATE orders SET expires_at = now()",
    ];
    let mut connection = shop.pg.acquire().await.unwrap();
    for sql in many {
        sqlx::raw_sql(sql).execute(&mut *connection).await.unwrap();
    }
    let started = Instant::now();
    shop.expire_due().await;
    let expired = started.elapsed();
    assert_eq!(shop.count("SELECT count(*) FROM orders WHERE status = 'EXPIRED'").await, 20_000);
    assert_eq!(shop.ledger(book).await, (20_000, 0));
    shop.apply_gate_ops().await;
    println!("20,000 expired in {expired:?}, at the gate after {:?}", started.elapsed());
    assert_eq!(shop.count("SELECT count(*) FROM gate_ops WHERE applied_at IS NULL").await, 0);
    assert!(started.elapsed() < Duration::from_secs(90), "{:?}", started.elapsed());
}
