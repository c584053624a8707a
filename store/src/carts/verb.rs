//! What can be done to one cart: the verbs of `lua/cart_*.lua` with their arguments, and what they answer.

use super::state::{self, CartState, Line};
use crate::error::Error;
use domain::{BookId, Minor, OrderId, Owner, Quantity, cart::CartNotice};
use redis::Script;
use std::{collections::HashMap, sync::LazyLock};

macro_rules! script {
    ($name:ident, $file:literal) => {
        static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(
                include_str!("../../../lua/cart_prelude.lua"),
                include_str!(concat!("../../../lua/", $file, ".lua"))
            ))
        });
    };
}

script!(ADD, "cart_add");
script!(SET, "cart_set");
script!(FEWER, "cart_fewer");
script!(CAP, "cart_cap");
script!(REMOVE, "cart_remove");
script!(CLEAR, "cart_clear");
script!(SEEN, "cart_seen");
script!(LOAD, "cart_load");
script!(CLOSE, "cart_close");
script!(MERGE, "cart_merge");
script!(TAKE, "cart_take");
script!(RESTORE, "cart_restore");
script!(TOLD, "cart_told");
script!(REVIVE, "cart_revive");

/// A line that somebody wants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    pub book: BookId,
    pub quantity: Quantity,
    /// What the book costs now: the price that the shopper sees by this edit.
    pub price: Minor,
    /// `None`: not asked, or the gate does not know.
    pub on_sale: Option<i64>,
}

/// What is to be done to one cart.
#[derive(Debug, Clone, Copy)]
pub(super) enum Verb<'a> {
    Add(Wish),
    Set(Wish),
    Fewer {
        book: BookId,
        copies: Quantity,
    },
    /// Lowers a line to so many copies; 0 takes it out.
    Cap {
        book: BookId,
        most: u32,
    },
    Remove {
        book: BookId,
    },
    Clear,
    /// `is_all`: the shopper looked at the whole cart.
    Seen {
        is_all: bool,
        prices: &'a [(BookId, Minor)],
    },
    Load,
    Freeze {
        into: &'a Owner,
    },
    Empty {
        into: &'a Owner,
    },
    Merge {
        guest: &'a Owner,
        guest_t: i64,
        lines: &'a [(BookId, Line)],
    },
    Take {
        order: OrderId,
        lines: &'a [(BookId, Quantity)],
    },
    /// `handed_over`: what the order took from a guest cart that was closed since, as that cart's mark says it.
    Restore {
        order: OrderId,
        handed_over: &'a str,
    },
    /// `stamp`: when the book changed, ms.
    Told {
        book: BookId,
        stamp: i64,
    },
    Revive {
        parked: &'a CartState,
        how: Revival,
    },
}

/// What a dead letter's cart does to the one that is here.
#[derive(Debug, Clone, Copy)]
pub(super) enum Revival {
    /// An older one gives way.
    Replace,
    Raise,
    /// The cart here is the account's that a closed one went to.
    Join,
    /// Another cart has its lines: nothing but that it was seen to.
    Note,
}

/// The cart that Postgres has, as far as the caller knows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Postgres<'a> {
    Unasked,
    Has(&'a CartState),
    Away,
}

/// The script did it, or why it did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Ok,
    SoldOut,
    Full,
    /// The cart was closed; `into` has its lines.
    Moved,
}

/// What a script says about the whole cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub code: Code,
    pub t: i64,
    pub into: Option<Owner>,
    /// Meaning depends on the verb; see its header.
    pub note: String,
    /// What the last merge did, until the shopper goes on.
    pub notice: Option<CartNotice>,
    pub lines: Vec<(BookId, Line)>,
}

