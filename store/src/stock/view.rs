//! The gate as it stands at one moment, and what it should hold by the ledger's word: promise 1 as arithmetic.
//!
//! Available at the gate = available in Postgres − copies of accepted orders that Postgres lacks − copies taken again for
//! late money that is not decided − operations that the gate has not applied. Nothing that happens in Postgres alone changes the right side as a whole, and whatever the gate
//! does counts the book's counter up: so a book whose counter stood still while Postgres was read can be judged.

use super::queries;
use crate::{
    Store,
    error::{During, Error},
    orders, payments,
};
use domain::{OrderId, UnixMillis};
use sqlx::PgConnection;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

const OPERATION: &str = "stock.view";
/// Most entries of the stream that are looked at; more wait only while Postgres is away.
const MAX_ENTRIES: usize = 50_000;

/// The gate at one moment.
pub(crate) struct Gate {
    /// `None`: not loaded, or loaded in another run of Redis, which came back with what its file knew.
    pub epoch: Option<String>,
    pub stock: HashMap<i64, i64>,
    pub changes: HashMap<i64, i64>,
    pub entries: Vec<Entry>,
    /// Ids of entries that nobody can read.
    pub unreadable: Vec<String>,
    /// Copies taken again, by the late payment they were taken for.
    reclaims: Vec<(Uuid, Vec<(i64, i64)>)>,
}

/// An accepted order in the stream.
pub(crate) struct Entry {
    /// The stream's.
    pub id: String,
    pub order: OrderId,
    pub placed_at: UnixMillis,
    /// Book and copies.
    pub lines: Vec<(i64, i64)>,
}

/// Only what tells whether something moved.
pub(crate) struct Counters {
    epoch: Option<String>,
    changes: HashMap<i64, i64>,
}

impl Gate {
    /// More waits in the stream than anybody looks at.
    pub fn is_overfull(&self) -> bool {
        self.entries.len() + self.unreadable.len() >= MAX_ENTRIES
    }

    pub fn orders(&self) -> HashSet<OrderId> {
        self.entries.iter().map(|entry| entry.order).collect()
    }
}

/// Reads the gate in one step: all books, or these.
pub(crate) async fn read(store: &Store, books: Option<&[i64]>) -> Result<Gate, Error> {
    type RawEntry = (String, HashMap<String, String>);
    let keys = store.keys();
    let run = store.redis_run().await?.id;
    let mut pipe = redis::pipe();
    pipe.atomic().mget(&[keys.epoch(), keys.run_id()]);
    counts(&mut pipe, &keys.stock(), books);
    counts(&mut pipe, &keys.changes(), books);
    pipe.cmd("XRANGE").arg(keys.placed()).arg("-").arg("+").arg("COUNT").arg(MAX_ENTRIES);
    pipe.hgetall(keys.reclaims());
    type Loaded = (Option<String>, Option<String>);
    type Answer = (Loaded, redis::Value, redis::Value, Vec<RawEntry>, HashMap<String, String>);
    let ((epoch, loaded_in), stock, changes, raw, reclaims): Answer =
        pipe.query_async(&mut store.redis()).await.during(OPERATION)?;
    let (mut entries, mut unreadable) = (Vec::with_capacity(raw.len()), Vec::new());
    for (id, fields) in raw {
        match entry(&id, &fields) {
            Some(entry) => entries.push(entry),
            None => unreadable.push(id),
        }
    }
    let reclaims = reclaims.iter().filter_map(|(payment, text)| Some((payment.parse().ok()?, lines(text)?))).collect();
    let (stock, changes) = (by_book(stock, books)?, by_book(changes, books)?);
    let epoch = epoch.filter(|_| loaded_in.as_deref() == Some(&*run));
    Ok(Gate { epoch, stock, changes, entries, unreadable, reclaims })
}

