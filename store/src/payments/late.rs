//! `payment.late`: money came for an order that had ended. It buys the same copies again if they are still there, and
//! goes back by itself if not: never both, never neither.
//!
//! The webhook's transaction has recorded the money, as `late`, and this work. Here the copies are taken at the gate
//! first, with the stock rows and the gate lock held, and then one transaction writes down the new claim, the sale and
//! PAID, or the refund. It moves the payment on from `late`, so it happens once. A worker that dies in between leaves the
//! gate's record behind ([`reclaim`]): its successor goes on from there, or gives those copies back.

use super::{effect::Scene, queries};
use crate::{
    Store,
    error::{During, Error},
    stock::{
        Line, ledger,
        reclaim::{self, ReclaimAnswer},
    },
    world::to_timestamp,
};
use domain::{ApiError, OrderId, PaymentId, RefundId, order::Cause, payment::PaymentStatus};

const OPERATION: &str = "payments.late";
/// An operation of the gate that is due later than this is parked: nobody waits for it.
const SOON_MS: i64 = 3_600_000;

/// See [`super::decide_late`].
pub(super) async fn decide(store: &Store, payment_id: PaymentId) -> Result<(), Error> {
    let broken = |message: &str| Error::unexpected(OPERATION, message);
    let known = queries::payment(store.pg(), payment_id).await.during(OPERATION)?;
    let order_id = OrderId::new(known.ok_or_else(|| broken("no such payment"))?.order_id);
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    ledger::share_gate_lock(&mut tx).await?;
    let order = queries::lock_order(&mut *tx, order_id).await.during(OPERATION)?;
    let order = order.ok_or_else(|| broken("a payment without an order"))?;
    let payment = queries::lock_payment(&mut *tx, payment_id).await.during(OPERATION)?;
    let Some(payment) = payment.filter(|payment| payment.status() == Some(PaymentStatus::Late)) else { return Ok(()) };
    let status = order.status.parse().map_err(|_| broken("an order without a status"))?;
    let provider_ref = payment.provider_ref.clone().ok_or_else(|| broken("captured money without a session"))?;
    let (new_refund, now) = (RefundId::new(store.uuid()), store.now());
    let mut scene = Scene {
        tx: &mut tx,
        order,
        order_id,
        status,
        payment,
        payment_id,
        provider_ref: &provider_ref,
        new_refund,
        now,
    };
    let is_bought = buy_again(store, &mut scene).await?;
    match is_bought {
        true => scene.pay(Cause::LateMoneyClaimed).await?,
        false => scene.send_back().await?,
    };
    tx.commit().await.during(OPERATION)?;
    let decided = if is_bought { "claimed" } else { "refunded" };
    metrics::counter!("late_payments_total", "decided" => decided).increment(1);
    tracing::info!(payment.id = %payment_id, order.id = %order_id, decided, "money came late");
    if let Err(error) = reclaim::forget(store, payment_id).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "a record of the gate that says nothing stays");
    }
    Ok(())
}

/// Claims the copies, at the gate and then in Postgres; `false`: they are not there, and what the gate took goes back.
async fn buy_again(store: &Store, scene: &mut Scene<'_, '_>) -> Result<bool, Error> {
    let lines = ledger::lock_wanted(scene.tx, scene.order_id).await?;
    let is_wanted = scene.may_still_buy_again().await?;
    let is_taken = match is_wanted {
        true => take(store, scene, &lines).await?,
        false => reclaim::is_taken(store, scene.payment_id).await?,
    };
    if !is_taken {
        return Ok(false);
    }
    let claim_no = scene.order.claim_no + 1;
    if is_wanted && ledger::claim_again(scene.tx, scene.order_id, claim_no, &lines, scene.now).await? {
        queries::next_claim(&mut **scene.tx, scene.order_id).await.during(OPERATION)?;
        return Ok(true);
    }
    ledger::give_back(scene.tx, &lines, scene.now).await?;
    Ok(false)
}

async fn take(store: &Store, scene: &mut Scene<'_, '_>, lines: &[Line]) -> Result<bool, Error> {
    match reclaim::take(store, scene.payment_id, lines).await? {
        ReclaimAnswer::Placed | ReclaimAnswer::Replayed => Ok(true),
        ReclaimAnswer::NotReady => Err(ApiError::not_ready().into()),
        ReclaimAnswer::Insufficient => {
            // Its own copies may still be on their way back from the order's end.
            let soon = to_timestamp(scene.now.plus(SOON_MS));
            let returning = queries::is_being_released(&mut **scene.tx, scene.order_id, soon).await;
            if returning.during(OPERATION)? { Err(ApiError::not_ready().into()) } else { Ok(false) }
        }
    }
}
