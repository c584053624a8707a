//! SQL of payments.

use super::provider::NewSession;
use crate::{error::Error, world::from_timestamp};
use domain::{
    Currency, Minor, Money, OrderId, PaymentId, RefundId,
    payment::{PaymentStatus, RefundStatus, RefundView},
};
use serde_json::Value;
use sqlx::{PgExecutor, PgPool};
use std::collections::HashSet;
use time::OffsetDateTime;
use uuid::Uuid;

/// What money needs to know of an order.
pub(super) struct OrderRow {
    pub id: Uuid,
    pub number: String,
    pub owner: String,
    pub status: String,
    pub email: String,
    pub currency: String,
    pub total_minor: i64,
    pub expires_at: OffsetDateTime,
    pub claim_no: i32,
}

pub(super) struct PaymentRow {
    pub id: Uuid,
    pub order_id: Uuid,
    pub provider: String,
    pub provider_ref: Option<String>,
    pub status: String,
    pub amount_minor: i64,
    pub currency: String,
    pub redirect_url: Option<String>,
}

pub(super) struct RefundRow {
    pub id: Uuid,
    pub payment_id: Uuid,
    pub amount_minor: i64,
    pub currency: String,
    pub status: String,
    pub provider_ref: Option<String>,
    pub reason: String,
    pub origin: String,
    pub restocks: bool,
    pub error: Option<String>,
    pub created_at: OffsetDateTime,
}

pub(super) async fn order(db: impl PgExecutor<'_>, id: OrderId) -> sqlx::Result<Option<OrderRow>> {
    sqlx::query_as!(
        OrderRow,
        "SELECT id, number, owner, status, email, currency, total_minor, expires_at, claim_no FROM orders WHERE id = $1",
        id.get()
    )
    .fetch_optional(db)
    .await
}

/// Money and status of one order move in one transaction at a time.
pub(super) async fn lock_order(db: impl PgExecutor<'_>, id: OrderId) -> sqlx::Result<Option<OrderRow>> {
    sqlx::query_as!(
        OrderRow,
        "SELECT id, number, owner, status, email, currency, total_minor, expires_at, claim_no
         FROM orders WHERE id = $1 FOR UPDATE",
        id.get()
    )
    .fetch_optional(db)
    .await
}

pub(super) async fn payment(db: impl PgExecutor<'_>, id: PaymentId) -> sqlx::Result<Option<PaymentRow>> {
    sqlx::query_as!(
        PaymentRow,
        "SELECT id, order_id, provider, provider_ref, status, amount_minor, currency, redirect_url
         FROM payments WHERE id = $1",
        id.get()
    )
    .fetch_optional(db)
    .await
}

pub(super) async fn lock_payment(db: impl PgExecutor<'_>, id: PaymentId) -> sqlx::Result<Option<PaymentRow>> {
    sqlx::query_as!(
        PaymentRow,
        "SELECT id, order_id, provider, provider_ref, status, amount_minor, currency, redirect_url
         FROM payments WHERE id = $1 FOR UPDATE",
        id.get()
    )
    .fetch_optional(db)
    .await
}

/// The session an event speaks of; our own id finds one whose reference we had no time to write down.
pub(super) async fn payment_of_event(
    db: impl PgExecutor<'_>,
    provider: &str,
    provider_ref: &str,
    id: Option<PaymentId>,
) -> sqlx::Result<Option<PaymentRow>> {
    sqlx::query_as!(
        PaymentRow,
        "SELECT id, order_id, provider, provider_ref, status, amount_minor, currency, redirect_url
         FROM payments WHERE provider = $1 AND (provider_ref = $2 OR (provider_ref IS NULL AND id = $3)) FOR UPDATE",
        provider,
        provider_ref,
        id.map(PaymentId::get)
    )
    .fetch_optional(db)
    .await
}

