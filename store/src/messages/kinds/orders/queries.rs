//! SQL of what messages about orders say beside the order itself.

use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

/// With whom the books travel.
pub(super) struct Parcel {
    pub carrier: Option<String>,
    pub tracking: Option<String>,
}

pub(super) async fn parcel(db: impl PgExecutor<'_>, order: Uuid) -> sqlx::Result<Option<Parcel>> {
    sqlx::query_as!(Parcel, "SELECT carrier, tracking FROM shipments WHERE order_id = $1", order)
        .fetch_optional(db)
        .await
}

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
