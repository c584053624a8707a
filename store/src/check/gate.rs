//! Promise 1: no copy is sold twice and none is lost; the ledger adds up, and the gate agrees with it.

use super::{
    Finding,
    queries::{self, StockRow},
    snapshot,
};
use crate::{
    Store,
    error::{During, Error},
    stock::view::{self, Drift},
};
use std::{collections::HashSet, time::Duration};

const OPERATION: &str = "check.promise_1";
/// Looks at a book that moves, or seems wrong, before it is given up, or called wrong.
const ROUNDS: u64 = 8;
const PAUSE: Duration = Duration::from_millis(60);

/// What was found, and the books of which gate and ledger say different numbers.
pub(super) async fn check(store: &Store) -> Result<(Finding, Vec<Drift>), Error> {
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
            let wrong = look.wrong.iter().map(|drift| drift.book);
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
    violations.extend(look.wrong.iter().map(describe));
    finding.violated(violations);
    Ok((finding, look.wrong))
}

/// Those of these books that stand still now and do not add up.
pub(super) async fn drift(store: &Store, books: &[i64]) -> Result<Vec<Drift>, Error> {
    match books {
        [] => Ok(Vec::new()),
        books => Ok(look(store, Some(books)).await?.wrong),
    }
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
    wrong: Vec<Drift>,
    /// Changed while it was looked at, or may be about to.
    moving: Vec<i64>,
}

/// All books, among which it finds suspects, or these, of which it may call one wrong.
async fn look(store: &Store, books: Option<&[i64]>) -> Result<Look, Error> {
    let before = view::read(store, books).await?;
    // Who took copies at the gate before that, and has not committed by the snapshot, holds their rows' locks here.
    let locked = match books {
        Some(books) => queries::locked(store.pg(), books).await.during(OPERATION)?,
        None => Vec::new(),
    };
    let mut tx = snapshot(store).await?;
    let rows = queries::stock(&mut tx, books).await.during(OPERATION)?;
    let between = view::between(store, &mut tx, &before).await?;
    tx.rollback().await.during(OPERATION)?;
    let after = view::counters(store, books).await?;
    let skipped = view::not_comparable(&before, &after);
    let (mut wrong, mut moving) = (Vec::new(), Vec::new());
    if skipped.is_none() {
        // Books that only the gate knows have no copies in the ledger.
        let known: HashSet<i64> = rows.iter().map(|row| row.book_id).collect();
        let strange = before.stock.keys().filter(|book| !known.contains(book)).map(|book| (*book, 0));
        let ledger = rows.iter().map(|row| (row.book_id, row.available)).chain(strange);
        let comparison = view::compare(&before, &after, &between, ledger);
        moving = comparison.moving;
        for drift in comparison.wrong {
            match books.is_none() || locked.contains(&drift.book) {
                true => moving.push(drift.book),
                false => wrong.push(drift),
            }
        }
    }
    let (entries, operations) = (before.entries.len(), between.operations);
    Ok(Look { is_loaded: before.epoch.is_some(), entries, operations, skipped, rows, wrong, moving })
}

fn describe(drift: &Drift) -> String {
    let Drift { book, at_gate, available, in_flight, .. } = drift;
    format!("book {book}: the gate has {at_gate}, the ledger {available} less {in_flight} in flight")
}
