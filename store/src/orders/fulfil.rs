//! From PAID to DELIVERED, step by step as an admin takes them: packed, handed to the carrier, arrived.
//!
//! Each step is taken once: a second press finds what it wanted and changes nothing, and of two people one is told that the
//! other was quicker.

use super::{
    change::{self, Change},
    queries, quicker,
};
use crate::{
    Store,
    admin::audit::{self, Action},
    error::{During, Error},
    stock::ledger,
    viewer::Viewer,
    world::to_timestamp,
};
use domain::{
    ApiError, ErrorCode, OrderId, UnixMillis,
    order::{Cause, OrderStatus, OrderView, Shipment},
};
use serde_json::json;
use sqlx::PgTransaction;

const OPERATION: &str = "orders.fulfil";
/// Longest name of a carrier, and longest tracking number.
const MAX_TEXT: usize = 60;

/// Begins the packing of a paid order; its shipment is made in the same transaction. An order whose money is on its way
/// back is not packed.
pub async fn begin_packing(store: &Store, admin: &Viewer, order: OrderId) -> Result<(), Error> {
    let step = Step::new(OrderStatus::Paid, OrderStatus::Fulfilling, Cause::FulfilmentStarted, Action::OrderFulfil);
    let now = store.now();
    let Some(mut tx) = step.take(store, admin, order, now).await? else {
        let view = view_of(store, order).await?;
        let is_done = view.status.is_sold() && view.shipment.is_some();
        let done = (Cause::FulfilmentStarted, is_done);
        return quicker::answer(store, admin, order, done, "Only an order that is paid can be packed.").await;
    };
    keep_the_money(&mut tx, order).await?;
    queries::insert_shipment(&mut *tx, order, to_timestamp(now)).await.during(OPERATION)?;
    tx.commit().await.during(OPERATION)
}

/// The parcel is with the carrier. An order whose money is on its way back is not sent.
pub async fn ship(
    store: &Store,
    admin: &Viewer,
    order: OrderId,
    carrier: &str,
    tracking: Option<&str>,
) -> Result<(), Error> {
    let (carrier, tracking) = (carrier.trim(), tracking.map(str::trim).filter(|text| !text.is_empty()));
    check("carrier", carrier)?;
    tracking.map_or(Ok(()), |tracking| check("tracking", tracking))?;
    let note = tracking.map_or_else(|| carrier.to_owned(), |tracking| format!("{carrier}, {tracking}"));
    let step = Step::new(OrderStatus::Fulfilling, OrderStatus::Shipped, Cause::HandedToCarrier, Action::OrderShip)
        .noted(&note);
    let now = store.now();
    let Some(mut tx) = step.take(store, admin, order, now).await? else {
        let same = |parcel: &Shipment| {
            parcel.shipped_at.is_some()
                && (parcel.carrier.as_deref(), parcel.tracking.as_deref()) == (Some(carrier), tracking)
        };
        let is_done = view_of(store, order).await?.shipment.is_some_and(|parcel| same(&parcel));
        let done = (Cause::HandedToCarrier, is_done);
        return quicker::answer(store, admin, order, done, "Only an order that is packed can be sent.").await;
    };
    keep_the_money(&mut tx, order).await?;
    let parcels = queries::hand_over(&mut *tx, order, carrier, tracking, to_timestamp(now)).await.during(OPERATION)?;
    one(parcels)?;
    tx.commit().await.during(OPERATION)
}

/// The parcel has arrived.
pub async fn deliver(store: &Store, admin: &Viewer, order: OrderId) -> Result<(), Error> {
    let step = Step::new(OrderStatus::Shipped, OrderStatus::Delivered, Cause::Arrived, Action::OrderDeliver);
    let now = store.now();
    let Some(mut tx) = step.take(store, admin, order, now).await? else {
        let is_done = view_of(store, order).await?.shipment.is_some_and(|parcel| parcel.delivered_at.is_some());
        let done = (Cause::Arrived, is_done);
        return quicker::answer(store, admin, order, done, "Only an order that was sent can arrive.").await;
    };
    one(queries::arrived(&mut *tx, order, to_timestamp(now)).await.during(OPERATION)?)?;
    tx.commit().await.during(OPERATION)
}

/// One edge of the table of transitions, as an admin takes it.
pub(super) struct Step<'a> {
    from: OrderStatus,
    to: OrderStatus,
    cause: Cause,
    action: Action,
    note: Option<&'a str>,
}

impl<'a> Step<'a> {
    pub fn new(from: OrderStatus, to: OrderStatus, cause: Cause, action: Action) -> Self {
        Self { from, to, cause, action, note: None }
    }

    pub fn noted(self, note: &'a str) -> Self {
        Self { note: Some(note), ..self }
    }

    /// Takes the step in a transaction that is the caller's to end; `None`: the order does not stand at its beginning.
    async fn take(
        self,
        store: &Store,
        admin: &Viewer,
        order: OrderId,
        now: UnixMillis,
    ) -> Result<Option<PgTransaction<'static>>, Error> {
        let mut tx = store.pg().begin().await.during(OPERATION)?;
        Ok(self.take_in(store, &mut tx, admin, order, now).await?.then_some(tx))
    }

    /// `false`: the order does not stand where the step begins.
    pub async fn take_in(
        self,
        store: &Store,
        tx: &mut PgTransaction<'_>,
        admin: &Viewer,
        order: OrderId,
        now: UnixMillis,
    ) -> Result<bool, Error> {
        let Self { from, to, cause, action, note } = self;
        let change = Change { order, from, to, cause, note };
        let Some(version) = change::apply(tx, change, now).await? else { return Ok(false) };
        change::sign(tx, order, version, admin).await?;
        let (before, after) = (json!({ "status": from }), json!({ "status": to, "note": note }));
        audit::note(&mut **tx, store, admin, action, ("order", &order), before, after).await?;
        Ok(true)
    }
}

/// A full refund that was asked for goes before packing and sending, and copies that are back on sale are sent to nobody.
async fn keep_the_money(tx: &mut PgTransaction<'_>, order: OrderId) -> Result<(), Error> {
    if queries::is_refunding(&mut **tx, order).await.during(OPERATION)? {
        return Err(refused("The money of this order is on its way back."));
    }
    let claim_no = queries::claim_no(&mut **tx, order).await.during(OPERATION)?;
    match ledger::copies_out(tx, order, claim_no).await? {
        0 => Err(refused("The copies of this order are back in stock.")),
        _ => Ok(()),
    }
}

async fn view_of(store: &Store, order: OrderId) -> Result<OrderView, Error> {
    let found = queries::view(store, order).await?;
    found.map(|(_, view)| view).ok_or_else(|| ApiError::not_found("this order").into())
}

/// A line of text that stands on a label, or the field at fault.
fn check(field: &str, text: &str) -> Result<(), ApiError> {
    let wrong = match text {
        "" => "This is needed.",
        _ if text.chars().count() > MAX_TEXT => "At most 60 characters.",
        _ if text.chars().any(char::is_control) => "Only what can be printed.",
        _ => return Ok(()),
    };
    Err(ApiError::fields([(field.to_owned(), wrong.to_owned())].into()))
}

fn one(parcels: u64) -> Result<(), Error> {
    if parcels == 1 { Ok(()) } else { Err(Error::unexpected(OPERATION, format!("{parcels} parcels of one order"))) }
}

fn refused(message: &str) -> Error {
    ApiError::new(ErrorCode::Conflict, message).into()
}
