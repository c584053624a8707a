//! Carts against real servers: edits and their limits, races, orders taking copies, guests becoming shoppers, and
//! what Postgres gets of it all.

mod doubt;
mod drain;
mod edits;
mod merge;
mod orders;
mod outage;
mod parked;
mod persist;
mod prices;
mod reconcile;
mod told;

use crate::wire::{self, Wire};
use domain::{
    AccountId, BookId, ErrorCode, GuestId, OrderId, Owner, Quantity,
    cart::{CartView, LineNotice},
};
use redis::AsyncCommands;
use sqlx::{Connection, PgConnection};
use std::collections::HashMap;
use store::{Store, carts, carts::persist::PersistCarts, error::Error, jobs::Job, keys::Keys, testkit};

/// A shop with books, copies and shoppers, and the test's own way to its data.
pub struct Shop {
    pub store: Store,
    pub keys: Keys,
    pub redis: redis::aio::MultiplexedConnection,
    database_url: String,
}

impl Shop {
    pub async fn open() -> Self {
        let url = testkit::fresh_database().await;
        Self::with(url.clone(), &url).await
    }

    /// A shop that reaches Postgres by a wire that can be cut.
    pub async fn on_a_wire() -> (Self, Wire) {
        let url = testkit::fresh_database().await;
        let wire = Wire::to(&wire::host_of(&url)).await;
        (Self::with(url.clone(), &wire::reroute(&url, &wire.address)).await, wire)
    }

    /// A shop whose Redis is at this URL.
    pub async fn at_redis(url: &str) -> Self {
        let database = testkit::fresh_database().await;
        Self::build(database.clone(), &database, url).await
    }

    async fn with(database_url: String, way: &str) -> Self {
        Self::build(database_url, way, &testkit::redis_url()).await
    }

    async fn build(database_url: String, way: &str, redis_url: &str) -> Self {
        let mut config = testkit::config(way);
        config.redis_url = redis_url.to_owned();
        let keys = Keys::new(&config.key_prefix);
        let client = redis::Client::open(redis_url).expect("a Redis URL");
        let mut redis = client.get_multiplexed_async_connection().await.expect("connect to the test Redis");
        redis.set::<_, _, ()>(keys.epoch(), 1).await.expect("the gate is loaded");
        let world = std::sync::Arc::new(store::world::SystemWorld);
        let store = Store::connect(config, world).await.expect("connect to the test servers");
        Self { store, keys, redis, database_url }
    }

    pub async fn pg(&self) -> PgConnection {
        PgConnection::connect(&self.database_url).await.expect("connect to the test's database")
    }

    /// A book for ₹100 with so many copies on sale.
    pub async fn book(&self, copies: i64) -> BookId {
        self.books(1, copies).await[0]
    }

    pub async fn books(&self, count: i32, copies: i64) -> Vec<BookId> {
        let insert = "INSERT INTO books (sku, slug, title, authors, price_minor)
            SELECT k, k, 'Book ' || k, '{An Author}', 10000 FROM (SELECT gen_random_uuid()::text FROM generate_series(1, $1)) AS x (k)
            RETURNING id";
        let ids: Vec<i64> =
            sqlx::query_scalar(insert).bind(count).fetch_all(&mut self.pg().await).await.expect("books");
        let books: Vec<BookId> = ids.iter().map(|id| BookId::new(*id).expect("an id")).collect();
        for book in &books {
            self.stock(*book, copies).await;
        }
        books
    }

    pub async fn stock(&self, book: BookId, copies: i64) {
        self.redis.clone().hset::<_, _, _, ()>(self.keys.stock(), book.get(), copies).await.expect("copies");
    }

    pub async fn account(&self) -> AccountId {
        let insert = "INSERT INTO accounts (email, name, password_hash)
            VALUES (gen_random_uuid()::text || '@example.org', 'Asha', '-') RETURNING id";
        let id: i64 = sqlx::query_scalar(insert).fetch_one(&mut self.pg().await).await.expect("an account");
        AccountId::new(id).expect("an id")
    }

    pub async fn shopper(&self) -> Owner {
        Owner::Account(self.account().await)
    }

    pub async fn add(&self, owner: &Owner, book: BookId, copies: i64) -> CartView {
        carts::add(&self.store, owner, book, quantity(copies)).await.expect("added")
    }

    pub async fn view(&self, owner: &Owner) -> CartView {
        carts::view(&self.store, owner).await.expect("a cart")
    }

    /// Lets the worker do everything that is dirty, due or not; returns how many batches that took.
    pub async fn drain(&self) -> usize {
        for batches in 0..100 {
            if !self.make_due().await {
                return batches;
            }
            let batch = PersistCarts.fetch(&self.store).await.expect("claimed").expect("something is due");
            PersistCarts.handle(&self.store, batch).await.expect("persisted");
        }
        panic!("the carts never come clean");
    }

