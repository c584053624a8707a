//! Buying the books of an order once more.

use super::read;
use crate::{Store, carts, error::Error, viewer::Viewer};
use domain::{ApiError, BookId, OrderId, Quantity, cart::CartView};
use std::collections::BTreeMap;

/// Puts what is still sold into the cart of whoever looks at the order, and says what is not.
pub async fn again(store: &Store, viewer: &Viewer, order: OrderId) -> Result<(CartView, Option<String>), Error> {
    carts::raise(store, &viewer.owner, &lines(store, viewer, order).await?).await
}

async fn lines(store: &Store, viewer: &Viewer, order: OrderId) -> Result<Vec<(BookId, Quantity)>, Error> {
    let found = read::order(store, order).await?.filter(|(owner, view)| viewer.may_see(order, owner, &view.email));
    let (_, view) = found.ok_or_else(|| ApiError::not_found("this order"))?;
    let lines: BTreeMap<_, _> = view.lines.iter().map(|line| (line.book_id, line.quantity)).collect();
    Ok(lines.into_iter().collect())
}