/// The order's session that could still be paid.
pub(super) async fn open_payment(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<Option<PaymentRow>> {
    sqlx::query_as!(
        PaymentRow,
        "SELECT id, order_id, provider, provider_ref, status, amount_minor, currency, redirect_url
         FROM payments WHERE order_id = $1 AND status IN ('creating', 'open')",
        order.get()
    )
    .fetch_optional(db)
    .await
}

pub(super) async fn insert_payment(
    db: impl PgExecutor<'_>,
    session: &NewSession,
    provider: &str,
    at: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO payments (id, order_id, provider, status, amount_minor, currency, created_at, ask_at)
         VALUES ($1, $2, $3, 'creating', $4, $5, $6, $6::timestamptz + interval '2 minutes')",
        session.payment.get(),
        session.order.get(),
        provider,
        session.amount.minor().get(),
        session.amount.currency().code(),
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes the provider's answer; leaves a payment alone that moved on in the meantime.
pub(super) async fn opened(
    pg: &PgPool,
    id: PaymentId,
    provider_ref: &str,
    redirect_url: &str,
    ask_at: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE payments SET status = 'open', provider_ref = $2, redirect_url = $3, ask_at = $4
         WHERE id = $1 AND status = 'creating'",
        id.get(),
        provider_ref,
        redirect_url,
        ask_at
    )
    .execute(pg)
    .await?;
    Ok(())
}

/// Closes a session in the ledger unless money was quicker.
pub(super) async fn closed(pg: &PgPool, id: PaymentId, provider_ref: Option<&str>) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE payments SET status = 'closed', provider_ref = $2, ask_at = NULL
         WHERE id = $1 AND status IN ('creating', 'open')",
        id.get(),
        provider_ref
    )
    .execute(pg)
    .await?;
    Ok(())
}

/// Closes a payment whose session nobody was ever sent to; whether it was one.
pub(super) async fn abandon(pg: &PgPool, id: PaymentId) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE payments SET status = 'closed', ask_at = NULL WHERE id = $1 AND status = 'creating' AND redirect_url IS NULL",
        id.get()
    )
    .execute(pg)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Sessions in which one of these orders could still be paid.
pub(super) async fn open_sessions(db: impl PgExecutor<'_>, orders: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!("SELECT id FROM payments WHERE order_id = ANY($1) AND status IN ('creating', 'open')", orders)
        .fetch_all(db)
        .await
}

/// Sessions to ask about now; asked about again at `next`, or, those older than a day, in an hour.
pub(super) async fn lease_questions(
    pg: &PgPool,
    now: OffsetDateTime,
    next: OffsetDateTime,
    most: i64,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "UPDATE payments SET ask_at = CASE WHEN created_at < $1 - interval '1 day' THEN $1 + interval '1 hour' ELSE $2 END
         WHERE id IN (SELECT id FROM payments WHERE status IN ('creating', 'open') AND ask_at <= $1
                      ORDER BY ask_at LIMIT $3 FOR UPDATE SKIP LOCKED)
         RETURNING id",
        now,
        next,
        most
    )
    .fetch_all(pg)
    .await
}

/// The same for refunds that a provider has taken up.
pub(super) async fn lease_refund_questions(
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

/// Moves a locked payment on. `captured_at` stays once it is known.
pub(super) async fn set_status(
    db: impl PgExecutor<'_>,
    id: PaymentId,
    status: PaymentStatus,
    provider_ref: &str,
    captured_at: Option<OffsetDateTime>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE payments SET status = $2, provider_ref = $3, captured_at = coalesce(captured_at, $4), ask_at = NULL
         WHERE id = $1",
        id.get(),
        status.as_str(),
        provider_ref,
        captured_at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Which of these payments came late and are not decided yet.
pub(crate) async fn undecided(db: impl PgExecutor<'_>, payments: &[Uuid]) -> sqlx::Result<HashSet<Uuid>> {
    let rows = sqlx::query_scalar!("SELECT id FROM payments WHERE id = ANY($1) AND status = 'late'", payments)
        .fetch_all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Whether other money pays this order, or came for it before this payment's did, whatever became of that.
pub(super) async fn has_other_money(db: impl PgExecutor<'_>, order: OrderId, payment: PaymentId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (
             SELECT FROM payments WHERE order_id = $1 AND id <> $2 AND captured_at IS NOT NULL AND (status = 'captured'
               OR captured_at < coalesce((SELECT captured_at FROM payments WHERE id = $2), 'infinity'))) AS "exists!""#,
        order.get(),
        payment.get()
    )
    .fetch_one(db)
    .await
}

/// The copies of this order's end are on their way back to the gate: somebody will bring them within a moment.
pub(super) async fn is_being_released(
    db: impl PgExecutor<'_>,
    order: OrderId,
    soon: OffsetDateTime,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM gate_ops WHERE order_id = $1 AND applied_at IS NULL AND due_at < $2) AS "exists!""#,
        order.get(),
        soon
    )
    .fetch_one(db)
    .await
}

