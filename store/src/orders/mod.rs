//! The life of an order: placed at the gate, written down by a worker, paid, ended, shown.

pub(crate) mod change;
mod queries;

use crate::{Store, error::Error, viewer::Viewer};
use domain::{
    IdempotencyKey, OrderId, Owner,
    order::{OrderSummary, OrderView, PlaceOrder, Placed},
};

/// Places an order from the owner's cart (design §4 *Place*). A repeat with the same key gives the same answer.
pub async fn place(store: &Store, owner: &Owner, request: PlaceOrder, key: IdempotencyKey) -> Result<Placed, Error> {
    todo!()
}

/// The order, from Postgres or, while it waits to be written, from the gate; `None`: not there or not theirs.
pub async fn get(store: &Store, viewer: &Viewer, order: OrderId) -> Result<Option<OrderView>, Error> {
    todo!()
}

/// The owner's latest orders (at most 100), waiting ones included, newest first.
pub async fn list(store: &Store, viewer: &Viewer) -> Result<Vec<OrderSummary>, Error> {
    todo!()
}

/// The shopper cancels until paid. While the order waits to be written it is only marked (`cancel_asked`).
pub async fn cancel(store: &Store, viewer: &Viewer, order: OrderId) -> Result<OrderView, Error> {
    todo!()
}

/// The key of the checkout page: the same for every tab and reload that shows this version of the cart.
pub fn checkout_key(owner: &Owner, cart_version: i64) -> IdempotencyKey {
    todo!()
}
