//! A whole cart as it is stored: the fields of its hash in Redis, the row and lines in Postgres.

use crate::error::Error;
use domain::{BookId, Minor, OrderId, Owner, Quantity};
use std::collections::{BTreeMap, HashMap};

const READ: &str = "carts.read_fields";

/// What Redis and Postgres both keep of a cart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CartState {
    /// Changes so far.
    pub v: i64,
    /// Orders the changes: max(t + 1, now in ms).
    pub t: i64,
    pub lines: BTreeMap<BookId, Line>,
    /// Fields `taken:<order>` and `merged:<guest>`: what must not happen twice.
    pub marks: BTreeMap<String, String>,
    /// Closed: its lines belong, or already went, to this account.
    pub into: Option<Owner>,
    /// Edited while Postgres could not be asked; only in Redis.
    pub is_unproven: bool,
}

/// What a cart keeps of one title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    pub quantity: Quantity,
    /// The price that the shopper last saw; `None`: nobody knows, so nothing is said about a change.
    pub seen: Option<Minor>,
}

impl CartState {
    /// Reads the hash; `None` when there is none.
    pub fn from_fields(fields: HashMap<String, String>) -> Result<Option<Self>, Error> {
        if fields.is_empty() {
            return Ok(None);
        }
        let (mut state, mut seen) = (Self::default(), BTreeMap::new());
        for (field, value) in fields {
            match field.split_once(':') {
                None if field == "v" => state.v = number(&value)?,
                None if field == "t" => state.t = number(&value)?,
                None if field == "into" => state.into = Some(owner(&value)?),
                None if field == "unproven" => state.is_unproven = true,
                Some(("i", book)) => {
                    let line = Line { quantity: quantity(&value)?, seen: None };
                    state.lines.insert(book_id(book)?, line);
                }
                Some(("p", book)) => {
                    seen.insert(book_id(book)?, Minor::new(number(&value)?));
                }
                Some(("taken" | "merged", _)) => {
                    state.marks.insert(field, value);
                }
                // The scripts' own business: the run that proved it, what the last merge said, how an unproven cart is
                // to be proven, and which changes of a book it was told of.
                None if field == "e" || field == "n" => {}
                Some(("o" | "u" | "k", _)) => {}
                _ => return Err(Error::unexpected(READ, format!("unknown field {field:?}"))),
            }
        }
        for (book, line) in &mut state.lines {
            line.seen = seen.remove(book);
        }
        Ok(Some(state))
    }

    /// The hash's fields and values, alternating: what a script installs.
    pub fn to_fields(&self) -> Vec<String> {
        let mut fields = vec!["v".to_owned(), self.v.to_string(), "t".to_owned(), self.t.to_string()];
        if let Some(into) = &self.into {
            fields.extend(["into".to_owned(), into.to_string()]);
        }
        for (book, line) in &self.lines {
            fields.extend([format!("i:{book}"), line.quantity.to_string()]);
            fields.extend(line.seen.iter().flat_map(|price| [format!("p:{book}"), price.get().to_string()]));
        }
        fields.extend(self.marks.iter().flat_map(|(mark, value)| [mark.clone(), value.clone()]));
        fields
    }
}

/// The order that this field of a cart is the mark of.
pub(super) fn given_up(field: &str) -> Option<OrderId> {
    field.strip_prefix("taken:")?.parse().ok()
}

pub(super) fn number(text: &str) -> Result<i64, Error> {
    text.parse().map_err(|_| Error::unexpected(READ, format!("not a number: {text:?}")))
}

pub(super) fn owner(text: &str) -> Result<Owner, Error> {
    text.parse().map_err(|_| Error::unexpected(READ, format!("not an owner: {text:?}")))
}

pub(super) fn book_id(text: &str) -> Result<BookId, Error> {
    text.parse().map_err(|_| Error::unexpected(READ, format!("not a book id: {text:?}")))
}

pub(super) fn quantity(text: &str) -> Result<Quantity, Error> {
    Quantity::new(number(text)?).map_err(|_| Error::unexpected(READ, format!("not a quantity: {text:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(copies: i64, seen: Option<i64>) -> Line {
        Line { quantity: Quantity::new(copies).unwrap(), seen: seen.map(Minor::new) }
    }

    #[test]
    fn fields_come_back() {
        let state = CartState {
            v: 3,
            t: 1_700_000_000_000,
            lines: [(BookId::new(7).unwrap(), line(2, Some(39_900))), (BookId::new(8).unwrap(), line(1, None))].into(),
            marks: [("taken:x".to_owned(), "1;7=2".to_owned())].into(),
            into: Some("a:5".parse().unwrap()),
            is_unproven: false,
        };
        let fields: HashMap<_, _> =
            state.to_fields().chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        assert_eq!(CartState::from_fields(fields).unwrap(), Some(state));
        assert_eq!(CartState::from_fields(HashMap::new()).unwrap(), None);
    }

    #[test]
    fn what_we_never_write_is_an_error() {
        for (field, value) in [("i:1", "11"), ("i:1", "0"), ("i:x", "1"), ("t", "soon"), ("into", "b:1"), ("what", "1")]
        {
            let fields = HashMap::from([(field.to_owned(), value.to_owned())]);
            assert!(CartState::from_fields(fields).is_err(), "{field}={value}");
        }
    }
}
