//! The cart as people see it: lines with titles and prices of the catalogue, copies on sale from the gate, notices.

use super::{state::Line, verb::Reply};
use crate::{Store, catalog, catalog::BookFacts, error::Error, stock};
use domain::{
    BookId, Minor,
    cart::{CartLine, CartView, LineNotice},
};
use std::collections::{BTreeMap, HashMap};

/// What the acting shopper is told besides: lines that were cut, and what was asked for.
pub(super) type Cuts = BTreeMap<BookId, u32>;

/// Builds the view of what a script answered. `known`: copies on sale that were read together with it.
pub(super) async fn build(
    store: &Store,
    reply: &Reply,
    known: HashMap<BookId, i64>,
    cuts: &Cuts,
) -> Result<CartView, Error> {
    let mut view = CartView { version: reply.t, notice: reply.notice, ..CartView::empty(store.config().currency) };
    // A closed cart's lines belong to somebody else's cart.
    if reply.into.is_some() || reply.lines.is_empty() {
        return Ok(view);
    }
    let books = reply.books();
    let unread: Vec<BookId> = books.iter().copied().filter(|book| !known.contains_key(book)).collect();
    let (facts, mut on_sale) = tokio::try_join!(catalog::facts(store, &books), stock::available(store, &unread))?;
    on_sale.extend(known);
    for (book, kept) in &reply.lines {
        // Books are never deleted, only retired; one that the catalogue does not know cannot be shown.
        let Some(facts) = facts.get(book) else {
            tracing::warn!(book.id = book.get(), "a cart holds a book that the catalogue does not have");
            continue;
        };
        view.lines.push(line(facts, *kept, on_sale.get(book).copied(), cuts.get(book).copied()));
    }
    let too_much = || Error::unexpected("carts.view", "the total does not fit");
    view.add_up(store.config().delivery).ok_or_else(too_much)?;
    Ok(view)
}

fn line(facts: &BookFacts, kept: Line, available: Option<i64>, asked: Option<u32>) -> CartLine {
    let mut line = CartLine {
        book_id: facts.id,
        slug: facts.slug.clone(),
        title: facts.title.clone(),
        authors: facts.authors.clone(),
        quantity: kept.quantity,
        unit_price: facts.price,
        // Comes with the sums.
        line_total: Minor::ZERO,
        available,
        notice: None,
    };
    line.notice = LineNotice::worst(&line, facts.is_retired, asked, kept.seen);
    line
}
