//! A shop with books on its shelves, shoppers with full carts, and jobs that run when the test says so.

use crate::wire::{self, Wire};
use domain::{
    BookId, GuestId, IdempotencyKey, Minor, OrderId, Owner, Quantity,
    account::Role,
    address::Address,
    order::{OrderStatus, PlaceOrder, Placed},
};
use redis::AsyncCommands;
use sqlx::postgres::PgPoolOptions;
use std::{sync::Arc, time::Duration};
use store::{
    Store, carts, check,
    config::{Secret, StoreConfig},
    error::Error,
    jobs::{DrainOutbox, Job},
    keys::Keys,
    orders::{self, ExpireOrders, PersistOrders},
    payments::{self, signature},
    stock::{self, ApplyGateOps},
    testkit,
    viewer::Viewer,
};

pub struct Shop {
    pub store: Store,
    pub keys: Keys,
    pub redis: redis::aio::MultiplexedConnection,
    pub pg: sqlx::PgPool,
    pub persist: PersistOrders,
}

impl Shop {
    /// A shop whose gate is loaded.
    pub async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    pub async fn open_with(change: impl FnOnce(&mut StoreConfig)) -> Self {
        let url = testkit::fresh_database().await;
        Self::at(&url, &url, change).await
    }

    /// A shop that reaches Postgres by a wire that can be cut.
    pub async fn on_a_wire() -> (Self, Wire) {
        let url = testkit::fresh_database().await;
        let wire = Wire::to(&wire::host_of(&url)).await;
        (Self::at(&url, &wire::reroute(&url, &wire.address), |_| {}).await, wire)
    }

    async fn at(url: &str, way: &str, change: impl FnOnce(&mut StoreConfig)) -> Self {
        let mut config = testkit::config(way);
        change(&mut config);
        let keys = Keys::new(&config.key_prefix);
        let client = redis::Client::open(config.redis_url.as_str()).expect("a Redis URL");
        let redis = client.get_multiplexed_async_connection().await.expect("connect to the test Redis");
        let pg = PgPoolOptions::new().max_connections(4).connect(url).await.expect("connect to the test's database");
        let store = Store::connect(config, Arc::new(store::world::SystemWorld)).await.expect("connect");
        stock::ensure_loaded(&store).await.expect("load an empty gate");
        let persist = PersistOrders::new(&store);
        Self { store, keys, redis, pg, persist }
    }

