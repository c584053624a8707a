//! SQL of the page about health.

use sqlx::{PgExecutor, PgPool};
use time::OffsetDateTime;

pub(super) struct RunRow {
    pub kind: String,
    pub by: Option<String>,
    pub asked_at: OffsetDateTime,
    pub started_at: Option<OffsetDateTime>,
    pub finished_at: Option<OffsetDateTime>,
    pub report: Option<serde_json::Value>,
    pub error: Option<String>,
}

/// The latest of each kind.
pub(super) async fn latest(pg: &PgPool) -> sqlx::Result<Vec<RunRow>> {
    sqlx::query_as!(
        RunRow,
        r#"SELECT DISTINCT ON (r.kind) r.kind, a.name AS "by?", r.asked_at, r.started_at, r.finished_at, r.report, r.error
           FROM health_runs r LEFT JOIN accounts a ON a.id = r.asked_by ORDER BY r.kind, r.id DESC"#
    )
    .fetch_all(pg)
    .await
}

/// `None`: another run is under way.
pub(super) async fn ask(
    db: impl PgExecutor<'_>,
    kind: &str,
    by: Option<i64>,
    now: OffsetDateTime,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "INSERT INTO health_runs (kind, asked_by, asked_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id",
        kind,
        by,
        now
    )
    .fetch_optional(db)
    .await
}

pub(super) struct Leased {
    pub id: i64,
    pub kind: String,
    pub attempts: i32,
}

/// The run that nobody is at.
pub(super) async fn lease(pg: &PgPool, now: OffsetDateTime, until: OffsetDateTime) -> sqlx::Result<Option<Leased>> {
    sqlx::query_as!(
        Leased,
        "UPDATE health_runs SET started_at = $1, leased_until = $2, attempts = attempts + 1
         WHERE finished_at IS NULL AND (leased_until IS NULL OR leased_until < $1)
         RETURNING id, kind, attempts",
        now,
        until
    )
    .fetch_optional(pg)
    .await
}

/// `false`: somebody else has taken it over.
pub(super) async fn renew(pg: &PgPool, run: &Leased, until: OffsetDateTime) -> sqlx::Result<bool> {
    let renewed = sqlx::query!(
        "UPDATE health_runs SET leased_until = $3 WHERE id = $1 AND attempts = $2 AND finished_at IS NULL",
        run.id,
        run.attempts,
        until
    );
    Ok(renewed.execute(pg).await?.rows_affected() == 1)
}

pub(super) async fn finish(
    pg: &PgPool,
    run: &Leased,
    now: OffsetDateTime,
    outcome: Result<serde_json::Value, String>,
) -> sqlx::Result<()> {
    let (report, error) = match outcome {
        Ok(report) => (Some(report), None),
        Err(error) => (None, Some(error)),
    };
    sqlx::query!(
        "UPDATE health_runs SET finished_at = $3, leased_until = NULL, report = $4, error = $5
         WHERE id = $1 AND attempts = $2 AND finished_at IS NULL",
        run.id,
        run.attempts,
        now,
        report,
        error
    )
    .execute(pg)
    .await?;
    Ok(())
}

/// All but the latest runs of a kind.
pub(super) async fn forget(pg: &PgPool, kind: &str, kept: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM health_runs WHERE kind = $1 AND finished_at IS NOT NULL
           AND id NOT IN (SELECT id FROM health_runs WHERE kind = $1 ORDER BY id DESC LIMIT $2)",
        kind,
        kept
    )
    .execute(pg)
    .await?;
    Ok(())
}

pub(super) async fn titles(pg: &PgPool, books: &[i64]) -> sqlx::Result<Vec<(i64, String)>> {
    let rows = sqlx::query!("SELECT id, title FROM books WHERE id = ANY($1)", books);
    Ok(rows.fetch_all(pg).await?.into_iter().map(|row| (row.id, row.title)).collect())
}

pub(super) struct Server {
    pub version: String,
    pub size: String,
    pub connections: i64,
    pub most_connections: String,
    pub started_at: OffsetDateTime,
}

pub(super) async fn server(pg: &PgPool) -> sqlx::Result<Server> {
    sqlx::query_as!(
        Server,
        r#"SELECT current_setting('server_version') AS "version!", pg_size_pretty(pg_database_size(current_database())) AS "size!",
                  (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) AS "connections!",
                  current_setting('max_connections') AS "most_connections!", pg_postmaster_start_time() AS "started_at!""#
    )
    .fetch_one(pg)
    .await
}

pub(super) struct Mails {
    pub waiting: i64,
    pub given_up: i64,
    pub last_error: Option<String>,
}

pub(super) async fn mails(pg: &PgPool) -> sqlx::Result<Mails> {
    sqlx::query_as!(
        Mails,
        r#"SELECT (SELECT count(*) FROM outbox WHERE topic = 'mail.send') AS "waiting!",
                  (SELECT count(*) FROM dead_letters WHERE state = 'parked' AND source = 'outbox' AND key LIKE 'mail.send:%')
                    AS "given_up!",
                  (SELECT last_error FROM outbox WHERE topic = 'mail.send' AND last_error IS NOT NULL
                   ORDER BY due_at DESC LIMIT 1) AS last_error"#
    )
    .fetch_one(pg)
    .await
}

pub(super) struct ProviderRow {
    pub provider: String,
    pub open: i64,
    pub last_captured_at: Option<OffsetDateTime>,
}

/// Sessions that may still bring money, and when some came last.
pub(super) async fn providers(pg: &PgPool, since: OffsetDateTime) -> sqlx::Result<Vec<ProviderRow>> {
    sqlx::query_as!(
        ProviderRow,
        r#"SELECT provider AS "provider!", sum(open)::bigint AS "open!", max(captured_at) AS last_captured_at
           FROM (SELECT provider, 1 AS open, NULL::timestamptz AS captured_at FROM payments
                 WHERE status IN ('creating', 'open', 'closing', 'declined') AND ask_at IS NOT NULL
                 UNION ALL
                 SELECT provider, 0, captured_at FROM payments WHERE captured_at >= $1) p
           GROUP BY provider"#,
        since
    )
    .fetch_all(pg)
    .await
}
