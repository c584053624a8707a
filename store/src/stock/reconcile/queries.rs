//! SQL of reconciling.

use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

pub(super) async fn books(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!("SELECT book_id FROM stock").fetch_all(db).await
}

/// Books with a movement since then, or with an operation that the gate has not confirmed.
pub(super) async fn recent_books(db: impl PgExecutor<'_>, since: OffsetDateTime) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!(
        r#"SELECT book_id AS "book!" FROM stock_movements WHERE at >= $1
           UNION
           SELECT jsonb_path_query(lines, '$[*][0] ? (@.type() == "number" && @ > 0 && @ < 1000000000000000000)')::bigint
           FROM gate_ops WHERE applied_at IS NULL OR applied_at >= $1"#,
        since
    )
    .fetch_all(db)
    .await
}

/// Copies on sale of these books by the ledger; none of a book that it does not know.
pub(super) async fn available(db: impl PgExecutor<'_>, books: &[i64]) -> sqlx::Result<Vec<(i64, i64)>> {
    let rows = sqlx::query!(
        r#"SELECT b.id AS "book!", coalesce(s.available, 0)::bigint AS "available!"
           FROM unnest($1::bigint[]) AS b (id) LEFT JOIN stock s ON s.book_id = b.id"#,
        books
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.book, row.available)).collect())
}

/// Makes operations from before `since` that wait for a later turn due now, and returns all that wait from then; but
/// not those of which workers died.
pub(super) async fn make_due(
    db: impl PgExecutor<'_>,
    since: OffsetDateTime,
    now: OffsetDateTime,
    most: i64,
) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!(
        "UPDATE gate_ops SET due_at = least(due_at, $2) WHERE id IN (
           SELECT id FROM gate_ops WHERE applied_at IS NULL AND created_at < $1 AND leases <= $4 ORDER BY id LIMIT $3)
         RETURNING id",
        since,
        now,
        most,
        crate::jobs::MAX_LEASES
    )
    .fetch_all(db)
    .await
}

pub(super) async fn are_due(db: impl PgExecutor<'_>, ids: &[i64], now: OffsetDateTime) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM gate_ops WHERE id = ANY($1) AND applied_at IS NULL AND due_at <= $2) AS "due!""#,
        ids,
        now
    )
    .fetch_one(db)
    .await
}

/// Those of which the lines are not pairs of whole numbers; locked.
pub(super) async fn unreadable(db: impl PgExecutor<'_>, ids: &[i64]) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!(
        r#"SELECT id FROM gate_ops WHERE id = ANY($1) AND applied_at IS NULL AND NOT (jsonb_typeof(lines) = 'array'
             AND NOT jsonb_path_exists(lines, '$[*] ? (@.type() != "array" || @.size() != 2)')
             AND NOT jsonb_path_exists(lines, '$[*][*] ? (@.type() != "number" || @.floor() != @)'))
           FOR UPDATE"#,
        ids
    )
    .fetch_all(db)
    .await
}

/// Nobody tries them again.
pub(super) async fn close(db: impl PgExecutor<'_>, ids: &[i64], at: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("UPDATE gate_ops SET applied_at = $2 WHERE id = ANY($1)", ids, at).execute(db).await?;
    Ok(())
}

/// The letters of these operations that wait no more are dealt with.
pub(in crate::stock) async fn end_letters(
    db: impl PgExecutor<'_>,
    ids: &[i64],
    at: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE dead_letters SET state = 'retried', ended_at = $2, reason = 'reconciled'
         WHERE source = 'gate_ops' AND state = 'parked'
           AND key IN (SELECT id::text FROM gate_ops WHERE id = ANY($1) AND applied_at IS NOT NULL)",
        ids,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn unapplied_of(db: impl PgExecutor<'_>, ids: &[i64]) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "n!" FROM gate_ops WHERE id = ANY($1) AND applied_at IS NULL"#, ids)
        .fetch_one(db)
        .await
}

/// Where an order stands.
pub(super) struct State {
    pub id: Uuid,
    /// Postgres has it.
    pub is_written: bool,
    pub is_open: bool,
    /// An operation that ends its reservation waits to be applied.
    pub is_ending: bool,
}

pub(super) async fn states(db: impl PgExecutor<'_>, orders: &[Uuid]) -> sqlx::Result<Vec<State>> {
    sqlx::query_as!(
        State,
        r#"SELECT a.id AS "id!", o.id IS NOT NULL AS "is_written!",
                  coalesce(o.status IN ('PENDING', 'PAYMENT_PENDING'), false) AS "is_open!",
                  EXISTS (SELECT FROM gate_ops g WHERE g.order_id = a.id AND g.applied_at IS NULL) AS "is_ending!"
           FROM unnest($1::uuid[]) AS a (id) LEFT JOIN orders o ON o.id = a.id"#,
        orders
    )
    .fetch_all(db)
    .await
}

pub(super) struct OpenOrder {
    pub id: Uuid,
    pub owner: String,
}

pub(super) async fn open_orders(db: impl PgExecutor<'_>, after: Uuid, most: i64) -> sqlx::Result<Vec<OpenOrder>> {
    sqlx::query_as!(
        OpenOrder,
        "SELECT id, owner FROM orders WHERE status = 'PAYMENT_PENDING' AND id > $1 ORDER BY id LIMIT $2",
        after,
        most
    )
    .fetch_all(db)
    .await
}

/// Those that are still open, their rows locked against being ended.
pub(super) async fn lock_open(db: impl PgExecutor<'_>, orders: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT id FROM orders WHERE id = ANY($1) AND status = 'PAYMENT_PENDING' ORDER BY id FOR SHARE",
        orders
    )
    .fetch_all(db)
    .await
}
