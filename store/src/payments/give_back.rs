//! All money of an order that the shop calls off goes back: asked for in the transaction that ends the order.

use crate::{
    error::{During, Error},
    jobs::{self, Topic},
    viewer::Viewer,
    world::to_timestamp,
};
use domain::{AccountId, OrderId, RefundId, UnixMillis};
use sqlx::PgTransaction;

const OPERATION: &str = "payments.give_back";

/// Requests a refund of what is left of the order's captured payment; the caller has locked the order's row.
/// `false`: there is no such payment, or all of it is on its way back already.
pub(crate) async fn all(
    tx: &mut PgTransaction<'_>,
    order: OrderId,
    refund: RefundId,
    reason: &str,
    admin: &Viewer,
    now: UnixMillis,
) -> Result<bool, Error> {
    let at = to_timestamp(now);
    let done = sqlx::query!(
        "WITH captured AS (
             UPDATE payments SET status = 'refunding' WHERE order_id = $1 AND status = 'captured'
             RETURNING id, order_id, currency, amount_minor)
         INSERT INTO refunds (id, payment_id, order_id, amount_minor, currency, reason, status, created_at, actor_id)
         SELECT $2, c.id, c.order_id, c.amount_minor - coalesce(back.sum, 0), c.currency, $3, 'requested', $4, $5
         FROM captured c LEFT JOIN LATERAL (
             SELECT sum(amount_minor)::bigint AS sum FROM refunds
             WHERE payment_id = c.id AND status IN ('requested', 'confirmed')) AS back ON true
         WHERE c.amount_minor > coalesce(back.sum, 0)",
        order.get(),
        refund.get(),
        reason,
        at,
        admin.owner.account().map(AccountId::get)
    );
    if done.execute(&mut **tx).await.during(OPERATION)?.rows_affected() == 0 {
        return Ok(false);
    }
    let nothing_more = serde_json::json!({});
    jobs::enqueue(&mut **tx, Topic::RefundRequest, &refund.to_string(), &nothing_more, at).await.during(OPERATION)?;
    Ok(true)
}
