//! Edits of the cart that are not answered yet, and what the cart looks like with them.
//!
//! One edit is on its way at a time: a stranger becomes one guest and not two, and answers cannot overtake each other.
//! What is clicked meanwhile waits, quick clicks on one line as one edit. Copies are *added* and *taken off*, not set, so
//! that two tabs that click at once both count; what the flying edit will make of its line is fixed when it leaves, so that
//! a live message which already holds its effect does not count it twice.

use domain::{
    BookId, ErrorCode, Quantity,
    cart::{CartLine, CartView, LineNotice},
    order::DeliveryRule,
};

/// One wish of the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// So many copies more of a title, below zero fewer. `new`: its line, should the cart have none.
    Step {
        book: BookId,
        by: i64,
        new: Option<Box<CartLine>>,
    },
    Remove {
        book: BookId,
    },
    /// They have read that the price changed; no book: that of every line, and what a login did to the cart.
    Seen {
        book: Option<BookId>,
    },
    Clear,
}

/// A form to send: where to, and its fields.
pub type Request = (&'static str, String);

#[derive(Debug, Clone, Default)]
pub struct Pending {
    /// On its way, with the copies its line holds afterwards.
    flying: Option<(Edit, i64)>,
    waiting: Vec<Edit>,
}

impl Edit {
    fn book(&self) -> Option<BookId> {
        match self {
            Self::Step { book, .. } | Self::Remove { book } => Some(*book),
            Self::Seen { book } => *book,
            Self::Clear => None,
        }
    }

    /// The copies that the line holds after this edit.
    fn copies(&self, cart: &CartView) -> i64 {
        let held = self.book().and_then(|book| line(cart, book)).map_or(0, |line| i64::from(line.quantity));
        match self {
            Self::Step { by, .. } => (held + by).clamp(0, i64::from(Quantity::MAX)),
            Self::Seen { .. } => held,
            Self::Remove { .. } | Self::Clear => 0,
        }
    }

    /// Changes the cart as the server is going to.
    fn apply(&self, cart: &mut CartView, copies: i64) {
        let Some(book) = self.book() else {
            cart.notice = None;
            return match self {
                Self::Clear => cart.lines.clear(),
                _ => cart.lines.iter_mut().for_each(forget_notice),
            };
        };
        if !matches!(self, Self::Seen { .. }) {
            cart.notice = None;
        }
        let Ok(quantity) = Quantity::new(copies) else { return cart.lines.retain(|line| line.book_id != book) };
        if let Some(line) = cart.lines.iter_mut().find(|line| line.book_id == book) {
            line.quantity = quantity;
            forget_notice(line);
        } else if let Self::Step { new: Some(new), .. } = self {
            cart.lines.push(CartLine { quantity, ..(**new).clone() });
        }
    }

    fn request(&self) -> Request {
        let book = self.book().map(|book| format!("book_id={book}")).unwrap_or_default();
        match self {
            Self::Step { by, .. } => {
                let name = if *by > 0 { "cart/add" } else { "cart/fewer" };
                (name, format!("{book}&quantity={}", by.abs().min(Quantity::MAX.into())))
            }
            Self::Remove { .. } => ("cart/remove", book),
            Self::Seen { .. } => ("cart/seen", book),
            Self::Clear => ("cart/clear", book),
        }
    }
}

impl Pending {
    pub fn is_empty(&self) -> bool {
        self.flying.is_none() && self.waiting.is_empty()
    }

    /// Queues an edit, as one with those that it continues or makes pointless.
    pub fn push(&mut self, edit: Edit) {
        let book = edit.book();
        let same = |known: &Edit| known.book().is_none() || known.book() == book;
        let last = self.waiting.iter().rposition(same);
        match (&edit, last.map(|at| &mut self.waiting[at])) {
            (Edit::Clear, _) => self.waiting.clear(),
            (Edit::Remove { .. }, _) => self.waiting.retain(|known| known.book() != book),
            (Edit::Step { by: more, .. }, Some(Edit::Step { by, .. })) => {
                *by += more;
                return self.waiting.retain(|known| !matches!(known, Edit::Step { by: 0, .. }));
            }
            (Edit::Seen { .. }, Some(_)) => return,
            _ => {}
        }
        self.waiting.push(edit);
    }

    /// The edit to send now; none while one is on its way. `cart`: the newest the server told.
    pub fn next(&mut self, cart: &CartView) -> Option<Request> {
        if self.flying.is_some() || self.waiting.is_empty() {
            return None;
        }
        let edit = self.waiting.remove(0);
        let (copies, request) = (edit.copies(cart), edit.request());
        self.flying = Some((edit, copies));
        Some(request)
    }

    /// Everything that still waits, for a page that is being left: nobody will be there for its turn.
    pub fn rest(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.waiting).iter().map(Edit::request).collect()
    }

    /// The flying edit was answered by a cart.
    pub fn landed(&mut self) {
        self.flying = None;
    }

    /// It was refused: what else was wished of that line falls with it. When the shop cannot be reached, all falls.
    pub fn refused(&mut self, code: ErrorCode) {
        let book = self.flying.take().and_then(|(edit, _)| edit.book());
        let falls_too = |edit: &Edit| code == ErrorCode::NotReady || (book.is_some() && edit.book() == book);
        self.waiting.retain(|edit| !falls_too(edit));
    }

    /// The server's cart with the edits on top.
    pub fn applied(&self, cart: &CartView, delivery: DeliveryRule) -> CartView {
        let mut shown = cart.clone();
        if self.is_empty() {
            return shown;
        }
        if let Some((edit, copies)) = &self.flying {
            edit.apply(&mut shown, *copies);
        }
        for edit in &self.waiting {
            let copies = edit.copies(&shown);
            edit.apply(&mut shown, copies);
        }
        // A sum past the range stays as it was: such a cart is the server's to refuse.
        let _ = shown.add_up(delivery);
        shown
    }
}

/// Puts what the stock has to say now on every line, unless there is worse news.
pub fn with_stock(cart: &mut CartView, available: impl Fn(BookId) -> Option<i64>) {
    for line in &mut cart.lines {
        line.available = available(line.book_id).or(line.available);
        let of_stock = LineNotice::of_stock(line.quantity, line.available);
        let is_worse = match line.notice {
            Some(LineNotice::Retired) => true,
            Some(LineNotice::Cut { .. } | LineNotice::PriceChanged { .. }) => of_stock != Some(LineNotice::SoldOut),
            _ => false,
        };
        if !is_worse {
            line.notice = of_stock;
        }
    }
}

/// The books whose lines are not what they were; a line that is gone glows nowhere.
pub fn changed(before: &CartView, after: &CartView) -> Vec<BookId> {
    let facts = |line: &CartLine| (line.quantity, line.unit_price);
    let is_new = |now: &&CartLine| line(before, now.book_id).map(facts) != Some(facts(now));
    after.lines.iter().filter(is_new).map(|line| line.book_id).collect()
}

/// What was said belongs to what was asked for before; the stock has its say again in [`with_stock`].
fn forget_notice(line: &mut CartLine) {
    line.notice = line.notice.take().filter(|notice| *notice == LineNotice::Retired);
}

fn line(cart: &CartView, book: BookId) -> Option<&CartLine> {
    cart.lines.iter().find(|line| line.book_id == book)
}

#[cfg(test)]
mod tests;
