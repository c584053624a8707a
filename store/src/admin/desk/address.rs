//! An address is mended before its parcel leaves. Of two who mend it at once, the second is told what the first one wrote.

use super::{
    OPERATION,
    notes::{Kind, keep},
    queries, refused,
};
use crate::{
    Store,
    error::{During, Error},
    orders::ago,
    viewer::Viewer,
    world::{from_timestamp, to_timestamp},
};
use domain::{ApiError, OrderId, address::Address, order::OrderStatus as S};

/// Puts a new address on the order, and on its parcel. `seen`: the number of the last change that the person saw.
pub async fn change_address(
    store: &Store,
    admin: &Viewer,
    order: OrderId,
    address: &Address,
    seen: i64,
) -> Result<(), Error> {
    let at = to_timestamp(store.now());
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    let found = queries::lock_address(&mut *tx, order).await.during(OPERATION)?;
    let found = found.ok_or_else(|| ApiError::not_found("that order"))?;
    if !matches!(found.status.parse(), Ok(S::PaymentPending | S::Paid | S::Fulfilling)) {
        return Err(refused("The parcel of this order has left, or there is none. Its address stays as it is."));
    }
    let last = queries::last_address_note(&mut *tx, order).await.during(OPERATION)?;
    if let Some(last) = last.filter(|last| last.id != seen) {
        let when = ago(store.now(), from_timestamp(last.at));
        return Err(refused(format!(
            "{} was quicker and changed the address {when}. Please look at it again.",
            last.by
        )));
    }
    if found.address.0 == *address {
        return Ok(());
    }
    queries::set_address(&mut *tx, order, address, at).await.during(OPERATION)?;
    let words = format!("Address changed. Before: {}.", found.address.0.lines().join(", "));
    keep(store, &mut tx, admin, order, (Kind::Address, &words)).await?;
    tx.commit().await.during(OPERATION)
}
