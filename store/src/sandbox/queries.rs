//! The sandbox provider's SQL, on its own schema.

use super::CreatePayment;
use serde_json::Value;
use sqlx::{PgPool, PgTransaction};
use time::OffsetDateTime;

pub(super) struct PaymentRow {
    pub id: String,
    pub order_id: String,
    pub order_number: String,
    pub amount_minor: i64,
    pub currency: String,
    pub email: String,
    pub return_url: String,
    pub cancel_url: String,
    pub idempotency_key: String,
    pub status: String,
    pub paid_at: Option<OffsetDateTime>,
    /// The next refund is taken up and not made.
    pub refuses_refund: bool,
}

pub(super) struct RefundRow {
    pub id: String,
    pub payment_id: String,
    pub amount_minor: i64,
}

pub(super) struct NewEvent<'a> {
    pub id: &'a str,
    pub payment_id: &'a str,
    pub kind: &'a str,
    pub payload: &'a Value,
    pub trick: Option<&'a str>,
}

pub(super) async fn insert_payment(
    pg: &PgPool,
    id: &str,
    key: &str,
    new: &CreatePayment,
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO sandbox.payments (id, order_id, order_number, amount_minor, currency, email, return_url, cancel_url,
             idempotency_key, status, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', $10)
         ON CONFLICT ON CONSTRAINT sandbox_payments_key_key DO NOTHING",
        id,
        new.order_id,
        new.order_number,
        new.amount.get(),
        new.currency.code(),
        new.email,
        new.return_url,
        new.cancel_url,
        key,
        now
    )
    .execute(pg)
    .await?;
    Ok(())
}

pub(super) async fn payment(pg: &PgPool, id: &str) -> sqlx::Result<Option<PaymentRow>> {
    sqlx::query_as!(
        PaymentRow,
        "SELECT id, order_id, order_number, amount_minor, currency, email, return_url, cancel_url, idempotency_key,
                status, paid_at, refuses_refund
         FROM sandbox.payments WHERE id = $1",
        id
    )
    .fetch_optional(pg)
    .await
}

pub(super) async fn payment_by_key(pg: &PgPool, key: &str) -> sqlx::Result<Option<PaymentRow>> {
    sqlx::query_as!(
        PaymentRow,
        "SELECT id, order_id, order_number, amount_minor, currency, email, return_url, cancel_url, idempotency_key,
                status, paid_at, refuses_refund
         FROM sandbox.payments WHERE idempotency_key = $1",
        key
    )
    .fetch_optional(pg)
    .await
}

pub(super) async fn lock_payment(tx: &mut PgTransaction<'_>, id: &str) -> sqlx::Result<Option<PaymentRow>> {
    sqlx::query_as!(
        PaymentRow,
        "SELECT id, order_id, order_number, amount_minor, currency, email, return_url, cancel_url, idempotency_key,
                status, paid_at, refuses_refund
         FROM sandbox.payments WHERE id = $1 FOR UPDATE",
        id
    )
    .fetch_optional(&mut **tx)
    .await
}

pub(super) async fn close_open(pg: &PgPool, id: &str) -> sqlx::Result<()> {
    sqlx::query!("UPDATE sandbox.payments SET status = 'closed' WHERE id = $1 AND status = 'open'", id)
        .execute(pg)
        .await?;
    Ok(())
}

pub(super) async fn set_status(
    tx: &mut PgTransaction<'_>,
    id: &str,
    status: &str,
    paid_at: Option<OffsetDateTime>,
) -> sqlx::Result<()> {
    sqlx::query!("UPDATE sandbox.payments SET status = $2, paid_at = $3 WHERE id = $1", id, status, paid_at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(super) async fn refund_by_key(tx: &mut PgTransaction<'_>, key: &str) -> sqlx::Result<Option<RefundRow>> {
    sqlx::query_as!(
        RefundRow,
        "SELECT id, payment_id, amount_minor FROM sandbox.refunds WHERE idempotency_key = $1",
        key
    )
    .fetch_optional(&mut **tx)
    .await
}

/// Minor units of this payment that went back already.
pub(super) async fn refunded(tx: &mut PgTransaction<'_>, payment: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT coalesce(sum(amount_minor), 0)::bigint AS "sum!" FROM sandbox.refunds
           WHERE payment_id = $1 AND status <> 'failed'"#,
        payment
    )
    .fetch_one(&mut **tx)
    .await
}

/// A refund about to be written down.
pub(super) struct NewRefund<'a> {
    pub id: &'a str,
    pub payment: &'a str,
    pub amount: i64,
    pub key: &'a str,
    /// succeeded · failed
    pub status: &'a str,
}

