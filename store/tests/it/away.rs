//! Postgres away for long: whoever is logged in shops on at the same speed, and its return is no stampede.

use crate::{
    clock::Clock,
    wire::{self, Wire},
};
use domain::{
    BookId, ErrorCode, Owner, Quantity,
    account::{Registration, Role},
};
use redis::AsyncCommands;
use sqlx::{Connection, PgConnection};
use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};
use store::{Store, accounts, carts, catalog, config::StoreConfig, error::Error, keys::Keys, live::Hub, testkit};
use tokio_util::sync::CancellationToken;

/// Slower than this is felt.
const AT_ONCE: Duration = Duration::from_millis(300);
const BOOKS: usize = 60;

struct Shop {
    store: Store,
    /// Another process of the same shop, on a wire of its own that stays whole.
    other: Store,
    wire: Wire,
    clock: Arc<Clock>,
    books: Vec<BookId>,
    url: String,
}

impl Shop {
    /// A catalogue that nobody looked at, with copies of everything.
    async fn open() -> Self {
        let url = testkit::fresh_database().await;
        let mut pg = PgConnection::connect(&url).await.expect("the test's database");
        let insert = "INSERT INTO books (sku, slug, title, authors, price_minor)
            SELECT k, 'b-' || k, 'Book ' || k, '{An Author}', 10000 FROM generate_series(1, $1) AS x (n), LATERAL (SELECT n::text) AS y (k)
            RETURNING id";
        let ids: Vec<i64> = sqlx::query_scalar(insert).bind(BOOKS as i32).fetch_all(&mut pg).await.expect("books");
        let wire = Wire::to(&wire::host_of(&url)).await;
        let (whole, clock) = (testkit::config(&url), Arc::new(Clock::default()));
        let config = StoreConfig { database_url: wire::reroute(&url, &wire.address), ..whole.clone() };
        let keys = Keys::new(&config.key_prefix);
        let connect = async |config| Store::connect(config, clock.clone()).await.expect("connect");
        let (store, other) = (connect(config).await, connect(whole).await);
        let mut redis = testkit::redis(&store);
        redis.set::<_, _, ()>(keys.epoch(), 1).await.expect("the gate is loaded");
        for id in &ids {
            redis.hset::<_, _, _, ()>(keys.stock(), id, 1_000).await.expect("copies");
        }
        let books = ids.iter().map(|id| BookId::new(*id).expect("an id")).collect();
        Self { store, other, wire, clock, books, url }
    }

    /// Nothing that the processes hold is fresh any more.
    fn let_everything_age(&self) {
        self.clock.pass(61_000);
    }

    /// Requests until it is known that Postgres is away; each has its answer, and none waits for long.
    async fn find_out(&self, owner: &Owner) {
        let begun = Instant::now();
        loop {
            let (answer, took) = timed(carts::view(&self.store, owner)).await;
            answer.expect("a cart");
            assert!(took < Duration::from_secs(5), "{took:?}");
            let slow = self.ask_postgres().await;
            if slow.is_err() && timed(self.ask_postgres()).await.1 < AT_ONCE {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "nobody notices");
        }
    }

    /// What no process holds.
    async fn ask_postgres(&self) -> Result<(), Error> {
        catalog::places::book_parts(&self.store, 1).await.map(|_| ())
    }

    async fn is_back(&self) {
        let begun = Instant::now();
        while self.ask_postgres().await.is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "Postgres is not taken back");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let begun = Instant::now();
    let done = work.await;
    (done, begun.elapsed())
}

fn registration(email: &str) -> Registration {
    Registration::parse(email, "correct horse", "Asha").expect("a registration")
}

