//! SQL of what messages about orders say beside the order itself.

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
