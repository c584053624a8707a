//! SQL of customers. Those who only ever work here are among them: they may buy, too.

use crate::orders::SummaryRow;
use sqlx::{PgExecutor, PgPool};
use time::OffsetDateTime;

pub(super) struct Row {
    pub id: i64,
    pub name: String,
    pub email: String,
    pub role: String,
    pub is_verified: bool,
    pub created_at: OffsetDateTime,
    pub orders: i64,
    pub last_order_at: Option<OffsetDateTime>,
}

/// `pattern`: of LIKE, in lower case.
pub(super) async fn list(
    db: impl PgExecutor<'_>,
    pattern: Option<&str>,
    before: Option<i64>,
    limit: usize,
) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as!(
        Row,
        r#"SELECT a.id, a.name, a.email, a.role, a.email_verified_at IS NOT NULL AS "is_verified!", a.created_at,
             (SELECT count(*) FROM orders o WHERE o.owner = 'a:' || a.id) AS "orders!",
             (SELECT max(o.placed_at) FROM orders o WHERE o.owner = 'a:' || a.id) AS last_order_at
           FROM accounts a
           WHERE ($1::text IS NULL OR lower(a.name) || ' ' || a.email LIKE $1) AND ($2::bigint IS NULL OR a.id < $2)
           ORDER BY a.id DESC LIMIT $3"#,
        pattern,
        before,
        i64::try_from(limit).unwrap_or(i64::MAX)
    )
    .fetch_all(db)
    .await
}

pub(super) async fn one(pg: &PgPool, id: i64) -> sqlx::Result<Option<Row>> {
    sqlx::query_as!(
        Row,
        r#"SELECT a.id, a.name, a.email, a.role, a.email_verified_at IS NOT NULL AS "is_verified!", a.created_at,
             (SELECT count(*) FROM orders o WHERE o.owner = 'a:' || a.id) AS "orders!",
             (SELECT max(o.placed_at) FROM orders o WHERE o.owner = 'a:' || a.id) AS last_order_at
           FROM accounts a WHERE a.id = $1"#,
        id
    )
    .fetch_optional(pg)
    .await
}

/// The account of whoever placed it, and the address they gave.
pub(super) async fn buyer(pg: &PgPool, number: &str) -> sqlx::Result<Option<(Option<i64>, String)>> {
    let row = sqlx::query!("SELECT account_id, email FROM orders WHERE number = $1", number);
    Ok(row.fetch_optional(pg).await?.map(|row| (row.account_id, row.email)))
}

pub(super) async fn guest_orders(pg: &PgPool, email: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM orders WHERE guest_id IS NOT NULL AND email = $1"#, email)
        .fetch_one(pg)
        .await
}

/// Of this owner, or of guests with this address.
pub(super) async fn orders(
    pg: &PgPool,
    owner: Option<&str>,
    guest: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<SummaryRow>> {
    sqlx::query_as!(
        SummaryRow,
        r#"SELECT o.id, o.number, o.status, o.version, o.total_minor, o.currency, o.email, o.placed_at, o.expires_at,
             (SELECT coalesce(sum(i.quantity), 0) FROM order_items i WHERE i.order_id = o.id) AS "copies!",
             coalesce((SELECT i.title FROM order_items i WHERE i.order_id = o.id ORDER BY i.line_no LIMIT 1), '')
               AS "first_title!",
             (SELECT count(*) FROM order_items i WHERE i.order_id = o.id) AS "titles!"
           FROM orders o WHERE o.owner = $1 OR (o.guest_id IS NOT NULL AND o.email = $2)
           ORDER BY o.placed_at DESC, o.id LIMIT $3"#,
        owner,
        guest,
        limit
    )
    .fetch_all(pg)
    .await
}
