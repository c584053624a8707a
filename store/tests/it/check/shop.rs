//! A shop whose workers move when a test says so, with an order of every kind, and its checker's word.

use domain::{
    Minor, OrderId, Owner, Quantity,
    address::{Address, AddressForm},
    ids::{BookId, GuestId, IdempotencyKey},
    order::PlaceOrder,
};
use redis::AsyncCommands;
use sqlx::PgPool;
use store::{
    Store, carts, check,
    jobs::Job,
    keys::Keys,
    orders::{self, PersistOrders},
    stock::{self, ApplyGateOps},
    testkit,
    viewer::Viewer,
};

pub struct Shop {
    pub store: Store,
    pub pg: PgPool,
    redis: redis::aio::MultiplexedConnection,
    pub keys: Keys,
    pub books: Vec<BookId>,
    persist: PersistOrders,
}

#[expect(clippy::disallowed_methods, reason = "tests need ids nobody else has")]
pub fn guest() -> Owner {
    Owner::Guest(GuestId::new(uuid::Uuid::new_v4()))
}

fn request() -> PlaceOrder {
    let text = |text: &str| text.to_owned();
    let form = AddressForm {
        name: text("Asha Rao"),
        line1: text("12 MG Road"),
        line2: text(""),
        city: text("Bengaluru"),
        state: text("Karnataka"),
        postcode: text("560001"),
        country: text("IN"),
        phone: text("9845012345"),
    };
    PlaceOrder { address: Address::parse(&form).unwrap(), email: text("asha@example.org"), expected_total: None }
}

impl Shop {
    /// Three books, 40 copies each, and a loaded gate.
    pub async fn open() -> Self {
        Self::at(&testkit::redis_url()).await
    }

    /// The same at this Redis.
    async fn at(redis_url: &str) -> Self {
        let store = testkit::store_with(|config| config.redis_url = redis_url.to_owned()).await;
        let pg = PgPool::connect(&store.config().database_url).await.unwrap();
        let sql = "WITH book AS (INSERT INTO books (sku, slug, title, authors, price_minor)
                       SELECT k, k, 'Book ' || k, '{An Author}', 10000 FROM (SELECT 'b' || n FROM generate_series(1, 3) n) x (k)
                       RETURNING id),
                   shelf AS (INSERT INTO stock (book_id, on_hand) SELECT id, 40 FROM book)
                   INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, operation_id, at)
                   SELECT id, 'receipt', 40, 40, 0, 'first', now() FROM book RETURNING book_id";
        let ids: Vec<i64> = sqlx::query_scalar(sql).fetch_all(&pg).await.unwrap();
        stock::ensure_loaded(&store).await.unwrap();
        let client = redis::Client::open(redis_url).unwrap();
        let redis = client.get_multiplexed_async_connection().await.unwrap();
        let keys = Keys::new(&store.config().key_prefix);
        let books = ids.into_iter().map(|id| BookId::new(id).unwrap()).collect();
        let persist = PersistOrders::new(&store);
        Self { store, pg, redis, keys, books, persist }
    }

    /// A shop with an order of every kind: paid, waiting for payment, cancelled, and one still in the stream.
    pub async fn busy() -> (Self, [Accepted; 4]) {
        Self::busy_at(&testkit::redis_url()).await
    }

    pub async fn busy_at(redis_url: &str) -> (Self, [Accepted; 4]) {
        let shop = Self::at(redis_url).await;
        let (paid, open, cancelled) = (shop.place().await, shop.place().await, shop.place().await);
        shop.persist().await;
        orders::cancel(&shop.store, &Viewer::new(cancelled.owner), cancelled.id).await.unwrap();
        shop.pay(paid.id).await;
        shop.apply_gate_ops().await;
        let waiting = shop.place().await;
        (shop, [paid, open, cancelled, waiting])
    }

    pub async fn place(&self) -> Accepted {
        let owner = guest();
        for book in &self.books[..2] {
            carts::add(&self.store, &owner, *book, Quantity::new(2).unwrap()).await.unwrap();
        }
        let key = IdempotencyKey::parse("click").unwrap();
        let placed = orders::place(&self.store, &owner, request(), key, None).await.unwrap();
        Accepted { id: placed.order_id, owner }
    }

    pub async fn persist(&self) {
        while self.redis().xlen::<_, usize>(self.keys.placed()).await.unwrap() > 0 {
            if let Some(batch) = self.persist.fetch(&self.store).await.unwrap() {
                self.persist.handle(&self.store, batch).await.unwrap();
            }
        }
    }

    pub async fn apply_gate_ops(&self) {
        while let Some(batch) = ApplyGateOps.fetch(&self.store).await.unwrap() {
            ApplyGateOps.handle(&self.store, batch).await.unwrap();
        }
    }

    /// Pays the order by a genuine webhook.
    pub async fn pay(&self, order: OrderId) {
        let total: i64 = sqlx::query_scalar("SELECT total_minor FROM orders WHERE id = $1")
            .bind(order.get())
            .fetch_one(&self.pg)
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO payments (id, order_id, provider, provider_ref, status, amount_minor, currency, created_at)
             SELECT id, id, 'sandbox', id::text, 'open', total_minor, currency, now() FROM orders WHERE id = $1",
        )
        .bind(order.get())
        .execute(&self.pg)
        .await
        .unwrap();
        let event = serde_json::json!({"id": order, "type": "payment.captured", "data": {"payment_id": order,
            "reference": order, "order_id": order, "amount": Minor::new(total), "currency": "INR"}});
        let body = serde_json::to_vec(&event).unwrap();
        let secret = store::config::Secret::new("test-webhook");
        let header = store::payments::signature::sign(&secret, self.store.now().get() / 1000, &body);
        let received = store::payments::receive(&self.store, "sandbox", &|_| Some(header.clone()), &body).await;
        assert_eq!(received.unwrap(), store::payments::Received::Applied);
    }

    /// Runs SQL with the schema's own guards off, as a bug or a careless hand might.
    pub async fn spoil(&self, sql: &'static str) {
        let mut tx = self.pg.begin().await.unwrap();
        sqlx::raw_sql("SET LOCAL session_replication_role = replica").execute(&mut *tx).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub fn redis(&self) -> redis::aio::MultiplexedConnection {
        self.redis.clone()
    }

    pub async fn violations(&self) -> Vec<String> {
        let findings = check::run(&self.store).await.unwrap();
        assert_eq!(findings.len(), 6);
        findings
            .into_iter()
            .flat_map(|f| f.violations.into_iter().map(move |v| format!("{} {v}", &f.promise[..1])))
            .collect()
    }
}

#[derive(Clone, Copy)]
pub struct Accepted {
    pub id: OrderId,
    pub owner: Owner,
}
