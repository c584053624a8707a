//! SQL of sessions at providers and of the money that they brought.

use super::money;
use crate::payments::provider::NewSession;
use domain::{Money, OrderId, PaymentId, payment::PaymentStatus};
use sqlx::{PgExecutor, PgPool};
use std::collections::HashSet;
use time::OffsetDateTime;
use uuid::Uuid;

pub(in crate::payments) struct PaymentRow {
    pub id: Uuid,
    pub order_id: Uuid,
    pub provider: String,
    pub provider_ref: Option<String>,
    pub status: String,
    pub amount_minor: i64,
    pub currency: String,
    pub redirect_url: Option<String>,
}

pub(in crate::payments) async fn payment(db: impl PgExecutor<'_>, id: PaymentId) -> sqlx::Result<Option<PaymentRow>> {
    sqlx::query_as!(
        PaymentRow,
        "SELECT id, order_id, provider, provider_ref, status, amount_minor, currency, redirect_url
         FROM payments WHERE id = $1",
        id.get()
    )
    .fetch_optional(db)
    .await
}

pub(in crate::payments) async fn lock_payment(
    db: impl PgExecutor<'_>,
    id: PaymentId,
) -> sqlx::Result<Option<PaymentRow>> {
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
pub(in crate::payments) async fn payment_of_event(
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

/// The session of that name at the provider.
pub(in crate::payments) async fn payment_of_ref(
    db: impl PgExecutor<'_>,
    provider: &str,
    provider_ref: &str,
) -> sqlx::Result<Option<PaymentRow>> {
    sqlx::query_as!(
        PaymentRow,
        "SELECT id, order_id, provider, provider_ref, status, amount_minor, currency, redirect_url
         FROM payments WHERE provider = $1 AND provider_ref = $2",
        provider,
        provider_ref
    )
    .fetch_optional(db)
    .await
}

/// Records a second session that the provider made under the name of this one.
pub(in crate::payments) async fn insert_twin(
    db: impl PgExecutor<'_>,
    first: &PaymentRow,
    id: PaymentId,
    provider_ref: &str,
    at: OffsetDateTime,
) -> sqlx::Result<PaymentRow> {
    sqlx::query_as!(
        PaymentRow,
        "INSERT INTO payments (id, order_id, provider, provider_ref, status, amount_minor, currency, created_at)
         VALUES ($1, $2, $3, $4, 'closed', $5, $6, $7)
         RETURNING id, order_id, provider, provider_ref, status, amount_minor, currency, redirect_url",
        id.get(),
        first.order_id,
        first.provider,
        provider_ref,
        first.amount_minor,
        first.currency,
        at
    )
    .fetch_one(db)
    .await
}

/// The order's session to which its shopper is sent.
pub(in crate::payments) async fn open_payment(
    db: impl PgExecutor<'_>,
    order: OrderId,
) -> sqlx::Result<Option<PaymentRow>> {
    sqlx::query_as!(
        PaymentRow,
        "SELECT id, order_id, provider, provider_ref, status, amount_minor, currency, redirect_url
         FROM payments WHERE order_id = $1 AND status IN ('creating', 'open')",
        order.get()
    )
    .fetch_optional(db)
    .await
}

pub(in crate::payments) async fn insert_payment(
    db: impl PgExecutor<'_>,
    session: &NewSession,
    provider: &str,
    at: OffsetDateTime,
    ask_at: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO payments (id, order_id, provider, status, amount_minor, currency, created_at, ask_at)
         VALUES ($1, $2, $3, 'creating', $4, $5, $6, $7)",
        session.payment.get(),
        session.order.get(),
        provider,
        session.amount.minor().get(),
        session.amount.currency().code(),
        at,
        ask_at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes the provider's answer; leaves a payment alone that moved on in the meantime.
pub(in crate::payments) async fn opened(
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

/// Nobody can pay by this session any more, unless money was quicker.
pub(in crate::payments) async fn closed(pg: &PgPool, id: PaymentId, provider_ref: Option<&str>) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE payments SET provider_ref = $2, ask_at = NULL,
           status = CASE status WHEN 'declined' THEN status ELSE 'closed' END
         WHERE id = $1 AND status IN ('creating', 'open', 'closing', 'declined')",
        id.get(),
        provider_ref
    )
    .execute(pg)
    .await?;
    Ok(())
}

/// Closes a payment whose session nobody was ever sent to; whether it was one.
pub(in crate::payments) async fn abandon(pg: &PgPool, id: PaymentId) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE payments SET status = 'closed', ask_at = NULL WHERE id = $1 AND status = 'creating' AND redirect_url IS NULL",
        id.get()
    )
    .execute(pg)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Leaves an open session behind, to be closed when its provider answers; whether it was one.
pub(in crate::payments) async fn leave_behind(pg: &PgPool, id: PaymentId) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE payments SET status = 'closing' WHERE id = $1 AND status IN ('creating', 'open')",
        id.get()
    );
    Ok(done.execute(pg).await?.rows_affected() == 1)
}

