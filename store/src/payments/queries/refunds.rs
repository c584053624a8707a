//! SQL of money that goes back.

use super::{PaymentRow, money};
use crate::{error::Error, world::from_timestamp};
use domain::{
    Currency, Minor, Money, OrderId, PaymentId, RefundId,
    payment::{RefundStatus, RefundView},
};
use sqlx::{PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

pub(in crate::payments) struct RefundRow {
    pub id: Uuid,
    pub payment_id: Uuid,
    pub order_id: Uuid,
    pub amount_minor: i64,
    pub currency: String,
    pub status: String,
    pub provider_ref: Option<String>,
    pub reason: String,
    pub origin: String,
    pub restocks: bool,
    pub error: Option<String>,
    pub created_at: OffsetDateTime,
    /// The account of the admin who wanted it.
    pub actor_id: Option<i64>,
}

/// A refund about to be written down.
pub(in crate::payments) struct NewRefund<'a> {
    pub id: RefundId,
    pub amount: i64,
    pub reason: &'a str,
    /// shop · admin · provider
    pub origin: &'a str,
    /// requested · confirmed
    pub status: &'a str,
    pub key: Option<&'a str>,
    pub restocks: bool,
    pub provider_ref: Option<&'a str>,
    /// The account of the admin.
    pub by: Option<i64>,
}

pub(in crate::payments) async fn insert_refund(
    db: impl PgExecutor<'_>,
    payment: &PaymentRow,
    new: NewRefund<'_>,
    at: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO refunds (id, payment_id, order_id, amount_minor, currency, reason, status, origin, idempotency_key,
           restocks, provider_ref, created_at, confirmed_at, actor_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
           CASE $7 WHEN 'confirmed' THEN $12::timestamptz END, $13)",
        new.id.get(),
        payment.id,
        payment.order_id,
        new.amount,
        payment.currency,
        new.reason,
        new.status,
        new.origin,
        new.key,
        new.restocks,
        new.provider_ref,
        at,
        new.by
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Of a payment: what went back or is on its way, in minor units.
pub(in crate::payments) async fn going_back(db: impl PgExecutor<'_>, payment: PaymentId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT coalesce(sum(amount_minor), 0)::bigint AS "sum!" FROM refunds
           WHERE payment_id = $1 AND status <> 'failed'"#,
        payment.get()
    )
    .fetch_one(db)
    .await
}

/// The order's payment whose money can go back: the one that pays it, else one that a refund has not wholly taken.
pub(in crate::payments) async fn refundable(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(
        "SELECT p.id FROM payments p WHERE p.order_id = $1 AND p.status IN ('captured', 'refunding')
         ORDER BY p.status = 'captured' DESC, p.amount_minor > coalesce((SELECT sum(amount_minor) FROM refunds
           WHERE payment_id = p.id AND status <> 'failed'), 0) DESC, p.created_at LIMIT 1",
        order.get()
    )
    .fetch_optional(db)
    .await
}

pub(in crate::payments) async fn refund(db: impl PgExecutor<'_>, id: RefundId) -> sqlx::Result<Option<RefundRow>> {
    sqlx::query_as!(
        RefundRow,
        "SELECT id, payment_id, order_id, amount_minor, currency, status, provider_ref, reason, origin, restocks,
           error, created_at, actor_id
         FROM refunds WHERE id = $1",
        id.get()
    )
    .fetch_optional(db)
    .await
}

pub(in crate::payments) async fn refund_of_ref(
    db: impl PgExecutor<'_>,
    payment: PaymentId,
    provider_ref: &str,
) -> sqlx::Result<Option<RefundRow>> {
    sqlx::query_as!(
        RefundRow,
        "SELECT id, payment_id, order_id, amount_minor, currency, status, provider_ref, reason, origin, restocks,
           error, created_at, actor_id
         FROM refunds WHERE payment_id = $1 AND provider_ref = $2",
        payment.get(),
        provider_ref
    )
    .fetch_optional(db)
    .await
}

pub(in crate::payments) async fn refund_of_key(db: impl PgExecutor<'_>, key: &str) -> sqlx::Result<Option<RefundRow>> {
    sqlx::query_as!(
        RefundRow,
        "SELECT id, payment_id, order_id, amount_minor, currency, status, provider_ref, reason, origin, restocks,
           error, created_at, actor_id
         FROM refunds WHERE idempotency_key = $1",
        key
    )
    .fetch_optional(db)
    .await
}

/// The provider has taken the refund up; the watchdog asks about it from `ask_at` on.
pub(in crate::payments) async fn set_refund_ref(
    pg: &PgPool,
    id: RefundId,
    provider_ref: &str,
    ask_at: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE refunds SET provider_ref = $2, ask_at = $3, error = NULL WHERE id = $1",
        id.get(),
        provider_ref,
        ask_at
    )
    .execute(pg)
    .await?;
    Ok(())
}