pub(super) async fn insert_refund(
    tx: &mut PgTransaction<'_>,
    new: NewRefund<'_>,
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO sandbox.refunds (id, payment_id, amount_minor, idempotency_key, status, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        new.id,
        new.payment,
        new.amount,
        new.key,
        new.status,
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(super) async fn set_refusal(tx: &mut PgTransaction<'_>, payment: &str, refuses: bool) -> sqlx::Result<()> {
    sqlx::query!("UPDATE sandbox.payments SET refuses_refund = $2 WHERE id = $1", payment, refuses)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(super) async fn insert_event(
    tx: &mut PgTransaction<'_>,
    event: NewEvent<'_>,
    now: OffsetDateTime,
    due_at: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO sandbox.events (id, payment_id, kind, payload, created_at, due_at, trick)
         VALUES ($1, $2, $3, $4, $5, CASE WHEN $7 = 'never' THEN 'infinity' ELSE $6::timestamptz END, $7)",
        event.id,
        event.payment_id,
        event.kind,
        event.payload,
        now,
        due_at,
        event.trick
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Webhooks that this payment has caused.
pub(super) async fn events(tx: &mut PgTransaction<'_>, payment: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM sandbox.events WHERE payment_id = $1"#, payment)
        .fetch_one(&mut **tx)
        .await
}

/// An event in hand.
pub struct LeasedEvent {
    pub id: String,
    pub payload: Value,
    pub trick: Option<String>,
    /// This attempt included.
    pub attempts: i32,
    pub first_failed_at: Option<OffsetDateTime>,
}

/// Takes due events until `lease_end`: a sender that dies leaves them to the next one.
pub(super) async fn lease(
    pg: &PgPool,
    now: OffsetDateTime,
    lease_end: OffsetDateTime,
    limit: i64,
) -> sqlx::Result<Vec<LeasedEvent>> {
    sqlx::query_as!(
        LeasedEvent,
        "UPDATE sandbox.events SET due_at = $2, attempts = attempts + 1
         WHERE id IN (SELECT id FROM sandbox.events WHERE delivered_at IS NULL AND due_at <= $1
                      ORDER BY due_at FOR UPDATE SKIP LOCKED LIMIT $3)
         RETURNING id, payload, trick, attempts, first_failed_at",
        now,
        lease_end,
        limit
    )
    .fetch_all(pg)
    .await
}

pub(super) async fn delivered(pg: &PgPool, id: &str, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("UPDATE sandbox.events SET delivered_at = $2, last_error = NULL WHERE id = $1", id, now)
        .execute(pg)
        .await?;
    Ok(())
}

pub(super) async fn failed(pg: &PgPool, id: &str, error: &str, due_at: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE sandbox.events SET last_error = $2, due_at = $3, first_failed_at = coalesce(first_failed_at, now())
         WHERE id = $1",
        id,
        error,
        due_at
    )
    .execute(pg)
    .await?;
    Ok(())
}

/// Never due again by itself; setting `due_at` sends it once more.
pub(super) async fn parked(tx: &mut PgTransaction<'_>, id: &str, error: &str) -> sqlx::Result<()> {
    sqlx::query!("UPDATE sandbox.events SET last_error = $2, due_at = 'infinity' WHERE id = $1", id, error)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// One sending of an event, and what came of it.
pub(super) async fn sent(
    pg: &PgPool,
    event: &str,
    at: OffsetDateTime,
    status: Option<i32>,
    error: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO sandbox.deliveries (event_id, at, status, error) VALUES ($1, $2, $3, $4)",
        event,
        at,
        status,
        error
    )
    .execute(pg)
    .await?;
    Ok(())
}

/// An event of a payment with one of its sendings, if there are any.
pub(super) struct LogRow {
    pub id: String,
    pub kind: String,
    pub trick: Option<String>,
    /// `None`: it is not sent by itself any more.
    pub due_at: Option<OffsetDateTime>,
    pub is_done: bool,
    pub at: Option<OffsetDateTime>,
    pub status: Option<i32>,
    pub error: Option<String>,
}

pub(super) async fn log(pg: &PgPool, payment: &str, most: i64) -> sqlx::Result<Vec<LogRow>> {
    sqlx::query_as!(
        LogRow,
        r#"SELECT e.id, e.kind, e.trick, CASE WHEN isfinite(e.due_at) THEN e.due_at END AS due_at,
             e.delivered_at IS NOT NULL AS "is_done!", d.at AS "at?", d.status AS "status?", d.error AS "error?"
           FROM sandbox.events e LEFT JOIN sandbox.deliveries d ON d.event_id = e.id
           WHERE e.payment_id = $1 ORDER BY e.created_at, e.due_at, e.id, d.id LIMIT $2"#,
        payment,
        most
    )
    .fetch_all(pg)
    .await
}
