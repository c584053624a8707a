//! A worker is lost with every kind of work in hand, each held up where it is done and not recorded yet: killed, or frozen
//! and woken when others have taken over. Whatever it had is done by its heir, once, and waits no longer than its lease.

use super::worker;
use crate::{
    chaos::work_left,
    orders::{pay, place, press, wait_for},
    servers::{Postgres, Servers},
    shop::Shop,
    visitor::Visitor,
};
use domain::IdempotencyKey;
use std::{
    collections::BTreeMap,
    process::{Child, Stdio},
    time::{Duration, Instant},
};
use store::{
    jobs::schedule,
    payments::refund::{self, Of, Wanted},
};

/// Kinds of work, and the write of each that is held up.
const HELD: [(&str, &str, &str); 15] = [
    ("placed orders", "INSERT ON orders", "true"),
    ("due orders", "UPDATE ON orders", "NEW.status = 'EXPIRED'"),
    ("gate operations", "UPDATE ON gate_ops", "NEW.applied_at IS NOT NULL"),
    ("carts", "INSERT OR UPDATE ON carts", "true"),
    ("notices", "DELETE ON outbox", "OLD.topic = 'order.changed'"),
    ("mails", "DELETE ON outbox", "OLD.topic = 'mail.send'"),
    ("short messages", "DELETE ON outbox", "OLD.topic = 'sms.send'"),
    ("changed books", "UPDATE ON outbox", "OLD.topic = 'book.changed' AND NEW.payload <> OLD.payload"),
    ("sessions to close", "UPDATE ON payments", "NEW.status = 'closed'"),
    ("refunds", "UPDATE ON refunds", "OLD.provider_ref IS NULL AND NEW.provider_ref IS NOT NULL"),
    ("late money", "UPDATE ON payments", "OLD.status = 'late'"),
    ("questions", "INSERT ON webhook_inbox", "NEW.event_id = 'asked:{watched}:paid'"),
    ("early webhooks", "UPDATE ON webhook_inbox", "OLD.outcome = 'waiting' AND NEW.outcome <> 'waiting'"),
    ("webhooks to send", "UPDATE ON sandbox.events", "NEW.delivered_at IS NOT NULL"),
    ("turns", "UPDATE ON schedules", "NEW.last_finished_at IS DISTINCT FROM OLD.last_finished_at"),
];

/// Orders by what is to be done about them, of a book that others need not wait for, and how each stands in the end.
const ORDERS: [(&str, &str, &str); 8] = [
    ("overdue", "The Second Book", "EXPIRED"),
    ("called off", "The First Book", "CANCELLED"),
    ("refunded", "The First Book", "REFUNDED"),
    ("late", "Only Ten Copies", "PAID"),
    ("watched", "The First Book", "PAID"),
    ("early", "Only Two Copies", "PAID"),
    ("sent", "The First Book", "PAID"),
    ("placed", "The First Book", "PAYMENT_PENDING"),
];

/// Leases that are longer than a test should wait: within these times they run out.
const LEASES: &str = "
    SELECT topic || ' is leased for too long' FROM outbox WHERE due_at > now() + interval '60 seconds' UNION ALL
    SELECT 'a webhook to send is' FROM sandbox.events
        WHERE delivered_at IS NULL AND isfinite(due_at) AND due_at > now() + interval '30 seconds' UNION ALL
    SELECT 'an early webhook is' FROM webhook_inbox
        WHERE outcome = 'waiting' AND due_at > now() + interval '30 seconds' UNION ALL
    SELECT 'a turn is' FROM schedules WHERE leased_until > now() + interval '30 seconds'";
const LET_TIME_PASS: [&str; 4] = [
    "UPDATE outbox SET due_at = now()",
    "UPDATE sandbox.events SET due_at = now() WHERE delivered_at IS NULL AND isfinite(due_at)",
    "UPDATE webhook_inbox SET due_at = now() WHERE outcome = 'waiting'",
    "UPDATE schedules SET leased_until = now() WHERE leased_until IS NOT NULL",
];
/// The others run out by themselves: 15 s for what is in the stream, and for a transaction that stands still.
const TAKEOVER: Duration = Duration::from_secs(60);

struct Scene {
    shop: Shop,
    orders: BTreeMap<&'static str, (Visitor, String)>,
    /// Has a book in the cart whose price changes.
    keeper: Visitor,
    keepers_version: i64,
    // Last: the shop goes before its servers.
    servers: Servers,
}

