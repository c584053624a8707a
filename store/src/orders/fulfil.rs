//! PAID to FULFILLING: the packing of a parcel begins.

use super::{
    change::{self, Change},
    queries,
};
use crate::{
    Store,
    error::{During, Error},
    world::to_timestamp,
};
use domain::{
    ApiError, ErrorCode, OrderId,
    order::{Cause, OrderStatus},
};

/// Begins the packing of a paid order, once: its shipment is made in the same transaction. An order whose money is on
/// its way back is not packed.
pub async fn begin_packing(store: &Store, order: OrderId) -> Result<(), Error> {
    const OPERATION: &str = "orders.begin_packing";
    let now = store.now();
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    let change = Change {
        order,
        from: OrderStatus::Paid,
        to: OrderStatus::Fulfilling,
        cause: Cause::FulfilmentStarted,
        note: None,
    };
    if change::apply(&mut tx, change, now).await?.is_none() {
        let has_begun = queries::has_shipment(&mut *tx, order).await.during(OPERATION)?;
        let refused = || ApiError::new(ErrorCode::Conflict, "Only an order that is paid can be packed.");
        return if has_begun { Ok(()) } else { Err(refused().into()) };
    }
    if queries::is_refunding(&mut *tx, order).await.during(OPERATION)? {
        return Err(ApiError::new(ErrorCode::Conflict, "The money of this order is on its way back.").into());
    }
    queries::insert_shipment(&mut *tx, order, to_timestamp(now)).await.during(OPERATION)?;
    tx.commit().await.during(OPERATION)
}
