//! An admin calls an order off before its parcel leaves: unpaid, its copies are released; paid, the copies come back to
//! the shelf and the refund is asked for, all in the transaction that changes the order.

use super::{fulfil::Step, queries, quicker};
use crate::{
    Store,
    admin::audit::Action,
    error::{During, Error},
    payments::give_back,
    stock::ledger,
    viewer::Viewer,
};
use domain::{
    ApiError, ErrorCode, OrderId, RefundId, UnixMillis,
    order::{Cause, OrderStatus},
};

const OPERATION: &str = "orders.call_off";
/// Longest reason, in characters.
const MAX_REASON: usize = 200;
/// Looks at an order that moves meanwhile.
const TRIES: usize = 4;

/// Ends the order as CANCELLED, once; the shopper reads the reason in its timeline.
pub async fn call_off(store: &Store, admin: &Viewer, order: OrderId, reason: &str) -> Result<(), Error> {
    let reason = reason.trim();
    check(reason)?;
    for _ in 0..TRIES {
        let Some((_, view)) = super::read::order(store, order).await? else {
            return Err(ApiError::not_found("this order").into());
        };
        let from = match view.status {
            OrderStatus::Cancelled => {
                return quicker::answer(store, admin, order, (Cause::AdminCancelled, true), "").await;
            }
            OrderStatus::Pending => {
                return Err(refused("This order is being written down. Please try again in a moment."));
            }
            from if from.may(OrderStatus::Cancelled, Cause::AdminCancelled) => from,
            status => {
                let label = status.label().to_lowercase();
                let refusal = format!("This order cannot be cancelled any more; it is: {label}.");
                return quicker::answer(store, admin, order, (Cause::AdminCancelled, false), &refusal).await;
            }
        };
        if end(store, admin, order, from, reason, store.now()).await? {
            tracing::info!(order.id = %order, %from, "called off");
            return Ok(());
        }
        // Paid, expired, or packed between the look and the change: look again.
    }
    Err(refused("The order is changing right now. Please try again."))
}

/// `false`: it stands in `from` no more.
async fn end(
    store: &Store,
    admin: &Viewer,
    order: OrderId,
    from: OrderStatus,
    reason: &str,
    now: UnixMillis,
) -> Result<bool, Error> {
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    ledger::share_gate_lock(&mut tx).await?;
    let step = Step::new(from, OrderStatus::Cancelled, Cause::AdminCancelled, Action::OrderCancel).noted(reason);
    if !step.take_in(store, &mut tx, admin, order, now).await? {
        return Ok(false);
    }
    if from != OrderStatus::PaymentPending {
        if !give_back::all(&mut tx, order, RefundId::new(store.uuid()), reason, admin, now).await? {
            return Err(refused("The money of this order is on its way back already."));
        }
        let claim_no = queries::claim_no(&mut *tx, order).await.during(OPERATION)?;
        ledger::take_back(&mut tx, order, claim_no, now).await?;
    }
    tx.commit().await.during(OPERATION)?;
    Ok(true)
}

fn check(reason: &str) -> Result<(), ApiError> {
    let wrong = match reason {
        "" => "Say why: the shopper reads it.",
        _ if reason.chars().count() > MAX_REASON => "At most 200 characters.",
        _ if reason.chars().any(char::is_control) => "One line, please.",
        _ => return Ok(()),
    };
    Err(ApiError::fields([("reason".to_owned(), wrong.to_owned())].into()))
}

fn refused(message: &str) -> Error {
    ApiError::new(ErrorCode::Conflict, message).into()
}
