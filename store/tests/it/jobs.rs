//! All jobs together, as apalis runs them.

use crate::orders::shop::{Shop, eventually};
use domain::order::OrderStatus;
use redis::AsyncCommands;
use std::time::Duration;
use store::jobs;
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread")]
async fn the_running_shop_persists_expires_heals_and_stops_in_time() {
    let shop = Shop::open_with(|config| config.order_ttl = Duration::from_secs(2)).await;
    let book = shop.book(5).await;
    let stop = CancellationToken::new();
    let running = tokio::spawn(jobs::run(shop.store.clone(), stop.clone()));

    let (_, order) = shop.waiting_order(&[(book, 2)]).await;
    eventually("persisted", || async { shop.status(order).await == Some(OrderStatus::PaymentPending) }).await;
    assert_eq!(shop.at_gate(book).await, 3);
    eventually("expired, copies back", || async {
        shop.status(order).await == Some(OrderStatus::Expired) && shop.at_gate(book).await == 5
    })
    .await;
    // But for "please pay", which waits for those who pay at once.
    let left = "SELECT count(*) FROM outbox WHERE payload->>'kind' IS DISTINCT FROM 'order.placed'";
    eventually("the outbox is drained", || async { shop.count(left).await == 0 }).await;

    shop.lose_redis().await;
    eventually("the gate is loaded again", || async {
        shop.redis.clone().exists(shop.keys.epoch()).await.unwrap_or(false)
    })
    .await;
    let (_, order) = shop.waiting_order(&[(book, 1)]).await;
    eventually("persisted again", || async { shop.status(order).await.is_some() }).await;
    shop.assert_sound().await;

    // With nothing in hand it need not wait for its limit.
    stop.cancel();
    let stopped = tokio::time::timeout(Duration::from_secs(4), running).await;
    stopped.expect("in time").expect("no panic").expect("no error");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_share_the_stream() {
    let shop = Shop::open().await;
    let book = shop.book(300).await;
    let stop = CancellationToken::new();
    let running = [(); 2].map(|()| tokio::spawn(jobs::run(shop.store.clone(), stop.clone())));
    let mut shoppers = Vec::new();
    for _ in 0..150 {
        shoppers.push(shop.shopper(&[(book, 2)]).await);
    }
    let placed = futures::future::join_all(shoppers.iter().map(|owner| shop.place(owner, "k"))).await;
    assert!(placed.iter().all(Result::is_ok));
    eventually("all persisted", || async {
        shop.count("SELECT count(*) FROM orders WHERE status = 'PAYMENT_PENDING'").await == 150
    })
    .await;
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((300, 300), 0));
    shop.assert_sound().await;
    stop.cancel();
    for running in running {
        tokio::time::timeout(Duration::from_secs(9), running).await.expect("in time").unwrap().unwrap();
    }
}

#[tokio::test]
async fn changed_orders_are_announced_once_with_their_newest_version() {
    use futures::StreamExt;
    use store::jobs::Job;
    let shop = Shop::open().await;
    let book = shop.book(5).await;
    let client = redis::Client::open(store::testkit::redis_url()).unwrap();
    let mut heard = client.get_async_pubsub().await.unwrap();
    heard.subscribe(shop.keys.live_order()).await.unwrap();
    let (owner, order) = shop.payable_order(&[(book, 1)]).await;
    shop.cancel(&owner, order).await.unwrap();
    let outbox = jobs::DrainOutbox::NOTICES;
    sqlx::query("INSERT INTO outbox (topic, key) VALUES ('order.changed', $1)")
        .bind(order.to_string())
        .execute(&shop.pg)
        .await
        .unwrap();
    let batch = outbox.fetch(&shop.store).await.unwrap().expect("two changes");
    outbox.handle(&shop.store, batch).await.unwrap();
    assert_eq!(shop.count("SELECT count(*) FROM outbox WHERE topic = 'order.changed'").await, 0);
    let told: Vec<serde_json::Value> = heard
        .on_message()
        .take(2)
        .map(|message| serde_json::from_str(&message.get_payload::<String>().unwrap()).unwrap())
        .collect()
        .await;
    let version = |version: i64| serde_json::json!({"order_id": order, "owner": owner, "version": version});
    assert_eq!(told, [version(1), version(2)], "by who wrote it down, and by the lane, once for both changes");
}

/// A worker dies between the commit and its word: the lane has it.
#[tokio::test]
async fn a_new_order_of_which_nobody_told_is_told_of_by_the_lane() {
    use store::jobs::Job;
    let shop = Shop::open().await;
    let book = shop.book(5).await;
    let stop = "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stopped'; END $$";
    sqlx::query(stop).execute(&shop.pg).await.unwrap();
    let stop = "CREATE TRIGGER stop BEFORE DELETE ON outbox FOR EACH ROW EXECUTE FUNCTION stop()";
    sqlx::query(stop).execute(&shop.pg).await.unwrap();
    shop.payable_order(&[(book, 1)]).await;
    let outbox = jobs::DrainOutbox::NOTICES;
    assert!(outbox.fetch(&shop.store).await.unwrap().is_none(), "whoever wrote it down has two seconds");
    sqlx::query("DROP TRIGGER stop ON outbox").execute(&shop.pg).await.unwrap();
    let due = "UPDATE outbox SET due_at = '-infinity' WHERE topic = 'order.changed'";
    assert_eq!(sqlx::query(due).execute(&shop.pg).await.unwrap().rows_affected(), 1);
    let batch = outbox.fetch(&shop.store).await.unwrap().expect("due");
    outbox.handle(&shop.store, batch).await.unwrap();
    assert_eq!(shop.count("SELECT count(*) FROM outbox WHERE topic = 'order.changed'").await, 0);
}

