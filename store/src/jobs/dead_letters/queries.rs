//! SQL of the dead letters.

use serde_json::Value;
use sqlx::{PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// A parked letter, for people.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    pub id: i64,
    pub source: String,
    pub key: String,
    pub payload: Value,
    pub error: String,
    pub attempts: i32,
    /// `None`: its source does not count that.
    pub first_failed_at: Option<OffsetDateTime>,
    pub last_failed_at: Option<OffsetDateTime>,
    pub parked_at: OffsetDateTime,
}

pub(super) async fn list(pg: &PgPool, after: i64, most: i64) -> sqlx::Result<Vec<DeadLetter>> {
    sqlx::query_as!(
        DeadLetter,
        "SELECT id, source, key, payload, error, attempts, first_failed_at, last_failed_at, parked_at
         FROM dead_letters WHERE state = 'parked' AND id > $1 ORDER BY id LIMIT $2",
        after,
        most
    )
    .fetch_all(pg)
    .await
}

pub(super) async fn newest(
    pg: &PgPool,
    source: Option<&str>,
    before: Option<i64>,
    most: i64,
) -> sqlx::Result<Vec<DeadLetter>> {
    sqlx::query_as!(
        DeadLetter,
        "SELECT id, source, key, '{}'::jsonb AS \"payload!\", left(error, 400) AS \"error!\", attempts, first_failed_at,
                last_failed_at, parked_at
         FROM dead_letters
         WHERE state = 'parked' AND ($1::text IS NULL OR source = $1) AND ($2::bigint IS NULL OR id < $2)
         ORDER BY id DESC LIMIT $3",
        source,
        before,
        most
    )
    .fetch_all(pg)
    .await
}

pub(super) async fn counts(pg: &PgPool) -> sqlx::Result<Vec<(String, i64)>> {
    let rows = sqlx::query!(
        r#"SELECT source, count(*) AS "count!" FROM dead_letters WHERE state = 'parked' GROUP BY source ORDER BY source"#
    );
    Ok(rows.fetch_all(pg).await?.into_iter().map(|row| (row.source, row.count)).collect())
}

/// A letter, parked or ended.
#[derive(Debug, Clone)]
pub struct Letter {
    pub letter: DeadLetter,
    pub state: String,
    pub ended_at: Option<OffsetDateTime>,
    /// Why it was discarded.
    pub reason: Option<String>,
}

pub(super) async fn get(pg: &PgPool, id: i64) -> sqlx::Result<Option<Letter>> {
    let row = sqlx::query!(
        "SELECT id, source, key, payload, error, attempts, first_failed_at, last_failed_at, parked_at, state, ended_at,
                reason
         FROM dead_letters WHERE id = $1",
        id
    );
    Ok(row.fetch_optional(pg).await?.map(|row| Letter {
        letter: DeadLetter {
            id: row.id,
            source: row.source,
            key: row.key,
            payload: row.payload,
            error: row.error,
            attempts: row.attempts,
            first_failed_at: row.first_failed_at,
            last_failed_at: row.last_failed_at,
            parked_at: row.parked_at,
        },
        state: row.state,
        ended_at: row.ended_at,
        reason: row.reason,
    }))
}

pub(super) async fn parked_ids(pg: &PgPool, source: &str, after: i64, most: i64) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!(
        "SELECT id FROM dead_letters WHERE source = $1 AND state = 'parked' AND id > $2 ORDER BY id LIMIT $3",
        source,
        after,
        most
    )
    .fetch_all(pg)
    .await
}

/// What is parked under this key, and its id.
pub(super) async fn lock_parked(
    db: impl PgExecutor<'_>,
    source: &str,
    key: &str,
) -> sqlx::Result<Option<(i64, Parked)>> {
    let row = sqlx::query!(
        "SELECT id, source, key, payload, state FROM dead_letters WHERE source = $1 AND key = $2 AND state = 'parked'
         FOR UPDATE",
        source,
        key
    );
    let row = row.fetch_optional(db).await?;
    let parked =
        row.map(|row| (row.id, Parked { source: row.source, key: row.key, payload: row.payload, state: row.state }));
    Ok(parked)
}

/// Whether the outbox has that work; its turn is now.
pub(super) async fn hurry(db: impl PgExecutor<'_>, topic: &str, key: &str, now: OffsetDateTime) -> sqlx::Result<bool> {
    let due = sqlx::query!(
        "UPDATE outbox SET due_at = least(due_at, $3), attempts = 0 WHERE topic = $1 AND key = $2",
        topic,
        key,
        now
    );
    Ok(due.execute(db).await?.rows_affected() > 0)
}

/// Key and id of what is parked of a source.
pub(super) async fn of_source(pg: &PgPool, source: &str) -> sqlx::Result<Vec<(String, i64)>> {
    let rows = sqlx::query!("SELECT key, id FROM dead_letters WHERE source = $1 AND state = 'parked'", source);
    Ok(rows.fetch_all(pg).await?.into_iter().map(|row| (row.key, row.id)).collect())
}

/// A letter that is about to be ended.
pub(super) struct Parked {
    pub source: String,
    pub key: String,
    pub payload: Value,
    pub state: String,
}

pub(super) async fn lock(db: impl PgExecutor<'_>, id: i64) -> sqlx::Result<Option<Parked>> {
    sqlx::query_as!(Parked, "SELECT source, key, payload, state FROM dead_letters WHERE id = $1 FOR UPDATE", id)
        .fetch_optional(db)
        .await
}

pub(super) async fn end(db: impl PgExecutor<'_>, id: i64, state: &str, reason: Option<&str>) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE dead_letters SET state = $2, reason = $3, ended_at = now() WHERE id = $1 AND state = 'parked'",
        id,
        state,
        reason
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn revive_gate_op(db: impl PgExecutor<'_>, id: i64, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE gate_ops SET due_at = $2, attempts = 0, leases = 0, first_failed_at = NULL
         WHERE id = $1 AND applied_at IS NULL",
        id,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn drop_gate_op(db: impl PgExecutor<'_>, id: i64, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("UPDATE gate_ops SET applied_at = $2 WHERE id = $1 AND applied_at IS NULL", id, now)
        .execute(db)
        .await?;
    Ok(())
}

pub(super) async fn revive_event(db: impl PgExecutor<'_>, id: &str, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE sandbox.events SET due_at = $2, attempts = 0, first_failed_at = NULL
         WHERE id = $1 AND delivered_at IS NULL",
        id,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn revive_expiry(db: impl PgExecutor<'_>, order: Uuid) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM expiry_failures WHERE order_id = $1", order).execute(db).await?;
    Ok(())
}

pub(super) async fn revive_webhook(db: impl PgExecutor<'_>, id: i64, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE webhook_inbox SET outcome = 'waiting', note = NULL, due_at = $2, attempts = 0, leases = 0
         WHERE id = $1 AND outcome = 'quarantined'",
        id,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}