pub(crate) async fn counters(store: &Store, books: Option<&[i64]>) -> Result<Counters, Error> {
    let mut pipe = redis::pipe();
    pipe.atomic().get(store.keys().epoch());
    counts(&mut pipe, &store.keys().changes(), books);
    let (epoch, changes): (Option<String>, redis::Value) =
        pipe.query_async(&mut store.redis()).await.during(OPERATION)?;
    Ok(Counters { epoch, changes: by_book(changes, books)? })
}

fn counts(pipe: &mut redis::Pipeline, key: &str, books: Option<&[i64]>) {
    match books {
        None => pipe.cmd("HGETALL").arg(key),
        // HMGET wants at least one field; no book has the number 0.
        Some([]) => pipe.cmd("HMGET").arg(key).arg(0),
        Some(books) => pipe.cmd("HMGET").arg(key).arg(books),
    };
}

fn by_book(answer: redis::Value, books: Option<&[i64]>) -> Result<HashMap<i64, i64>, Error> {
    let unreadable = |error: redis::ParsingError| Error::unexpected(OPERATION, error.to_string());
    let Some(books) = books else { return redis::from_redis_value(answer).map_err(unreadable) };
    let counts: Vec<Option<i64>> = redis::from_redis_value(answer).map_err(unreadable)?;
    Ok(books.iter().zip(counts).filter_map(|(book, count)| Some((*book, count?))).collect())
}

fn entry(id: &str, fields: &HashMap<String, String>) -> Option<Entry> {
    let order = fields.get("order")?.parse().ok()?;
    let placed_at = UnixMillis::new(fields.get("placed_at")?.parse().ok()?);
    Some(Entry { id: id.to_owned(), order, placed_at, lines: lines(fields.get("lines")?)? })
}

/// `book:copies,…`
fn lines(text: &str) -> Option<Vec<(i64, i64)>> {
    let line = |text: &str| {
        let (book, copies) = text.split_once(':')?;
        Some((book.parse().ok()?, copies.parse().ok()?))
    };
    text.split(',').map(line).collect()
}

/// What stands between the two counts of each book.
pub(crate) struct Between {
    /// Copies that the gate has taken off and Postgres not yet, less those the other way round.
    copies: HashMap<i64, i64>,
    /// Operations that Postgres does not know as applied.
    pub operations: usize,
}

impl Between {
    /// More operations wait than anybody looks at.
    fn is_overfull(&self) -> bool {
        self.operations >= queries::MOST_WAITING
    }
}

/// Read in the snapshot in which the caller reads the ledger, after `gate` and before its second counters.
pub(crate) async fn between(store: &Store, snapshot: &mut PgConnection, gate: &Gate) -> Result<Between, Error> {
    let placed: Vec<Uuid> = gate.entries.iter().map(|entry| entry.order.get()).collect();
    // The same order placed at another time took copies of its own.
    let written = orders::placed_at(&mut *snapshot, &placed).await.during(OPERATION)?;
    let mut seen: HashSet<(OrderId, UnixMillis)> = written.into_iter().collect();
    let ids: Vec<String> = gate.entries.iter().map(|entry| entry.id.clone()).collect();
    // Their copies come back by an operation of their own.
    let parked = orders::parked(&mut *snapshot, &ids).await.during(OPERATION)?;
    let mut copies = HashMap::<i64, i64>::new();
    for entry in gate.entries.iter().filter(|entry| !parked.contains(&entry.id)) {
        // An entry may be there twice (put back while it was only thought lost); its copies were taken once.
        if seen.insert((entry.order, entry.placed_at)) {
            for (book, count) in &entry.lines {
                *copies.entry(*book).or_default() += count;
            }
        }
    }
    let reclaimed: Vec<Uuid> = gate.reclaims.iter().map(|(payment, _)| *payment).collect();
    let undecided = payments::undecided(&mut *snapshot, &reclaimed).await.during(OPERATION)?;
    for (_, lines) in gate.reclaims.iter().filter(|(payment, _)| undecided.contains(payment)) {
        for (book, count) in lines {
            *copies.entry(*book).or_default() += count;
        }
    }
    let operations = queries::waiting(&mut *snapshot).await.during(OPERATION)?;
    let keys: Vec<String> =
        operations.iter().map(|operation| store.keys().operation(operation.name().id, operation.name().at)).collect();
    let applied = super::keyspace::exist(store, &keys).await?;
    for (operation, _) in operations.iter().zip(applied).filter(|(_, applied)| !applied) {
        for line in operation.copies() {
            *copies.entry(line.book).or_default() += i64::from(line.copies);
        }
    }
    Ok(Between { copies, operations: operations.len() })
}