async fn shops_on_at_the_same_speed(away: impl FnOnce(&Wire)) {
    let shop = Shop::open().await;
    let store = &shop.store;
    let account = accounts::register(store, registration("a@b.in")).await.expect("registered");
    // Logged in at another process: this one never saw them.
    let stranger = accounts::register(&shop.other, registration("b@b.in")).await.expect("registered");
    accounts::get(store, account.view.id).await.expect("read").expect("there");
    let owner = Owner::Account(account.view.id);
    carts::add(store, &owner, shop.books[0], Quantity::new(1).expect("one")).await.expect("added");
    assert!(catalog::warm(store).await.expect("warm") > 0);
    assert_eq!(catalog::warm(store).await.expect("warm"), 0);
    shop.let_everything_age();
    away(&shop.wire);
    shop.find_out(&owner).await;
    let mut times = Vec::new();
    for round in 0..150 {
        let book = shop.books[round % 20];
        let shopping = async {
            let known = accounts::get(store, account.view.id).await.expect("read").expect("logged in");
            assert_eq!(known.auth_hash, account.auth_hash);
            let copies = Quantity::new(1 + (round as i64 % 9)).expect("a quantity");
            carts::set(store, &owner, book, copies).await.expect("set");
            assert!(!carts::view(store, &owner).await.expect("viewed").lines.is_empty());
            let slug = format!("b-{}", 1 + round % BOOKS);
            assert!(catalog::book(store, &slug).await.expect("a page").is_some(), "never shown before");
            catalog::home(store).await.expect("home");
        };
        times.push(timed(shopping).await.1);
    }
    times.sort();
    let p99 = times[times.len() * 99 / 100];
    assert!(p99 < AT_ONCE, "p99 {p99:?}");
    for _ in 0..2 {
        let (known, took) = timed(accounts::get(store, stranger.view.id)).await;
        let known = known.expect("read").expect("stays logged in");
        assert_eq!((&known.view, &known.auth_hash), (&stranger.view, &stranger.auth_hash));
        assert!(took < AT_ONCE, "{took:?}");
    }
    let (refused, took) = timed(accounts::verify(store, "a@b.in", "correct horse")).await;
    assert_eq!(refused.expect_err("nobody can log in").to_api().code, ErrorCode::NotReady);
    assert!(took < AT_ONCE, "{took:?}");
    shop.wire.mend();
    shop.is_back().await;
    assert!(accounts::verify(store, "a@b.in", "correct horse").await.expect("compared").is_some());
}

#[tokio::test]
async fn shoppers_do_not_notice_a_postgres_that_refuses() {
    shops_on_at_the_same_speed(Wire::cut).await;
}

#[tokio::test]
async fn shoppers_do_not_notice_a_postgres_that_hangs() {
    shops_on_at_the_same_speed(Wire::freeze).await;
}

#[tokio::test]
async fn its_return_is_no_stampede() {
    let shop = Shop::open().await;
    let guest = Owner::Guest(domain::GuestId::new(uuid()));
    carts::add(&shop.store, &guest, shop.books[0], Quantity::new(1).expect("one")).await.expect("added");
    catalog::warm(&shop.store).await.expect("warm");
    shop.let_everything_age();
    shop.wire.freeze();
    shop.find_out(&guest).await;
    shop.wire.mend();
    shop.is_back().await;
    shop.let_everything_age();
    shop.wire.requests();
    let readers = (0..3_000).map(|n| {
        let (store, book) = (shop.store.clone(), shop.books[n % BOOKS]);
        tokio::spawn(async move { catalog::facts(&store, &[book]).await.expect("facts").len() })
    });
    let answers = futures::future::join_all(readers).await;
    assert!(answers.into_iter().all(|found| found.is_ok_and(|found| found == 1)));
    let requests = shop.wire.requests();
    assert!(requests > 0, "somebody refreshed");
    assert!(requests < 1_000, "{requests} packets for {BOOKS} books");
}

#[tokio::test]
async fn one_broken_connection_is_no_outage() {
    let shop = Shop::open().await;
    assert!(shop.ask_postgres().await.is_ok());
    let mut pg = PgConnection::connect(&shop.url).await.expect("the test's database");
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    for _ in 0..20 {
        sqlx::raw_sql(kill).execute(&mut pg).await.expect("all its connections are killed");
        let answer = shop.ask_postgres().await;
        assert!(answer.is_ok(), "{answer:?}");
    }
}

#[tokio::test]
async fn another_role_is_seen_by_all_processes_and_leaves_no_copy() {
    let shop = Shop::open().await;
    let stop = CancellationToken::new();
    let _hub = Hub::start(shop.store.clone(), stop.clone());
    let shopper = accounts::register(&shop.store, registration("a@b.in")).await.expect("registered");
    let id = shopper.view.id;
    let key = Keys::new(&shop.store.config().key_prefix).account(id);
    let mut redis = testkit::redis(&shop.store);
    assert!(redis.exists::<_, bool>(&key).await.expect("asked"), "kept at registration");
    let role = async || accounts::get(&shop.store, id).await.expect("read").expect("there").view.role;
    let begun = Instant::now();
    assert_eq!(role().await, Role::Shopper);
    accounts::create_admin(&shop.other, registration("a@b.in")).await.expect("made");
    // The subscription may only just be beginning: then it drops everything.
    while role().await != Role::Owner {
        assert!(begun.elapsed() < Duration::from_secs(20), "the change is not heard");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let copy: String = redis.get(&key).await.expect("read again, kept again");
    assert!(copy.contains("owner"), "{copy}");
    stop.cancel();
}

fn uuid() -> uuid::Uuid {
    store::world::World::uuid(&store::world::SystemWorld)
}