    /// A book for ₹499 with so many copies, in the ledger and at the gate.
    pub async fn book(&self, copies: i32) -> BookId {
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO books (sku, slug, title, authors, price_minor)
             SELECT k, k, 'Gitanjali', '{Tagore}', 49900 FROM (SELECT gen_random_uuid()::text) AS x (k) RETURNING id",
        )
        .fetch_one(&self.pg)
        .await
        .expect("a book");
        sqlx::query("INSERT INTO stock (book_id) VALUES ($1)").bind(id).execute(&self.pg).await.expect("its stock row");
        let book = BookId::new(id).expect("an id");
        self.restock(book, copies).await;
        self.apply_gate_ops().await;
        book
    }

    /// A correction by hand: ledger and gate operation in one transaction, but without the gate lock that `set_on_hand`
    /// shares; a rebuild must come out right even so.
    pub async fn restock(&self, book: BookId, delta: i32) {
        let mut tx = self.pg.begin().await.expect("a transaction");
        let steps = [
            "INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, operation_id, at)
             SELECT $1, CASE WHEN $2 > 0 THEN 'receipt' ELSE 'adjustment' END, $2, $2, 0, gen_random_uuid()::text, now()
             WHERE $2 <> 0",
            "UPDATE stock SET on_hand = on_hand + $2 WHERE book_id = $1",
            "INSERT INTO gate_ops (kind, lines, due_at)
             SELECT 'adjust', jsonb_build_array(jsonb_build_array($1, $2)), '-infinity' WHERE $2 <> 0",
        ];
        for step in steps {
            sqlx::query(step).bind(book.get()).bind(delta).execute(&mut *tx).await.expect("restock");
        }
        tx.commit().await.expect("commit");
    }

    pub fn guest(&self) -> Owner {
        Owner::Guest(GuestId::new(uuid()))
    }

    /// One of the people of the shop.
    pub async fn admin(&self) -> Viewer {
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO accounts (email, name, password_hash, role)
             VALUES (gen_random_uuid() || '@shop.example', 'Boss', 'x', 'owner') RETURNING id",
        )
        .fetch_one(&self.pg)
        .await
        .expect("an account");
        let account = domain::AccountId::new(id).expect("an id");
        Viewer { role: Role::Owner, ..Viewer::new(Owner::Account(account)) }
    }

    /// Paid by the provider's word.
    pub async fn paid_order(&self, books: &[(BookId, i64)]) -> (Owner, OrderId) {
        let (owner, order) = self.payable_order(books).await;
        assert_eq!(self.capture(order).await.await, payments::Received::Applied);
        (owner, order)
    }

    /// A guest with copies of these books in the cart.
    pub async fn shopper(&self, books: &[(BookId, i64)]) -> Owner {
        let owner = self.guest();
        self.fill(&owner, books).await;
        owner
    }

    pub async fn fill(&self, owner: &Owner, books: &[(BookId, i64)]) {
        for (book, copies) in books {
            let copies = Quantity::new(*copies).expect("a quantity");
            carts::add(&self.store, owner, *book, copies).await.expect("add to the cart");
        }
    }

    pub async fn place(&self, owner: &Owner, key: &str) -> Result<Placed, Error> {
        orders::place(&self.store, owner, request(), IdempotencyKey::parse(key).expect("a key"), None).await
    }

    /// Accepted, not yet in Postgres.
    pub async fn waiting_order(&self, books: &[(BookId, i64)]) -> (Owner, OrderId) {
        let owner = self.shopper(books).await;
        let placed = self.place(&owner, "k").await.expect("place");
        (owner, placed.order_id)
    }

    /// Written down, its copies claimed, not yet paid.
    pub async fn payable_order(&self, books: &[(BookId, i64)]) -> (Owner, OrderId) {
        let order = self.waiting_order(books).await;
        self.persist_all().await;
        assert_eq!(self.status(order.1).await, Some(OrderStatus::PaymentPending));
        order
    }

    /// Writes down everything that is in the stream.
    pub async fn persist_all(&self) {
        while self.stream_len().await > 0 {
            if let Some(batch) = self.persist.fetch(&self.store).await.expect("read the stream") {
                self.persist.handle(&self.store, batch).await.expect("persist");
            }
        }
    }

    pub async fn apply_gate_ops(&self) {
        while ApplyGateOps.fetch(&self.store).await.expect("look for operations").is_some() {
            ApplyGateOps.handle(&self.store, ()).await.expect("apply");
        }
    }

    pub async fn expire_due(&self) {
        while let Some(due) = ExpireOrders.fetch(&self.store).await.expect("look for due orders") {
            ExpireOrders.handle(&self.store, due).await.expect("expire");
        }
    }

    /// Decides about money that came late.
    pub async fn decide_late(&self) {
        let lane = DrainOutbox::LATE_MONEY;
        while let Some(batch) = lane.fetch(&self.store).await.expect("look for late money") {
            lane.handle(&self.store, batch).await.expect("decide");
        }
    }

    /// Lets this order's time to pay be over.
    pub async fn let_time_pass(&self, order: OrderId) {
        let update = "UPDATE orders SET expires_at = now() - interval '1 second' WHERE id = $1";
        sqlx::query(update).bind(order.get()).execute(&self.pg).await.expect("move the deadline");
    }

    pub async fn cancel(&self, owner: &Owner, order: OrderId) -> Result<OrderStatus, Error> {
        orders::cancel(&self.store, &Viewer::new(*owner), order).await.map(|view| view.status)
    }

    /// As Postgres has it.
    pub async fn status(&self, order: OrderId) -> Option<OrderStatus> {
        let status: Option<String> = sqlx::query_scalar("SELECT status FROM orders WHERE id = $1")
            .bind(order.get())
            .fetch_optional(&self.pg)
            .await
            .expect("read the status");
        status.map(|status| status.parse().expect("a status"))
    }

    pub async fn assert_no_status(&self, status: OrderStatus) {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM orders WHERE status = $1")
            .bind(status.as_str())
            .fetch_one(&self.pg)
            .await
            .expect("count");
        assert_eq!(count, 0, "{status}");
    }

    /// On hand and reserved.
    pub async fn ledger(&self, book: BookId) -> (i32, i32) {
        sqlx::query_as("SELECT on_hand, reserved FROM stock WHERE book_id = $1")
            .bind(book.get())
            .fetch_one(&self.pg)
            .await
            .expect("read the ledger")
    }

    /// Copies on sale as the gate has them, loaded or not.
    pub async fn at_gate(&self, book: BookId) -> i64 {
        self.redis.clone().hget(self.keys.stock(), book.get()).await.expect("read the gate")
    }

    pub async fn stream_len(&self) -> i64 {
        self.redis.clone().xlen(self.keys.placed()).await.expect("read the stream")
    }

    pub async fn has_reservation(&self, order: OrderId) -> bool {
        self.redis.clone().exists(self.keys.reservation(order)).await.expect("look for the reservation")
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pg).await.expect("count")
    }

    /// Whoever has entries of the stream in hand seems to be dead.
    pub async fn abandon_entries(&self) {
        let placed = self.keys.placed();
        let pending: Result<redis::streams::StreamPendingCountReply, _> =
            self.redis.clone().xpending_count(&placed, "persist", "-", "+", 1000).await;
        // Without a group nobody has anything in hand.
        for entry in pending.map(|reply| reply.ids).unwrap_or_default() {
            let mut age = redis::cmd("XCLAIM");
            age.arg(&placed).arg("persist").arg(&entry.consumer).arg(0).arg(&entry.id).arg("IDLE").arg(16_000);
            age.arg("JUSTID").exec_async(&mut self.redis.clone()).await.expect("make it look old");
        }
    }

    /// A session at the provider that is about to be paid; returns what pays it.
    pub async fn capture(&self, order: OrderId) -> impl Future<Output = payments::Received> {
        let session = format!("sbx_pay_{}", uuid().simple());
        let (amount, currency): (i64, String) = sqlx::query_as(
            "INSERT INTO payments (id, order_id, provider, provider_ref, status, amount_minor, currency, redirect_url, created_at)
             SELECT gen_random_uuid(), id, 'sandbox', $2, 'open', total_minor, currency, 'http://pay.test', now()
             FROM orders WHERE id = $1 RETURNING amount_minor, currency",
        )
        .bind(order.get())
        .bind(&session)
        .fetch_one(&self.pg)
        .await
        .expect("open a session");
        let event = serde_json::json!({"id": session, "type": "payment.captured", "created": 1, "data": {
            "payment_id": session, "reference": "", "order_id": order, "amount": amount, "currency": currency}});
        receive(self.store.clone(), event)
    }

    /// The provider says that all the money asked back has gone back.
    pub async fn confirm_refunds(&self) -> Vec<payments::Received> {
        self.end_refunds("refund.succeeded").await
    }

    /// The provider says that it could send none of the money back.
    pub async fn fail_refunds(&self) -> Vec<payments::Received> {
        self.end_refunds("refund.failed").await
    }

    async fn end_refunds(&self, kind: &str) -> Vec<payments::Received> {
        let asked: Vec<(String, String, String, i64, String)> = sqlx::query_as(
            "SELECT r.id::text, p.provider_ref, r.order_id::text, r.amount_minor, r.currency
             FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE r.status = 'requested'",
        )
        .fetch_all(&self.pg)
        .await
        .expect("read the refunds");
        let events = asked.into_iter().map(|(refund, session, order, amount, currency)| {
            let event = serde_json::json!({"id": refund, "type": kind, "created": 1, "data": {
                "payment_id": session, "reference": "", "refund_reference": refund, "order_id": order,
                "amount": amount, "currency": currency}});
            receive(self.store.clone(), event)
        });
        futures::future::join_all(events).await
    }

    /// Redis loses everything of this shop.
    pub async fn lose_redis(&self) {
        let keys: Vec<String> =
            self.redis.clone().keys(self.keys.epoch().replace("{inv}:epoch", "*")).await.expect("list the keys");
        let _: () = self.redis.clone().del(keys).await.expect("lose them");
    }

    /// Every promise holds.
    pub async fn assert_sound(&self) {
        for finding in check::run(&self.store).await.expect("check") {
            assert_eq!(finding.violations, Vec::<String>::new(), "{}", finding.promise);
        }
    }
}

