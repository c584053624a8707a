//! The link in the mail: shows the books that were in the cart, and puts back what is missing, into the cart of whoever
//! follows it. Showing changes nothing (programs that check mails follow links); putting back twice is putting back once.

use super::queries;
use crate::{
    Store, carts, catalog,
    error::{During, Error},
    mail::{self, Purpose},
    stock,
};
use domain::{
    ApiError, BookId, Minor, Owner, Quantity,
    cart::{CartLine, CartView, LineNotice},
};
use std::collections::HashMap;

/// What the link's page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The books of the mail at today's prices; the notices say which of them are no longer to be had.
    pub books: CartView,
    /// The viewer's cart holds all of that already: there is nothing to put back.
    pub is_in_cart: bool,
}

pub async fn offer(store: &Store, viewer: Option<&Owner>, token: &str) -> Result<Offer, Error> {
    let lines = lines(store, token).await?;
    let held = match viewer {
        Some(owner) => carts::lines(store, owner).await?.lines.into_iter().collect(),
        None => HashMap::<BookId, Quantity>::new(),
    };
    let has = |(book, quantity): &(BookId, Quantity)| held.get(book).is_some_and(|held| held >= quantity);
    let is_in_cart = !lines.is_empty() && lines.iter().all(has);
    Ok(Offer { books: show(store, &lines).await?, is_in_cart })
}

/// Raises each line to what the mail had; lines that hold more stay. Says what could not come along.
pub async fn put_back(store: &Store, owner: &Owner, token: &str) -> Result<(CartView, Option<String>), Error> {
    carts::raise(store, owner, &lines(store, token).await?).await
}

/// The lines that the mail was about.
async fn lines(store: &Store, token: &str) -> Result<Vec<(BookId, Quantity)>, Error> {
    let not_there = || ApiError::not_found("that mail");
    let id = mail::opened(store, Purpose::RestoreCart, token).ok_or_else(not_there)?;
    let lines = queries::lines(store.pg(), id).await.during("carts.offer")?.ok_or_else(not_there)?;
    let read = |(book, copies)| Some((BookId::new(book).ok()?, Quantity::new(copies).ok()?));
    Ok(lines.0.into_iter().filter_map(read).collect())
}

async fn show(store: &Store, lines: &[(BookId, Quantity)]) -> Result<CartView, Error> {
    let ids: Vec<BookId> = lines.iter().map(|(book, _)| *book).collect();
    let (facts, available) = tokio::try_join!(catalog::facts(store, &ids), stock::available(store, &ids))?;
    let mut view = CartView::empty(store.config().currency);
    for (book, quantity) in lines {
        let Some(facts) = facts.get(book) else { continue };
        let available = available.get(book).copied();
        let notice = match available {
            _ if facts.is_retired => Some(LineNotice::Retired),
            Some(..=0) => Some(LineNotice::SoldOut),
            _ => None,
        };
        let line_total = facts.price.times(*quantity).unwrap_or(Minor::ZERO);
        if notice.is_none() {
            view.subtotal = view.subtotal.plus(line_total).unwrap_or(view.subtotal);
            view.copies += quantity.get();
        }
        view.lines.push(CartLine {
            book_id: *book,
            slug: facts.slug.clone(),
            title: facts.title.clone(),
            authors: facts.authors.clone(),
            quantity: *quantity,
            unit_price: facts.price,
            line_total,
            available,
            notice,
        });
    }
    Ok(view)
}
