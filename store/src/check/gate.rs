//! Promise 1: no copy is sold twice and none is lost; the ledger adds up, and the gate agrees with it.

use super::{
    Finding,
    queries::{self, Operation, StockRow, Written},
    redis_side::{self, Gate, MAX_ENTRIES},
    snapshot,
};
use crate::{
    Store,
    error::{During, Error},
    orders,
    world::from_timestamp,
};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};
use uuid::Uuid;

const OPERATION: &str = "check.promise_1";
/// Looks at a book that moves, or seems wrong, before it is given up, or called wrong.
const ROUNDS: u64 = 8;
const PAUSE: Duration = Duration::from_millis(60);

pub(super) async fn check(store: &Store) -> Result<Finding, Error> {
    let mut finding = Finding::new("1: no oversell, no lost copy");
    let mut look = look(store, None).await?;
    finding.count("books", look.rows.len());
    let copies = |sum: fn(&StockRow) -> i64| look.rows.iter().map(sum).sum::<i64>();
    finding.figures.push(("on_hand", copies(|row| row.on_hand)));
    finding.figures.push(("reserved", copies(|row| row.reserved)));
    finding.count("orders_in_stream", look.entries);
    finding.count("gate_ops_waiting", look.operations);
    let mut violations: Vec<String> = look.rows.iter().filter_map(misfit).collect();
    let mut asked: Option<Vec<i64>> = None;
    for round in 1..ROUNDS {
        if look.skipped.is_none() {
            let wrong = look.wrong.iter().map(|(book, _)| *book);
            let suspects: Vec<i64> = wrong.chain(look.moving.iter().copied()).collect();
            if suspects.is_empty() {
                break;
            }
            asked = Some(suspects);
        }
        tokio::time::sleep(PAUSE * u32::try_from(round).unwrap_or(1)).await;
        look = self::look(store, asked.as_deref()).await?;
    }
    finding.count("gate_loaded", usize::from(look.is_loaded));
    finding.count("books_in_motion", look.moving.len());
    // What was never looked at is not shown to hold.
    violations.extend(look.skipped);
    violations.extend(look.wrong.into_iter().map(|(_, line)| line));
    finding.violated(violations);
    Ok(finding)
}

/// What is wrong with a book in Postgres alone.
fn misfit(row: &StockRow) -> Option<String> {
    let StockRow { book_id, on_hand, reserved, available, moved_on_hand, moved_reserved, claimed } = row;
    let what = if *on_hand != available + reserved || *on_hand < 0 || *reserved < 0 || *available < 0 {
        format!("{on_hand} on hand, {reserved} reserved, {available} available")
    } else if (on_hand, reserved) != (moved_on_hand, moved_reserved) {
        format!(
            "{on_hand} on hand and {reserved} reserved, but its movements add up to {moved_on_hand} and {moved_reserved}"
        )
    } else if reserved != claimed {
        format!("{reserved} reserved, but orders waiting for payment want {claimed}")
    } else {
        return None;
    };
    Some(format!("book {book_id}: {what}"))
}

/// Postgres between two readings of the gate.
struct Look {
    rows: Vec<StockRow>,
    is_loaded: bool,
    entries: usize,
    operations: usize,
    /// Why nothing was compared.
    skipped: Option<String>,
    /// Stood still and does not add up.
    wrong: Vec<(i64, String)>,
    /// Changed while it was looked at.
    moving: Vec<i64>,
}

async fn look(store: &Store, books: Option<&[i64]>) -> Result<Look, Error> {
    let mut before = redis_side::gate(store).await?;
    let placed: Vec<Uuid> = before.entries.iter().map(|entry| entry.order.get()).collect();
    let mut tx = snapshot(store).await?;
    let rows = queries::stock(&mut tx, books).await.during(OPERATION)?;
    let written = queries::written(&mut *tx, &placed).await.during(OPERATION)?;
    let operations = queries::open_operations(&mut tx).await.during(OPERATION)?;
    let ids: Vec<String> = before.entries.iter().map(|entry| entry.id.clone()).collect();
    let parked = orders::parked(&mut *tx, &ids).await.during(OPERATION)?;
    tx.rollback().await.during(OPERATION)?;
    // Asked before the second reading: what is applied from here on shows in the counters.
    let keys: Vec<String> = operations.iter().map(|op| store.keys().operation(op.id)).collect();
    let applied = redis_side::exist(store, &keys).await?;
    let after = redis_side::gate(store).await?;

    let entries = before.entries.len();
    let skipped = not_comparable(&before, &after);
    // Their copies came back by an operation of their own.
    before.entries.retain(|entry| !parked.contains(&entry.id));
    let mut look = Look {
        is_loaded: before.epoch.is_some(),
        entries,
        operations: operations.len(),
        skipped,
        rows,
        wrong: Vec::new(),
        moving: Vec::new(),
    };
    if look.skipped.is_none() {
        let waiting = operations.iter().zip(applied).filter(|(_, applied)| !applied).map(|(operation, _)| operation);
        let in_flight = in_flight(&before, &written, waiting);
        compare(&mut look, &before, &after, &in_flight, books);
    }
    Ok(look)
}