/// A book that stood still and does not add up.
#[derive(Debug, Clone)]
pub(crate) struct Drift {
    pub book: i64,
    pub at_gate: i64,
    pub available: i64,
    pub in_flight: i64,
    /// The book's counter of changes; `None`: it never moved.
    pub counter: Option<i64>,
}

impl Drift {
    /// What the gate should have on sale.
    pub fn expected(&self) -> i64 {
        self.available - self.in_flight
    }
}

/// Which books do not add up, and which moved while they were looked at.
pub(crate) struct Comparison {
    pub wrong: Vec<Drift>,
    pub moving: Vec<i64>,
    /// Those that add up, each with its counter of changes.
    pub right: Vec<(i64, Option<i64>)>,
}

/// Why these two readings of the gate say nothing about its counts. Without an epoch it sells nothing.
pub(crate) fn not_comparable(before: &Gate, after: &Counters) -> Option<String> {
    if before.epoch.is_none() {
        Some("the gate is not loaded: not compared".to_owned())
    } else if before.epoch != after.epoch {
        Some("the gate was loaded anew meanwhile: not compared".to_owned())
    } else if before.is_overfull() {
        Some(format!("{MAX_ENTRIES} or more orders wait in the stream: not compared"))
    } else {
        None
    }
}

/// `ledger`: books and their copies available in Postgres, in the snapshot that [`between`] read.
pub(crate) fn compare(
    before: &Gate,
    after: &Counters,
    between: &Between,
    ledger: impl IntoIterator<Item = (i64, i64)>,
) -> Comparison {
    let mut comparison = Comparison { wrong: Vec::new(), moving: Vec::new(), right: Vec::new() };
    for (book, available) in ledger {
        let in_flight = between.copies.get(&book).copied().unwrap_or(0);
        let at_gate = before.stock.get(&book).copied().unwrap_or(0);
        let counter = before.changes.get(&book).copied();
        if between.is_overfull() || counter != after.changes.get(&book).copied() {
            comparison.moving.push(book);
        } else if at_gate != available - in_flight {
            comparison.wrong.push(Drift { book, at_gate, available, in_flight, counter });
        } else {
            comparison.right.push((book, counter));
        }
    }
    comparison
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(epoch: Option<&str>, entries: usize) -> Gate {
        let (stock, changes) = (HashMap::new(), HashMap::new());
        let unreadable = vec![String::new(); entries];
        let (entries, reclaims) = (Vec::new(), Vec::new());
        Gate { epoch: epoch.map(str::to_owned), stock, changes, entries, unreadable, reclaims }
    }

    #[test]
    fn only_two_whole_readings_of_one_load_are_compared() {
        let said = |before: Gate, after: Option<&str>| {
            let after = Counters { epoch: after.map(str::to_owned), changes: HashMap::new() };
            not_comparable(&before, &after).unwrap_or_default()
        };
        assert_eq!(said(gate(Some("1"), 2), Some("1")), "");
        assert!(said(gate(None, 0), Some("1")).contains("not loaded"));
        for after in [None, Some("2")] {
            assert!(said(gate(Some("1"), 0), after).contains("loaded anew"));
        }
        assert!(said(gate(Some("1"), MAX_ENTRIES), Some("1")).contains("50000 or more"));
    }
}
