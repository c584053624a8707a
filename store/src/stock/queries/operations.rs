//! SQL of `gate_ops`: what the gate still has to do, and what it has done.

use super::Line;
use crate::{
    error::{During, Error},
    jobs::ALONE_FROM,
    world::from_timestamp,
};
use domain::{OrderId, UnixMillis};
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

/// What the gate knows an operation by. A Postgres that crashes may give the number of one that it never committed again;
/// so the moment belongs to the name.
#[derive(Debug, Clone, Copy)]
pub(in crate::stock) struct OperationId {
    pub id: i64,
    pub at: UnixMillis,
}

impl OperationId {
    fn new(id: i64, created_at: OffsetDateTime) -> Self {
        Self { id, at: from_timestamp(created_at) }
    }
}

/// Work for the gate, committed with the change that causes it.
pub(in crate::stock) async fn insert_operation(
    db: impl PgExecutor<'_>,
    kind: &str,
    order: Option<OrderId>,
    lines: &[Line],
    at: OffsetDateTime,
) -> Result<OperationId, sqlx::Error> {
    let id = sqlx::query_scalar!(
        "INSERT INTO gate_ops (kind, order_id, lines, created_at, due_at) VALUES ($1, $2, $3, $4, $4) RETURNING id",
        kind,
        order.map(OrderId::get),
        to_json(lines),
        at
    )
    .fetch_one(db)
    .await?;
    Ok(OperationId::new(id, at))
}

/// Of an operation that is not committed yet.
pub(in crate::stock) async fn set_lines(db: impl PgExecutor<'_>, id: i64, lines: &[Line]) -> Result<(), sqlx::Error> {
    sqlx::query!("UPDATE gate_ops SET lines = $2 WHERE id = $1", id, to_json(lines)).execute(db).await?;
    Ok(())
}

fn to_json(lines: &[Line]) -> serde_json::Value {
    lines.iter().map(|line| serde_json::json!([line.book, line.copies])).collect()
}

/// A row of `gate_ops`, with the owner of its order.
pub(in crate::stock) struct Operation {
    pub id: i64,
    created_at: OffsetDateTime,
    pub kind: String,
    pub order_id: Option<Uuid>,
    pub lines: serde_json::Value,
    pub attempts: i32,
    pub first_failed_at: Option<OffsetDateTime>,
    pub owner: Option<String>,
}

impl Operation {
    pub(in crate::stock) fn name(&self) -> OperationId {
        OperationId::new(self.id, self.created_at)
    }

    pub(in crate::stock) fn lines(&self) -> Result<Vec<Line>, Error> {
        parse_lines(&self.lines)
    }
}

fn parse_lines(lines: &serde_json::Value) -> Result<Vec<Line>, Error> {
    let pairs: Vec<(i64, i32)> = serde_json::from_value(lines.clone()).during("stock.operation_lines")?;
    Ok(pairs.into_iter().map(|(book, copies)| Line { book, copies }).collect())
}

pub(in crate::stock) async fn has_due_operations(
    db: impl PgExecutor<'_>,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM gate_ops WHERE applied_at IS NULL AND due_at <= $1) AS "due!""#,
        now
    )
    .fetch_one(db)
    .await
}

/// An operation that waited too long, taken up.
pub(in crate::stock) struct TakenUp {
    pub id: i64,
    /// This time included, so often without an outcome.
    pub leases: i32,
}

/// Takes up operations that are late, each once until `until`; or, if workers died with the first of them, only that one.
pub(in crate::stock) async fn take_up(
    db: impl PgExecutor<'_>,
    (late, now, until): (OffsetDateTime, OffsetDateTime, OffsetDateTime),
    most: i64,
) -> Result<Vec<TakenUp>, sqlx::Error> {
    sqlx::query_as!(
        TakenUp,
        "WITH due AS (
           SELECT id, leases FROM gate_ops
           WHERE applied_at IS NULL AND due_at <= $2 AND due_at <= CASE leases WHEN 0 THEN $1::timestamptz ELSE $2 END
           ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED),
         first AS (SELECT id, leases >= $5 AS is_alone FROM due ORDER BY id LIMIT 1)
         UPDATE gate_ops g SET leases = g.leases + 1, due_at = $3 FROM due, first
         WHERE g.id = due.id AND CASE WHEN first.is_alone THEN due.id = first.id ELSE due.leases < $5 END
         RETURNING g.id, g.leases",
        late,
        now,
        until,
        most,
        ALONE_FROM - 1
    )
    .fetch_all(db)
    .await
}

