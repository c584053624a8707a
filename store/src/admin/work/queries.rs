//! SQL of the page about work.

use sqlx::PgPool;
use time::OffsetDateTime;

/// What waits at one source; parked work is the dead letters' business.
pub(super) struct QueueRow {
    pub queue: String,
    pub waiting: i64,
    pub first_due: Option<OffsetDateTime>,
    pub error: Option<String>,
}

pub(super) async fn queues(pg: &PgPool, now: OffsetDateTime) -> sqlx::Result<Vec<QueueRow>> {
    sqlx::query_as!(
        QueueRow,
        r#"SELECT queue AS "queue!", count(*) AS "waiting!", min(greatest(due_at, '2000-01-01')) AS first_due,
                  (array_agg(last_error ORDER BY due_at DESC) FILTER (WHERE last_error IS NOT NULL))[1] AS error
           FROM (SELECT topic AS queue, due_at, last_error FROM outbox
                 UNION ALL
                 SELECT 'gate_ops', due_at, last_error FROM gate_ops
                 WHERE applied_at IS NULL AND due_at < $1::timestamptz + interval '1 year'
                 UNION ALL
                 SELECT 'webhooks', coalesce(due_at, received_at), NULL FROM webhook_inbox WHERE outcome = 'waiting'
                 UNION ALL
                 SELECT 'expiries', expires_at, NULL FROM orders o
                 WHERE status = 'PAYMENT_PENDING' AND expires_at <= $1
                   AND NOT EXISTS (SELECT FROM expiry_failures f WHERE f.order_id = o.id AND f.due_at = 'infinity')
                 UNION ALL
                 SELECT 'questions', ask_at, NULL FROM payments
                 WHERE status IN ('creating', 'open', 'closing', 'declined') AND ask_at <= $1
                 UNION ALL
                 SELECT 'questions', ask_at, NULL FROM refunds WHERE status = 'requested' AND ask_at <= $1
                 UNION ALL
                 SELECT 'sandbox', due_at, last_error FROM sandbox.events
                 WHERE delivered_at IS NULL AND due_at < $1::timestamptz + interval '1 year'
                 UNION ALL
                 SELECT 'runs', asked_at, NULL FROM health_runs WHERE started_at IS NULL) work
           GROUP BY queue"#,
        now
    )
    .fetch_all(pg)
    .await
}

/// A piece of work that failed, or that somebody was lost with.
pub(super) struct StuckRow {
    pub source: String,
    pub key: String,
    pub title: String,
    pub attempts: i64,
    pub leases: i64,
    pub next_at: Option<OffsetDateTime>,
    pub error: Option<String>,
}

/// `patience`: what waits since before it for something else should not.
pub(super) async fn stuck(
    pg: &PgPool,
    now: OffsetDateTime,
    patience: OffsetDateTime,
    lost_from: i32,
    most: i64,
) -> sqlx::Result<Vec<StuckRow>> {
    sqlx::query_as!(
        StuckRow,
        r#"SELECT source AS "source!", key AS "key!", title AS "title!", attempts AS "attempts!", leases AS "leases!",
                  CASE WHEN next_at > '2000-01-01' THEN next_at END AS "next_at?", error AS "error?"
           FROM (SELECT 'outbox' AS source, id::text AS key, topic || ' of ' || key AS title, attempts::bigint AS attempts,
                        leases::bigint AS leases, due_at AS next_at, last_error AS error
                 FROM outbox WHERE last_error IS NOT NULL OR leases >= $3 OR first_failed_at IS NOT NULL
                 UNION ALL
                 SELECT 'gate_ops', id::text, kind || coalesce(' of order ' || order_id, ''), attempts, leases, due_at, last_error
                 FROM gate_ops WHERE applied_at IS NULL AND due_at < $1::timestamptz + interval '1 year'
                   AND (last_error IS NOT NULL OR leases >= $3)
                 UNION ALL
                 SELECT 'webhook_inbox', id::text, provider || ': ' || kind, attempts, leases, due_at, note
                 FROM webhook_inbox WHERE outcome = 'waiting' AND (received_at < $2 OR leases >= $3)
                 UNION ALL
                 SELECT 'sandbox_events', id, kind, attempts, 0, due_at, last_error
                 FROM sandbox.events WHERE delivered_at IS NULL AND last_error IS NOT NULL AND due_at < $1::timestamptz + interval '1 year'
                 UNION ALL
                 SELECT 'expiry', o.id::text, 'Order ' || o.number || ' cannot be ended', f.attempts, 0, f.due_at, NULL
                 FROM expiry_failures f JOIN orders o ON o.id = f.order_id
                 WHERE o.status = 'PAYMENT_PENDING' AND f.due_at < 'infinity'
                 UNION ALL
                 SELECT 'schedule', name, name || ': its worker was lost', 0, 1, leased_until, last_error
                 FROM schedules WHERE leased_until < $2) work
           ORDER BY leases DESC, attempts DESC, source, key LIMIT $4"#,
        now,
        patience,
        lost_from,
        most
    )
    .fetch_all(pg)
    .await
}

/// Whether that work is there; its turn is now, and whoever was lost with it is forgotten.
pub(super) async fn free(
    db: impl sqlx::PgExecutor<'_>,
    source: &str,
    key: &str,
    now: OffsetDateTime,
) -> sqlx::Result<bool> {
    let freed = sqlx::query_scalar!(
        r#"WITH one AS (UPDATE outbox SET due_at = $3, leases = 0 WHERE $1 = 'outbox' AND id::text = $2 RETURNING 1),
             two AS (UPDATE gate_ops SET due_at = $3, leases = 0
                     WHERE $1 = 'gate_ops' AND id::text = $2 AND applied_at IS NULL AND due_at < $3::timestamptz + interval '1 year' RETURNING 1),
             three AS (UPDATE webhook_inbox SET due_at = $3, leases = 0
                       WHERE $1 = 'webhook_inbox' AND id::text = $2 AND outcome = 'waiting' RETURNING 1),
             four AS (UPDATE sandbox.events SET due_at = $3
                      WHERE $1 = 'sandbox_events' AND id = $2 AND delivered_at IS NULL AND due_at < $3::timestamptz + interval '1 year' RETURNING 1),
             five AS (UPDATE expiry_failures SET due_at = $3
                      WHERE $1 = 'expiry' AND order_id::text = $2 AND due_at < 'infinity' RETURNING 1),
             six AS (UPDATE schedules SET leased_until = NULL, next_at = $3
                     WHERE $1 = 'schedule' AND name = $2 AND leased_until < $3 RETURNING 1)
           SELECT (SELECT count(*) FROM one) + (SELECT count(*) FROM two) + (SELECT count(*) FROM three)
             + (SELECT count(*) FROM four) + (SELECT count(*) FROM five) + (SELECT count(*) FROM six) AS "freed!""#,
        source,
        key,
        now
    );
    Ok(freed.fetch_one(db).await? > 0)
}

pub(super) struct ScheduleRow {
    pub name: String,
    pub next_at: OffsetDateTime,
    pub leased_until: Option<OffsetDateTime>,
    pub last_started_at: Option<OffsetDateTime>,
    pub last_finished_at: Option<OffsetDateTime>,
    pub last_error: Option<String>,
    pub last_report: Option<serde_json::Value>,
}

pub(super) async fn schedules(pg: &PgPool) -> sqlx::Result<Vec<ScheduleRow>> {
    sqlx::query_as!(
        ScheduleRow,
        "SELECT name, next_at, leased_until, last_started_at, last_finished_at, last_error, last_report FROM schedules"
    )
    .fetch_all(pg)
    .await
}
