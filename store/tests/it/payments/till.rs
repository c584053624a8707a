//! A shop whose money comes by Stripe: what its events say, and what the ledger says afterwards.

use super::standins::{KEY, Kind, SECRETS, StandIn};
use crate::orders::shop::{Shop, uuid};
use domain::{BookId, OrderId, PaymentId, RefundId, payment::RefundView};
use serde_json::{Value, json};
use store::{
    config::StoreConfig,
    jobs::Job,
    payments::{self, Received, RetryWaiting, refund::Wanted},
};

pub struct Till {
    pub shop: Shop,
    pub book: BookId,
}

/// A session at Stripe.
#[derive(Debug, Clone)]
pub struct Session {
    pub order: OrderId,
    pub payment: PaymentId,
    pub name: String,
    pub amount: i64,
}

impl Till {
    /// A shop with one book, of which there are so many copies.
    pub async fn open(copies: i32) -> Self {
        Self::at(copies, |_| {}).await
    }

    pub async fn at(copies: i32, change: impl FnOnce(&mut StoreConfig)) -> Self {
        let stripe = StandIn::open(Kind::Stripe).await;
        let shop = Shop::open_with(|config| {
            stripe.configure(config, KEY);
            change(config);
        })
        .await;
        let book = shop.book(copies).await;
        Self { shop, book }
    }

    /// An order of one copy that waits for its payment.
    pub async fn order(&self) -> OrderId {
        self.shop.payable_order(&[(self.book, 1)]).await.1
    }

    /// An order of one copy that expired; the copy is back at the gate.
    pub async fn expired(&self) -> OrderId {
        let order = self.order().await;
        self.shop.let_time_pass(order).await;
        self.shop.expire_due().await;
        self.shop.apply_gate_ops().await;
        order
    }

    /// An order of one copy that is paid.
    pub async fn paid(&self) -> Session {
        let session = self.session(self.order().await).await;
        assert_eq!(self.captured(&session).await, Received::Applied);
        self.shop.apply_gate_ops().await;
        session
    }

    pub async fn session(&self, order: OrderId) -> Session {
        let (payment, name) = (uuid(), format!("cs_{}", uuid().simple()));
        let amount: i64 = sqlx::query_scalar(
            "INSERT INTO payments (id, order_id, provider, provider_ref, status, amount_minor, currency, redirect_url, created_at)
             SELECT $2, id, 'stripe', $3, CASE status WHEN 'PAYMENT_PENDING' THEN 'open' ELSE 'closed' END, total_minor,
               currency, 'http://pay.test', now() FROM orders WHERE id = $1 RETURNING amount_minor",
        )
        .bind(order.get())
        .bind(payment)
        .bind(&name)
        .fetch_one(&self.shop.pg)
        .await
        .unwrap();
        Session { order, payment: PaymentId::new(payment), name, amount }
    }

    pub async fn captured(&self, session: &Session) -> Received {
        self.captured_of(session, session.amount).await
    }

    /// Another amount came than the session's.
    pub async fn captured_of(&self, session: &Session, amount: i64) -> Received {
        let Session { order, payment, name, .. } = session;
        let object = json!({"id": name, "amount_total": amount, "currency": "inr", "client_reference_id": order,
            "status": "complete", "payment_status": "paid", "payment_intent": format!("pi_{name}"), "url": null,
            "metadata": {"order_id": order, "payment_id": payment}});
        self.told("checkout.session.completed", object).await
    }

    /// The shop's own refund, `succeeded` or `failed`.
    pub async fn refund(&self, session: &Session, refund: RefundId, status: &str) -> Received {
        let amount: i64 = sqlx::query_scalar("SELECT amount_minor FROM refunds WHERE id = $1")
            .bind(refund.get())
            .fetch_one(&self.shop.pg)
            .await
            .unwrap();
        let names = json!({"refund_id": refund, "session_id": session.name, "payment_id": session.payment,
            "order_id": session.order});
        self.refund_of(session, &format!("re_{refund}"), amount, status, names).await
    }

    /// One that somebody made on Stripe's own pages.
    pub async fn refund_by_hand(&self, session: &Session, name: &str, amount: i64) -> Received {
        self.refund_of(session, name, amount, "succeeded", json!({})).await
    }

    async fn refund_of(&self, session: &Session, name: &str, amount: i64, status: &str, metadata: Value) -> Received {
        let object = json!({"id": name, "amount": amount, "currency": "inr", "status": status,
            "payment_intent": format!("pi_{}", session.name), "metadata": metadata});
        self.told("refund.updated", object).await
    }

    /// An event of its own.
    pub async fn told(&self, kind: &str, object: Value) -> Received {
        let event = json!({"id": format!("evt_{}", uuid().simple()), "type": kind, "data": {"object": object}});
        let webhook =
            Kind::Stripe.signed(event.to_string().into_bytes(), "", SECRETS[0], self.shop.store.now().get() / 1000);
        payments::receive(&self.shop.store, "stripe", &|name| webhook.headers.get(name).cloned(), &webhook.body)
            .await
            .unwrap()
    }

    /// An admin's wish.
    pub async fn want_back(&self, session: &Session, amount: Option<i64>, key: &str) -> RefundView {
        super::refunds::create(&self.shop.store, &self.wanted(session, amount, key)).await.unwrap()
    }

    pub fn wanted(&self, session: &Session, amount: Option<i64>, key: &str) -> Wanted {
        super::refunds::wanted(session.order, amount, key)
    }

    /// The refund of this payment that the provider has not confirmed.
    pub async fn requested(&self, session: &Session) -> RefundId {
        let sql = "SELECT id FROM refunds WHERE payment_id = $1 AND status = 'requested'";
        RefundId::new(sqlx::query_scalar(sql).bind(session.payment.get()).fetch_one(&self.shop.pg).await.unwrap())
    }

    /// Looks again at events that came too early.
    pub async fn look_again(&self) {
        self.run("UPDATE webhook_inbox SET due_at = now() - interval '1 second' WHERE outcome = 'waiting'").await;
        let batch = RetryWaiting.fetch(&self.shop.store).await.unwrap().unwrap();
        RetryWaiting.handle(&self.shop.store, batch).await.unwrap();
    }

    pub async fn run(&self, sql: &'static str) {
        sqlx::query(sql).execute(&self.shop.pg).await.unwrap();
    }

    /// `<order> | <payments, oldest first> | <their refunds> | <causes of the timeline since it was written down>`.
    pub async fn story(&self, order: OrderId) -> String {
        let sql = "SELECT status
             || ' | ' || (SELECT string_agg(status, ',' ORDER BY created_at, id) FROM payments WHERE order_id = o.id)
             || ' | ' || coalesce((SELECT string_agg(origin || ' ' || status, ',' ORDER BY created_at, id) FROM refunds
                WHERE order_id = o.id), '')
             || ' | ' || (SELECT string_agg(cause, ',' ORDER BY version) FILTER (WHERE cause <> 'persisted')
                FROM order_history WHERE order_id = o.id)
             FROM orders o WHERE id = $1";
        sqlx::query_scalar(sql).bind(order.get()).fetch_one(&self.shop.pg).await.unwrap()
    }
}
