//! Drift: a book of which the gate has another number on sale than the ledger says.
//!
//! A first look, without any lock, finds the suspects. Each is judged again with its stock row locked: whoever takes
//! copies at the gate before writing them down holds that lock from before the one until after the other, so the row
//! that is read then is the whole truth. What the gate does meanwhile moves the counter, and the script sees that.

use super::{Report, Scope, queries, scripts};
use crate::{
    BRIEF_LOCKS, Store,
    error::{During, Error},
    stock::{
        ledger,
        queries::{BEGIN_SNAPSHOT, lock_rows},
        view::{self, Comparison},
    },
    world::to_timestamp,
};
use redis::AsyncCommands;
use sqlx::{Connection, PgConnection};
use std::{collections::BTreeSet, time::Duration};

const OPERATION: &str = "stock.reconcile_books";
/// Books compared in one step.
const PAGE: usize = 2000;
/// Books whose rows are locked together while they are judged: a moment for whoever sells them.
const LOCKED: usize = 20;
/// A book moved lately if a movement of it is as young as this: several turns of the schedule.
const LATELY_MS: i64 = 15 * 60 * 1000;
/// Looks at a book that moves.
const ROUNDS: u32 = 6;
const PAUSE: Duration = Duration::from_millis(40);

pub(super) async fn mend(store: &Store, scope: Scope, report: &mut Report) -> Result<(), Error> {
    let books: Vec<i64> = match scope {
        Scope::All => all(store).await?,
        Scope::Recent => recent(store).await?,
    };
    report.books = books.len();
    let mut wrong = BTreeSet::new();
    for page in books.chunks(PAGE) {
        let mut page = page.to_vec();
        for round in 0..ROUNDS {
            let mut connection = store.pg().acquire().await.during(OPERATION)?;
            match look(store, &mut connection, &page).await? {
                Ok((_, found)) => {
                    wrong.extend(found.wrong.iter().map(|drift| drift.book));
                    scripts::clear(store, &found.right).await?;
                    page = found.moving;
                }
                Err(reason) => {
                    report.skipped = Some(reason);
                    return Ok(());
                }
            }
            if page.is_empty() {
                break;
            }
            drop(connection);
            tokio::time::sleep(PAUSE * round).await;
        }
        report.books_in_motion += page.len();
    }
    judge_all(store, wrong, report).await
}

/// They are looked at by the next run, too, until one finds them right.
pub(super) async fn suspect(store: &Store, books: &[i64]) -> Result<(), Error> {
    match books.is_empty() {
        true => Ok(()),
        false => store.redis().sadd(store.keys().suspects(), books).await.during(OPERATION),
    }
}

/// Judges these books, some at a time, and mends what is really wrong.
pub(super) async fn judge_all(store: &Store, books: BTreeSet<i64>, report: &mut Report) -> Result<(), Error> {
    let books: Vec<i64> = books.into_iter().collect();
    suspect(store, &books).await?;
    for page in books.chunks(LOCKED) {
        match judge(store, page, report).await {
            Err(error) if error.is_locked() => {
                tracing::warn!(books = ?page, "somebody keeps their stock rows locked: judged the next time");
                report.books_in_motion += page.len();
            }
            other => other?,
        }
    }
    Ok(())
}

/// Compares these books; `Err`: why that was not possible. The epoch names the load that was looked at.
async fn look(
    store: &Store,
    connection: &mut PgConnection,
    books: &[i64],
) -> Result<Result<(String, Comparison), String>, Error> {
    let before = view::read(store, Some(books)).await?;
    let mut snapshot = connection.begin_with(BEGIN_SNAPSHOT).await.during(OPERATION)?;
    let ledger = queries::available(&mut *snapshot, books).await.during(OPERATION)?;
    let between = view::between(store, &mut snapshot, &before).await?;
    snapshot.rollback().await.during(OPERATION)?;
    let after = view::counters(store, Some(books)).await?;
    if let Some(reason) = view::not_comparable(&before, &after) {
        return Ok(Err(reason));
    }
    let comparison = view::compare(&before, &after, &between, ledger);
    Ok(Ok((before.epoch.unwrap_or_default(), comparison)))
}

/// With their stock rows locked.
async fn judge(store: &Store, books: &[i64], report: &mut Report) -> Result<(), Error> {
    // Both connections first: whoever waits for the locks may hold all the others.
    let mut reader = store.pg().acquire().await.during(OPERATION)?;
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    ledger::share_gate_lock(&mut tx).await?;
    sqlx::raw_sql(BRIEF_LOCKS).execute(&mut *tx).await.during(OPERATION)?;
    lock_rows(&mut *tx, books).await.during(OPERATION)?;
    let mut left = books.to_vec();
    for round in 0..ROUNDS {
        let Ok((epoch, comparison)) = look(store, &mut reader, &left).await? else { break };
        scripts::clear(store, &comparison.right).await?;
        left = comparison.moving;
        for drift in comparison.wrong {
            if scripts::mend(store, &epoch, &drift).await? {
                let (at_gate, expected) = (drift.at_gate, drift.expected());
                tracing::warn!(book.id = drift.book, at_gate, expected, "copies at the gate put right");
                report.drift.mended(true);
            } else {
                left.push(drift.book);
            }
        }
        if left.is_empty() {
            break;
        }
        tokio::time::sleep(PAUSE * round).await;
    }
    report.books_in_motion += left.len();
    tx.rollback().await.during(OPERATION)
}

/// Every book of the ledger, and every one that only the gate knows.
async fn all(store: &Store) -> Result<Vec<i64>, Error> {
    let mut books: BTreeSet<i64> = queries::books(store.pg()).await.during(OPERATION)?.into_iter().collect();
    let mut redis = store.redis();
    let mut known = redis.hscan::<_, (String, String)>(store.keys().stock()).await.during(OPERATION)?;
    while let Some(field) = known.next_item().await {
        let (book, _) = field.during(OPERATION)?;
        books.extend(book.parse::<i64>().ok());
    }
    Ok(books.into_iter().collect())
}

/// The books that moved lately: in the ledger, in the stream, or in operations under way.
async fn recent(store: &Store) -> Result<Vec<i64>, Error> {
    let since = to_timestamp(store.now().plus(-LATELY_MS));
    let mut books: BTreeSet<i64> =
        queries::recent_books(store.pg(), since).await.during(OPERATION)?.into_iter().collect();
    let suspects: Vec<i64> = store.redis().smembers(store.keys().suspects()).await.during(OPERATION)?;
    books.extend(suspects);
    let gate = view::read(store, Some(&[])).await?;
    books.extend(gate.entries.iter().flat_map(|entry| &entry.lines).map(|(book, _)| *book));
    Ok(books.into_iter().collect())
}
