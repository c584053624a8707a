//! A gate whose Redis is another one by now, and rebuilds that are interrupted.

use crate::{
    orders::shop::{Shop, eventually},
    servers::PrivateRedis,
    wire::Wire,
};
use domain::{ErrorCode, OrderId, Owner, UnixMillis, order::OrderStatus};
use redis::AsyncCommands;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};
use store::{
    Store,
    jobs::Job,
    orders, stock,
    stock::load::WatchGate,
    testkit,
    viewer::Viewer,
    world::{SystemWorld, World},
};
use tokio::task::JoinHandle;

/// Where a rebuild stops as if its process were frozen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// It has the gate lock, and is about to close the gate: it draws its token.
    Closing,
    /// The gate is closed, and nothing is counted yet: it draws its epoch.
    Counting,
}

/// The real time and chance, but for one moment at which whoever asks falls asleep.
struct Sleeper {
    at: Moment,
    wake: Mutex<Option<Receiver<()>>>,
    is_asleep: AtomicBool,
}

impl Sleeper {
    fn asked(&self, moment: Moment) {
        let wake = self.wake.lock().expect("the bell").take_if(|_| moment == self.at);
        if let Some(wake) = wake {
            self.is_asleep.store(true, Ordering::SeqCst);
            tokio::task::block_in_place(|| wake.recv()).expect("woken");
        }
    }
}

impl World for Sleeper {
    fn now(&self) -> UnixMillis {
        self.asked(Moment::Counting);
        SystemWorld.now()
    }

    fn uuid(&self) -> uuid::Uuid {
        self.asked(Moment::Closing);
        SystemWorld.uuid()
    }
}

/// A rebuild of a lost gate that sleeps at that moment; what wakes it; its end.
async fn sleeping_rebuild(shop: &Shop, at: Moment) -> (Sender<()>, JoinHandle<Result<(), store::error::Error>>) {
    let (bell, wake) = channel();
    let world = Arc::new(Sleeper { at, wake: Mutex::new(Some(wake)), is_asleep: AtomicBool::new(false) });
    let other = Store::connect(shop.store.config().clone(), world.clone()).await.expect("connect");
    let _: () = shop.redis.clone().del(shop.keys.epoch()).await.expect("redis");
    let rebuild = tokio::spawn(async move { stock::ensure_loaded(&other).await });
    eventually("it sleeps", async || world.is_asleep.load(Ordering::SeqCst)).await;
    (bell, rebuild)
}

async fn has_hold(shop: &Shop, owner: &Owner, order: OrderId) -> bool {
    let hold: Option<i64> = shop.redis.clone().zscore(shop.keys.holds(owner), order.to_string()).await.expect("redis");
    hold.is_some()
}

async fn epoch(shop: &Shop) -> Option<i64> {
    shop.redis.clone().get(shop.keys.epoch()).await.expect("redis")
}

async fn not_ready(shop: &Shop, owner: &Owner) {
    assert_eq!(shop.place(owner, "k").await.expect_err("not ready").to_api().code, ErrorCode::NotReady);
}

/// The gate opens without it, orders are accepted, and it wakes: nothing of theirs is gone.
async fn outlives(shop: &Shop, (bell, rebuild): (Sender<()>, JoinHandle<Result<(), store::error::Error>>)) {
    let book = shop.book(10).await;
    let (payer, open) = shop.payable_order(&[(book, 2)]).await;
    let (owner, waiting) = shop.waiting_order(&[(book, 3)]).await;
    let before = epoch(shop).await;
    assert!(before.is_some());
    bell.send(()).expect("it listens");
    // It may have failed, or found that there is nothing to do.
    let _ = rebuild.await.expect("no panic");
    assert_eq!(epoch(shop).await, before);
    for (owner, order) in [(&payer, open), (&owner, waiting)] {
        assert!(shop.has_reservation(order).await && has_hold(shop, owner, order).await);
    }
    shop.assert_sound().await;
    shop.persist_all().await;
    assert_eq!(shop.status(waiting).await, Some(OrderStatus::PaymentPending));
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((10, 5), 5));
    assert_eq!(shop.count("SELECT count(*) FROM dead_letters").await, 0);
    shop.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_whose_transaction_died_closes_no_gate() {
    let shop = Shop::open().await;
    let asleep = sleeping_rebuild(&shop, Moment::Closing).await;
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND granted
                 AND mode = 'ExclusiveLock' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(shop.count(end).await, 1);
    stock::ensure_loaded(&shop.store).await.unwrap();
    outlives(&shop, asleep).await;
}

