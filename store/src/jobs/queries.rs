//! SQL that all jobs share, and that of the outbox.

use super::Letter;
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

pub(super) async fn park(db: impl PgExecutor<'_>, letter: &Letter<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO dead_letters (source, key, payload, error, attempts, first_failed_at, last_failed_at)
         VALUES ($1, $2, $3, $4, $5, $6, now())
         ON CONFLICT (source, key) WHERE state = 'parked'
         DO UPDATE SET payload = excluded.payload, error = excluded.error, attempts = excluded.attempts,
             first_failed_at = least(dead_letters.first_failed_at, excluded.first_failed_at), last_failed_at = now()",
        letter.source,
        letter.key,
        letter.payload,
        letter.error,
        letter.attempts,
        letter.first_failed_at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A row of the outbox, leased.
pub struct Message {
    pub(super) id: i64,
    pub(super) topic: String,
    pub(crate) key: String,
    pub(crate) payload: serde_json::Value,
    /// This one included.
    pub(super) attempts: i32,
    pub(super) first_failed_at: Option<OffsetDateTime>,
}

pub(super) async fn lease(
    db: impl PgExecutor<'_>,
    topics: &[String],
    now: OffsetDateTime,
    until: OffsetDateTime,
    most: i64,
) -> Result<Vec<Message>, sqlx::Error> {
    sqlx::query_as!(
        Message,
        "UPDATE outbox SET due_at = $3, attempts = attempts + 1 WHERE id IN (
           SELECT id FROM outbox WHERE due_at <= $2 AND topic = ANY($1) ORDER BY due_at, id LIMIT $4
           FOR UPDATE SKIP LOCKED)
         RETURNING id, topic, key, payload, attempts, first_failed_at",
        topics,
        now,
        until,
        most
    )
    .fetch_all(db)
    .await
}

pub(super) async fn delete(db: impl PgExecutor<'_>, ids: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM outbox WHERE id = ANY($1)", ids).execute(db).await?;
    Ok(())
}

/// The message is another one from here on: what is left of its work.
pub(super) async fn go_on(
    db: impl PgExecutor<'_>,
    id: i64,
    payload: &serde_json::Value,
    due: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!("UPDATE outbox SET payload = $2, due_at = $3, attempts = 0 WHERE id = $1", id, payload, due)
        .execute(db)
        .await?;
    Ok(())
}

pub(super) async fn put_off(
    db: impl PgExecutor<'_>,
    id: i64,
    due: OffsetDateTime,
    error: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE outbox SET due_at = $2, last_error = $3, first_failed_at = coalesce(first_failed_at, now()) WHERE id = $1",
        id,
        due,
        error
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Ends the lease without counting the attempt: it was not the messages' fault.
pub(super) async fn hand_back(db: impl PgExecutor<'_>, ids: &[i64], due: OffsetDateTime) -> Result<(), sqlx::Error> {
    sqlx::query!("UPDATE outbox SET due_at = $2, attempts = greatest(attempts - 1, 0) WHERE id = ANY($1)", ids, due)
        .execute(db)
        .await?;
    Ok(())
}

pub(super) struct Version {
    pub id: Uuid,
    pub owner: String,
    pub version: i64,
}

pub(super) async fn versions(db: impl PgExecutor<'_>, orders: &[Uuid]) -> Result<Vec<Version>, sqlx::Error> {
    sqlx::query_as!(Version, "SELECT id, owner, version FROM orders WHERE id = ANY($1)", orders).fetch_all(db).await
}