/// Whether that is another error than before, of a refund that is still wanted.
pub(in crate::payments) async fn set_refund_error(
    db: impl PgExecutor<'_>,
    id: RefundId,
    error: &str,
) -> sqlx::Result<bool> {
    let news = sqlx::query!(
        "UPDATE refunds SET error = $2 WHERE id = $1 AND status = 'requested' AND error IS DISTINCT FROM $2",
        id.get(),
        error
    );
    Ok(news.execute(db).await?.rows_affected() == 1)
}

/// Also one that was made: the money came back to the shop.
pub(in crate::payments) async fn fail_refund(db: impl PgExecutor<'_>, id: RefundId, error: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE refunds SET status = 'failed', error = $2, confirmed_at = NULL
         WHERE id = $1 AND status IN ('requested', 'confirmed')",
        id.get(),
        error
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

pub(in crate::payments) async fn confirm_refund(
    db: impl PgExecutor<'_>,
    id: RefundId,
    provider_ref: Option<&str>,
    at: OffsetDateTime,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE refunds SET status = 'confirmed', confirmed_at = $3, error = NULL, provider_ref = coalesce(provider_ref, $2)
         WHERE id = $1 AND status = 'requested'",
        id.get(),
        provider_ref,
        at
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The one refund of this payment and amount that is wanted and that the provider has not taken up.
pub(in crate::payments) async fn same_refund_wanted(
    db: impl PgExecutor<'_>,
    payment: PaymentId,
    amount: i64,
) -> sqlx::Result<Option<Uuid>> {
    let same = sqlx::query_scalar!(
        "SELECT id FROM refunds WHERE payment_id = $1 AND amount_minor = $2 AND status = 'requested'
           AND provider_ref IS NULL LIMIT 2",
        payment.get(),
        amount
    );
    Ok(match same.fetch_all(db).await?.as_slice() {
        [one] => Some(*one),
        _ => None,
    })
}

/// How often a refund of this payment failed.
pub(in crate::payments) async fn failed_refunds(db: impl PgExecutor<'_>, payment: PaymentId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM refunds WHERE payment_id = $1 AND status = 'failed'"#,
        payment.get()
    )
    .fetch_one(db)
    .await
}

/// Confirmed refunds of a payment, in minor units.
pub(in crate::payments) async fn refunded(db: impl PgExecutor<'_>, payment: PaymentId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT coalesce(sum(amount_minor), 0)::bigint AS "sum!" FROM refunds
           WHERE payment_id = $1 AND status = 'confirmed'"#,
        payment.get()
    )
    .fetch_one(db)
    .await
}

/// The same for refunds that a provider has taken up.
pub(in crate::payments) async fn lease_refund_questions(
    pg: &PgPool,
    now: OffsetDateTime,
    next: OffsetDateTime,
    most: i64,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "UPDATE refunds SET ask_at = CASE WHEN created_at < $1 - interval '1 day' THEN $1 + interval '1 hour' ELSE $2 END
         WHERE id IN (SELECT id FROM refunds WHERE status = 'requested' AND ask_at <= $1
                      ORDER BY ask_at LIMIT $3 FOR UPDATE SKIP LOCKED)
         RETURNING id",
        now,
        next,
        most
    )
    .fetch_all(pg)
    .await
}

/// Refunds that a provider confirmed within this time; those after `after`.
pub(in crate::payments) async fn refunds_of(
    db: impl PgExecutor<'_>,
    provider: &str,
    (from, until): (OffsetDateTime, OffsetDateTime),
    after: Uuid,
    most: i64,
) -> sqlx::Result<Vec<RefundRow>> {
    sqlx::query_as!(
        RefundRow,
        "SELECT r.id, r.payment_id, r.order_id, r.amount_minor, r.currency, r.status, r.provider_ref, r.reason, r.origin,
           r.restocks, r.error, r.created_at, r.actor_id
         FROM refunds r JOIN payments p ON p.id = r.payment_id
         WHERE p.provider = $1 AND r.confirmed_at >= $2 AND r.confirmed_at < $3 AND r.id > $4 ORDER BY r.id LIMIT $5",
        provider,
        from,
        until,
        after,
        most
    )
    .fetch_all(db)
    .await
}

impl RefundRow {
    pub fn view(self) -> Result<RefundView, Error> {
        let unreadable = || Error::unexpected("payments.refund_view", format!("refund {} is unreadable", self.id));
        Ok(RefundView {
            refund_id: RefundId::new(self.id),
            payment_id: PaymentId::new(self.payment_id),
            amount: Minor::new(self.amount_minor),
            currency: Currency::parse(&self.currency).map_err(|_| unreadable())?,
            status: match self.status.as_str() {
                "requested" => RefundStatus::Requested,
                "confirmed" => RefundStatus::Confirmed,
                "failed" => RefundStatus::Failed,
                _ => return Err(unreadable()),
            },
            created_at: from_timestamp(self.created_at),
            restocks: self.restocks,
            reason: self.reason,
            by: None,
            error: self.error,
        })
    }

    pub fn amount(&self) -> Option<Money> {
        money(self.amount_minor, &self.currency)
    }
}
