//! Expiry, payment, cancellation and persistence of one order within ±50 ms, a thousand orders each: exactly one wins.

use super::shop::Shop;
use domain::{OrderId, Owner, order::OrderStatus};
use futures::{StreamExt, future::join_all, stream};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use store::{
    Store,
    error::Error,
    jobs::Job,
    orders::{self, ExpireOrders, PersistOrders},
    viewer::Viewer,
};
use tokio::time::{Instant, sleep, sleep_until};

const WAVES: usize = 20;
const ORDERS: usize = 50;

/// Moments within ±50 ms of `middle`, the same in each run.
struct Dice(AtomicU64);

impl Dice {
    fn around(&self, middle: Instant) -> Instant {
        let step = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        middle - Duration::from_millis(50) + Duration::from_micros((step >> 33) % 100_000)
    }
}

/// Another process of the same shop.
async fn another(shop: &Shop) -> Store {
    Store::connect(shop.store.config().clone(), Arc::new(store::world::SystemWorld)).await.expect("connect")
}

async fn cancel_at(store: &Store, moment: Instant, (owner, order): &(Owner, OrderId)) {
    sleep_until(moment).await;
    match orders::cancel(store, &Viewer::new(*owner), *order).await {
        Ok(_) | Err(Error::Refused(_)) => {}
        // The shopper sees an error, and may try again.
        Err(error) => assert!(matches!(error, Error::Postgres { .. }), "{error}"),
    }
}

async fn pay_at(shop: &Shop, moment: Instant, order: OrderId) {
    if shop.status(order).await == Some(OrderStatus::PaymentPending) {
        let paying = shop.capture(order).await;
        sleep_until(moment).await;
        paying.await;
    }
}

/// A batch in the hand of a worker that froze: its entries are another worker's by now.
struct Frozen<'a> {
    shop: &'a Shop,
    worker: PersistOrders,
    batch: Option<<PersistOrders as Job>::Batch>,
}

impl<'a> Frozen<'a> {
    async fn with_a_batch(shop: &'a Shop) -> Self {
        let worker = PersistOrders::new(&shop.store);
        let batch = worker.fetch(&shop.store).await.expect("read");
        shop.abandon_entries().await;
        Self { shop, worker, batch }
    }

    async fn wakes_at(self, moment: Instant) {
        if let Some(batch) = self.batch {
            sleep_until(moment).await;
            let _ = self.worker.handle(&self.shop.store, batch).await;
        }
    }
}

/// The worker that takes over: tries from `moment` to `end` to have a batch.
async fn take_over(heir: &PersistOrders, store: &Store, moment: Instant, end: Instant) {
    sleep_until(moment).await;
    while Instant::now() < end {
        if let Ok(Some(batch)) = heir.fetch(store).await {
            let _ = heir.handle(store, batch).await;
            break;
        }
    }
}

/// Sweeps from `start` on: a sweep that finds nothing due rests for a second.
async fn sweep_between(store: &Store, start: Instant, end: Instant, delay: Duration) {
    sleep_until(start).await;
    sweep_until(store, end, delay).await;
}

/// Sweeps with a list of due orders that is late by `delay`.
async fn sweep_until(store: &Store, end: Instant, delay: Duration) {
    while Instant::now() < end {
        if let Ok(Some(due)) = ExpireOrders.fetch(store).await {
            sleep(delay).await;
            let _ = ExpireOrders.handle(store, due).await;
        }
    }
}

