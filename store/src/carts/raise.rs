//! Books of a mail or of an earlier order into the cart: as many copies as there were then, as far as they are to be had.

use crate::{Store, carts, error::Error};
use domain::{BookId, Owner, Quantity, cart::CartView};
use std::collections::HashMap;

/// Raises each line to so many copies; lines that hold more stay, so doing it twice is doing it once. Says what could not
/// come along.
pub async fn raise(
    store: &Store,
    owner: &Owner,
    lines: &[(BookId, Quantity)],
) -> Result<(CartView, Option<String>), Error> {
    let held: HashMap<BookId, Quantity> = carts::lines(store, owner).await?.lines.into_iter().collect();
    let mut left_out = Vec::new();
    for (book, quantity) in lines {
        if held.get(book).is_some_and(|held| held >= quantity) {
            continue;
        }
        match carts::set(store, owner, *book, *quantity).await {
            Ok(cart) => left_out.extend(cut(&cart, *book, *quantity)),
            Err(Error::Refused(refusal)) => left_out.push(refusal.message),
            Err(error) => return Err(error),
        }
    }
    left_out.dedup();
    let said = (!left_out.is_empty()).then(|| left_out.join(" "));
    Ok((carts::view(store, owner).await?, said))
}

fn cut(cart: &CartView, book: BookId, wanted: Quantity) -> Option<String> {
    let line = cart.lines.iter().find(|line| line.book_id == book && line.quantity < wanted)?;
    let copies = if line.quantity.get() == 1 { "copy" } else { "copies" };
    Some(format!("Of “{}” only {} {copies} can be had now.", line.title, line.quantity))
}