/// Nobody ends its transaction but Postgres, after the 15 s for which it listens to a silent owner of locks.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_rebuild_keeps_the_shop_closed_for_seconds_and_takes_nothing_away() {
    let shop = Shop::open().await;
    let asleep = sleeping_rebuild(&shop, Moment::Counting).await;
    let opened = async { while stock::ensure_loaded(&shop.store).await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(25), opened).await.expect("the gate lock is free again");
    outlives(&shop, asleep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_during_which_postgres_dies_leaves_the_gate_closed() {
    let (shop, wire) = Shop::on_a_wire().await;
    let book = shop.book(10).await;
    shop.payable_order(&[(book, 2)]).await;
    let shopper = shop.shopper(&[(book, 1)]).await;
    let (bell, rebuild) = sleeping_rebuild(&shop, Moment::Counting).await;
    wire.cut();
    bell.send(()).expect("it listens");
    assert!(rebuild.await.expect("no panic").is_err());
    assert_eq!(epoch(&shop).await, None);
    wire.mend();
    eventually("it is loaded", async || stock::ensure_loaded(&shop.store).await.is_ok()).await;
    assert_eq!(shop.at_gate(book).await, 8);
    assert!(shop.place(&shopper, "k").await.is_ok());
    shop.assert_sound().await;
}

/// Redis came back with what its file knew: until the gate is counted anew it sells nothing, and takes nothing away.
#[tokio::test]
async fn a_gate_of_another_run_sells_nothing() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let shopper = shop.shopper(&[(book, 1)]).await;
    let _: () = shop.redis.clone().set(shop.keys.run_id(), "an earlier run").await.unwrap();
    let _: () = shop.redis.clone().hset(shop.keys.stock(), book.get(), 99).await.unwrap();
    not_ready(&shop, &shopper).await;
    let gate = store::health::ready(&shop.store).await.into_iter().find(|probe| probe.name == "gate");
    assert!(gate.is_some_and(|gate| gate.problem.is_some()));
    assert_eq!((shop.at_gate(book).await, shop.stream_len().await), (99, 0));
    stock::ensure_loaded(&shop.store).await.unwrap();
    assert_eq!(shop.at_gate(book).await, 10);
    let gate = store::health::ready(&shop.store).await.into_iter().find(|probe| probe.name == "gate");
    assert_eq!(gate.and_then(|gate| gate.problem), None);
    assert!(shop.place(&shopper, "k").await.is_ok());
    shop.assert_sound().await;
}

