//! What a checkout page showed of a cart, small enough to travel in its form. It only serves to tell what changed since;
//! nothing is ever charged by it.

use super::{CartView, MAX_TITLES};
use crate::{BookId, Minor, Quantity};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Written as `book:copies:price,…;delivery`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    lines: Vec<(BookId, Shown)>,
    delivery: Minor,
}

/// What stood on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    pub copies: Quantity,
    pub each: Minor,
}

/// A line that is another one now; without `now` it left the cart, without `was` it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub title: String,
    pub was: Option<Shown>,
    pub now: Option<Shown>,
}

/// What is different from what the page showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    pub lines: Vec<Change>,
    pub delivery_was: Minor,
    pub total_was: Minor,
}

impl Seen {
    pub fn of(cart: &CartView) -> Self {
        let lines = cart.lines.iter();
        let lines = lines.map(|line| (line.book_id, Shown { copies: line.quantity, each: line.unit_price })).collect();
        Self { lines, delivery: cart.delivery }
    }

    /// `None`: nothing that [`Seen`] ever wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (lines, delivery) = text.split_once(';')?;
        let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0);
        let line = |text: &str| {
            let mut parts = text.split(':').map(number);
            let (book, copies, each) = (parts.next()??, parts.next()??, parts.next()??);
            let shown = Shown { copies: Quantity::new(copies).ok()?, each: Minor::new(each) };
            parts.next().is_none().then_some((BookId::new(book).ok()?, shown))
        };
        let lines = lines.split(',').take(MAX_TITLES as usize).map(line).collect::<Option<_>>()?;
        Some(Self { lines, delivery: Minor::new(number(delivery)?) })
    }

    /// The books that the cart holds no more.
    pub fn gone(&self, cart: &CartView) -> Vec<BookId> {
        let books = self.lines.iter().map(|(book, _)| *book);
        books.filter(|book| cart.lines.iter().all(|line| line.book_id != *book)).collect()
    }

    /// How the cart differs; `None`: not at all. `title`: of a book that left.
    pub fn changes(&self, cart: &CartView, title: impl Fn(BookId) -> String) -> Option<Changes> {
        let was = |book| self.lines.iter().find(|(of, _)| *of == book).map(|(_, shown)| *shown);
        let stayed = cart.lines.iter().filter_map(|line| {
            let (was, now) = (was(line.book_id), Shown { copies: line.quantity, each: line.unit_price });
            (was != Some(now)).then(|| Change { title: line.title.clone(), was, now: Some(now) })
        });
        let gone = self.gone(cart).into_iter().map(|book| Change { title: title(book), was: was(book), now: None });
        let lines: Vec<_> = stayed.chain(gone).collect();
        if lines.is_empty() && self.delivery == cart.delivery {
            return None;
        }
        Some(Changes { lines, delivery_was: self.delivery, total_was: self.total()? })
    }

    fn total(&self) -> Option<Minor> {
        let add = |total: Minor, (_, shown): &(BookId, Shown)| total.plus(shown.each.times(shown.copies)?);
        self.lines.iter().try_fold(self.delivery, add)
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (book, shown)) in self.lines.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            write!(f, "{comma}{book}:{}:{}", shown.copies, shown.each.get())?;
        }
        write!(f, ";{}", self.delivery.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Currency, order::DeliveryRule};

    fn cart(lines: &[(i64, i64, i64)]) -> CartView {
        let line = |(book, copies, price): &(i64, i64, i64)| super::super::CartLine {
            book_id: BookId::new(*book).unwrap(),
            slug: String::new(),
            title: format!("Book {book}"),
            authors: String::new(),
            quantity: Quantity::new(*copies).unwrap(),
            unit_price: Minor::new(*price),
            line_total: Minor::ZERO,
            available: None,
            notice: None,
        };
        let mut cart = CartView { lines: lines.iter().map(line).collect(), ..CartView::empty(Currency::Inr) };
        cart.add_up(DeliveryRule { fee: Minor::new(49), free_from: Minor::new(500) }).unwrap();
        cart
    }

    #[test]
    fn what_was_shown_is_read_as_it_was_written() {
        let seen = Seen::of(&cart(&[(4, 2, 100), (9, 1, 50)]));
        assert_eq!(seen.to_string(), "4:2:100,9:1:50;49");
        assert_eq!(Seen::parse("4:2:100,9:1:50;49"), Some(seen));
        for wrong in ["", ";49", "4:2:100", "4:2;49", "4:2:100:1;49", "4:11:100;49", "0:1:1;0", "4:2:-1;49", "a:2:1;4"]
        {
            assert_eq!(Seen::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_difference_is_told_and_no_other() {
        let seen = Seen::parse("4:2:100,9:1:50,7:3:100;0").unwrap();
        let title = |book: BookId| format!("gone {book}");
        assert_eq!(seen.changes(&cart(&[(4, 2, 100), (9, 1, 50), (7, 3, 100)]), title), None);
        let changes = seen.changes(&cart(&[(4, 1, 100), (9, 1, 60), (5, 1, 10)]), title).unwrap();
        let told = changes.lines.iter().map(|change| {
            let shown = |shown: Option<Shown>| shown.map(|shown| (shown.copies.get(), shown.each.get()));
            (change.title.as_str(), shown(change.was), shown(change.now))
        });
        let expected = [
            ("Book 4", Some((2, 100)), Some((1, 100))),
            ("Book 9", Some((1, 50)), Some((1, 60))),
            ("Book 5", None, Some((1, 10))),
            ("gone 7", Some((3, 100)), None),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
        assert_eq!((changes.delivery_was.get(), changes.total_was.get()), (0, 550));
        let dearer = Seen::parse("4:5:100;49").unwrap().changes(&cart(&[(4, 5, 100)]), title).unwrap();
        assert_eq!((dearer.lines.len(), dearer.delivery_was.get()), (0, 49), "delivery alone");
    }
}