impl Scene {
    /// Every kind of work is due, and nobody is there to do it.
    async fn set() -> Self {
        let servers = Servers::start().await;
        let mut shop = Shop::on_with(&servers, &[("BAZAR_POOL_SIZE", "60"), ("BAZAR_ASK_PAYMENTS_SECONDS", "5")]);
        shop.spawn("web");
        let mut first = worker(&shop);
        shop.wait_until_ready().await;
        let keeper = shop.visitor();
        let book = shop.book("The First Book").await;
        let cart = keeper.post("/api/cart/add", &[("book_id", &book)]).await.ok();
        let keepers_version = cart["version"].as_i64().expect("a version");
        let mut scene = Self { shop, orders: BTreeMap::new(), keeper, keepers_version, servers };
        for (name, title, _) in ORDERS.into_iter().take(7) {
            scene.place(name, title).await;
            let (shopper, order) = scene.order(name);
            wait_for(shopper, order, "PAYMENT_PENDING").await;
        }
        let (shopper, order) = scene.order("refunded");
        pay(shopper, order).await;
        first.kill();
        scene.leave_work().await;
        scene
    }

    async fn place(&mut self, name: &'static str, title: &str) {
        let (shopper, book) = (self.shop.visitor(), self.shop.book(title).await);
        shopper.post("/api/cart/add", &[("book_id", &book)]).await.ok();
        let order =
            place(&shopper, &name.replace(' ', "-")).await.ok()["order_id"].as_str().expect("an order").to_owned();
        self.orders.insert(name, (shopper, order));
    }

    fn order(&self, name: &str) -> (&Visitor, &str) {
        let (shopper, order) = &self.orders[name];
        (shopper, order)
    }

    async fn leave_work(&mut self) {
        self.place("placed", "The First Book").await;
        for name in ["called off", "late"] {
            let (shopper, order) = self.order(name);
            let session = [("order_id", order), ("provider", "sandbox")];
            let page = shopper.post("/api/payments/init", &session).await.ok()["redirect_url"].clone();
            shopper.post("/api/orders/cancel", &[("order_id", order)]).await.ok();
            if name == "late" {
                let page = page.as_str().expect("an address");
                assert_eq!(shopper.submit(page, page, &[("outcome", "pay")]).await.status, 303);
            }
        }
        for (name, outcome) in [("watched", "webhook_never"), ("early", "webhook_never"), ("sent", "pay")] {
            let (shopper, order) = self.order(name);
            assert_eq!(press(shopper, order, outcome).await.status, 303);
        }
        let store = self.shop.store().await;
        let refunded = self.order("refunded").1.parse().expect("an id");
        let wanted = Wanted {
            of: Of::Order(refunded),
            amount: None,
            reason: "torn".into(),
            restock: false,
            key: IdempotencyKey::parse("torn").expect("a key"),
            agreed: None,
        };
        refund::create(&store, &crate::shop::desk(), &wanted).await.expect("wanted");
        assert!(self.shop.import("sku,price_inr\nT-1,349\n").status.success());
        assert!(schedule::run_now(&store, "prune").await.expect("due"));
        self.servers.postgres.ask(&format!(
            "UPDATE orders SET expires_at = now() WHERE id = '{}';
             UPDATE payments SET ask_at = now() WHERE status = 'open';
             INSERT INTO webhook_inbox (provider, event_id, kind, payload, outcome, received_at, due_at)
                 SELECT 'sandbox', e.id, kind, payload, 'waiting', now(), now()
                 FROM sandbox.events e JOIN sandbox.payments p ON p.id = e.payment_id WHERE p.order_id = '{}';
             UPDATE outbox SET due_at = now()",
            self.order("overdue").1,
            self.order("early").1
        ));
    }