/// A webhook of the provider, signed when it is sent.
async fn receive(store: Store, event: serde_json::Value) -> payments::Received {
    let body = event.to_string().into_bytes();
    let signed = signature::sign(&Secret::new("test-webhook"), store.now().get() / 1000, &body);
    let header = |name: &str| (name == "sandbox-signature").then(|| signed.clone());
    payments::receive(&store, "sandbox", &header, &body).await.expect("receive the webhook")
}

/// A request as the checkout page sends it.
pub fn request() -> PlaceOrder {
    let address = Address {
        name: "Asha Rao".into(),
        line1: "12 MG Road".into(),
        line2: None,
        city: "Bengaluru".into(),
        state: "Karnataka".into(),
        postcode: "560001".into(),
        country: "IN".into(),
        phone: "+91 98450 12345".into(),
    };
    PlaceOrder { address, email: "asha@example.org".into(), expected_total: None }
}

pub fn expecting(total: i64) -> PlaceOrder {
    PlaceOrder { expected_total: Some(Minor::new(total)), ..request() }
}

/// Waits until it is so, at most ten seconds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    for _ in 0..200 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not within ten seconds: {what}");
}

#[expect(clippy::disallowed_methods, reason = "tests need names nobody else has")]
pub fn uuid() -> uuid::Uuid {
    uuid::Uuid::new_v4()
}
