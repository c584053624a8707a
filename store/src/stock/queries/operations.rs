//! SQL of `gate_ops`: what the gate still has to do, and what it has done.

use super::Line;
use crate::error::{During, Error};
use domain::OrderId;
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

/// Work for the gate, committed with the change that causes it.
pub(in crate::stock) async fn insert_operation(
    db: impl PgExecutor<'_>,
    kind: &str,
    order: Option<OrderId>,
    lines: &[Line],
    at: OffsetDateTime,
) -> Result<i64, sqlx::Error> {
    let lines = lines.iter().map(|line| serde_json::json!([line.book, line.copies])).collect::<serde_json::Value>();
    sqlx::query_scalar!(
        "INSERT INTO gate_ops (kind, order_id, lines, created_at, due_at) VALUES ($1, $2, $3, $4, $4) RETURNING id",
        kind,
        order.map(OrderId::get),
        lines,
        at
    )
    .fetch_one(db)
    .await
}

/// A row of `gate_ops`, with the owner of its order.
pub(in crate::stock) struct Operation {
    pub id: i64,
    pub kind: String,
    pub order_id: Option<Uuid>,
    pub lines: serde_json::Value,
    pub attempts: i32,
    pub first_failed_at: Option<OffsetDateTime>,
    pub owner: Option<String>,
}

impl Operation {
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

pub(in crate::stock) async fn lock_due_operations(
    db: impl PgExecutor<'_>,
    now: OffsetDateTime,
    most: i64,
) -> Result<Vec<Operation>, sqlx::Error> {
    sqlx::query_as!(
        Operation,
        r#"SELECT g.id, g.kind, g.order_id, g.lines, g.attempts, g.first_failed_at, o.owner AS "owner?"
           FROM gate_ops g LEFT JOIN orders o ON o.id = g.order_id
           WHERE g.applied_at IS NULL AND g.due_at <= $1 ORDER BY g.id LIMIT $2 FOR UPDATE OF g SKIP LOCKED"#,
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
        "UPDATE gate_ops SET due_at = $2, attempts = attempts + 1, last_error = $3,
                first_failed_at = coalesce(first_failed_at, now()) WHERE id = $1",
        id,
        due,
        error
    )
    .execute(db)
    .await?;
    Ok(())
}

/// An operation that Postgres does not know as applied.
pub(in crate::stock) struct Waiting {
    pub id: i64,
    pub kind: String,
    lines: serde_json::Value,
}

impl Waiting {
    /// What it will add at the gate. One that nobody can read will never add anything.
    pub(in crate::stock) fn copies(&self) -> Vec<Line> {
        match self.kind.as_str() {
            "settle" => Vec::new(),
            _ => parse_lines(&self.lines).unwrap_or_default(),
        }
    }
}

pub(in crate::stock) async fn waiting(db: impl PgExecutor<'_>) -> Result<Vec<Waiting>, sqlx::Error> {
    sqlx::query_as!(Waiting, "SELECT id, kind, lines FROM gate_ops WHERE applied_at IS NULL ORDER BY id LIMIT 100000")
        .fetch_all(db)
        .await
}

/// The operations that the gate has not confirmed.
pub(in crate::stock) async fn unapplied(db: impl PgExecutor<'_>) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!("SELECT id FROM gate_ops WHERE applied_at IS NULL ORDER BY id").fetch_all(db).await
}
