//! `bazar check` against real servers: a shop in the middle of its work is clean, and every planted violation is seen.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use domain::{
    Minor, OrderId, Owner, Quantity,
    address::{Address, AddressForm},
    ids::{BookId, GuestId, IdempotencyKey},
    order::PlaceOrder,
};
use redis::AsyncCommands;
use sqlx::PgPool;
use std::time::Duration;
use store::{
    Store, carts, check,
    jobs::Job,
    keys::Keys,
    orders::{self, PersistOrders},
    stock::{self, ApplyGateOps},
    testkit,
    viewer::Viewer,
};

struct Shop {
    store: Store,
    pg: PgPool,
    redis: redis::aio::MultiplexedConnection,
    keys: Keys,
    books: Vec<BookId>,
    persist: PersistOrders,
}

#[expect(clippy::disallowed_methods, reason = "tests need ids nobody else has")]
fn guest() -> Owner {
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
    async fn open() -> Self {
        let store = testkit::store().await;
        let pg = PgPool::connect(&store.config().database_url).await.unwrap();
        let sql = "WITH book AS (INSERT INTO books (sku, slug, title, authors, price_minor)
                       SELECT k, k, 'Book ' || k, '{An Author}', 10000 FROM (SELECT 'b' || n FROM generate_series(1, 3) n) x (k)
                       RETURNING id),
                   shelf AS (INSERT INTO stock (book_id, on_hand) SELECT id, 40 FROM book)
                   INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, operation_id, at)
                   SELECT id, 'receipt', 40, 40, 0, 'first', now() FROM book RETURNING book_id";
        let ids: Vec<i64> = sqlx::query_scalar(sql).fetch_all(&pg).await.unwrap();
        stock::ensure_loaded(&store).await.unwrap();
        let client = redis::Client::open(testkit::redis_url()).unwrap();
        let redis = client.get_multiplexed_async_connection().await.unwrap();
        let keys = Keys::new(&store.config().key_prefix);
        let books = ids.into_iter().map(|id| BookId::new(id).unwrap()).collect();
        let persist = PersistOrders::new(&store);
        Self { store, pg, redis, keys, books, persist }
    }

    /// A shop with an order of every kind: paid, waiting for payment, cancelled, and one still in the stream.
    async fn busy() -> (Self, [Accepted; 4]) {
        let shop = Self::open().await;
        let (paid, open, cancelled) = (shop.place().await, shop.place().await, shop.place().await);
        shop.persist().await;
        orders::cancel(&shop.store, &Viewer::new(cancelled.owner), cancelled.id).await.unwrap();
        shop.pay(paid.id).await;
        shop.apply_gate_ops().await;
        let waiting = shop.place().await;
        (shop, [paid, open, cancelled, waiting])
    }

    async fn place(&self) -> Accepted {
        let owner = guest();
        for book in &self.books[..2] {
            carts::add(&self.store, &owner, *book, Quantity::new(2).unwrap()).await.unwrap();
        }
        let key = IdempotencyKey::parse("click").unwrap();
        let placed = orders::place(&self.store, &owner, request(), key, None).await.unwrap();
        Accepted { id: placed.order_id, owner }
    }

    async fn persist(&self) {
        while self.redis().xlen::<_, usize>(self.keys.placed()).await.unwrap() > 0 {
            if let Some(batch) = self.persist.fetch(&self.store).await.unwrap() {
                self.persist.handle(&self.store, batch).await.unwrap();
            }
        }
    }

    async fn apply_gate_ops(&self) {
        while let Some(batch) = ApplyGateOps.fetch(&self.store).await.unwrap() {
            ApplyGateOps.handle(&self.store, batch).await.unwrap();
        }
    }

    /// Pays the order by a genuine webhook.
    async fn pay(&self, order: OrderId) {
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
    async fn spoil(&self, sql: &'static str) {
        let mut tx = self.pg.begin().await.unwrap();
        sqlx::raw_sql("SET LOCAL session_replication_role = replica").execute(&mut *tx).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    fn redis(&self) -> redis::aio::MultiplexedConnection {
        self.redis.clone()
    }

    async fn violations(&self) -> Vec<String> {
        let findings = check::run(&self.store).await.unwrap();
        assert_eq!(findings.len(), 6);
        findings
            .into_iter()
            .flat_map(|f| f.violations.into_iter().map(move |v| format!("{} {v}", &f.promise[..1])))
            .collect()
    }

    /// Exactly these promises are broken, and one of the lines holds this text.
    async fn sees(&self, promises: &str, text: &str) {
        let lines = self.violations().await;
        let mut broken: Vec<&str> = lines.iter().map(|line| &line[..1]).collect();
        broken.dedup();
        assert_eq!(broken.concat(), promises, "{lines:#?}");
        assert!(promises.is_empty() || lines.iter().any(|line| line.contains(text)), "{lines:#?}");
    }
}

#[derive(Clone, Copy)]
struct Accepted {
    id: OrderId,
    owner: Owner,
}

#[tokio::test]
async fn a_shop_at_work_is_clean_at_every_step() {
    let shop = Shop::open().await;
    let none: Vec<String> = Vec::new();
    assert_eq!(shop.violations().await, none);
    let orders = [shop.place().await, shop.place().await, shop.place().await];
    assert_eq!(shop.violations().await, none, "in the stream");
    shop.persist().await;
    assert_eq!(shop.violations().await, none, "written down");
    shop.pay(orders[0].id).await;
    orders::cancel(&shop.store, &Viewer::new(orders[1].owner), orders[1].id).await.unwrap();
    let findings = check::run(&shop.store).await.unwrap();
    assert!(findings.iter().all(|finding| finding.violations.is_empty()), "before the gate knows: {findings:#?}");
    let figures = &findings[0].figures;
    assert!(figures.contains(&("books", 3)) && figures.contains(&("gate_ops_waiting", 2)), "{figures:?}");
    assert!(figures.contains(&("on_hand", 116)) && figures.contains(&("reserved", 4)), "{figures:?}");
    shop.apply_gate_ops().await;
    assert_eq!(shop.violations().await, none, "the gate knows");
    shop.redis().del::<_, ()>(shop.keys.epoch()).await.unwrap();
    assert_eq!(shop.violations().await, ["1 the gate is not loaded: not compared"], "what was not seen does not hold");
}

#[tokio::test]
async fn a_rush_is_no_violation() {
    let shop = Shop::open().await;
    let rush = async {
        for _ in 0..8 {
            let orders = futures::future::join_all((0..2).map(|_| shop.place())).await;
            shop.persist().await;
            for order in orders {
                orders::cancel(&shop.store, &Viewer::new(order.owner), order.id).await.unwrap();
            }
            shop.apply_gate_ops().await;
        }
    };
    let watch = async {
        for _ in 0..6 {
            let lines = shop.violations().await;
            assert!(lines.is_empty(), "{lines:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::join!(rush, watch);
}

#[tokio::test]
async fn copies_that_do_not_add_up() {
    let (shop, _) = Shop::busy().await;
    shop.spoil("UPDATE stock SET on_hand = on_hand + 1 WHERE book_id = (SELECT min(book_id) FROM stock)").await;
    shop.sees("1", "its movements add up to").await;

    let (shop, _) = Shop::busy().await;
    shop.redis().hincr::<_, _, _, ()>(shop.keys.stock(), shop.books[2].get(), 1).await.unwrap();
    shop.sees("1", "the gate has 41, the ledger 40 less 0").await;

    let (shop, _) = Shop::busy().await;
    shop.redis().hset::<_, _, _, ()>(shop.keys.stock(), 999, 1).await.unwrap();
    shop.sees("1", "book 999: the gate has 1").await;
}

#[tokio::test]
async fn a_claim_without_copies() {
    let (shop, _) = Shop::busy().await;
    shop.spoil(
        "UPDATE stock SET reserved = reserved - 2 WHERE reserved > 0; DELETE FROM stock_movements WHERE kind = 'reserve' AND order_id =
             (SELECT id FROM orders WHERE status = 'PAYMENT_PENDING')",
    )
    .await;
    shop.sees("15", "orders waiting for payment want 2").await;
}

#[tokio::test]
async fn two_orders_of_one_click() {
    let (shop, [_, open, ..]) = Shop::busy().await;
    shop.spoil("UPDATE orders SET idempotency_key = 'other' WHERE status = 'PAYMENT_PENDING'").await;
    shop.sees("3", &format!("order {} is not the one", open.id)).await;

    let (shop, [paid, ..]) = Shop::busy().await;
    let key = shop.keys.idempotency(&paid.owner, &IdempotencyKey::parse("click").unwrap());
    shop.redis().hset::<_, _, _, ()>(&key, "fingerprint", "another").await.unwrap();
    shop.sees("3", "differ about the request").await;
    shop.redis().del::<_, ()>(&key).await.unwrap();
    let key = shop.keys.idempotency(&paid.owner, &IdempotencyKey::parse("clack").unwrap());
    let other = shop.keys.idempotency(&paid.owner, &IdempotencyKey::parse("click").unwrap());
    let answer = serde_json::json!({"order_id": paid.id, "number": "BB-0000-0000", "status": "PENDING", "total": 1,
        "currency": "INR", "expires_at": 0});
    shop.redis()
        .hset_multiple::<_, _, _, ()>(&key, &[("fingerprint", "f"), ("answer", &answer.to_string())])
        .await
        .unwrap();
    shop.sees("3", "which it does not name").await;
    shop.redis().rename::<_, _, ()>(&key, &other).await.unwrap();
    shop.redis().hdel::<_, _, ()>(&other, "fingerprint").await.unwrap();
    shop.sees("3", "unreadable").await;
}

#[tokio::test]
async fn an_accepted_order_that_vanished() {
    let (shop, [.., waiting]) = Shop::busy().await;
    shop.redis().del::<_, ()>(&[shop.keys.placed(), shop.keys.reservation(waiting.id)]).await.unwrap();
    shop.sees("135", "was accepted and is nowhere").await;
}

#[tokio::test]
async fn money_in_the_wrong_place() {
    let (shop, _) = Shop::busy().await;
    shop.spoil("UPDATE payments SET status = 'declined'").await;
    shop.sees("4", "is PAID (44900 INR) with 0 captured").await;
    shop.spoil("UPDATE payments SET status = 'captured', amount_minor = 1").await;
    shop.sees("4", "1 of another amount").await;
    shop.spoil(
        "UPDATE payments SET amount_minor = 44900, order_id = (SELECT id FROM orders WHERE status = 'CANCELLED')",
    )
    .await;
    shop.sees("4", "is CANCELLED").await;
    shop.spoil("UPDATE payments SET order_id = id").await;
    shop.sees("", "").await;
}

#[tokio::test]
async fn an_order_that_does_not_end() {
    let (shop, _) = Shop::busy().await;
    shop.spoil("UPDATE orders SET expires_at = now() - interval '10 seconds' WHERE status = 'PAYMENT_PENDING'").await;
    shop.sees("", "").await;
    shop.spoil("UPDATE orders SET expires_at = now() - interval '31 seconds' WHERE status = 'PAYMENT_PENDING'").await;
    shop.sees("5", "is still PAYMENT_PENDING, its deadline was").await;
}

#[tokio::test]
async fn an_entry_that_nobody_takes_out_of_the_stream() {
    let (shop, [.., waiting]) = Shop::busy().await;
    let key = shop.keys.reservation(waiting.id);
    let answer: String = shop.redis().hget(&key, "answer").await.unwrap();
    let mut answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    answer["expires_at"] = serde_json::json!(shop.store.now().get() - 31_000);
    shop.redis().hset::<_, _, _, ()>(&key, "answer", answer.to_string()).await.unwrap();
    shop.sees("5", "waits in the stream").await;

    let (shop, _) = Shop::busy().await;
    shop.redis().xadd::<_, _, _, _, ()>(shop.keys.placed(), "*", &[("order", "nonsense")]).await.unwrap();
    shop.sees("5", "is unreadable").await;
}

#[tokio::test]
async fn copies_that_did_not_come_back() {
    let (shop, _) = Shop::busy().await;
    // The movement is missing and the row with it: the sums agree, and yet the copies of an ended order are gone.
    shop.spoil(
        "UPDATE stock SET reserved = reserved + 2 WHERE book_id IN (SELECT book_id FROM stock_movements WHERE kind = 'release');
         DELETE FROM stock_movements WHERE kind = 'release'",
    )
    .await;
    shop.sees("15", "is CANCELLED: of book").await;

    let (shop, [_, _, cancelled, _]) = Shop::busy().await;
    shop.redis().hset::<_, _, _, ()>(shop.keys.reservation(cancelled.id), "owner", "g:x").await.unwrap();
    shop.sees("5", "which has ended").await;

    let (shop, [_, open, ..]) = Shop::busy().await;
    shop.redis().del::<_, ()>(shop.keys.reservation(open.id)).await.unwrap();
    shop.sees("5", "the gate holds nothing for it").await;

    let (shop, _) = Shop::busy().await;
    shop.spoil(
        "UPDATE gate_ops SET applied_at = NULL, created_at = now() - interval '1 minute' WHERE kind = 'release'",
    )
    .await;
    shop.sees("5", "waits after").await;
}

#[tokio::test]
async fn a_sale_of_an_order_that_was_not_paid() {
    let (shop, _) = Shop::busy().await;
    shop.spoil("UPDATE orders SET status = 'EXPIRED' WHERE status = 'PAID'; UPDATE payments SET status = 'refunded'")
        .await;
    shop.sees("5", "released 0, sold 2").await;
}

#[tokio::test]
async fn money_whose_way_nobody_sees_to() {
    let (shop, _) = Shop::busy().await;
    shop.spoil("UPDATE payments SET status = 'refunding'").await;
    shop.sees("4", "is on its way back, and there is no refund of it").await;
}

#[tokio::test]
async fn a_step_that_no_order_may_take() {
    let (shop, _) = Shop::busy().await;
    shop.spoil("UPDATE order_history SET cause = 'arrived' WHERE status = 'PAID'").await;
    shop.sees("5", "from PAYMENT_PENDING to PAID by arrived is no legal change").await;
    shop.spoil("UPDATE order_history SET cause = 'payment_captured', version = 7 WHERE status = 'PAID'").await;
    shop.sees("5", "step 7 follows step 1").await;
    shop.spoil("DELETE FROM order_history WHERE status = 'PAID'").await;
    shop.sees("5", "is PAID in version 2, its history ends with PAYMENT_PENDING in version 1").await;
    shop.spoil(
        "INSERT INTO order_history SELECT order_id, 2, 'PAID', 'payment_captured', NULL, now() FROM order_history h
           JOIN orders o ON o.id = order_id WHERE o.status = 'PAID';
         INSERT INTO order_history SELECT id, 3, 'PAID', 'money_goes_back', NULL, now() FROM orders WHERE status = 'PAID';
         UPDATE orders SET version = 3 WHERE status = 'PAID'",
    )
    .await;
    shop.sees("", "").await;
    shop.spoil("DELETE FROM order_history WHERE order_id = (SELECT id FROM orders WHERE status = 'CANCELLED')").await;
    shop.sees("5", "no history").await;
}

#[tokio::test]
async fn totals_and_claims_that_are_not_the_lines() {
    let (shop, _) = Shop::busy().await;
    let more = "UPDATE orders SET subtotal_minor = subtotal_minor + 1, total_minor = total_minor + 1 WHERE status = 'CANCELLED'";
    shop.spoil(more).await;
    shop.sees("4", "has lines of 40000 and delivery of 4900, a subtotal of 40001").await;
    shop.spoil("UPDATE orders SET subtotal_minor = 40000, total_minor = 44900").await;
    shop.sees("", "").await;
    shop.spoil(
        "DELETE FROM order_items WHERE line_no = 1 AND order_id = (SELECT id FROM orders WHERE status = 'CANCELLED')",
    )
    .await;
    shop.sees("45", "or an earlier one of").await;
}

#[tokio::test]
async fn holds_that_are_not_open_orders() {
    let (shop, [_, open, ..]) = Shop::busy().await;
    let (held, stranger) = (shop.keys.holds(&open.owner), shop.keys.holds(&guest()));
    shop.redis().zadd::<_, _, _, ()>(&stranger, open.id.to_string(), 1).await.unwrap();
    shop.sees("", "").await;
    shop.redis().zadd::<_, _, _, ()>(&stranger, guest().guest().unwrap().to_string(), 1).await.unwrap();
    shop.sees("5", "and is not there").await;
    shop.redis().del::<_, ()>(&[&stranger, &held]).await.unwrap();
    shop.sees("5", "the gate holds nothing for it").await;
}

#[tokio::test]
async fn work_that_nobody_does() {
    let (shop, [.., waiting]) = Shop::busy().await;
    shop.spoil("UPDATE outbox SET due_at = now() - interval '200 seconds'").await;
    shop.sees("", "").await;
    shop.spoil("UPDATE outbox SET due_at = now() - interval '301 seconds' WHERE id = (SELECT min(id) FROM outbox)")
        .await;
    shop.sees("6", "is due since").await;
    shop.spoil("DELETE FROM outbox; INSERT INTO outbox (topic, key) VALUES ('refund.request', 'nothing')").await;
    shop.sees("6", "refund.request is about nothing").await;
    shop.spoil("DELETE FROM outbox; INSERT INTO gate_ops (kind, lines, due_at) VALUES ('adjust', '[]', now() + interval '9 years')").await;
    shop.sees("6", "no dead letter says so").await;
    shop.spoil(
        "INSERT INTO dead_letters (source, key, payload, error, attempts)
         SELECT 'gate_ops', id::text, '{}', 'x', 10 FROM gate_ops WHERE applied_at IS NULL",
    )
    .await;
    shop.sees("", "").await;
    shop.spoil("UPDATE gate_ops SET applied_at = now()").await;
    shop.sees("6", "is about nothing that waits").await;

    let entries: redis::streams::StreamRangeReply = shop.redis().xrange_all(shop.keys.placed()).await.unwrap();
    let park = "INSERT INTO dead_letters (source, key, payload, error, attempts, parked_at)
                VALUES ('placed', $1, '{}', 'x', 10, now() - interval '301 seconds')";
    sqlx::query(park).bind(&entries.ids[0].id).execute(&shop.pg).await.unwrap();
    let lines = shop.violations().await;
    assert!(lines.iter().any(|line| line.ends_with("is parked and still in the stream")), "{} {lines:?}", waiting.id);
}
