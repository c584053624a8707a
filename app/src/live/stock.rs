//! Copies on sale of the books on the screen.

use super::{Live, socket};
use crate::{derived::Derived, effect::effect};
use domain::{
    BookId,
    cart::CartView,
    live::{Ask, MAX_WATCHED},
};
use leptos::prelude::*;

/// Copies of one book, by the newest message about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Available {
    pub book_id: BookId,
    pub available: i64,
    /// Epoch of the gate, then its counter.
    pub version: (i64, i64),
}

impl Live {
    /// Copies on sale of a book that is on the screen from now on; starts with what the page was rendered from.
    pub fn available(self, book: BookId, page: Option<i64>) -> Derived<Option<i64>> {
        effect(move || self.watched.update(|watched| watched.push(book)));
        on_cleanup(move || self.unwatch(&[book]));
        Derived::new(move || {
            let known = self.stock.with(|stock| stock.iter().find(|known| known.book_id == book).copied());
            known.map(|known| known.available).or(page)
        })
    }

    /// Follows the stock of the cart's lines while they are on the screen.
    pub fn watch_cart(self) {
        let of_lines = |cart: &CartView| cart.lines.iter().map(|line| line.book_id).collect::<Vec<_>>();
        let books = Derived::new(move || self.cart.with(of_lines));
        let watched = StoredValue::new(Vec::new());
        effect(move || {
            let (former, books) = (watched.get_value(), books.get());
            watched.set_value(books.clone());
            self.unwatch(&former);
            self.watched.update(|watched| watched.extend(books));
        });
        on_cleanup(move || self.unwatch(&watched.try_get_value().unwrap_or_default()));
    }

    fn unwatch(self, books: &[BookId]) {
        self.watched.try_update(|watched| {
            for book in books {
                if let Some(at) = watched.iter().position(|known| known == book) {
                    watched.swap_remove(at);
                }
            }
        });
    }

    pub(super) fn set_stock(self, news: Available) {
        self.stock.update(|stock| match stock.iter_mut().find(|known| known.book_id == news.book_id) {
            Some(known) if news.version > known.version => *known = news,
            Some(_) => {}
            None => stock.push(news),
        });
    }

    pub(super) fn ask_watched(self) {
        let mut books = Vec::new();
        for book in self.watched.get() {
            if books.len() < MAX_WATCHED && !books.contains(&book) {
                books.push(book);
            }
        }
        // Books that left the screen are forgotten, so that a page rendered later is not corrected by older news.
        self.stock.update_untracked(|stock| stock.retain(|known| books.contains(&known.book_id)));
        socket::ask(&Ask::Watch { books });
    }
}
