//! SQL of the check. Every query is one statement, or runs in the one snapshot of its caller: it sees one moment.

mod copies;
mod money;

pub(super) use copies::{StockRow, locked, stock, strange_claims, wrong_claims, wrong_returns, wrong_shipments};
pub(super) use money::*;

use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

/// Which of these orders are written down.
pub(super) async fn written(db: impl PgExecutor<'_>, orders: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!("SELECT id FROM orders WHERE id = ANY($1)", orders).fetch_all(db).await
}

pub(super) struct KeyRow {
    pub id: Uuid,
    pub owner: String,
    pub idempotency_key: String,
}

/// Orders in the order of their ids, after `after`.
pub(super) async fn keys_page(db: &mut PgConnection, after: Uuid, limit: i64) -> sqlx::Result<Vec<KeyRow>> {
    sqlx::query_as!(
        KeyRow,
        "SELECT id, owner, idempotency_key FROM orders WHERE id > $1 ORDER BY id LIMIT $2",
        after,
        limit
    )
    .fetch_all(db)
    .await
}

pub(super) async fn repeated_keys(db: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT owner || ' used ' || idempotency_key || ' for ' || count(*) || ' orders' AS "line!"
           FROM orders GROUP BY owner, idempotency_key HAVING count(*) > 1 LIMIT 1000"#
    )
    .fetch_all(db)
    .await
}

pub(super) struct Fingerprint {
    pub id: Uuid,
    pub fingerprint: String,
}

pub(super) async fn fingerprints(db: impl PgExecutor<'_>, orders: &[Uuid]) -> sqlx::Result<Vec<Fingerprint>> {
    sqlx::query_as!(Fingerprint, "SELECT id, fingerprint FROM orders WHERE id = ANY($1)", orders).fetch_all(db).await
}

/// Which of these orders were parked as unreadable.
pub(super) async fn parked_orders(db: impl PgExecutor<'_>, orders: &[String]) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT payload ->> 'order_id' AS "order!" FROM dead_letters
           WHERE source = 'placed' AND payload ->> 'order_id' = ANY($1)"#,
        orders
    )
    .fetch_all(db)
    .await
}

pub(super) struct Totals {
    pub orders: i64,
    pub open: i64,
    pub paid: i64,
    pub ended: i64,
    pub payments: i64,
}

pub(super) async fn totals(db: &mut PgConnection) -> sqlx::Result<Totals> {
    sqlx::query_as!(
        Totals,
        r#"SELECT count(*) AS "orders!", count(*) FILTER (WHERE status IN ('PENDING', 'PAYMENT_PENDING')) AS "open!",
                  count(*) FILTER (WHERE status IN ('PAID', 'FULFILLING', 'SHIPPED', 'DELIVERED')) AS "paid!",
                  count(*) FILTER (WHERE status IN ('EXPIRED', 'CANCELLED', 'FAILED', 'REFUNDED')) AS "ended!",
                  (SELECT count(*) FROM payments) AS "payments!"
           FROM orders"#
    )
    .fetch_one(db)
    .await
}

/// Orders that should have ended before `limit`.
pub(super) async fn overdue(db: &mut PgConnection, limit: OffsetDateTime) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT number || ' is still ' || status || ', its deadline was ' || to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC' AS "line!"
           FROM orders WHERE status IN ('PENDING', 'PAYMENT_PENDING') AND expires_at < $1 ORDER BY expires_at LIMIT 1000"#,
        limit
    )
    .fetch_all(db)
    .await
}

/// Copies that ended orders gave back before `limit` and that are not on sale yet.
pub(super) async fn late_operations(db: &mut PgConnection, limit: OffsetDateTime) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT 'gate operation ' || id || ' (' || kind || coalesce(' of order ' || order_id, '') || ') waits since '
                  || to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC' AS "line!"
           FROM gate_ops WHERE applied_at IS NULL AND created_at < $1 ORDER BY id LIMIT 1000"#,
        limit
    )
    .fetch_all(db)
    .await
}

pub(super) struct OrderState {
    pub id: Uuid,
    /// `None`: Postgres does not have it.
    pub number: Option<String>,
    pub is_open: bool,
    /// An operation that ends its reservation waits to be applied.
    pub ending: bool,
}

