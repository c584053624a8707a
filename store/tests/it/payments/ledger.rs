//! Orders written straight into the ledger, named after where they stand, and what the ledger says afterwards.

use domain::{GuestId, Minor, OrderId, Owner, order::OrderNumber};
use sqlx::PgPool;
use store::{Store, viewer::Viewer};
use uuid::Uuid;

/// What every order here costs: two copies and the delivery.
pub const TOTAL: Minor = Minor::new(104_700);

pub struct Ledger {
    pub pg: PgPool,
}

/// An order that is not yet written down.
#[derive(Debug, Clone, Copy)]
pub struct Coming {
    pub id: OrderId,
    pub owner: Owner,
}

impl Coming {
    pub fn viewer(&self) -> Viewer {
        Viewer::new(self.owner)
    }
}

#[expect(clippy::disallowed_methods, reason = "tests need ids nobody else has")]
pub fn uuid() -> Uuid {
    Uuid::new_v4()
}

pub fn coming() -> Coming {
    Coming { id: OrderId::new(uuid()), owner: Owner::Guest(GuestId::new(uuid())) }
}

impl Ledger {
    pub async fn of(store: &Store) -> Self {
        Self { pg: PgPool::connect(&store.config().database_url).await.unwrap() }
    }

    pub async fn waiting_for_payment(&self) -> Coming {
        let order = coming();
        self.write(order, "PAYMENT_PENDING").await;
        order
    }

    pub async fn expired(&self) -> Coming {
        let order = coming();
        self.write(order, "EXPIRED").await;
        order
    }

    /// Writes an order of two copies of a book of its own, of which five are there.
    pub async fn write(&self, order: Coming, status: &str) {
        let open = status == "PAYMENT_PENDING";
        let number = OrderNumber::from_bits(order.id.get().as_bytes()[..5].try_into().unwrap());
        let owner = order.owner.guest().unwrap();
        let mut tx = self.pg.begin().await.unwrap();
        let book: i64 = sqlx::query_scalar(
            "INSERT INTO books (sku, slug, title, authors, price_minor) VALUES ($1, $1, 'Gitanjali', '{Tagore}', 49900) RETURNING id",
        )
        .bind(order.id.to_string())
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        sqlx::query("INSERT INTO stock (book_id, on_hand, reserved) VALUES ($1, 5, $2)")
            .bind(book)
            .bind(if open { 2 } else { 0 })
            .execute(&mut *tx)
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO orders (id, number, owner, guest_id, idempotency_key, fingerprint, status, version, claim_no, email,
                 address, currency, subtotal_minor, delivery_minor, total_minor, placed_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, 'f', $6, 1, 1, 'asha@example.org', '{}', 'INR', 99800, 4900, 104700,
                 date_trunc('milliseconds', now()), now() + interval '10 minutes')",
        )
        .bind(order.id.get())
        .bind(number.as_str())
        .bind(order.owner.to_string())
        .bind(owner.get())
        .bind(order.id.to_string())
        .bind(status)
        .execute(&mut *tx)
        .await
        .unwrap();
        let rest = [
            "INSERT INTO order_items VALUES ($1, 1, $2, 'Gitanjali', 'gitanjali', 2, 49900, 99800)",
            "INSERT INTO order_history SELECT id, 1, status, 'persisted', NULL, now() FROM orders WHERE id = $1 AND $2 > 0",
            "INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, operation_id, at)
             SELECT $2, 'receipt', 5, 5, 0, $1::text, now()",
            "INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, order_id, claim_no, at)
             SELECT $2, 'reserve', 2, 0, 2, $1, 1, now()",
            "INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, order_id, claim_no, at)
             SELECT $2, 'release', 2, 0, -2, id, 1, now() FROM orders WHERE id = $1 AND status = 'EXPIRED'",
        ];
        for sql in rest {
            sqlx::query(sql).bind(order.id.get()).bind(book).execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// An open session of this order, as the provider knows it.
    pub async fn session(&self, order: Coming) -> String {
        self.session_at(order, "sandbox").await.1
    }

    /// The same at that provider, and our own id of it.
    pub async fn session_at(&self, order: Coming, provider: &str) -> (String, String) {
        let (payment, provider_ref) = (uuid(), format!("sbx_pay_{}", uuid().simple()));
        sqlx::query(
            "INSERT INTO payments (id, order_id, provider, provider_ref, status, amount_minor, currency, redirect_url, created_at)
             VALUES ($1, $2, $4, $3, 'open', 104700, 'INR', 'http://pay.test', now())",
        )
        .bind(payment)
        .bind(order.id.get())
        .bind(&provider_ref)
        .bind(provider)
        .execute(&self.pg)
        .await
        .unwrap();
        (payment.to_string(), provider_ref)
    }

    /// One text out of the ledger.
    pub async fn text(&self, sql: &'static str) -> String {
        let text: Option<String> = sqlx::query_scalar(sql).fetch_one(&self.pg).await.unwrap();
        text.unwrap_or_default()
    }

    pub async fn run(&self, sql: &'static str) {
        sqlx::query(sql).execute(&self.pg).await.unwrap();
    }

    /// `<order> | <payments, oldest first> | <causes of the timeline>`.
    pub async fn story(&self, order: Coming) -> String {
        sqlx::query_scalar(
            "SELECT status || ' | ' || coalesce((SELECT string_agg(status, ',' ORDER BY created_at) FROM payments WHERE order_id = o.id), '')
                 || ' | ' || (SELECT string_agg(cause, ',' ORDER BY version) FROM order_history WHERE order_id = o.id)
             FROM orders o WHERE id = $1",
        )
        .bind(order.id.get())
        .fetch_one(&self.pg)
        .await
        .unwrap()
    }
}