    /// Until nothing is left to do; `heir` does it.
    async fn until_done(&self) {
        // "Please pay" waits for those who pay at once.
        let hurry = "UPDATE outbox SET due_at = now() WHERE payload ->> 'kind' = 'order.placed' AND due_at > now()";
        let turn = "SELECT count(*) FROM schedules WHERE name = 'prune' AND leased_until IS NULL
                    AND last_finished_at >= last_started_at AND last_error IS NULL";
        let end = Instant::now() + TAKEOVER;
        loop {
            self.servers.postgres.ask(hurry);
            let mut left = work_left(&self.servers, &self.shop);
            left.retain(|kind| kind != "open orders: 1");
            if left.is_empty() && self.servers.postgres.ask(turn) == ["1"] {
                return;
            }
            assert!(Instant::now() < end, "after {TAKEOVER:?} there is work left: {left:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn assert_done_once(&self) {
        let postgres = &self.servers.postgres;
        for (name, _, status) in ORDERS {
            let order = self.order(name).1;
            let stands = postgres.ask(&format!("SELECT status FROM orders WHERE id = '{order}'"));
            assert_eq!(stands, [status], "{name}");
        }
        for (what, sql) in [
            ("steps", "SELECT order_id, status, cause FROM order_history GROUP BY 1, 2, 3 HAVING count(*) > 1"),
            ("refunds", "SELECT count(*) FROM sandbox.refunds HAVING count(*) <> 1"),
            ("letters", "SELECT source, key, error FROM dead_letters"),
            ("carts", "SELECT 1 WHERE (SELECT count(*) FROM carts) = 0"),
        ] {
            let wrong = postgres.ask(sql);
            assert!(wrong.is_empty(), "{what}: {wrong:?}");
        }
        let cart = self.keeper.get("/api/cart").await.ok();
        assert_eq!(cart["version"], self.keepers_version + 1, "told of the new price once: {cart}");
        self.shop.assert_sound();
    }
}

/// Keeps the writes of [`HELD`] waiting until it is opened.
struct Barrier<'a> {
    postgres: &'a Postgres,
    session: Child,
}

impl<'a> Barrier<'a> {
    fn close(scene: &'a Scene) -> Self {
        let postgres = &scene.servers.postgres;
        let watched = format!("SELECT id FROM payments WHERE order_id = '{}'", scene.order("watched").1);
        let watched = &postgres.ask(&watched)[0];
        let mut sql = "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                           PERFORM set_config('lock_timeout', '0', true);
                           PERFORM pg_advisory_xact_lock_shared(4711, TG_ARGV[0]::int);
                           RETURN coalesce(NEW, OLD);
                       END $$;"
            .to_owned();
        for (number, (_, write, when)) in HELD.iter().enumerate() {
            let when = when.replace("{watched}", watched);
            sql += &format!(
                "CREATE TRIGGER hold_{number} BEFORE {write} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION hold({number});"
            );
        }
        postgres.ask(&sql);
        let keep =
            "SELECT pg_advisory_lock(4711, n) FROM generate_series(0, 99) n; SELECT pg_sleep(120), 'the barrier'";
        let session = postgres.psql(keep).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let barrier = Self { postgres, session: session.expect("psql") };
        let end = Instant::now() + Duration::from_secs(10);
        while postgres.ask("SELECT 1 FROM pg_locks WHERE classid = 4711 AND objid = 99 AND granted").is_empty() {
            assert!(Instant::now() < end, "the barrier does not close");
            std::thread::sleep(Duration::from_millis(20));
        }
        barrier
    }

    /// Somebody stands before every write at the same time.
    async fn until_all_wait(&self) {
        let sql = "SELECT DISTINCT objid FROM pg_locks WHERE classid = 4711 AND NOT granted";
        let (end, mut seen) = (Instant::now() + TAKEOVER, Vec::new());
        while seen.len() < HELD.len() {
            let missing = HELD.iter().enumerate().filter(|(number, _)| !seen.contains(&number.to_string()));
            let missing: Vec<&str> = missing.map(|(_, (work, ..))| *work).collect();
            assert!(Instant::now() < end, "nobody waits with {missing:?}");
            tokio::time::sleep(Duration::from_millis(30)).await;
            seen = self.postgres.ask(sql);
        }
    }

    /// What the dead have begun, Postgres ends.
    fn bury(&self) {
        self.postgres.ask("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE classid = 4711 AND NOT granted");
    }
}

impl Drop for Barrier<'_> {
    fn drop(&mut self) {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE classid = 4711 AND objid = 99 AND granted";
        self.postgres.ask(end);
        let _ = self.session.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_with_all_its_work_in_hand_leaves_it_to_the_next() {
    let scene = Scene::set().await;
    let barrier = Barrier::close(&scene);
    let mut doomed = worker(&scene.shop);
    barrier.until_all_wait().await;
    doomed.kill();
    barrier.bury();
    drop(barrier);
    let postgres = &scene.servers.postgres;
    assert_eq!(postgres.ask(LEASES), [""; 0]);
    LET_TIME_PASS.iter().for_each(|sql| drop(postgres.ask(sql)));
    let _heir = worker(&scene.shop);
    scene.until_done().await;
    scene.assert_done_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_frozen_with_all_its_work_in_hand_does_none_of_it_twice() {
    let scene = Scene::set().await;
    let barrier = Barrier::close(&scene);
    let sleeper = worker(&scene.shop);
    barrier.until_all_wait().await;
    sleeper.signal("STOP");
    // What it wrote is written; what it began stands open until Postgres ends it.
    drop(barrier);
    let heir = worker(&scene.shop);
    LET_TIME_PASS.iter().for_each(|sql| drop(scene.servers.postgres.ask(sql)));
    scene.until_done().await;
    scene.assert_done_once().await;
    sleeper.signal("CONT");
    tokio::time::sleep(Duration::from_secs(3)).await;
    scene.until_done().await;
    scene.assert_done_once().await;
    drop((sleeper, heir));
}
