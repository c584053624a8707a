//! Carts: at home in Redis, backed up to Postgres.

use crate::{Store, error::Error};
use domain::{AccountId, BookId, GuestId, OrderId, Owner, Quantity, UnixMillis, cart::CartView};

/// The cart with titles, prices, totals, availability and notices.
pub async fn view(store: &Store, owner: &Owner) -> Result<CartView, Error> {
    todo!()
}

/// Adds copies to a line. More than there is, or than a line may hold, is cut and says so (`LineNotice::Cut`).
pub async fn add(store: &Store, owner: &Owner, book: BookId, quantity: Quantity) -> Result<CartView, Error> {
    todo!()
}

/// Sets a line to so many copies, cut in the same way.
pub async fn set(store: &Store, owner: &Owner, book: BookId, quantity: Quantity) -> Result<CartView, Error> {
    todo!()
}

/// Takes a line out; a line that is not there is no error.
pub async fn remove(store: &Store, owner: &Owner, book: BookId) -> Result<CartView, Error> {
    todo!()
}

pub async fn clear(store: &Store, owner: &Owner) -> Result<CartView, Error> {
    todo!()
}

/// Moves a guest's lines into the account's cart (sum, capped), once; call at login and registration.
pub async fn merge(store: &Store, guest: GuestId, account: AccountId) -> Result<CartView, Error> {
    todo!()
}

/// Lines and version as Redis (or, when Redis lost it, Postgres) has them, without the catalogue: what an order is made of.
pub async fn lines(store: &Store, owner: &Owner) -> Result<CartLines, Error> {
    todo!()
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CartLines {
    /// `t` of the cart; 0: nothing was ever in it.
    pub version: i64,
    pub lines: Vec<(BookId, Quantity)>,
}

/// Takes an order's copies out of the cart, once per order, however often it is called; never fails for missing lines.
pub async fn take(store: &Store, owner: &Owner, order: OrderId, lines: &[(BookId, Quantity)]) -> Result<(), Error> {
    todo!()
}

/// Puts back what [`take`] took, once, and bars a late take of the same order.
pub async fn restore(store: &Store, owner: &Owner, order: OrderId) -> Result<(), Error> {
    todo!()
}
