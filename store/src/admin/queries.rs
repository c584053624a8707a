//! SQL of the admins' lists.

use crate::orders::SummaryRow;
use sqlx::PgExecutor;

/// What an admin asked for; an absent part lets everything through.
pub(super) struct Filter {
    pub status: Option<&'static str>,
    pub number: Option<String>,
    /// A LIKE pattern.
    pub text: Option<String>,
}

pub(super) async fn count(db: impl PgExecutor<'_>, filter: &Filter) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM orders o
           WHERE ($1::text IS NULL OR o.status = $1) AND ($2::text IS NULL OR o.number = $2)
             AND ($3::text IS NULL OR o.email ILIKE $3 OR o.number ILIKE $3)"#,
        filter.status,
        filter.number,
        filter.text
    )
    .fetch_one(db)
    .await
}

pub(super) async fn orders(
    db: impl PgExecutor<'_>,
    filter: &Filter,
    limit: i64,
    offset: i64,
) -> Result<Vec<SummaryRow>, sqlx::Error> {
    sqlx::query_as!(
        SummaryRow,
        r#"SELECT o.id, o.number, o.status, o.version, o.total_minor, o.currency, o.email, o.placed_at, o.expires_at,
             (SELECT coalesce(sum(i.quantity), 0) FROM order_items i WHERE i.order_id = o.id) AS "copies!",
             coalesce((SELECT i.title FROM order_items i WHERE i.order_id = o.id ORDER BY i.line_no LIMIT 1), '')
               AS "first_title!"
           FROM orders o
           WHERE ($1::text IS NULL OR o.status = $1) AND ($2::text IS NULL OR o.number = $2)
             AND ($3::text IS NULL OR o.email ILIKE $3 OR o.number ILIKE $3)
           ORDER BY o.placed_at DESC, o.id LIMIT $4 OFFSET $5"#,
        filter.status,
        filter.number,
        filter.text,
        limit,
        offset
    )
    .fetch_all(db)
    .await
}