    /// One batch of what is due.
    pub async fn work(&self) {
        let batch = PersistCarts.fetch(&self.store).await.expect("claimed").expect("something is due");
        PersistCarts.handle(&self.store, batch).await.expect("handled");
    }

    /// Whether there was a dirty cart.
    pub async fn make_due(&self) -> bool {
        let mut redis = self.redis.clone();
        let mut is_dirty = false;
        for bucket in 0..Owner::CART_BUCKETS {
            let key = self.keys.carts_dirty(bucket);
            let dirty: Vec<String> = redis.zrange(&key, 0, -1).await.expect("the dirty ones");
            is_dirty |= !dirty.is_empty();
            for owner in dirty {
                redis.zadd::<_, _, _, ()>(&key, owner, 0).await.expect("made due");
            }
        }
        is_dirty
    }

    pub async fn is_dirty(&self, owner: &Owner) -> bool {
        let due: Option<i64> = self
            .redis
            .clone()
            .zscore(self.keys.carts_dirty(owner.cart_bucket()), owner.to_string())
            .await
            .expect("due");
        due.is_some()
    }

    /// Redis loses this cart and everything about it.
    pub async fn lose(&self, owner: &Owner) {
        let mut redis = self.redis.clone();
        redis.del::<_, ()>(self.keys.cart(owner)).await.expect("lost");
        let dirty = self.keys.carts_dirty(owner.cart_bucket());
        redis.zrem::<_, _, ()>(dirty, owner.to_string()).await.expect("lost");
    }

    /// The hash as it is, to come back later with [`Shop::revive`].
    pub async fn copy(&self, owner: &Owner) -> HashMap<String, String> {
        self.redis.clone().hgetall(self.keys.cart(owner)).await.expect("the hash")
    }

    /// Redis comes up with an old file: this is what it had of the cart then, from another run.
    pub async fn revive(&self, owner: &Owner, mut old: HashMap<String, String>) {
        self.lose(owner).await;
        old.insert("e".to_owned(), "another-run".to_owned());
        let fields: Vec<_> = old.into_iter().collect();
        self.redis.clone().hset_multiple::<_, _, _, ()>(self.keys.cart(owner), &fields).await.expect("revived");
    }

    pub async fn price(&self, book: BookId, rupees: i64) {
        let update = sqlx::query("UPDATE books SET price_minor = $2 WHERE id = $1").bind(book.get()).bind(rupees * 100);
        update.execute(&mut self.pg().await).await.expect("another price");
    }

    /// Another process, which has nothing cached.
    pub async fn other(&self) -> Store {
        let world = std::sync::Arc::new(store::world::SystemWorld);
        Store::connect(self.store.config().clone(), world).await.expect("connect")
    }

    /// What Postgres has of the cart: its version and lines.
    pub async fn written(&self, owner: &Owner) -> Option<(i64, Vec<(i64, i64)>)> {
        let mut pg = self.pg().await;
        let t = sqlx::query_scalar("SELECT t FROM carts WHERE owner = $1").bind(owner.to_string());
        let t: i64 = t.fetch_optional(&mut pg).await.expect("a row")?;
        let lines =
            sqlx::query_as("SELECT book_id, quantity::bigint FROM cart_lines WHERE owner = $1 ORDER BY book_id");
        Some((t, lines.bind(owner.to_string()).fetch_all(&mut pg).await.expect("lines")))
    }
}

pub fn quantity(copies: i64) -> Quantity {
    Quantity::new(copies).expect("1 to 10")
}

pub fn guest() -> Owner {
    Owner::Guest(new_guest())
}

#[expect(clippy::disallowed_methods, reason = "tests need ids nobody else has")]
fn new_guest() -> GuestId {
    GuestId::new(uuid::Uuid::new_v4())
}

#[expect(clippy::disallowed_methods, reason = "tests need ids nobody else has")]
fn new_order() -> OrderId {
    OrderId::new(uuid::Uuid::new_v4())
}

/// Book and copies of each line.
pub fn held(cart: &CartView) -> Vec<(i64, i64)> {
    cart.lines.iter().map(|line| (line.book_id.get(), i64::from(line.quantity))).collect()
}

fn notice(cart: &CartView, book: BookId) -> Option<LineNotice> {
    cart.lines.iter().find(|line| line.book_id == book).expect("a line").notice.clone()
}

fn code(result: Result<CartView, Error>) -> ErrorCode {
    match result {
        Err(Error::Refused(refusal)) => refusal.code,
        other => panic!("not a refusal: {other:?}"),
    }
}