/// Counts a further claim of a locked order.
pub(super) async fn next_claim(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<()> {
    sqlx::query!("UPDATE orders SET claim_no = claim_no + 1 WHERE id = $1", order.get()).execute(db).await?;
    Ok(())
}

/// All of a locked payment's money is on its way back.
pub(super) async fn set_refunding(db: impl PgExecutor<'_>, id: PaymentId) -> sqlx::Result<()> {
    sqlx::query!("UPDATE payments SET status = 'refunding' WHERE id = $1", id.get()).execute(db).await?;
    Ok(())
}

/// Whether the order holds money that nobody sends back.
pub(super) async fn has_captured(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM payments WHERE order_id = $1 AND status = 'captured') AS "exists!""#,
        order.get()
    )
    .fetch_one(db)
    .await
}

/// Whether the order was PAID at some time.
pub(super) async fn was_paid(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM order_history WHERE order_id = $1 AND status = 'PAID') AS "exists!""#,
        order.get()
    )
    .fetch_one(db)
    .await
}

/// A refund about to be written down.
pub(super) struct NewRefund<'a> {
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
}

pub(super) async fn insert_refund(
    db: impl PgExecutor<'_>,
    payment: &PaymentRow,
    new: NewRefund<'_>,
    at: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO refunds (id, payment_id, order_id, amount_minor, currency, reason, status, origin, idempotency_key,
           restocks, provider_ref, created_at, confirmed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
           CASE $7 WHEN 'confirmed' THEN $12::timestamptz END)",
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
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Of a payment: what went back or is on its way, in minor units.
pub(super) async fn going_back(db: impl PgExecutor<'_>, payment: PaymentId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT coalesce(sum(amount_minor), 0)::bigint AS "sum!" FROM refunds
           WHERE payment_id = $1 AND status <> 'failed'"#,
        payment.get()
    )
    .fetch_one(db)
    .await
}

/// The order's payment whose money can go back: the one that pays it, else one that a refund has not wholly taken.
pub(super) async fn refundable(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(
        "SELECT p.id FROM payments p WHERE p.order_id = $1 AND p.status IN ('captured', 'refunding')
         ORDER BY p.status = 'captured' DESC, p.amount_minor > coalesce((SELECT sum(amount_minor) FROM refunds
           WHERE payment_id = p.id AND status <> 'failed'), 0) DESC, p.created_at LIMIT 1",
        order.get()
    )
    .fetch_optional(db)
    .await
}

pub(super) async fn refund(db: impl PgExecutor<'_>, id: RefundId) -> sqlx::Result<Option<RefundRow>> {
    sqlx::query_as!(
        RefundRow,
        "SELECT id, payment_id, amount_minor, currency, status, provider_ref, reason, origin, restocks, error,
           created_at
         FROM refunds WHERE id = $1",
        id.get()
    )
    .fetch_optional(db)
    .await
}

pub(super) async fn refund_of_ref(
    db: impl PgExecutor<'_>,
    payment: PaymentId,
    provider_ref: &str,
) -> sqlx::Result<Option<RefundRow>> {
    sqlx::query_as!(
        RefundRow,
        "SELECT id, payment_id, amount_minor, currency, status, provider_ref, reason, origin, restocks, error,
           created_at
         FROM refunds WHERE payment_id = $1 AND provider_ref = $2",
        payment.get(),
        provider_ref
    )
    .fetch_optional(db)
    .await
}

