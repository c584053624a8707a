//! Those who end orders, frozen in the middle or killed at every lease: one end each, and nobody waits for them.

use super::worker;
use crate::{
    orders::{place, wait_for},
    servers::{Postgres, Servers},
    shop::{Shop, eventually},
};
use std::{
    net::TcpListener,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

/// Orders that a frozen worker has in hand.
const ORDERS: usize = 12;
/// A frozen worker's transaction is ended by Postgres, and its entries are taken over, after 15 s.
const TAKEOVER: Duration = Duration::from_secs(40);

/// A shop on servers of its own whose web runs alone.
async fn web_of(servers: &Servers, settings: &[(&str, &str)]) -> Shop {
    let mut shop = Shop::on(servers);
    settings.iter().for_each(|(name, value)| shop.set(name, value));
    shop.spawn("web");
    let mut first = worker(&shop);
    shop.wait_until_ready().await;
    first.kill();
    shop
}

/// Keeps the books' rows locked until it is dropped.
struct Locked<'a> {
    postgres: &'a Postgres,
    session: Child,
}

impl<'a> Locked<'a> {
    fn books(postgres: &'a Postgres) -> Self {
        let sql = "BEGIN; SELECT book_id FROM stock FOR UPDATE; SELECT pg_sleep(60), 'the locker';";
        let session = postgres.psql(sql).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let locked = Self { postgres, session: session.expect("psql") };
        locked.until("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%the locker%' AND wait_event = 'PgSleep'");
        locked
    }

    /// Somebody of the shop waits for these rows right now.
    fn until_wanted(&self) {
        self.until(
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'bazar' AND wait_event_type = 'Lock'
             AND query LIKE '%stock%'",
        );
    }