/// Why these two readings of the gate say nothing about its counts. Without an epoch it sells nothing.
fn not_comparable(before: &Gate, after: &Gate) -> Option<String> {
    if before.epoch.is_none() {
        Some("the gate is not loaded: not compared".to_owned())
    } else if before.epoch != after.epoch {
        Some("the gate was loaded anew meanwhile: not compared".to_owned())
    } else if before.entries.len() + before.unreadable.len() >= MAX_ENTRIES {
        Some(format!("{MAX_ENTRIES} or more orders wait in the stream: not compared"))
    } else {
        None
    }
}

/// Per book: copies that the gate has taken off and Postgres not yet, less those the other way round.
fn in_flight<'a>(gate: &Gate, written: &[Written], waiting: impl Iterator<Item = &'a Operation>) -> HashMap<i64, i64> {
    let mut sums = HashMap::new();
    // The same order placed at another time took copies of its own.
    let written: HashSet<_> = written.iter().map(|row| (row.id, from_timestamp(row.placed_at))).collect();
    let unwritten = gate.entries.iter().filter(|entry| !written.contains(&(entry.order.get(), entry.placed_at)));
    for (book, copies) in unwritten.flat_map(|entry| &entry.lines) {
        *sums.entry(*book).or_default() += copies;
    }
    for operation in waiting.filter(|operation| operation.kind != "settle") {
        let lines = operation.lines.as_array().into_iter().flatten();
        for (book, copies) in lines.filter_map(|line| Some((line[0].as_i64()?, line[1].as_i64()?))) {
            *sums.entry(book).or_default() += copies;
        }
    }
    sums
}

fn compare(look: &mut Look, before: &Gate, after: &Gate, in_flight: &HashMap<i64, i64>, asked: Option<&[i64]>) {
    let mut ledger: Vec<(i64, i64)> = look.rows.iter().map(|row| (row.book_id, row.available)).collect();
    // Books that only the gate knows.
    let known: HashSet<i64> = ledger.iter().map(|(book, _)| *book).collect();
    let strange = |book: &&i64| !known.contains(book) && asked.is_none_or(|asked| asked.contains(book));
    ledger.extend(before.stock.keys().filter(strange).map(|book| (*book, 0)));
    for (book, available) in ledger {
        let moving = in_flight.get(&book).copied().unwrap_or(0);
        let at_gate = before.stock.get(&book).copied().unwrap_or(0);
        if before.changes.get(&book) != after.changes.get(&book) {
            look.moving.push(book);
        } else if at_gate != available - moving {
            let line = format!("book {book}: the gate has {at_gate}, the ledger {available} less {moving} in flight");
            look.wrong.push((book, line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{OrderId, UnixMillis};

    fn gate(epoch: Option<&str>, entries: usize) -> Gate {
        let entry = |_| redis_side::Entry {
            id: String::new(),
            order: OrderId::new(Uuid::nil()),
            placed_at: UnixMillis::new(0),
            lines: Vec::new(),
        };
        Gate {
            epoch: epoch.map(str::to_owned),
            stock: HashMap::new(),
            changes: HashMap::new(),
            entries: (0..entries).map(entry).collect(),
            unreadable: Vec::new(),
        }
    }

    #[test]
    fn only_two_whole_readings_of_one_load_are_compared() {
        let said = |before: Gate, after: Gate| not_comparable(&before, &after).unwrap_or_default();
        assert_eq!(said(gate(Some("1"), 2), gate(Some("1"), 3)), "");
        assert!(said(gate(None, 0), gate(Some("1"), 0)).contains("not loaded"));
        for after in [None, Some("2")] {
            assert!(said(gate(Some("1"), 0), gate(after, 0)).contains("loaded anew"));
        }
        assert!(said(gate(Some("1"), MAX_ENTRIES), gate(Some("1"), 0)).contains("50000 or more"));
    }
}
