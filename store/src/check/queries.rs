//! SQL of the check. Every query is one statement, or runs in the one snapshot of its caller: it sees one moment.

use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

pub(super) struct StockRow {
    pub book_id: i64,
    pub on_hand: i64,
    pub reserved: i64,
    pub available: i64,
    /// Sums of the ledger's movements.
    pub moved_on_hand: i64,
    pub moved_reserved: i64,
    /// Copies in the lines of orders that wait for payment.
    pub claimed: i64,
}

/// Stock rows beside what the ledger and the open orders say of them; all books, or these.
pub(super) async fn stock(db: &mut PgConnection, books: Option<&[i64]>) -> sqlx::Result<Vec<StockRow>> {
    sqlx::query_as!(
        StockRow,
        r#"SELECT s.book_id, s.on_hand::bigint AS "on_hand!", s.reserved::bigint AS "reserved!",
                  s.available::bigint AS "available!",
                  coalesce(m.on_hand, 0)::bigint AS "moved_on_hand!", coalesce(m.reserved, 0)::bigint AS "moved_reserved!",
                  coalesce(c.copies, 0)::bigint AS "claimed!"
           FROM stock s
           LEFT JOIN (SELECT book_id, sum(on_hand_delta) AS on_hand, sum(reserved_delta) AS reserved
                      FROM stock_movements WHERE $1::bigint[] IS NULL OR book_id = ANY($1) GROUP BY book_id) m
                  USING (book_id)
           LEFT JOIN (SELECT i.book_id, sum(i.quantity) AS copies FROM order_items i JOIN orders o ON o.id = i.order_id
                      WHERE o.status = 'PAYMENT_PENDING' GROUP BY i.book_id) c USING (book_id)
           WHERE $1::bigint[] IS NULL OR s.book_id = ANY($1)
           ORDER BY s.book_id"#,
        books
    )
    .fetch_all(db)
    .await
}

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

/// Orders that are paid without exactly one payment of their amount, or hold money without being paid. Money that is
/// on its way back still counts for an order that is paid, and does not for one that is not.
pub(super) async fn wrong_money(db: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"WITH money AS (
               SELECT o.id, o.number, o.status, o.total_minor, o.currency,
                      count(p.id) FILTER (WHERE p.status = 'captured') AS captured,
                      count(p.id) FILTER (WHERE p.status IN ('captured', 'refunding')
                          AND p.amount_minor = o.total_minor AND p.currency = o.currency) AS fitting,
                      count(p.id) FILTER (WHERE p.status = 'captured'
                          AND (p.amount_minor <> o.total_minor OR p.currency <> o.currency)) AS misfits
               FROM orders o LEFT JOIN payments p ON p.order_id = o.id GROUP BY o.id)
           SELECT number || ' is ' || status || ' (' || total_minor || ' ' || currency || ') with ' || captured
                  || ' captured payments, ' || misfits || ' of another amount' AS "line!"
           FROM money
           WHERE misfits > 0 OR CASE WHEN status IN ('PAID', 'FULFILLING', 'SHIPPED', 'DELIVERED')
                     THEN captured > 1 OR fitting = 0 ELSE captured > 0 END
           ORDER BY id LIMIT 1000"#
    )
    .fetch_all(db)
    .await
}

/// Refunds that give more back than came in.
pub(super) async fn excess_refunds(db: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT 'payment ' || p.id || ' of ' || p.amount_minor || ' has refunds of ' || sum(r.amount_minor) AS "line!"
           FROM payments p JOIN refunds r ON r.payment_id = p.id
           GROUP BY p.id HAVING sum(r.amount_minor) > p.amount_minor LIMIT 1000"#
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
        r#"SELECT 'gate operation ' || id || ' (' || kind || coalesce(' of order ' || order_id, '') || ') waits after '
                  || attempts || ' attempts' AS "line!"
           FROM gate_ops WHERE applied_at IS NULL AND created_at < $1 ORDER BY id LIMIT 1000"#,
        limit
    )
    .fetch_all(db)
    .await
}

/// Claims whose end does not fit their order: an open order's claim that ended, an ended order's claim that did not,
/// copies sold that should be back, or other copies than the order's lines.
pub(super) async fn wrong_claims(db: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"WITH claims AS (
               SELECT order_id, claim_no, book_id,
                      coalesce(sum(quantity) FILTER (WHERE kind = 'reserve'), 0) AS reserved,
                      coalesce(sum(quantity) FILTER (WHERE kind = 'release'), 0) AS released,
                      coalesce(sum(quantity) FILTER (WHERE kind = 'sale'), 0) AS sold
               FROM stock_movements WHERE order_id IS NOT NULL AND kind IN ('reserve', 'release', 'sale')
               GROUP BY order_id, claim_no, book_id),
           wanted AS (SELECT order_id, book_id, sum(quantity) AS copies FROM order_items GROUP BY order_id, book_id),
           lines AS (
               SELECT o.id, o.number, o.status, w.book_id, w.copies, c.claim_no, c.claim_no = o.claim_no AS latest,
                      coalesce(c.reserved, 0) AS reserved, coalesce(c.released, 0) AS released, coalesce(c.sold, 0) AS sold
               FROM orders o JOIN wanted w ON w.order_id = o.id
               LEFT JOIN claims c ON c.order_id = o.id AND c.book_id = w.book_id)
           SELECT number || ' is ' || status || ': of book ' || book_id || ' it wants ' || copies || ', claimed ' || reserved
                  || ', released ' || released || ', sold ' || sold AS "line!"
           FROM lines
           WHERE CASE
               WHEN claim_no IS NULL THEN status NOT IN ('PENDING', 'FAILED', 'EXPIRED', 'CANCELLED')
               WHEN reserved <> copies THEN true
               WHEN NOT latest THEN released + sold <> reserved
               WHEN status = 'PAYMENT_PENDING' THEN released + sold <> 0
               WHEN status IN ('PAID', 'FULFILLING', 'SHIPPED', 'DELIVERED') THEN sold <> reserved OR released <> 0
               WHEN status IN ('EXPIRED', 'FAILED') THEN released <> reserved OR sold <> 0
               ELSE released + sold <> reserved END
           ORDER BY id, book_id LIMIT 1000"#
    )
    .fetch_all(db)
    .await
}

pub(super) struct OrderState {
    pub id: Uuid,
    pub number: String,
    pub is_open: bool,
    /// An operation that ends its reservation waits to be applied.
    pub ending: bool,
}

/// Where these orders stand.
pub(super) async fn states(db: impl PgExecutor<'_>, orders: &[Uuid]) -> sqlx::Result<Vec<OrderState>> {
    sqlx::query_as!(
        OrderState,
        r#"SELECT id, number, status IN ('PENDING', 'PAYMENT_PENDING') AS "is_open!",
                  EXISTS (SELECT FROM gate_ops g WHERE g.order_id = o.id AND g.applied_at IS NULL) AS "ending!"
           FROM orders o WHERE id = ANY($1)"#,
        orders
    )
    .fetch_all(db)
    .await
}

pub(super) async fn open_orders(db: &mut PgConnection, after: Uuid, limit: i64) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT id FROM orders WHERE status = 'PAYMENT_PENDING' AND id > $1 ORDER BY id LIMIT $2",
        after,
        limit
    )
    .fetch_all(db)
    .await
}
