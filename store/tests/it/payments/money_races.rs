//! A thousand orders each: two providers that both bring money, and money that comes while no worker lives. One payment
//! pays, every other one goes back, and promise 4 holds in both directions.

use crate::orders::shop::Shop;
use domain::order::OrderStatus;
use futures::{StreamExt, future::join_all, stream};
use store::jobs::{DrainOutbox, Job};

const WAVES: usize = 20;
const ORDERS: usize = 50;

/// Every order holds exactly one payment's money; every other payment is on its way back.
async fn assert_paid_once(shop: &Shop, payments: i64) {
    let all = (WAVES * ORDERS) as i64;
    assert_eq!(shop.count("SELECT count(*) FROM orders WHERE status = 'PAID'").await, all);
    assert_eq!(shop.count("SELECT count(*) FROM payments WHERE status = 'captured'").await, all);
    assert_eq!(shop.count("SELECT count(*) FROM payments WHERE status = 'refunding'").await, payments - all);
    assert_eq!(shop.count("SELECT count(*) FROM refunds WHERE amount_minor > 0").await, payments - all);
    assert_eq!(shop.count("SELECT count(DISTINCT payment_id) FROM refunds").await, payments - all);
    shop.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_providers_that_both_took_money_one_gives_it_back() {
    let shop = Shop::open().await;
    let book = shop.book(2000).await;
    let lines = [(book, 1)];
    for _ in 0..WAVES {
        let orders = join_all((0..ORDERS).map(|_| shop.waiting_order(&lines))).await;
        shop.persist_all().await;
        let mut paying = Vec::new();
        for (_, order) in &orders {
            // Each at another time the one open session: as the shopper switched, and both pages were paid.
            paying.push(shop.capture(*order).await);
            sqlx::query("UPDATE payments SET status = 'closed' WHERE order_id = $1")
                .bind(order.get())
                .execute(&shop.pg)
                .await
                .unwrap();
            paying.push(shop.capture(*order).await);
        }
        join_all(paying).await;
    }
    shop.apply_gate_ops().await;
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((1000, 0), 1000));
    assert_paid_once(&shop, 2000).await;
}

/// Webhooks are taken in by the web process; deadlines pass, and the workers come back later and in any order.
#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_while_the_worker_is_dead_is_not_lost() {
    let shop = Shop::open().await;
    let book = shop.book(1000).await;
    let lines = [(book, 1)];
    for wave in 0..WAVES {
        let orders = join_all((0..ORDERS).map(|_| shop.waiting_order(&lines))).await;
        shop.persist_all().await;
        let paying = stream::iter(orders.iter().map(|(_, order)| shop.capture(*order)));
        let mut paying: Vec<_> = paying.buffer_unordered(4).collect().await;
        // Half of the money comes before the worker, half of it while it catches up with the deadlines.
        let late = paying.split_off(ORDERS / 2);
        sqlx::query("UPDATE orders SET expires_at = now() WHERE status = 'PAYMENT_PENDING'")
            .execute(&shop.pg)
            .await
            .unwrap();
        join_all(paying).await;
        if wave % 2 == 0 {
            shop.expire_due().await;
            join_all(late).await;
        } else {
            tokio::join!(shop.expire_due(), join_all(late));
        }
        shop.assert_no_status(OrderStatus::PaymentPending).await;
    }
    assert!(DrainOutbox::LATE_MONEY.fetch(&shop.store).await.unwrap().is_some(), "money came late");
    sqlx::query("UPDATE outbox SET due_at = '-infinity' WHERE topic = 'payment.late'").execute(&shop.pg).await.unwrap();
    tokio::join!(shop.apply_gate_ops(), shop.decide_late(), shop.decide_late());
    shop.apply_gate_ops().await;
    sqlx::query("UPDATE outbox SET due_at = '-infinity' WHERE topic = 'payment.late'").execute(&shop.pg).await.unwrap();
    shop.decide_late().await;
    shop.apply_gate_ops().await;
    // All copies were there: every shopper has them, whenever the money came.
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((0, 0), 0));
    assert_paid_once(&shop, 1000).await;
}
