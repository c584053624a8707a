//! The cart as people see it: lines with titles and prices of the catalogue, copies on sale from the gate, notices.

use super::scripts::Reply;
use crate::{Store, catalog, catalog::BookFacts, error::Error, stock};
use domain::{
    BookId, Quantity,
    cart::{CartLine, CartView, LineNotice},
};
use std::collections::{BTreeMap, HashMap};

/// What the acting shopper is told besides: lines that were cut, and what was asked for.
pub(super) type Cuts = BTreeMap<BookId, u32>;

/// Builds the view of what a script answered. `known`: copies on sale that were read just before.
pub(super) async fn build(
    store: &Store,
    reply: &Reply,
    known: HashMap<BookId, i64>,
    cuts: &Cuts,
) -> Result<CartView, Error> {
    let mut view = CartView { version: reply.t, ..CartView::empty(store.config().currency) };
    // A closed cart's lines belong to somebody else's cart.
    if reply.into.is_some() || reply.lines.is_empty() {
        return Ok(view);
    }
    let books: Vec<BookId> = reply.lines.iter().map(|(book, _)| *book).collect();
    let unread: Vec<BookId> = books.iter().copied().filter(|book| !known.contains_key(book)).collect();
    let (facts, mut on_sale) = tokio::try_join!(catalog::facts(store, &books), stock::available(store, &unread))?;
    on_sale.extend(known);
    for (book, quantity) in &reply.lines {
        // Books are never deleted, only retired; one that the catalogue does not know cannot be shown.
        let Some(facts) = facts.get(book) else {
            tracing::warn!(book.id = book.get(), "a cart holds a book that the catalogue does not have");
            continue;
        };
        let available = on_sale.get(book).copied();
        view.lines.push(line(facts, *quantity, available, cuts.get(book).copied())?);
    }
    view.add_up(store.config().delivery).ok_or_else(too_much)?;
    Ok(view)
}

fn line(facts: &BookFacts, quantity: Quantity, available: Option<i64>, asked: Option<u32>) -> Result<CartLine, Error> {
    Ok(CartLine {
        book_id: facts.id,
        slug: facts.slug.clone(),
        title: facts.title.clone(),
        authors: facts.authors.clone(),
        quantity,
        unit_price: facts.price,
        line_total: facts.price.times(quantity).ok_or_else(too_much)?,
        available,
        notice: notice(facts.is_retired, quantity, available, asked),
    })
}

/// The most important thing to say about a line.
fn notice(is_retired: bool, quantity: Quantity, available: Option<i64>, asked: Option<u32>) -> Option<LineNotice> {
    match (asked, available) {
        _ if is_retired => Some(LineNotice::Retired),
        (Some(asked), Some(1..) | None) => Some(LineNotice::Cut { asked, left: quantity.get() }),
        _ => LineNotice::of_stock(quantity, available),
    }
}

fn too_much() -> Error {
    Error::unexpected("carts.view", "the total does not fit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_news_comes_first() {
        let two = Quantity::new(2).unwrap();
        assert_eq!(notice(true, two, Some(0), Some(5)), Some(LineNotice::Retired));
        assert_eq!(notice(false, two, Some(0), Some(5)), Some(LineNotice::SoldOut));
        assert_eq!(notice(false, two, Some(2), Some(5)), Some(LineNotice::Cut { asked: 5, left: 2 }));
        assert_eq!(notice(false, two, Some(3), None), Some(LineNotice::OnlyLeft { left: 3 }));
        assert_eq!(notice(false, Quantity::new(9).unwrap(), Some(8), None), Some(LineNotice::OnlyLeft { left: 8 }));
        assert_eq!(notice(false, two, Some(4), None), None);
        assert_eq!(notice(false, two, None, None), None);
    }
}