/// Where these orders stand.
pub(super) async fn states(db: impl PgExecutor<'_>, orders: &[Uuid]) -> sqlx::Result<Vec<OrderState>> {
    sqlx::query_as!(
        OrderState,
        r#"SELECT a.id AS "id!", o.number AS "number?",
                  coalesce(o.status IN ('PENDING', 'PAYMENT_PENDING'), false) AS "is_open!",
                  EXISTS (SELECT FROM gate_ops g WHERE g.order_id = a.id AND g.applied_at IS NULL) AS "ending!"
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

pub(super) async fn open_orders(db: &mut PgConnection, after: Uuid, limit: i64) -> sqlx::Result<Vec<OpenOrder>> {
    sqlx::query_as!(
        OpenOrder,
        "SELECT id, owner FROM orders WHERE status = 'PAYMENT_PENDING' AND id > $1 ORDER BY id LIMIT $2",
        after,
        limit
    )
    .fetch_all(db)
    .await
}

/// Steps of histories that the table of transitions does not know, gaps in them, and orders that stand elsewhere than
/// their history ends. `edges`: from, to and cause of each legal change; `notes`: causes that change no status.
pub(super) async fn illegal_steps(
    db: &mut PgConnection,
    [from, to, cause]: [&[String]; 3],
    notes: &[String],
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"WITH steps AS (
               SELECT order_id, version, status, cause, lag(version, 1, 0::bigint) OVER w AS before,
                      lag(status, 1, 'PENDING') OVER w AS was, lead(version) OVER w IS NULL AS is_last
               FROM order_history WINDOW w AS (PARTITION BY order_id ORDER BY version))
           SELECT o.number || ': ' || CASE
                      WHEN s.version IS NULL THEN 'no history'
                      WHEN s.version <> s.before + 1 THEN 'step ' || s.version || ' follows step ' || s.before
                      WHEN s.is_last AND (s.status, s.version) IS DISTINCT FROM (o.status, o.version)
                          THEN 'is ' || o.status || ' in version ' || o.version || ', its history ends with '
                               || s.status || ' in version ' || s.version
                      ELSE 'from ' || s.was || ' to ' || s.status || ' by ' || s.cause || ' is no legal change' END AS "line!"
           FROM orders o LEFT JOIN steps s ON s.order_id = o.id
           WHERE s.version IS NULL OR s.version <> s.before + 1
              OR (s.is_last AND (s.status, s.version) IS DISTINCT FROM (o.status, o.version))
              OR CASE WHEN s.status = s.was THEN s.cause <> ALL ($4)
                 ELSE NOT EXISTS (SELECT FROM unnest($1::text[], $2::text[], $3::text[]) AS e (before, after, cause)
                                  WHERE (e.before, e.after, e.cause) = (s.was, s.status, s.cause)) END
           ORDER BY o.id, s.version LIMIT 1000"#,
        from,
        to,
        cause,
        notes
    )
    .fetch_all(db)
    .await
}

pub(super) struct Work {
    pub outbox: i64,
    pub operations: i64,
    pub letters: i64,
}

pub(super) async fn work(db: &mut PgConnection) -> sqlx::Result<Work> {
    sqlx::query_as!(
        Work,
        r#"SELECT (SELECT count(*) FROM outbox) AS "outbox!",
                  (SELECT count(*) FROM gate_ops WHERE applied_at IS NULL) AS "operations!",
                  (SELECT count(*) FROM dead_letters WHERE state = 'parked') AS "letters!""#
    )
    .fetch_one(db)
    .await
}

/// Work whose turn came before `limit` and that nobody has taken up.
pub(super) async fn idle_work(db: &mut PgConnection, limit: OffsetDateTime) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT topic || ' of ' || key || ' is due since ' || to_char(due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
                  || ' UTC' AS "line!"
           FROM (SELECT topic, key, due_at FROM outbox
                 UNION ALL
                 SELECT 'webhook ' || event_id, provider, coalesce(due_at, received_at) FROM webhook_inbox
                 WHERE outcome = 'waiting') work
           WHERE due_at < $1 ORDER BY due_at LIMIT 1000"#,
        limit
    )
    .fetch_all(db)
    .await
}

/// Which of these entries of the stream were parked before `limit`.
pub(super) async fn parked_before(
    db: impl PgExecutor<'_>,
    entries: &[String],
    limit: OffsetDateTime,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        "SELECT key FROM dead_letters WHERE source = 'placed' AND key = ANY($1) AND parked_at < $2",
        entries,
        limit
    )
    .fetch_all(db)
    .await
}

/// Work about things that are not there.
pub(super) async fn aimless_work(db: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT topic || ' is about ' || key || ', which is nowhere' AS "line!" FROM outbox
           WHERE CASE topic
               WHEN 'order.changed' THEN NOT EXISTS (SELECT FROM orders WHERE id::text = key)
               WHEN 'payment.close' THEN NOT EXISTS (SELECT FROM payments WHERE id::text = key)
               WHEN 'payment.late' THEN NOT EXISTS (SELECT FROM payments WHERE id::text = key)
               WHEN 'refund.request' THEN NOT EXISTS (SELECT FROM refunds WHERE id::text = key)
               ELSE false END
           ORDER BY id LIMIT 1000"#
    )
    .fetch_all(db)
    .await
}

/// Operations that nobody will try again by themselves, and of which no letter tells; and letters of none.
pub(super) async fn unaccounted_operations(db: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT 'gate operation ' || g.id || ' waits until ' || extract(year FROM g.due_at) || ' and no dead letter says so'
                  AS "line!"
           FROM gate_ops g WHERE applied_at IS NULL AND due_at > now() + interval '1 day' AND NOT EXISTS (
               SELECT FROM dead_letters d WHERE source = 'gate_ops' AND key = g.id::text AND state = 'parked')
           UNION ALL
           SELECT 'the dead letter of gate operation ' || key || ' is about nothing that waits' FROM dead_letters
           WHERE source = 'gate_ops' AND state = 'parked' AND NOT EXISTS (
               SELECT FROM gate_ops g WHERE g.id::text = key AND applied_at IS NULL)
           LIMIT 1000"#
    )
    .fetch_all(db)
    .await
}