/// The replica lacks the last sale when it takes over: it has an epoch, and copies that are sold.
#[tokio::test]
async fn a_failover_to_a_lagging_replica_sells_nothing_twice() {
    let (mut first, second) = (PrivateRedis::start().await, PrivateRedis::start().await);
    let (mut master, mut replica) = (first.connection().await, second.connection().await);
    let at_once = ["SET", "repl-diskless-sync-delay", "0"];
    redis::cmd("CONFIG").arg(&at_once).exec_async(&mut master).await.unwrap();
    redis::cmd("REPLICAOF").arg("127.0.0.1").arg(first.port).exec_async(&mut replica).await.unwrap();
    let wire = Wire::to(&first.address()).await;
    let mut shop = Shop::open_with(|config| config.redis_url = format!("redis://{}/", wire.address)).await;
    let book = shop.book(10).await;
    let (_, known) = shop.payable_order(&[(book, 2)]).await;
    eventually("the replica has it all", async || {
        let (mut replica, order) = (replica.clone(), shop.keys.reservation(known));
        replica.exists(order).await.unwrap_or(false)
            && replica.xlen(shop.keys.placed()).await.is_ok_and(|left: i64| left == 0)
    })
    .await;
    redis::cmd("REPLICAOF").arg("NO").arg("ONE").exec_async(&mut replica).await.unwrap();
    let (_, unknown) = shop.payable_order(&[(book, 7)]).await;
    let (before, _) = testkit::redis_run(&shop.store).await.unwrap();
    wire.lead_to(&second.address());
    first.kill();
    eventually("the store has another Redis", async || {
        testkit::redis_run(&shop.store).await.is_ok_and(|(run, _)| run != before)
    })
    .await;
    let client = redis::Client::open(shop.store.config().redis_url.as_str()).expect("a Redis URL");
    shop.redis = client.get_multiplexed_async_connection().await.expect("connect to the replica");
    assert_eq!((shop.at_gate(book).await, epoch(&shop).await.is_some()), (8, true), "it would sell seven copies twice");
    let shopper = shop.shopper(&[(book, 2)]).await;
    not_ready(&shop, &shopper).await;
    assert_eq!(WatchGate.fetch(&shop.store).await.unwrap(), Some(()));
    WatchGate.handle(&shop.store, ()).await.unwrap();
    assert_eq!(shop.at_gate(book).await, 1);
    assert!(shop.has_reservation(known).await && shop.has_reservation(unknown).await);
    assert_eq!(shop.place(&shopper, "k").await.unwrap_err().to_api().code, ErrorCode::InsufficientStock);
    shop.assert_sound().await;
}

/// What the gate got back from Postgres is ended there: a wish to cancel is not kept where nobody reads it.
#[tokio::test]
async fn a_restored_order_is_not_taken_for_one_that_waits() {
    let (shop, wire) = Shop::on_a_wire().await;
    let book = shop.book(10).await;
    let (owner, order) = shop.payable_order(&[(book, 2)]).await;
    shop.lose_redis().await;
    stock::ensure_loaded(&shop.store).await.unwrap();
    wire.cut();
    assert!(orders::get(&shop.store, &Viewer::new(owner), order).await.is_err(), "nobody knows how it stands");
    assert_eq!(shop.cancel(&owner, order).await.unwrap_err().to_api().code, ErrorCode::NotReady);
    wire.mend();
    eventually("it is cancelled", async || shop.cancel(&owner, order).await.is_ok()).await;
    assert_eq!(shop.status(order).await, Some(OrderStatus::Cancelled));
    shop.apply_gate_ops().await;
    assert_eq!(shop.at_gate(book).await, 10);
    shop.assert_sound().await;
}

/// 48 hours from the placing, at the gate, wherever its record comes from; from then on Postgres answers.
#[tokio::test]
async fn a_key_is_remembered_for_48_hours_and_longer() {
    const LIFE: i64 = 48 * 3600;
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let (owner, order) = shop.payable_order(&[(book, 2)]).await;
    let key = shop.keys.idempotency(&owner, &domain::IdempotencyKey::parse("k").unwrap());
    let life = async || shop.redis.clone().ttl::<_, i64>(&key).await.unwrap();
    assert!((LIFE - 60..=LIFE).contains(&life().await), "{}", life().await);
    shop.cancel(&owner, order).await.unwrap();
    for (hours, left) in [(0, LIFE), (40, 8 * 3600)] {
        sqlx::query("UPDATE orders SET placed_at = now() - make_interval(hours => $1)")
            .bind(hours)
            .execute(&shop.pg)
            .await
            .unwrap();
        shop.lose_redis().await;
        stock::ensure_loaded(&shop.store).await.unwrap();
        assert!((left - 60..=left).contains(&life().await), "{}", life().await);
    }
    sqlx::query("UPDATE orders SET placed_at = now() - interval '49 hours'").execute(&shop.pg).await.unwrap();
    shop.lose_redis().await;
    stock::ensure_loaded(&shop.store).await.unwrap();
    assert_eq!(life().await, -2, "the gate has forgotten it");
    assert_eq!(shop.place(&owner, "k").await.unwrap().order_id, order);
    assert_eq!((shop.at_gate(book).await, shop.stream_len().await), (10, 0));
}