/// Sessions in which one of these orders could still be paid.
pub(in crate::payments) async fn open_sessions(db: impl PgExecutor<'_>, orders: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
    let open = sqlx::query_scalar!(
        "SELECT id FROM payments WHERE order_id = ANY($1) AND status IN ('creating', 'open', 'closing', 'declined')",
        orders
    );
    open.fetch_all(db).await
}

/// How many sessions the order has had.
pub(in crate::payments) async fn sessions(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM payments WHERE order_id = $1"#, order.get())
        .fetch_one(db)
        .await
}

/// Sessions to ask about now; asked about again at `next`, or, those older than a day, in an hour.
pub(in crate::payments) async fn lease_questions(
    pg: &PgPool,
    now: OffsetDateTime,
    next: OffsetDateTime,
    most: i64,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "UPDATE payments SET ask_at = CASE WHEN created_at < $1 - interval '1 day' THEN $1 + interval '1 hour' ELSE $2 END
         WHERE id IN (SELECT id FROM payments WHERE status IN ('creating', 'open', 'closing', 'declined') AND ask_at <= $1
                      ORDER BY ask_at LIMIT $3 FOR UPDATE SKIP LOCKED)
         RETURNING id",
        now,
        next,
        most
    )
    .fetch_all(pg)
    .await
}

/// Moves a locked payment on. `captured_at` stays once it is known. After a declined card there may be another one, of
/// which a provider tells as well: it is asked on.
pub(in crate::payments) async fn set_status(
    db: impl PgExecutor<'_>,
    id: PaymentId,
    status: PaymentStatus,
    provider_ref: &str,
    captured_at: Option<OffsetDateTime>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE payments SET status = $2, provider_ref = $3, captured_at = coalesce(captured_at, $4),
           ask_at = CASE $2 WHEN 'declined' THEN ask_at END
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
pub(in crate::payments) async fn has_other_money(
    db: impl PgExecutor<'_>,
    order: OrderId,
    payment: PaymentId,
) -> sqlx::Result<bool> {
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

/// All of a locked payment's money is on its way back.
pub(in crate::payments) async fn set_refunding(db: impl PgExecutor<'_>, id: PaymentId) -> sqlx::Result<()> {
    sqlx::query!("UPDATE payments SET status = 'refunding' WHERE id = $1", id.get()).execute(db).await?;
    Ok(())
}

/// Whether another payment than this one pays the order.
pub(in crate::payments) async fn is_paid_by_another(
    db: impl PgExecutor<'_>,
    order: OrderId,
    payment: PaymentId,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM payments WHERE order_id = $1 AND id <> $2 AND status = 'captured') AS "exists!""#,
        order.get(),
        payment.get()
    )
    .fetch_one(db)
    .await
}

/// Whether money of this order is with the shop, on its way back or not.
pub(in crate::payments) async fn holds_money(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM payments WHERE order_id = $1 AND status IN ('captured', 'late', 'refunding'))
             AS "exists!""#,
        order.get()
    )
    .fetch_one(db)
    .await
}

/// Notes the provider's own id of the money.
pub(in crate::payments) async fn set_capture(
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
pub(in crate::payments) async fn payment_of_capture(
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
pub(in crate::payments) async fn money_of(
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

impl PaymentRow {
    pub fn amount(&self) -> Option<Money> {
        money(self.amount_minor, &self.currency)
    }

    pub fn status(&self) -> Option<PaymentStatus> {
        PaymentStatus::parse(&self.status)
    }

    /// Money may still come by it: somebody may be paying it, or try another card.
    pub fn may_bring_money(&self) -> bool {
        self.is_unsettled() || self.status() == Some(PaymentStatus::Declined)
    }

    /// Nobody has said yet how it ends.
    pub fn is_unsettled(&self) -> bool {
        matches!(self.status(), Some(PaymentStatus::Creating | PaymentStatus::Open | PaymentStatus::Closing))
    }
}
