//! SQL that changes orders: one step of one order by compare-and-set, the end of many whose time is over, shipments.

use domain::{
    OrderId,
    order::{Cause, OrderStatus},
};
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

pub(in crate::orders) struct Changed {
    pub version: i64,
    pub claim_no: i32,
}

pub(in crate::orders) async fn compare_and_set(
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

pub(in crate::orders) async fn insert_history(
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

/// Adds a row to the history of an order whose status stays; returns its number.
pub(in crate::orders) async fn note(
    db: impl PgExecutor<'_>,
    order: OrderId,
    status: OrderStatus,
    cause: Cause,
    note: Option<&str>,
    at: OffsetDateTime,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        "WITH knot AS (UPDATE orders SET version = version + 1, updated_at = $5 WHERE id = $1 RETURNING version)
         INSERT INTO order_history (order_id, version, status, cause, note, at)
         SELECT $1, version, $2, $3, $4, $5 FROM knot RETURNING version",
        order.get(),
        status.as_str(),
        cause.as_str(),
        note,
        at
    )
    .fetch_one(db)
    .await
}

/// Sessions at a provider in which one of these orders could still be paid.
pub(in crate::orders) async fn open_payments(
    db: impl PgExecutor<'_>,
    orders: &[Uuid],
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT id::text AS "id!" FROM payments WHERE order_id = ANY($1) AND status IN ('creating', 'open', 'closing')"#,
        orders
    )
    .fetch_all(db)
    .await
}

/// An order that has just expired.
pub(in crate::orders) struct Ended {
    pub id: Uuid,
    pub version: i64,
    pub claim_no: i32,
}

/// Those of these orders that nobody else has in hand, and that are still due.
pub(in crate::orders) async fn expire(
    db: impl PgExecutor<'_>,
    orders: &[Uuid],
    at: OffsetDateTime,
) -> Result<Vec<Ended>, sqlx::Error> {
    sqlx::query_as!(
        Ended,
        "UPDATE orders SET status = 'EXPIRED', version = version + 1, updated_at = $2 WHERE id IN (
           SELECT id FROM orders WHERE id = ANY($1) AND status = 'PAYMENT_PENDING' AND expires_at <= $2
           ORDER BY id FOR UPDATE SKIP LOCKED)
         RETURNING id, version, claim_no",
        orders,
        at
    )
    .fetch_all(db)
    .await
}

/// One step of each of these orders' histories.
pub(in crate::orders) async fn insert_histories(
    db: impl PgExecutor<'_>,
    orders: &[Uuid],
    versions: &[i64],
    status: &str,
    cause: &str,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO order_history (order_id, version, status, cause, at)
         SELECT id, version, $3, $4, $5 FROM unnest($1::uuid[], $2::bigint[]) AS h (id, version)",
        orders,
        versions,
        status,
        cause,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(in crate::orders) async fn insert_shipment(
    db: impl PgExecutor<'_>,
    order: OrderId,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO shipments (order_id, address, created_at) SELECT id, address, $2 FROM orders WHERE id = $1",
        order.get(),
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Which of its claims on copies counts.
pub(in crate::orders) async fn claim_no(db: impl PgExecutor<'_>, order: OrderId) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar!("SELECT claim_no FROM orders WHERE id = $1", order.get()).fetch_one(db).await
}

/// The parcel goes to the carrier.
pub(in crate::orders) async fn hand_over(
    db: impl PgExecutor<'_>,
    order: OrderId,
    carrier: &str,
    tracking: Option<&str>,
    at: OffsetDateTime,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE shipments SET carrier = $2, tracking = $3, shipped_at = $4 WHERE order_id = $1",
        order.get(),
        carrier,
        tracking,
        at
    );
    Ok(done.execute(db).await?.rows_affected())
}

pub(in crate::orders) async fn arrived(
    db: impl PgExecutor<'_>,
    order: OrderId,
    at: OffsetDateTime,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!("UPDATE shipments SET delivered_at = $2 WHERE order_id = $1", order.get(), at);
    Ok(done.execute(db).await?.rows_affected())
}

/// Whose doing the latest step of a history was.
pub(in crate::orders) async fn set_actor(
    db: impl PgExecutor<'_>,
    order: OrderId,
    version: i64,
    account: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE order_history SET actor_id = $3 WHERE order_id = $1 AND version = $2",
        order.get(),
        version,
        account
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A refund of the payment that made this order paid is under way.
pub(in crate::orders) async fn is_refunding(db: impl PgExecutor<'_>, order: OrderId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT NOT EXISTS (SELECT FROM payments WHERE order_id = $1 AND status = 'captured') AS "is_refunding!""#,
        order.get()
    )
    .fetch_one(db)
    .await
}

/// Those of these orders that claim no copies of a book whose row somebody keeps locked.
pub(in crate::orders) async fn unlocked(pg: &sqlx::PgPool, orders: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"WITH claimed AS (
             SELECT order_id, book_id FROM stock_movements WHERE order_id = ANY($1) AND kind = 'reserve'),
           free AS (
             SELECT book_id FROM stock WHERE book_id IN (SELECT book_id FROM claimed) FOR UPDATE SKIP LOCKED)
           SELECT o.id AS "id!" FROM unnest($1::uuid[]) AS o (id) WHERE NOT EXISTS (
             SELECT FROM claimed c WHERE c.order_id = o.id AND c.book_id NOT IN (SELECT book_id FROM free))"#,
        orders
    )
    .fetch_all(pg)
    .await
}

/// One more failure to end this order; returns how many there were, and when the first was.
pub(in crate::orders) async fn count_failure(
    db: impl PgExecutor<'_>,
    order: OrderId,
    at: OffsetDateTime,
) -> Result<(i32, OffsetDateTime), sqlx::Error> {
    let row = sqlx::query!(
        "INSERT INTO expiry_failures AS f (order_id, attempts, first_failed_at, due_at) VALUES ($1, 1, $2, $2)
         ON CONFLICT (order_id) DO UPDATE SET attempts = f.attempts + 1 RETURNING attempts, first_failed_at",
        order.get(),
        at
    )
    .fetch_one(db)
    .await?;
    Ok((row.attempts, row.first_failed_at))
}

/// When ending this order is tried again; `None`: not by itself.
pub(in crate::orders) async fn put_off(
    db: impl PgExecutor<'_>,
    order: OrderId,
    due: Option<OffsetDateTime>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE expiry_failures SET due_at = coalesce($2, 'infinity'::timestamptz) WHERE order_id = $1",
        order.get(),
        due
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A step of an order that somebody of the shop took.
pub(in crate::orders) struct SignedStep {
    pub cause: String,
    pub at: OffsetDateTime,
    pub actor: i64,
    pub name: String,
}

/// The last few of them, the latest first.
pub(in crate::orders) async fn signed_steps(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<Vec<SignedStep>> {
    sqlx::query_as!(
        SignedStep,
        "SELECT h.cause, h.at, a.id AS actor, a.name FROM order_history h JOIN accounts a ON a.id = h.actor_id
         WHERE h.order_id = $1 ORDER BY h.version DESC LIMIT 16",
        order.get()
    )
    .fetch_all(db)
    .await
}