/// Whoever took them up lives on: they are as if nobody had.
pub(in crate::stock) async fn hand_back(
    db: impl PgExecutor<'_>,
    ids: &[i64],
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!("UPDATE gate_ops SET leases = 0, due_at = $2 WHERE id = ANY($1) AND applied_at IS NULL", ids, now)
        .execute(db)
        .await?;
    Ok(())
}

/// Those taken up; or, when there are none, those that are due and that nobody took up before.
pub(in crate::stock) async fn lock_operations(
    db: impl PgExecutor<'_>,
    taken_up: &[i64],
    now: OffsetDateTime,
    most: i64,
) -> Result<Vec<Operation>, sqlx::Error> {
    sqlx::query_as!(
        Operation,
        r#"SELECT g.id, g.created_at, g.kind, g.order_id, g.lines, g.attempts, g.first_failed_at, o.owner AS "owner?"
           FROM gate_ops g LEFT JOIN orders o ON o.id = g.order_id
           WHERE g.applied_at IS NULL
             AND CASE WHEN $1 = '{}'::bigint[] THEN g.due_at <= $2 AND g.leases = 0 ELSE g.id = ANY($1) END
           ORDER BY g.id LIMIT $3 FOR UPDATE OF g SKIP LOCKED"#,
        taken_up,
        now,
        most
    )
    .fetch_all(db)
    .await
}

pub(in crate::stock) async fn mark_applied(
    db: impl PgExecutor<'_>,
    ids: &[i64],
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!("UPDATE gate_ops SET applied_at = $2, attempts = attempts + 1 WHERE id = ANY($1)", ids, at)
        .execute(db)
        .await?;
    Ok(())
}

/// Tries an operation again at `due`.
pub(in crate::stock) async fn put_off(
    db: impl PgExecutor<'_>,
    id: i64,
    due: OffsetDateTime,
    error: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE gate_ops SET due_at = $2, attempts = attempts + 1, leases = 0, last_error = $3,
                first_failed_at = coalesce(first_failed_at, now()) WHERE id = $1",
        id,
        due,
        error
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Nobody takes it up again by itself: its workers died.
pub(in crate::stock) async fn set_aside(
    db: impl PgExecutor<'_>,
    id: i64,
    due: OffsetDateTime,
    error: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!("UPDATE gate_ops SET due_at = $2, last_error = $3 WHERE id = $1", id, due, error).execute(db).await?;
    Ok(())
}

/// An operation that Postgres does not know as applied.
pub(in crate::stock) struct Waiting {
    id: i64,
    created_at: OffsetDateTime,
    pub kind: String,
    lines: serde_json::Value,
}

impl Waiting {
    pub(in crate::stock) fn name(&self) -> OperationId {
        OperationId::new(self.id, self.created_at)
    }

    /// What it will add at the gate. One that nobody can read will never add anything.
    pub(in crate::stock) fn copies(&self) -> Vec<Line> {
        match self.kind.as_str() {
            "settle" => Vec::new(),
            _ => parse_lines(&self.lines).unwrap_or_default(),
        }
    }
}

/// Most operations that are looked at; more wait only while Redis is away.
pub(in crate::stock) const MOST_WAITING: usize = 100_000;

pub(in crate::stock) async fn waiting(db: impl PgExecutor<'_>) -> Result<Vec<Waiting>, sqlx::Error> {
    sqlx::query_as!(
        Waiting,
        "SELECT id, created_at, kind, lines FROM gate_ops WHERE applied_at IS NULL ORDER BY id LIMIT $1",
        MOST_WAITING as i64
    )
    .fetch_all(db)
    .await
}

/// The operations that the gate has not confirmed.
pub(in crate::stock) async fn unapplied(db: impl PgExecutor<'_>) -> Result<Vec<OperationId>, sqlx::Error> {
    let rows = sqlx::query!("SELECT id, created_at FROM gate_ops WHERE applied_at IS NULL ORDER BY id");
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| OperationId::new(row.id, row.created_at)).collect())
}