pub(super) async fn refund_of_key(db: impl PgExecutor<'_>, key: &str) -> sqlx::Result<Option<RefundRow>> {
    sqlx::query_as!(
        RefundRow,
        "SELECT id, payment_id, amount_minor, currency, status, provider_ref, reason, origin, restocks, error,
           created_at
         FROM refunds WHERE idempotency_key = $1",
        key
    )
    .fetch_optional(db)
    .await
}

/// The provider has taken the refund up; the watchdog asks about it from `ask_at` on.
pub(super) async fn set_refund_ref(
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

pub(super) async fn set_refund_error(pg: &PgPool, id: RefundId, error: &str) -> sqlx::Result<()> {
    sqlx::query!("UPDATE refunds SET error = $2 WHERE id = $1", id.get(), error).execute(pg).await?;
    Ok(())
}

pub(super) async fn fail_refund(db: impl PgExecutor<'_>, id: RefundId, error: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE refunds SET status = 'failed', error = $2 WHERE id = $1 AND status = 'requested'",
        id.get(),
        error
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

pub(super) async fn confirm_refund(db: impl PgExecutor<'_>, id: RefundId, at: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE refunds SET status = 'confirmed', confirmed_at = $2 WHERE id = $1 AND status = 'requested'",
        id.get(),
        at
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Confirmed refunds of a payment, in minor units.
pub(super) async fn refunded(db: impl PgExecutor<'_>, payment: PaymentId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT coalesce(sum(amount_minor), 0)::bigint AS "sum!" FROM refunds
           WHERE payment_id = $1 AND status = 'confirmed'"#,
        payment.get()
    )
    .fetch_one(db)
    .await
}

/// Takes the event in; `None`: it is there already. Waits for another transaction that is taking the same event in.
pub(super) async fn insert_event(
    db: impl PgExecutor<'_>,
    provider: &str,
    event: &str,
    kind: &str,
    payload: &Value,
    at: OffsetDateTime,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "INSERT INTO webhook_inbox (provider, event_id, kind, payload, outcome, received_at)
         VALUES ($1, $2, $3, $4, 'ignored', $5)
         ON CONFLICT ON CONSTRAINT webhook_inbox_event_key DO NOTHING RETURNING id",
        provider,
        event,
        kind,
        payload,
        at
    )
    .fetch_optional(db)
    .await
}

pub(super) async fn set_outcome(
    db: impl PgExecutor<'_>,
    id: i64,
    outcome: &str,
    note: Option<&str>,
    due_at: Option<OffsetDateTime>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE webhook_inbox SET outcome = $2, note = $3, due_at = $4, leases = 0 WHERE id = $1",
        id,
        outcome,
        note,
        due_at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// An event that came before its order.
pub struct WaitingEvent {
    pub id: i64,
    pub provider: String,
    pub payload: Value,
    /// This attempt included.
    pub attempts: i32,
    /// Looks before this one that had no outcome.
    pub leases: i32,
}

pub(super) async fn lease_waiting(
    pg: &PgPool,
    now: OffsetDateTime,
    lease_end: OffsetDateTime,
    limit: i64,
) -> sqlx::Result<Vec<WaitingEvent>> {
    sqlx::query_as!(
        WaitingEvent,
        "UPDATE webhook_inbox SET due_at = $2, attempts = attempts + 1
         WHERE id IN (SELECT id FROM webhook_inbox WHERE outcome = 'waiting' AND due_at <= $1
                      ORDER BY due_at FOR UPDATE SKIP LOCKED LIMIT $3)
         RETURNING id, provider, payload, attempts, leases",
        now,
        lease_end,
        limit
    )
    .fetch_all(pg)
    .await
}

/// Counts a look at the event; returns how many it has had without an outcome.
pub(super) async fn count_lease(pg: &PgPool, id: i64) -> sqlx::Result<i32> {
    let count = sqlx::query_scalar!("UPDATE webhook_inbox SET leases = leases + 1 WHERE id = $1 RETURNING leases", id);
    count.fetch_one(pg).await
}

/// The look failed, and whoever took it lives on.
pub(super) async fn forget_leases(pg: &PgPool, id: i64) -> sqlx::Result<()> {
    sqlx::query!("UPDATE webhook_inbox SET leases = 0 WHERE id = $1", id).execute(pg).await?;
    Ok(())
}

/// The look failed, and not because of the event.
pub(super) async fn hand_back(pg: &PgPool, id: i64) -> sqlx::Result<()> {
    sqlx::query!("UPDATE webhook_inbox SET leases = 0, attempts = greatest(attempts - 1, 0) WHERE id = $1", id)
        .execute(pg)
        .await?;
    Ok(())
}

/// Whether the event still waits; holds it until the transaction ends.
pub(super) async fn lock_waiting(db: impl PgExecutor<'_>, id: i64) -> sqlx::Result<bool> {
    let row = sqlx::query_scalar!("SELECT id FROM webhook_inbox WHERE id = $1 AND outcome = 'waiting' FOR UPDATE", id)
        .fetch_optional(db)
        .await?;
    Ok(row.is_some())
}

/// Notes the provider's own id of the money.
pub(super) async fn set_capture(
    db: impl PgExecutor<'_>,
    provider: &str,
    provider_ref: &str,
    capture_ref: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE payments SET capture_ref = $3 WHERE provider = $1 AND provider_ref = $2 AND capture_ref IS NULL",
        provider,
        provider_ref,
        capture_ref
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The payment that brought this money.
pub(super) async fn payment_of_capture(
    db: impl PgExecutor<'_>,
    provider: &str,
    capture_ref: &str,
) -> sqlx::Result<Option<PaymentRow>> {
    sqlx::query_as!(
        PaymentRow,
        "SELECT id, order_id, provider, provider_ref, status, amount_minor, currency, redirect_url
         FROM payments WHERE provider = $1 AND capture_ref = $2 ORDER BY created_at LIMIT 1",
        provider,
        capture_ref
    )
    .fetch_optional(db)
    .await
}

/// Payments of a provider that brought money, opened within this time; those after `after`.
pub(super) async fn money_of(
    db: impl PgExecutor<'_>,
    provider: &str,
    (from, until): (OffsetDateTime, OffsetDateTime),
    after: Uuid,
    most: i64,
) -> sqlx::Result<Vec<PaymentRow>> {
    sqlx::query_as!(
        PaymentRow,
        "SELECT id, order_id, provider, provider_ref, status, amount_minor, currency, redirect_url
         FROM payments WHERE provider = $1 AND captured_at >= $2 AND captured_at < $3 AND id > $4 ORDER BY id LIMIT $5",
        provider,
        from,
        until,
        after,
        most
    )
    .fetch_all(db)
    .await
}

/// Refunds that a provider confirmed within this time; those after `after`.
pub(super) async fn refunds_of(
    db: impl PgExecutor<'_>,
    provider: &str,
    (from, until): (OffsetDateTime, OffsetDateTime),
    after: Uuid,
    most: i64,
) -> sqlx::Result<Vec<RefundRow>> {
    sqlx::query_as!(
        RefundRow,
        "SELECT r.id, r.payment_id, r.amount_minor, r.currency, r.status, r.provider_ref, r.reason, r.origin, r.restocks,
           r.error, r.created_at
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

impl OrderRow {
    pub fn amount(&self) -> Option<Money> {
        money(self.total_minor, &self.currency)
    }
}

impl PaymentRow {
    pub fn amount(&self) -> Option<Money> {
        money(self.amount_minor, &self.currency)
    }

    pub fn status(&self) -> Option<PaymentStatus> {
        PaymentStatus::parse(&self.status)
    }
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
            error: self.error,
        })
    }

    pub fn amount(&self) -> Option<Money> {
        money(self.amount_minor, &self.currency)
    }
}

fn money(minor: i64, currency: &str) -> Option<Money> {
    domain::Currency::parse(currency).ok().map(|currency| Minor::new(minor).with(currency))
}