impl Verb<'_> {
    pub fn script(&self) -> &'static Script {
        match self {
            Self::Add(_) => &ADD,
            Self::Set(_) => &SET,
            Self::Fewer { .. } => &FEWER,
            Self::Cap { .. } => &CAP,
            Self::Remove { .. } => &REMOVE,
            Self::Clear => &CLEAR,
            Self::Seen { .. } => &SEEN,
            Self::Load => &LOAD,
            Self::Freeze { .. } | Self::Empty { .. } => &CLOSE,
            Self::Merge { .. } => &MERGE,
            Self::Take { .. } => &TAKE,
            Self::Restore { .. } => &RESTORE,
            Self::Told { .. } => &TOLD,
            Self::Revive { .. } => &REVIVE,
        }
    }

    /// The shopper's own edits need not wait for Postgres: what they changed is added to its lines later. What must
    /// happen exactly once (orders, merges) has to know the cart's marks, and is repeated by workers anyway.
    pub fn may_be_unproven(&self) -> bool {
        matches!(
            self,
            Self::Add(_)
                | Self::Set(_)
                | Self::Fewer { .. }
                | Self::Cap { .. }
                | Self::Remove { .. }
                | Self::Clear
                | Self::Seen { .. }
        )
    }

    pub fn args(&self) -> Vec<String> {
        match self {
            Self::Add(wish) | Self::Set(wish) => {
                let on_sale = wish.on_sale.unwrap_or(-1).to_string();
                vec![wish.book.to_string(), wish.quantity.to_string(), wish.price.get().to_string(), on_sale]
            }
            Self::Fewer { book, copies } => vec![book.to_string(), copies.to_string()],
            Self::Cap { book, most } => vec![book.to_string(), most.to_string()],
            Self::Remove { book } => vec![book.to_string()],
            Self::Clear | Self::Load => vec![],
            Self::Seen { is_all, prices } => {
                let prices = prices.iter().flat_map(|(book, price)| [book.to_string(), price.get().to_string()]);
                [if *is_all { "all" } else { "some" }.to_owned()].into_iter().chain(prices).collect()
            }
            Self::Freeze { into } => vec!["freeze".into(), into.to_string()],
            Self::Empty { into } => vec!["empty".into(), into.to_string()],
            Self::Merge { guest, guest_t, lines } => {
                let lines = lines.iter().flat_map(|(book, line)| {
                    let seen = line.seen.map(|price| price.get().to_string());
                    [book.to_string(), line.quantity.to_string(), seen.unwrap_or_default()]
                });
                [guest.to_string(), guest_t.to_string()].into_iter().chain(lines).collect()
            }
            Self::Take { order, lines } => {
                let lines = lines.iter().flat_map(|(book, copies)| [book.to_string(), copies.to_string()]);
                [order.to_string()].into_iter().chain(lines).collect()
            }
            Self::Told { book, stamp } => vec![book.to_string(), stamp.to_string()],
            Self::Revive { parked, how } => how.args(parked),
            Self::Restore { order, handed_over } => vec![order.to_string(), (*handed_over).to_owned()],
        }
    }
}

impl Revival {
    fn args(self, parked: &CartState) -> Vec<String> {
        let how = match self {
            Self::Replace => "replace",
            Self::Raise => "raise",
            Self::Join => "join",
            Self::Note => "note",
        };
        // `v` and `t` may stand among the fields: the script looks for others.
        [parked.v.to_string(), parked.t.to_string(), how.to_owned()].into_iter().chain(parked.to_fields()).collect()
    }
}

impl Reply {
    /// `None`: Postgres has to be asked first.
    pub fn parse(answer: &[String]) -> Result<Option<Self>, Error> {
        let unexpected = || Error::unexpected("carts.script", format!("unexpected answer {answer:?}"));
        let (code, t, into, note, notice, lines) = match answer {
            [code] if code == "ABSENT" || code == "DOUBT" => return Ok(None),
            [code, _v, t, into, note, notice, lines @ ..] => (code, t, into, note, notice, lines),
            _ => return Err(unexpected()),
        };
        let code = Code::parse(code).ok_or_else(unexpected)?;
        let into = if into.is_empty() { None } else { Some(state::owner(into)?) };
        let notice = if notice.is_empty() { None } else { Some(merged(notice).ok_or_else(unexpected)?) };
        let lines = lines.chunks(3).map(|words| match words {
            [book, copies, seen] => {
                let seen = if seen.is_empty() { None } else { Some(Minor::new(state::number(seen)?)) };
                Ok((state::book_id(book)?, Line { quantity: state::quantity(copies)?, seen }))
            }
            _ => Err(unexpected()),
        });
        let mut lines = lines.collect::<Result<Vec<_>, Error>>()?;
        lines.sort_unstable_by_key(|(book, _)| *book);
        Ok(Some(Self { code, t: state::number(t)?, into, note: note.clone(), notice, lines }))
    }

