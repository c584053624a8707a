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
    /// Leased without the others, because workers died that had it.
    pub(super) is_alone: bool,
}

/// Until when messages are leased: together with others, or alone.
pub(super) struct Leases {
    pub together: OffsetDateTime,
    pub alone: OffsetDateTime,
}

/// Those whose turn it is; or, if the first of them has to be alone, only that one, whose lease is not counted yet.
pub(super) async fn lease(
    db: impl PgExecutor<'_>,
    topics: &[String],
    now: OffsetDateTime,
    until: Leases,
    most: i64,
) -> Result<Vec<Message>, sqlx::Error> {
    sqlx::query_as!(
        Message,
        r#"WITH due AS (
             SELECT id, due_at, leases FROM outbox WHERE due_at <= $2 AND topic = ANY($1) ORDER BY due_at, id LIMIT $5
             FOR UPDATE SKIP LOCKED),
           first AS (SELECT id, leases >= $6 AS is_alone FROM due ORDER BY due_at, id LIMIT 1)
           UPDATE outbox o SET attempts = attempts + 1,
             due_at = CASE WHEN first.is_alone THEN $4::timestamptz ELSE $3 END,
             leases = CASE WHEN first.is_alone THEN o.leases ELSE o.leases + 1 END
           FROM due, first
           WHERE o.id = due.id AND CASE WHEN first.is_alone THEN due.id = first.id ELSE due.leases < $6 END
           RETURNING o.id, o.topic, o.key, o.payload, o.attempts, o.first_failed_at, first.is_alone AS "is_alone!""#,
        topics,
        now,
        until.together,
        until.alone,
        most,
        super::ALONE_FROM - 1
    )
    .fetch_all(db)
    .await
}

/// Counts the lease of a message that is taken up alone; returns how many it has had without an outcome.
pub(super) async fn count_lease(db: impl PgExecutor<'_>, id: i64) -> Result<Option<i32>, sqlx::Error> {
    sqlx::query_scalar!("UPDATE outbox SET leases = leases + 1 WHERE id = $1 RETURNING leases", id)
        .fetch_optional(db)
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
    sqlx::query!(
        "UPDATE outbox SET payload = $2, due_at = $3, attempts = 0, leases = 0 WHERE id = $1",
        id,
        payload,
        due
    )
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
        "UPDATE outbox SET due_at = $2, last_error = $3, leases = 0, first_failed_at = coalesce(first_failed_at, now())
         WHERE id = $1",
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
    sqlx::query!(
        "UPDATE outbox SET due_at = $2, attempts = greatest(attempts - 1, 0), leases = 0,
           first_failed_at = coalesce(first_failed_at, now())
         WHERE id = ANY($1)",
        ids,
        due
    )
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
