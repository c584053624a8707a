//! SQL of the schedules.

use sqlx::{PgExecutor, PgPool};
use time::OffsetDateTime;

/// Takes the turn if it is due and nobody is at it. A schedule that is not known yet begins at `first`.
pub(super) async fn lease(
    pg: &PgPool,
    name: &str,
    now: OffsetDateTime,
    until: OffsetDateTime,
    first: OffsetDateTime,
) -> sqlx::Result<bool> {
    let leased = sqlx::query!(
        "UPDATE schedules SET leased_until = $3, last_started_at = $2
         WHERE name = $1 AND next_at <= $2 AND (leased_until IS NULL OR leased_until < $2)",
        name,
        now,
        until
    )
    .execute(pg)
    .await?;
    if leased.rows_affected() == 1 {
        return Ok(true);
    }
    sqlx::query!("INSERT INTO schedules (name, next_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", name, first)
        .execute(pg)
        .await?;
    Ok(false)
}

/// `false`: another worker has taken the turn over.
pub(super) async fn renew(
    db: impl PgExecutor<'_>,
    name: &str,
    started: OffsetDateTime,
    until: OffsetDateTime,
) -> sqlx::Result<bool> {
    let renewed = sqlx::query!(
        "UPDATE schedules SET leased_until = $3 WHERE name = $1 AND last_started_at = $2 AND leased_until IS NOT NULL",
        name,
        started,
        until
    );
    Ok(renewed.execute(db).await?.rows_affected() == 1)
}

/// How a turn ended.
pub(super) struct End<'a> {
    pub now: OffsetDateTime,
    pub next: OffsetDateTime,
    pub error: Option<&'a str>,
    pub report: Option<&'a serde_json::Value>,
}

/// Ends the lease; one that was taken over meanwhile stays with whoever has it.
pub(super) async fn finish(
    db: impl PgExecutor<'_>,
    name: &str,
    started: OffsetDateTime,
    end: End<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE schedules SET leased_until = NULL, last_finished_at = $3, next_at = $4, last_error = $5,
                last_report = coalesce($6, last_report)
         WHERE name = $1 AND last_started_at = $2 AND leased_until IS NOT NULL",
        name,
        started,
        end.now,
        end.next,
        end.error,
        end.report
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn make_due(db: impl PgExecutor<'_>, name: &str, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO schedules (name, next_at) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET next_at = least(schedules.next_at, excluded.next_at)",
        name,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}