#[tokio::test]
async fn a_call_that_keeps_failing_ends_in_the_dead_letters() {
    use store::jobs::Job;
    let shop = Shop::open().await;
    let bad = "INSERT INTO outbox (topic, key, attempts, due_at) VALUES ('payment.close', 'no uuid', 8, '-infinity')";
    sqlx::query(bad).execute(&shop.pg).await.unwrap();
    let outbox = jobs::DrainOutbox::PAYMENTS;
    for _ in 0..2 {
        let batch = outbox.fetch(&shop.store).await.unwrap().expect("due");
        outbox.handle(&shop.store, batch).await.unwrap();
        sqlx::query("UPDATE outbox SET due_at = '-infinity'").execute(&shop.pg).await.unwrap();
    }
    assert_eq!(shop.count("SELECT count(*) FROM outbox").await, 0);
    assert_eq!(shop.count("SELECT count(*) FROM dead_letters WHERE source = 'outbox' AND attempts = 10").await, 1);
}

#[tokio::test]
async fn a_provider_that_stays_away_loses_no_call() {
    use store::jobs::Job;
    // Nobody listens where this shop's provider should be.
    let shop = Shop::open().await;
    let book = shop.book(5).await;
    let (_, order) = shop.payable_order(&[(book, 1)]).await;
    drop(shop.capture(order).await);
    let close = "INSERT INTO outbox (topic, key, attempts, due_at) SELECT 'payment.close', id::text, 9, '-infinity' FROM payments";
    sqlx::query(close).execute(&shop.pg).await.unwrap();
    let outbox = jobs::DrainOutbox::PAYMENTS;
    for _ in 0..3 {
        let batch = outbox.fetch(&shop.store).await.unwrap().expect("due");
        outbox.handle(&shop.store, batch).await.unwrap();
        assert_eq!(
            shop.count(
                "SELECT count(*) FROM outbox WHERE topic = 'payment.close' AND due_at > now() + interval '4 seconds'"
            )
            .await,
            1
        );
        sqlx::query("UPDATE outbox SET due_at = '-infinity'").execute(&shop.pg).await.unwrap();
    }
    assert_eq!(shop.count("SELECT count(*) FROM outbox WHERE topic = 'payment.close' AND attempts = 9").await, 1);
    assert_eq!(shop.count("SELECT count(*) FROM dead_letters").await, 0);
}

/// Every step of every worker is cut off somewhere, again and again, while shoppers place and cancel.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_anywhere_loses_nothing() {
    use store::{
        jobs::Job,
        orders::{ExpireOrders, PersistOrders},
        stock::ApplyGateOps,
    };
    /// So long does a step live, in half milliseconds; a step cut off is a worker killed at that moment.
    async fn cut_off(round: u32, step: impl Future<Output = Result<(), store::error::Error>>) {
        let _ = tokio::time::timeout(Duration::from_micros(u64::from(round % 23) * 500), step).await;
    }
    let shop = Shop::open().await;
    let book = shop.book(1000).await;
    let mut orders = Vec::new();
    for round in 0..90_u32 {
        let (owner, order) = shop.waiting_order(&[(book, 2)]).await;
        orders.push((owner, order));
        if round % 3 == 0 {
            shop.cancel(&owner, order).await.expect("cancel");
        }
        if round % 5 == 0 {
            shop.let_time_pass(orders[orders.len() / 2].1).await;
        }
        shop.abandon_entries().await;
        if round % 5 == 0 {
            // So many deaths in a row would be the entry's own fault.
            let _: () = shop.redis.clone().del(shop.keys.placed_leases()).await.expect("forget");
        }
        let worker = PersistOrders::new(&shop.store);
        if let Some(batch) = worker.fetch(&shop.store).await.expect("read") {
            cut_off(round, worker.handle(&shop.store, batch)).await;
        }
        cut_off(round / 2, ApplyGateOps.handle(&shop.store, ())).await;
        cut_off(round / 3, async {
            match ExpireOrders.fetch(&shop.store).await? {
                Some(due) => ExpireOrders.handle(&shop.store, due).await,
                None => Ok(()),
            }
        })
        .await;
        if round % 10 == 9 {
            shop.assert_sound().await;
        }
    }
    shop.abandon_entries().await;
    shop.persist_all().await;
    shop.expire_due().await;
    shop.apply_gate_ops().await;
    let mut open = 0;
    for (number, (_, order)) in orders.iter().enumerate() {
        let status = shop.status(*order).await.expect("every accepted order is there");
        open += i64::from(status == OrderStatus::PaymentPending);
        assert!(number % 3 != 0 || status != OrderStatus::PaymentPending, "its cancellation is lost");
        assert_eq!(shop.has_reservation(*order).await, status == OrderStatus::PaymentPending);
    }
    assert_eq!((shop.at_gate(book).await, i64::from(shop.ledger(book).await.1)), (1000 - 2 * open, 2 * open));
    assert_eq!(shop.count("SELECT count(*) FROM dead_letters").await, 0);
    shop.assert_sound().await;
}
