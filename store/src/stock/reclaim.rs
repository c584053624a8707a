//! The gate's side of late money: the copies of an order that has ended are taken again before that is written down.
//!
//! What was taken stands in one hash under the payment's id, and counts as in flight for as long as Postgres says that
//! the payment is undecided ([`super::view`]). So a worker that dies in between costs no copy: the next one finds its
//! record. A rebuild of the gate forgets the records: it counts what Postgres has, and no decision is under way then,
//! because whoever decides shares the gate lock.

use super::queries::Line;
use crate::{
    Store,
    error::{During, Error},
};
use domain::PaymentId;
use redis::AsyncCommands;
use std::sync::LazyLock;

static RECLAIM: LazyLock<redis::Script> =
    LazyLock::new(|| redis::Script::new(include_str!("../../../lua/order_reclaim.lua")));

/// What the gate says to a second claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReclaimAnswer {
    Placed,
    /// Taken before, by a worker that came no further.
    Replayed,
    Insufficient,
    NotReady,
}

/// Takes these copies (each book once) for the payment.
pub(crate) async fn take(store: &Store, payment: PaymentId, lines: &[Line]) -> Result<ReclaimAnswer, Error> {
    const OPERATION: &str = "stock.script_reclaim";
    let keys = store.keys();
    let mut run = store.redis_run().await?;
    let mut call = RECLAIM.prepare_invoke();
    call.key(keys.epoch()).key(keys.stock()).key(keys.changes()).key(keys.reclaims()).key(keys.suspects());
    call.key(keys.run_id()).arg(payment.to_string()).arg(keys.live_stock()).arg(&*run.id);
    for line in lines {
        call.arg(line.book).arg(line.copies);
    }
    let answer: Vec<String> = call.invoke_async(&mut run.connection).await.during(OPERATION)?;
    let code = answer.first().map_or("", String::as_str);
    reclaim_answer(code).ok_or_else(|| Error::unexpected(OPERATION, format!("answered {answer:?}")))
}

fn reclaim_answer(code: &str) -> Option<ReclaimAnswer> {
    match code {
        "PLACED" => Some(ReclaimAnswer::Placed),
        "REPLAYED" => Some(ReclaimAnswer::Replayed),
        "INSUFFICIENT" => Some(ReclaimAnswer::Insufficient),
        "NOT_READY" => Some(ReclaimAnswer::NotReady),
        _ => None,
    }
}

/// Whether copies were taken for this payment.
pub(crate) async fn is_taken(store: &Store, payment: PaymentId) -> Result<bool, Error> {
    let key = store.keys().reclaims();
    store.redis().hexists(key, payment.to_string()).await.during("stock.is_reclaimed")
}

/// The payment is decided: its record says nothing more.
pub(crate) async fn forget(store: &Store, payment: PaymentId) -> Result<(), Error> {
    store.redis().hdel(store.keys().reclaims(), payment.to_string()).await.during("stock.forget_reclaim")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stock::promised_codes;

    #[test]
    fn the_wrapper_knows_every_code_that_the_header_promises() {
        let promised = promised_codes(include_str!("../../../lua/order_reclaim.lua"));
        assert_eq!(promised, ["NOT_READY", "REPLAYED", "INSUFFICIENT", "PLACED"]);
        assert!(promised.into_iter().all(|code| reclaim_answer(code).is_some()));
        assert_eq!(reclaim_answer("NONSENSE"), None);
    }
}
