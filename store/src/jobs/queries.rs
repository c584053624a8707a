//! SQL that all jobs share.

use sqlx::PgExecutor;

pub(super) async fn park(
    db: impl PgExecutor<'_>,
    source: &str,
    key: &str,
    payload: &serde_json::Value,
    error: &str,
    attempts: i32,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO dead_letters (source, key, payload, error, attempts) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (source, key) WHERE state = 'parked'
         DO UPDATE SET payload = excluded.payload, error = excluded.error, attempts = excluded.attempts, parked_at = now()",
        source,
        key,
        payload,
        error,
        attempts
    )
    .execute(db)
    .await?;
    Ok(())
}
