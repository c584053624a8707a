//! The sandbox provider's statement: what came in and went back within a time, page by page, as its events tell it.

use super::{CAPTURED, Event, EventData, REFUNDED, Statement, config};
use crate::{
    Store,
    error::{During, Error},
    world::{from_timestamp, to_timestamp},
};
use domain::{Minor, UnixMillis};

const OPERATION: &str = "sandbox.statement";
/// Moves of one page.
const PAGE: i64 = 100;

/// Where a refund stands; `None`: no such refund.
pub async fn refund_state(store: &Store, id: &str) -> Result<Option<String>, Error> {
    config(store)?;
    let status = sqlx::query_scalar!("SELECT status FROM sandbox.refunds WHERE id = $1", id);
    status.fetch_optional(store.pg()).await.during("sandbox.refund_state")
}

/// The moves from `from` until before `until`, those after the move `after`.
pub async fn statement(store: &Store, from: UnixMillis, until: UnixMillis, after: &str) -> Result<Statement, Error> {
    config(store)?;
    let until = until.min(store.now());
    let rows = sqlx::query!(
        r#"SELECT m.id AS "id!", m.refund_key AS "refund_key?", m.amount AS "amount!", m.at AS "at!", p.id AS payment_id,
                  p.idempotency_key, p.order_id, p.currency
           FROM (SELECT id, id AS payment_id, NULL::text AS refund_key, amount_minor AS amount, paid_at AS at
                 FROM sandbox.payments WHERE status = 'paid' AND paid_at >= $1 AND paid_at < $2
                 UNION ALL
                 SELECT id, payment_id, idempotency_key, amount_minor, created_at
                 FROM sandbox.refunds WHERE status = 'succeeded' AND created_at >= $1 AND created_at < $2) m
           JOIN sandbox.payments p ON p.id = m.payment_id
           WHERE m.id > $3 ORDER BY m.id LIMIT $4"#,
        to_timestamp(from),
        to_timestamp(until),
        after,
        PAGE
    )
    .fetch_all(store.pg())
    .await
    .during(OPERATION)?;
    let is_full = i64::try_from(rows.len()) == Ok(PAGE);
    let next = rows.last().filter(|_| is_full).map(|last| last.id.clone());
    let mut moves = Vec::with_capacity(rows.len());
    for row in rows {
        let is_refund = row.id != row.payment_id;
        let data = EventData {
            payment_id: row.payment_id,
            reference: row.idempotency_key,
            order_id: row.order_id,
            amount: Minor::new(row.amount),
            currency: row.currency,
            refund_id: is_refund.then(|| row.id.clone()),
            refund_reference: row.refund_key,
        };
        moves.push(Event {
            id: row.id,
            name: if is_refund { REFUNDED } else { CAPTURED }.to_owned(),
            created: from_timestamp(row.at).get() / 1000,
            data: serde_json::to_value(data).during(OPERATION)?,
        });
    }
    Ok(Statement { moves, next })
}
