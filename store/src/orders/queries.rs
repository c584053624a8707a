//! SQL of orders.

use domain::{
    OrderId,
    order::{Cause, OrderStatus},
};
use sqlx::PgExecutor;
use time::OffsetDateTime;

pub(super) struct Changed {
    pub version: i64,
    pub claim_no: i32,
}

pub(super) async fn compare_and_set(
    db: impl PgExecutor<'_>,
    order: OrderId,
    from: OrderStatus,
    to: OrderStatus,
    at: OffsetDateTime,
) -> Result<Option<Changed>, sqlx::Error> {
    sqlx::query_as!(
        Changed,
        "UPDATE orders SET status = $3, version = version + 1, updated_at = $4
         WHERE id = $1 AND status = $2 RETURNING version, claim_no",
        order.get(),
        from.as_str(),
        to.as_str(),
        at
    )
    .fetch_optional(db)
    .await
}

pub(super) async fn insert_history(
    db: impl PgExecutor<'_>,
    order: OrderId,
    version: i64,
    status: OrderStatus,
    cause: Cause,
    note: Option<&str>,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO order_history (order_id, version, status, cause, note, at) VALUES ($1, $2, $3, $4, $5, $6)",
        order.get(),
        version,
        status.as_str(),
        cause.as_str(),
        note,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The live message of a change, sent after commit.
pub(super) async fn announce(db: impl PgExecutor<'_>, order: OrderId, at: OffsetDateTime) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO outbox (topic, key, created_at, due_at) VALUES ('order.changed', $1, $2, $2)",
        order.to_string(),
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// An order that ended unpaid must not be paid at the provider any more.
pub(super) async fn close_payments(
    db: impl PgExecutor<'_>,
    order: OrderId,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO outbox (topic, key, created_at, due_at)
         SELECT 'payment.close', id::text, $2, $2 FROM payments WHERE order_id = $1 AND status IN ('creating', 'open')",
        order.get(),
        at
    )
    .execute(db)
    .await?;
    Ok(())
}
