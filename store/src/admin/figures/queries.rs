//! SQL of the figures. Days, hours and weeks are those of India.

use super::span::Step;
use sqlx::PgPool;
use time::OffsetDateTime;

/// From, until before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub from: OffsetDateTime,
    pub to: OffsetDateTime,
}

pub(super) struct Sums {
    pub captured: i64,
    pub payments: i64,
    pub refunded: i64,
    pub orders: i64,
    pub expired: i64,
}

pub(super) async fn totals(pg: &PgPool, range: Range, currency: &str) -> sqlx::Result<Sums> {
    sqlx::query_as!(
        Sums,
        r#"SELECT m.captured AS "captured!", m.payments AS "payments!",
             (SELECT coalesce(sum(amount_minor), 0)::bigint FROM refunds
              WHERE status = 'confirmed' AND confirmed_at >= $1 AND confirmed_at < $2 AND currency = $3) AS "refunded!",
             o.orders AS "orders!", o.expired AS "expired!"
           FROM (SELECT coalesce(sum(amount_minor), 0)::bigint AS captured, count(*) AS payments FROM payments
                 WHERE captured_at >= $1 AND captured_at < $2 AND currency = $3) m,
                (SELECT count(*) AS orders, count(*) FILTER (WHERE status = 'EXPIRED') AS expired FROM orders
                 WHERE placed_at >= $1 AND placed_at < $2) o"#,
        range.from,
        range.to,
        currency
    )
    .fetch_one(pg)
    .await
}

/// What one bar of the chart says.
pub(super) struct Bucket {
    pub start: OffsetDateTime,
    pub revenue: i64,
    pub orders: i64,
}

pub(super) async fn buckets(pg: &PgPool, range: Range, currency: &str, step: Step) -> sqlx::Result<Vec<Bucket>> {
    sqlx::query_as!(
        Bucket,
        r#"SELECT date_trunc($4, at, 'Asia/Kolkata') AS "start!", sum(revenue)::bigint AS "revenue!", sum(orders)::bigint AS "orders!"
           FROM (SELECT captured_at AS at, amount_minor AS revenue, 0 AS orders FROM payments
                 WHERE captured_at >= $1 AND captured_at < $2 AND currency = $3
                 UNION ALL
                 SELECT confirmed_at, -amount_minor, 0 FROM refunds
                 WHERE status = 'confirmed' AND confirmed_at >= $1 AND confirmed_at < $2 AND currency = $3
                 UNION ALL
                 SELECT placed_at, 0, 1 FROM orders WHERE placed_at >= $1 AND placed_at < $2) moves
           GROUP BY 1"#,
        range.from,
        range.to,
        currency,
        step.name()
    )
    .fetch_all(pg)
    .await
}

pub(super) struct FunnelRow {
    pub carts: i64,
    pub ordered: i64,
    pub paid: i64,
}

/// People, not carts and orders: each counts once. Who ordered had a cart, though another order may hold it now.
pub(super) async fn funnel(pg: &PgPool, range: Range) -> sqlx::Result<FunnelRow> {
    sqlx::query_as!(
        FunnelRow,
        r#"WITH placed AS (
             SELECT o.owner, bool_or(p.order_id IS NOT NULL) AS paid
             FROM orders o LEFT JOIN payments p ON p.order_id = o.id AND p.captured_at >= $1
             WHERE o.placed_at >= $1 AND o.placed_at < $2 GROUP BY o.owner)
           SELECT (SELECT count(*) FROM placed) + (
                    SELECT count(*) FROM carts c
                    WHERE updated_at >= $1 AND updated_at < $2 AND merged_into IS NULL
                      AND EXISTS (SELECT FROM cart_lines l WHERE l.owner = c.owner)
                      AND NOT EXISTS (SELECT FROM placed WHERE placed.owner = c.owner)) AS "carts!",
                  (SELECT count(*) FROM placed) AS "ordered!", (SELECT count(*) FROM placed WHERE paid) AS "paid!""#,
        range.from,
        range.to
    )
    .fetch_one(pg)
    .await
}

pub(super) struct TopRow {
    pub book_id: i64,
    pub title: String,
    pub slug: String,
    pub copies: i64,
}

/// What sold best: copies that left the ledger.
pub(super) async fn top(pg: &PgPool, range: Range, most: i64) -> sqlx::Result<Vec<TopRow>> {
    sqlx::query_as!(
        TopRow,
        r#"SELECT b.id AS book_id, b.title, b.slug, sold.copies AS "copies!"
           FROM (SELECT book_id, sum(quantity)::bigint AS copies FROM stock_movements
                 WHERE kind = 'sale' AND at >= $1 AND at < $2 GROUP BY book_id
                 ORDER BY copies DESC, book_id LIMIT $3) sold
           JOIN books b ON b.id = sold.book_id ORDER BY sold.copies DESC, b.id"#,
        range.from,
        range.to,
        most
    )
    .fetch_all(pg)
    .await
}

pub(super) struct LowRow {
    pub book_id: i64,
    pub title: String,
    pub slug: String,
    pub available: i32,
}

/// Books that run out, each by its own number or else the shop's, the best known first of those with as few copies.
pub(super) async fn low(pg: &PgPool, most: i64) -> sqlx::Result<Vec<LowRow>> {
    sqlx::query_as!(
        LowRow,
        r#"SELECT b.id AS book_id, b.title, b.slug, coalesce(s.available, 0) AS "available!"
           FROM books b CROSS JOIN stock_settings t LEFT JOIN stock s ON s.book_id = b.id
           WHERE b.retired_at IS NULL AND coalesce(s.available, 0) <= coalesce(s.low_from, t.low_from)
           ORDER BY coalesce(s.available, 0), b.popularity DESC, b.id LIMIT $1"#,
        most
    )
    .fetch_all(pg)
    .await
}

pub(super) async fn low_total(pg: &PgPool) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM books b CROSS JOIN stock_settings t LEFT JOIN stock s ON s.book_id = b.id
           WHERE b.retired_at IS NULL AND coalesce(s.available, 0) <= coalesce(s.low_from, t.low_from)"#
    )
    .fetch_one(pg)
    .await
}