    /// The cart as its hash says; `None`: it is not here, or this run of Redis has not proven it (`cart_prelude.lua`).
    pub fn of_proven(fields: HashMap<String, String>, run: &str) -> Result<Option<Self>, Error> {
        let is_proven = fields.get("e").is_some_and(|proven| proven == run) && !fields.contains_key("unproven");
        if !is_proven {
            return Ok(None);
        }
        let unexpected = || Error::unexpected("carts.proven", "unexpected notice of a merge");
        let notice = fields.get("n").map(|notice| merged(notice).ok_or_else(unexpected)).transpose()?;
        let Some(state) = CartState::from_fields(fields)? else { return Ok(None) };
        Ok(Some(Self {
            code: Code::Ok,
            t: state.t,
            into: state.into,
            note: String::new(),
            notice,
            lines: state.lines.into_iter().collect(),
        }))
    }

    /// Copies that the line of this book holds.
    pub fn copies(&self, book: BookId) -> u32 {
        self.lines.iter().find(|(of, _)| *of == book).map_or(0, |(_, line)| line.quantity.get())
    }

    pub fn books(&self) -> Vec<BookId> {
        self.lines.iter().map(|(book, _)| *book).collect()
    }
}

/// "titles,cut,left_out"
fn merged(text: &str) -> Option<CartNotice> {
    let mut counts = text.split(',').map(|count| count.parse().ok());
    let notice = CartNotice::Merged { titles: counts.next()??, cut: counts.next()??, left_out: counts.next()?? };
    counts.next().is_none().then_some(notice)
}

impl Code {
    fn parse(text: &str) -> Option<Self> {
        let known = [("OK", Self::Ok), ("SOLD_OUT", Self::SoldOut), ("FULL", Self::Full), ("MOVED", Self::Moved)];
        known.into_iter().find(|(name, _)| *name == text).map(|(_, code)| code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_a_verb_has_a_value() {
        for code in super::super::scripts::codes_of_verbs() {
            let is_known = matches!(code, "ABSENT" | "DOUBT") || Code::parse(code).is_some();
            assert!(is_known, "{code}");
        }
    }

    #[test]
    fn a_cart_is_read_without_a_script_only_if_this_run_has_proven_it() {
        let read = |more: &[(&str, &str)]| {
            let cart =
                [("v", "3"), ("t", "17"), ("e", "run"), ("i:9", "2"), ("p:9", "39900"), ("i:4", "1"), ("n", "3,1,0")];
            let fields = cart.iter().chain(more).map(|(field, value)| ((*field).to_owned(), (*value).to_owned()));
            Reply::of_proven(fields.collect(), "run")
        };
        let cart = read(&[("taken:c85a0465-8329-82fa-9ec7-9ebd73ded635", "1;"), ("into", "a:1")]);
        let words = ["OK", "3", "17", "a:1", "", "3,1,0", "4", "1", "", "9", "2", "39900"].map(str::to_owned);
        assert_eq!(cart.unwrap(), Reply::parse(&words).unwrap(), "what the script says");
        assert_eq!(read(&[("e", "another")]).unwrap(), None, "left by another run");
        assert_eq!(read(&[("unproven", "16")]).unwrap(), None);
        assert_eq!(Reply::of_proven(HashMap::new(), "run").unwrap(), None, "absent");
        assert!(read(&[("n", "3,1")]).is_err());
        assert!(read(&[("what", "1")]).is_err());
    }

    #[test]
    fn answers_are_read_strictly() {
        let parse = |words: &[&str]| Reply::parse(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        assert_eq!(parse(&["ABSENT"]).unwrap(), None);
        assert_eq!(parse(&["DOUBT"]).unwrap(), None);
        let reply = parse(&["FULL", "3", "17", "a:1", "12", "3,1,0", "9", "10", "", "4", "1", "39900"]);
        let reply = reply.unwrap().unwrap();
        assert_eq!((reply.code, reply.t, reply.note.as_str()), (Code::Full, 17, "12"));
        assert_eq!(reply.notice, Some(CartNotice::Merged { titles: 3, cut: 1, left_out: 0 }));
        let lines: Vec<_> =
            reply.lines.iter().map(|(b, l)| (b.get(), l.quantity.get(), l.seen.map(Minor::get))).collect();
        assert_eq!(lines, [(4, 1, Some(39_900)), (9, 10, None)]);
        for bad in [&["WHAT", "1", "1", "", "", ""][..], &["OK"], &["OK", "1", "1", "", "", "", "5", "1"], &[]] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        assert!(parse(&["OK", "1", "1", "", "", "3,1"]).is_err());
    }
}
