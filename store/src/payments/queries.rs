//! SQL of payments: of the order that money is for; of sessions, refunds and the inbox in files of their own.

mod inbox;
mod refunds;
mod sessions;

pub(super) use inbox::*;
pub(super) use refunds::*;
pub(crate) use sessions::undecided;
pub(super) use sessions::*;

use domain::{Minor, Money, OrderId};
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

/// What money needs to know of an order.
pub(super) struct OrderRow {
    pub id: Uuid,
    pub number: String,
    pub owner: String,
    pub status: String,
    pub email: String,
    pub currency: String,
    pub total_minor: i64,
    pub expires_at: OffsetDateTime,
    pub claim_no: i32,
}

pub(super) async fn order(db: impl PgExecutor<'_>, id: OrderId) -> sqlx::Result<Option<OrderRow>> {
    sqlx::query_as!(
        OrderRow,
        "SELECT id, number, owner, status, email, currency, total_minor, expires_at, claim_no FROM orders WHERE id = $1",
        id.get()
    )
    .fetch_optional(db)
    .await
}

/// Money and status of one order move in one transaction at a time.
pub(super) async fn lock_order(db: impl PgExecutor<'_>, id: OrderId) -> sqlx::Result<Option<OrderRow>> {
    sqlx::query_as!(
        OrderRow,
        "SELECT id, number, owner, status, email, currency, total_minor, expires_at, claim_no
         FROM orders WHERE id = $1 FOR UPDATE",
        id.get()
    )
    .fetch_optional(db)
    .await
}

/// The copies of this order's end are on their way back to the gate: somebody will bring them within a moment.
pub(super) async fn is_being_released(
    db: impl PgExecutor<'_>,
    order: OrderId,
    soon: OffsetDateTime,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM gate_ops WHERE order_id = $1 AND applied_at IS NULL AND due_at < $2) AS "exists!""#,
        order.get(),
        soon
    )
    .fetch_one(db)
    .await
}

/// Counts a further claim of a locked order.
pub(super) async fn next_claim(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<()> {
    sqlx::query!("UPDATE orders SET claim_no = claim_no + 1 WHERE id = $1", order.get()).execute(db).await?;
    Ok(())
}

/// Whether the order was PAID at some time.
pub(super) async fn was_paid(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM order_history WHERE order_id = $1 AND status = 'PAID') AS "exists!""#,
        order.get()
    )
    .fetch_one(db)
    .await
}

/// The latest step of an order's history.
pub(super) async fn last_cause(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "SELECT cause FROM order_history WHERE order_id = $1 ORDER BY version DESC LIMIT 1",
        order.get()
    )
    .fetch_optional(db)
    .await
}

impl OrderRow {
    pub fn amount(&self) -> Option<Money> {
        money(self.total_minor, &self.currency)
    }
}

fn money(minor: i64, currency: &str) -> Option<Money> {
    domain::Currency::parse(currency).ok().map(|currency| Minor::new(minor).with(currency))
}