    fn until(&self, sql: &str) {
        let end = Instant::now() + Duration::from_secs(20);
        while self.postgres.ask(sql).iter().all(String::is_empty) {
            assert!(Instant::now() < end, "waited 20 s for: {sql}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%the locker%'
                   AND pid <> pg_backend_pid()";
        self.postgres.ask(end);
        let _ = self.session.wait();
    }
}

async fn orders_of(shop: &Shop, count: usize) -> Vec<String> {
    let book = shop.book("The First Book").await;
    let mut orders = Vec::new();
    for number in 0..count {
        let guest = shop.visitor();
        guest.post("/api/cart/add", &[("book_id", &book)]).await.ok();
        let placed = place(&guest, &format!("order-{number}")).await.ok();
        orders.push(placed["order_id"].as_str().expect("an order").to_owned());
    }
    orders
}

fn count(postgres: &Postgres, sql: &str) -> usize {
    postgres.ask(sql)[0].parse().expect("a number")
}

async fn until_all_are(postgres: &Postgres, status: &str) {
    let sql = format!("SELECT count(*) FROM orders WHERE status = '{status}'");
    let end = Instant::now() + TAKEOVER;
    while count(postgres, &sql) < ORDERS {
        assert!(Instant::now() < end, "not all are {status} after {TAKEOVER:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_frozen_in_the_middle_of_an_expiry_ends_nothing_twice() {
    let servers = Servers::start().await;
    let settings = [("BAZAR_ORDER_TTL_SECONDS", "6"), ("BAZAR_MIN_PAY_SECONDS", "5")];
    let shop = web_of(&servers, &settings).await;
    let postgres = &servers.postgres;
    let sleeper = worker(&shop);
    orders_of(&shop, ORDERS).await;
    until_all_are(postgres, "PAYMENT_PENDING").await;
    let locked = Locked::books(postgres);
    locked.until_wanted();
    sleeper.signal("STOP");
    // From here on it has the orders' rows, and the books'.
    drop(locked);
    let heir = worker(&shop);
    until_all_are(postgres, "EXPIRED").await;
    sleeper.signal("CONT");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(count(postgres, "SELECT count(*) FROM order_history WHERE cause = 'deadline_passed'"), ORDERS);
    assert_eq!(count(postgres, "SELECT count(*) FROM stock_movements WHERE kind = 'release'"), ORDERS);
    let book = shop.book("The First Book").await;
    eventually("the copies to be on sale", || async { (shop.on_sale(&book).await == 50).then_some(()) }).await;
    shop.assert_sound();
    drop((sleeper, heir));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_frozen_in_the_middle_of_a_batch_writes_nothing_twice() {
    let servers = Servers::start().await;
    let shop = web_of(&servers, &[]).await;
    let postgres = &servers.postgres;
    let locked = Locked::books(postgres);
    orders_of(&shop, ORDERS).await;
    let sleeper = worker(&shop);
    locked.until_wanted();
    sleeper.signal("STOP");
    drop(locked);
    let heir = worker(&shop);
    until_all_are(postgres, "PAYMENT_PENDING").await;
    sleeper.signal("CONT");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(count(postgres, "SELECT count(*) FROM order_history"), ORDERS);
    assert_eq!(count(postgres, "SELECT sum(quantity) FROM stock_movements WHERE kind = 'reserve'"), ORDERS);
    assert_eq!(count(postgres, "SELECT count(*) FROM dead_letters"), 0);
    shop.assert_sound();
    drop((sleeper, heir));
}

/// The provider takes the call and never answers; its worker is killed in the middle of it, every time.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_its_workers_die_of_is_parked_and_the_others_are_made() {
    let servers = Servers::start().await;
    let mut shop = web_of(&servers, &[]).await;
    let postgres = &servers.postgres;
    let mut first = worker(&shop);
    let (book, shopper) = (shop.book("The First Book").await, shop.visitor());
    shopper.post("/api/cart/add", &[("book_id", &book)]).await.ok();
    let order = place(&shopper, "one").await.ok()["order_id"].as_str().expect("an order").to_owned();
    wait_for(&shopper, &order, "PAYMENT_PENDING").await;
    let session = shopper.post("/api/payments/init", &[("order_id", &order), ("provider", "sandbox")]).await.ok();
    let payment = session["payment_id"].as_str().expect("a payment").to_owned();
    first.kill();
    shop.kill();
    let address = shop.url.trim_start_matches("http://").to_owned();
    let silent = TcpListener::bind(&address).expect("the provider's place");
    postgres.ask(&format!("INSERT INTO outbox (topic, key) VALUES ('payment.close', '{payment}')"));
    let neighbour =
        "INSERT INTO outbox (topic, key, due_at) VALUES ('payment.close', gen_random_uuid()::text, '-infinity')";
    for lease in 1..=10 {
        postgres.ask(neighbour);
        postgres.ask(&format!("UPDATE outbox SET due_at = now() WHERE key = '{payment}'"));
        let mut worker = worker(&shop);
        let hangs = format!(
            "SELECT (SELECT leases FROM outbox WHERE key = '{payment}') = {lease}
             AND NOT EXISTS (SELECT FROM outbox WHERE topic = 'payment.close' AND key <> '{payment}')"
        );
        eventually("the call to hang, and the others to be made", || async {
            (postgres.ask(&hangs)[0] == "t").then_some(())
        })
        .await;
        worker.kill();
        assert_eq!(count(postgres, "SELECT count(*) FROM dead_letters"), 0, "lease {lease}");
    }
    postgres.ask(&format!("UPDATE outbox SET due_at = now() WHERE key = '{payment}'"));
    postgres.ask(neighbour);
    let mut last = worker(&shop);
    let parked = "SELECT count(*) FROM dead_letters WHERE error LIKE '%10 times without an outcome%'
                  AND NOT EXISTS (SELECT FROM outbox WHERE topic = 'payment.close')";
    eventually("the call to be parked", || async { (count(postgres, parked) == 1).then_some(()) }).await;
    last.kill();
    drop(silent);
    shop.spawn("all");
    shop.wait_until_ready().await;
    shop.assert_sound();
}
