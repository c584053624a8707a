//! Counts of many books, as an import says them.
//!
//! What raises a count is committed here and brought to the gate by its operation. What lowers it is taken at the gate
//! first, under the key of that operation and with the stock rows locked, as [`super::adjust`] does it, but only as far
//! as the gate has copies: those that orders were promised stay on hand. What is taken and never committed comes back
//! by reconciling, which the next import that lowers a count begins with.

use super::{
    gate_ops, ledger, load,
    queries::{self, Line},
    reconcile,
    scripts::{self, Extent, TakeAnswer},
};
use crate::{
    Store,
    error::{During, Error},
    world::to_timestamp,
};
use domain::{ApiError, BookId};
use sqlx::PgTransaction;
use std::collections::HashMap;
use time::OffsetDateTime;

const OPERATION: &str = "stock.set_on_hand";
/// Books whose count is set by one statement.
const BATCH: usize = 1_000;
/// Books in one `gate_ops` row: a bound on how long one script may hold Redis.
const LINES_PER_OPERATION: usize = 500;

/// A book of which orders have more copies than it should have: those stay on hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    pub book: BookId,
    pub asked: i32,
    pub on_hand: i32,
}

/// Sets on-hand counts (each book once) by movements (`receipt` up, `adjustment` down) named `operation`, a name of its
/// own, and hands the gate its operations, all inside the caller's transaction, which should end soon.
/// The same counts again move nothing, but for copies that were kept and are free by then.
pub(crate) async fn set_on_hand(
    store: &Store,
    tx: &mut PgTransaction<'_>,
    operation: &str,
    mut counts: Vec<(BookId, i32)>,
) -> Result<Vec<Kept>, Error> {
    counts.sort_unstable();
    let lines: Vec<Line> = counts.iter().map(|(book, copies)| Line { book: book.get(), copies: *copies }).collect();
    let (books, copies) = Line::columns(&lines);
    if queries::is_any_lowered(&mut **tx, &books, &copies).await.during(OPERATION)? {
        load::allow_pauses(tx).await?;
        // Before the locks, with which nobody may pause for long: both need them, and so does a gate that has to be loaded.
        reconcile::give_back(store).await?;
        gate_ops::bring_due(store).await?;
        load::end_pauses(tx).await?;
    }
    ledger::share_gate_lock(tx).await?;
    let mut kept = Vec::new();
    for counts in counts.chunks(BATCH) {
        kept.extend(set(store, tx, operation, counts).await?);
    }
    Ok(kept)
}

async fn set(
    store: &Store,
    tx: &mut PgTransaction<'_>,
    operation: &str,
    counts: &[(BookId, i32)],
) -> Result<Vec<Kept>, Error> {
    let at = to_timestamp(store.now());
    let books: Vec<i64> = counts.iter().map(|(book, _)| book.get()).collect();
    let fresh = queries::ensure_rows(&mut **tx, &books).await.during(OPERATION)?;
    let before = queries::lock_counts(&mut **tx, &books).await.during(OPERATION)?;
    ledger::expect_rows(OPERATION, before.len() as u64, counts.len())?;
    let changes = counts
        .iter()
        .zip(&before)
        .map(|((_, asked), count)| Line { book: count.book, copies: asked.max(&count.reserved) - count.on_hand });
    let (lowered, mut moved): (Vec<Line>, Vec<Line>) =
        changes.filter(|line| line.copies != 0).partition(|line| line.copies < 0);
    // Of new books without a copy the gate hears, too: what it does not know is "being counted".
    let empty = counts.iter().filter(|(book, asked)| *asked == 0 && fresh.contains(&book.get()));
    let empty: Vec<Line> = empty.map(|(book, _)| Line { book: book.get(), copies: 0 }).collect();
    for lines in moved.chunks(LINES_PER_OPERATION).chain(empty.chunks(LINES_PER_OPERATION)) {
        queries::insert_operation(&mut **tx, "adjust", None, lines, at).await.during(OPERATION)?;
    }
    for lines in lowered.chunks(LINES_PER_OPERATION) {
        moved.extend(take(store, tx, lines, at).await?);
    }
    let (books, deltas) = Line::columns(&moved);
    queries::insert_counts(&mut **tx, operation, &books, &deltas, at).await.during(OPERATION)?;
    let rows = queries::add_on_hand(&mut **tx, &books, &deltas).await.during(OPERATION)?;
    ledger::expect_rows(OPERATION, rows, moved.len())?;
    let moved: HashMap<i64, i32> = books.into_iter().zip(deltas).collect();
    let after = counts.iter().zip(&before).map(|(&(book, asked), count)| {
        let on_hand = count.on_hand + moved.get(&count.book).copied().unwrap_or(0);
        Kept { book, asked, on_hand }
    });
    Ok(after.filter(|kept| kept.on_hand > kept.asked).collect())
}

/// Takes these copies (below zero) at the gate, as far as they are on sale there; returns what was taken.
async fn take(
    store: &Store,
    tx: &mut PgTransaction<'_>,
    lines: &[Line],
    at: OffsetDateTime,
) -> Result<Vec<Line>, Error> {
    let operation = queries::insert_operation(&mut **tx, "adjust", None, lines, at).await.during(OPERATION)?;
    let wanted: Vec<Line> = lines.iter().map(|line| Line { copies: -line.copies, ..*line }).collect();
    let TakeAnswer::Taken(copies) = scripts::take(store, operation, &wanted, Extent::Part).await? else {
        // Lost since it was looked after; without it nobody knows what orders were promised.
        return Err(ApiError::not_ready().into());
    };
    let taken = lines.iter().zip(copies).map(|(line, copies)| Line { copies: -copies, ..*line });
    let taken: Vec<Line> = taken.filter(|line| line.copies != 0).collect();
    if taken != lines {
        queries::set_lines(&mut **tx, operation.id, &taken).await.during(OPERATION)?;
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit;

    #[tokio::test]
    async fn who_has_locked_what_others_sell_is_cut_off_like_anybody_else() {
        let store = testkit::store().await;
        load::ensure_loaded(&store).await.expect("loaded");
        let insert =
            "INSERT INTO books (sku, slug, title, authors, price_minor) VALUES ('a', 'a', 'A', '{A}', 1) RETURNING id";
        let book: i64 = sqlx::query_scalar(insert).fetch_one(store.pg()).await.expect("a book");
        let book = BookId::new(book).expect("an id");
        for (operation, copies) in [("rises", 5), ("falls", 3)] {
            let mut tx = store.pg().begin().await.expect("a transaction");
            set_on_hand(&store, &mut tx, operation, vec![(book, copies)]).await.expect("set");
            let limit: String = sqlx::query_scalar("SHOW idle_in_transaction_session_timeout")
                .fetch_one(&mut *tx)
                .await
                .expect("shown");
            assert_eq!(limit, "15s", "{operation}");
            tx.commit().await.expect("commit");
        }
    }
}
