//! SQL of what messages about orders say beside the order itself.

use crate::messages::About;
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

pub(super) struct RefundRow {
    pub order_id: Uuid,
    pub amount_minor: i64,
    pub paid_minor: i64,
    pub confirmed_at: OffsetDateTime,
}

/// A refund that the provider has confirmed.
pub(super) async fn refund(db: impl PgExecutor<'_>, refund: Uuid) -> sqlx::Result<Option<RefundRow>> {
    sqlx::query_as!(
        RefundRow,
        r#"SELECT r.order_id, r.amount_minor, p.amount_minor AS paid_minor, r.confirmed_at AS "confirmed_at!"
           FROM refunds r JOIN payments p ON p.id = r.payment_id
           WHERE r.id = $1 AND r.status = 'confirmed' AND r.confirmed_at IS NOT NULL"#,
        refund
    )
    .fetch_optional(db)
    .await
}

/// Keeps that a message has left; it is about an order, or about a refund of one.
pub(super) async fn insert_sent(
    db: impl PgExecutor<'_>,
    about: &About,
    channel: &str,
    kind: &str,
    at: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO order_messages (order_id, channel, kind, about, at)
         SELECT o.id, $2, $3, $4, $5 FROM orders o
         WHERE o.id = coalesce((SELECT order_id FROM refunds WHERE id = $1), $1)",
        about.id,
        channel,
        kind,
        about.to_string(),
        at
    )
    .execute(db)
    .await?;
    Ok(())
}
