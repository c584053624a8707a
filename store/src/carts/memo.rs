//! What this process remembers of carts and stock, so that an edit asks the gate about the right books in the same round
//! trip, and asks first where little is left. Only a guess: what it misses or gets wrong costs a second round trip.

use crate::cache::Aged;
use domain::{BookId, Owner, Quantity, UnixMillis};
use std::{sync::Arc, time::Duration};

const MAX_CARTS: usize = 20_000;
const MAX_BOOKS: usize = 20_000;
const CART_AGE: Duration = Duration::from_secs(1_800);
/// A shortage is believed for so long; then the next edit tries again.
const STOCK_AGE: Duration = Duration::from_secs(30);

pub(crate) struct Memo {
    carts: Aged<Owner, Arc<[BookId]>>,
    on_sale: Aged<BookId, i64>,
}

impl Default for Memo {
    fn default() -> Self {
        Self { carts: Aged::new(CART_AGE, MAX_CARTS), on_sale: Aged::new(STOCK_AGE, MAX_BOOKS) }
    }
}

impl Memo {
    /// The books that this cart held when it was last seen.
    pub(super) fn books(&self, owner: &Owner, now: UnixMillis) -> Arc<[BookId]> {
        self.carts.fresh(owner, now).unwrap_or_default()
    }

    pub(super) fn holds(&self, owner: &Owner, books: Vec<BookId>, now: UnixMillis) {
        self.carts.put(*owner, books.into(), self.carts.ticket(now));
    }

    /// Whether so many copies are not there as far as we know.
    pub(super) fn is_short(&self, book: BookId, wanted: Quantity, now: UnixMillis) -> bool {
        self.on_sale.fresh(&book, now).is_some_and(|left| left < i64::from(wanted))
    }

    pub(super) fn saw(&self, book: BookId, left: i64, now: UnixMillis) {
        self.on_sale.put(book, left, self.on_sale.ticket(now));
    }
}