/// Each order has ended once, each claim too, late money buys again, and nothing is missing.
async fn assert_one_end_each(shop: &Shop, copies: i64, book: domain::BookId, winners: &[&str]) {
    shop.abandon_entries().await;
    shop.persist_all().await;
    sqlx::query("UPDATE orders SET expires_at = now() WHERE status = 'PAYMENT_PENDING'")
        .execute(&shop.pg)
        .await
        .expect("ask Postgres");
    shop.expire_due().await;
    shop.apply_gate_ops().await;
    let count = |sql: &'static str| shop.count(sql);
    assert_eq!(count("SELECT count(*) FROM orders").await, (WAVES * ORDERS) as i64);
    let ends = "SELECT count(*) FROM order_history h JOIN orders o ON o.id = order_id AND o.status = h.status
                WHERE h.status IN ('PAID', 'CANCELLED', 'EXPIRED') AND h.cause <> 'late_money_came'";
    assert_eq!(count(ends).await, (WAVES * ORDERS) as i64, "one end each");
    let changes = "SELECT count(*) FROM order_history WHERE cause IN ('payment_captured', 'shopper_cancelled', 'deadline_passed')";
    assert_eq!(count(changes).await, (WAVES * ORDERS) as i64, "and no second one");
    for status in winners {
        let won: i64 = sqlx::query_scalar("SELECT count(*) FROM orders WHERE status = $1")
            .bind(status)
            .fetch_one(&shop.pg)
            .await
            .expect("ask Postgres");
        assert!(won > 0, "{status} never won: that was no race");
    }
    shop.assert_sound().await;
    shop.decide_late().await;
    shop.apply_gate_ops().await;
    let late = "SELECT count(*) FROM order_history WHERE cause = 'late_money_came'";
    let claimed = "SELECT count(*) FROM order_history h JOIN orders o ON o.id = order_id AND o.status = 'PAID'
                   WHERE h.cause = 'late_money_claimed' AND o.claim_no = 2";
    assert_eq!(count(late).await, count(claimed).await, "there are copies enough for all late money");
    assert_eq!(count("SELECT count(*) FROM refunds").await, 0);
    let sold = count("SELECT count(*) FROM orders WHERE status = 'PAID'").await;
    assert_eq!((i64::from(shop.ledger(book).await.0), shop.at_gate(book).await), (copies - sold, copies - sold));
    assert_eq!((shop.ledger(book).await.1, shop.stream_len().await), (0, 0));
    assert_eq!(count("SELECT count(*) FROM dead_letters").await, 0);
    shop.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payment_deadline_and_shopper_meet_a_thousand_times() {
    let shop = Shop::open().await;
    let other = another(&shop).await;
    let (book, dice) = (shop.book(2000).await, Dice(AtomicU64::new(7)));
    for _ in 0..WAVES {
        let lines = [(book, 1)];
        let orders = join_all((0..ORDERS).map(|_| shop.waiting_order(&lines))).await;
        shop.persist_all().await;
        let paying = stream::iter(orders.iter().map(|(_, order)| shop.capture(*order)));
        let paying: Vec<_> = paying.buffer_unordered(4).collect().await;
        let deadline = Instant::now() + Duration::from_millis(150);
        sqlx::query("UPDATE orders SET expires_at = now() + interval '150 ms' WHERE status = 'PAYMENT_PENDING'")
            .execute(&shop.pg)
            .await
            .expect("ask Postgres");
        let (due, end) = (deadline + Duration::from_millis(2), deadline + Duration::from_millis(60));
        let cancelling =
            join_all(orders.iter().step_by(2).map(|order| cancel_at(&other, dice.around(deadline), order)));
        let paying = join_all(paying.into_iter().map(|paying| async {
            sleep_until(dice.around(deadline)).await;
            paying.await
        }));
        tokio::join!(
            cancelling,
            paying,
            sweep_between(&shop.store, due, end, Duration::ZERO),
            sweep_between(&other, due, end, Duration::from_millis(30)),
            shop.apply_gate_ops()
        );
    }
    assert_one_end_each(&shop, 2000, book, &["PAID", "CANCELLED", "EXPIRED"]).await;
}

/// The same while the orders are still on their way into Postgres, with a worker that froze and wakes up late.
#[tokio::test(flavor = "multi_thread")]
async fn they_meet_while_the_order_is_written_down() {
    const TTL: Duration = Duration::from_millis(400);
    let shop = Shop::open_with(|config| {
        config.order_ttl = TTL;
        config.min_time_to_pay = Duration::ZERO;
    })
    .await;
    let other = another(&shop).await;
    let (book, dice) = (shop.book(2000).await, Dice(AtomicU64::new(11)));
    for _ in 0..WAVES {
        let lines = [(book, 1)];
        let shoppers = join_all((0..ORDERS).map(|_| shop.shopper(&lines))).await;
        let deadline = Instant::now() + TTL;
        let placed = join_all(shoppers.iter().map(|owner| shop.place(owner, "k"))).await;
        let orders: Vec<(Owner, OrderId)> =
            shoppers.into_iter().zip(placed).map(|(owner, placed)| (owner, placed.expect("place").order_id)).collect();
        let (frozen, heir) = (Frozen::with_a_batch(&shop).await, PersistOrders::new(&other));
        let end = deadline + Duration::from_millis(60);
        let writing = take_over(&heir, &other, Instant::now(), end);
        let waking = frozen.wakes_at(dice.around(deadline));
        let cancelling =
            join_all(orders.iter().step_by(3).map(|order| cancel_at(&other, dice.around(deadline), order)));
        let paying = async {
            sleep_until(deadline - Duration::from_millis(120)).await;
            join_all(orders.iter().step_by(2).map(|(_, order)| pay_at(&shop, dice.around(deadline), *order))).await
        };
        let sweeping = sweep_until(&shop.store, end, Duration::ZERO);
        tokio::join!(writing, waking, cancelling, paying, sweeping, shop.apply_gate_ops());
    }
    assert_one_end_each(&shop, 2000, book, &["PAID", "CANCELLED", "EXPIRED"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payment_and_shopper_meet_a_thousand_times() {
    let shop = Shop::open().await;
    let other = another(&shop).await;
    let (book, dice) = (shop.book(2000).await, Dice(AtomicU64::new(3)));
    for _ in 0..WAVES {
        let lines = [(book, 1)];
        let orders = join_all((0..ORDERS).map(|_| shop.waiting_order(&lines))).await;
        shop.persist_all().await;
        let paying = stream::iter(orders.iter().map(|(_, order)| shop.capture(*order)));
        let paying: Vec<_> = paying.buffer_unordered(4).collect().await;
        let middle = Instant::now() + Duration::from_millis(100);
        let cancelling = join_all(orders.iter().map(|order| cancel_at(&other, dice.around(middle), order)));
        let paying = join_all(paying.into_iter().map(|paying| async {
            sleep_until(dice.around(middle)).await;
            paying.await
        }));
        tokio::join!(cancelling, paying, shop.apply_gate_ops());
    }
    assert_one_end_each(&shop, 2000, book, &["PAID", "CANCELLED"]).await;
}

/// The mark reaches the order in the stream, in the middle of its batch, or when it is in Postgres already.
#[tokio::test(flavor = "multi_thread")]
async fn shopper_and_writing_down_meet_a_thousand_times() {
    let shop = Shop::open().await;
    let other = another(&shop).await;
    let (book, dice) = (shop.book(2000).await, Dice(AtomicU64::new(5)));
    for _ in 0..WAVES {
        let lines = [(book, 1)];
        let orders = join_all((0..ORDERS).map(|_| shop.waiting_order(&lines))).await;
        let middle = Instant::now() + Duration::from_millis(80);
        let (frozen, heir) = (Frozen::with_a_batch(&shop).await, PersistOrders::new(&other));
        let end = middle + Duration::from_millis(50);
        let writing = take_over(&heir, &other, middle - Duration::from_millis(20), end);
        let waking = frozen.wakes_at(dice.around(middle));
        let cancelling = join_all(orders.iter().step_by(2).map(|order| cancel_at(&other, dice.around(middle), order)));
        tokio::join!(writing, waking, cancelling, shop.apply_gate_ops());
    }
    assert_one_end_each(&shop, 2000, book, &["CANCELLED", "EXPIRED"]).await;
}

/// Written down around its deadline, by a worker that wakes up late and one that took over.
#[tokio::test(flavor = "multi_thread")]
async fn deadline_and_writing_down_meet_a_thousand_times() {
    const TTL: Duration = Duration::from_millis(300);
    let shop = Shop::open_with(|config| {
        config.order_ttl = TTL;
        config.min_time_to_pay = Duration::ZERO;
    })
    .await;
    let other = another(&shop).await;
    let (book, dice) = (shop.book(2000).await, Dice(AtomicU64::new(13)));
    for _ in 0..WAVES {
        let lines = [(book, 1)];
        let shoppers = join_all((0..ORDERS).map(|_| shop.shopper(&lines))).await;
        let deadline = Instant::now() + TTL;
        let placed = join_all(shoppers.iter().map(|owner| shop.place(owner, "k"))).await;
        assert!(placed.iter().all(Result::is_ok));
        let (frozen, heir) = (Frozen::with_a_batch(&shop).await, PersistOrders::new(&other));
        let end = deadline + Duration::from_millis(80);
        let writing = take_over(&heir, &other, dice.around(deadline), end);
        let waking = frozen.wakes_at(dice.around(deadline));
        tokio::join!(writing, waking, sweep_until(&shop.store, end, Duration::ZERO), shop.apply_gate_ops());
    }
    assert_one_end_each(&shop, 2000, book, &["EXPIRED"]).await;
}
