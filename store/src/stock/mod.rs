//! Copies: the gate in Redis that answers at once, and the ledger in Postgres that is always right.

mod gate_ops;
pub(crate) mod keyspace;
pub(crate) mod ledger;
pub mod load;
mod queries;
pub mod reconcile;
mod scripts;
pub(crate) mod view;

pub use gate_ops::ApplyGateOps;
pub(crate) use queries::Line;
#[cfg(test)]
pub(crate) use scripts::promised_codes;

use crate::{
    Store,
    error::{During, Error},
};
use domain::BookId;
use std::collections::HashMap;

/// Copies on sale, from the gate; a book is absent while the gate does not know it (not loaded).
pub async fn available(store: &Store, books: &[BookId]) -> Result<HashMap<BookId, i64>, Error> {
    if books.is_empty() {
        return Ok(HashMap::new());
    }
    let keys = store.keys();
    let ids: Vec<i64> = books.iter().map(|book| book.get()).collect();
    let (epoch, counts): (Option<String>, Vec<Option<i64>>) = redis::pipe()
        .atomic()
        .get(keys.epoch())
        .cmd("HMGET")
        .arg(keys.stock())
        .arg(&ids)
        .query_async(&mut store.redis())
        .await
        .during("stock.available")?;
    if epoch.is_none() {
        return Ok(HashMap::new());
    }
    // Below zero: a correction was larger than what was on sale; nobody can buy what is not there.
    let known = books.iter().zip(counts).filter_map(|(book, count)| Some((*book, count?.max(0))));
    Ok(known.collect())
}

/// Loads the gate from Postgres when its epoch is absent; several processes may call it at once.
pub async fn ensure_loaded(store: &Store) -> Result<(), Error> {
    load::ensure_loaded(store).await
}

/// Sets on-hand counts of books in Postgres (import, seed) by movements (`receipt` up, `adjustment` down) with an
/// operation id, and hands the gate its `adjust` operation, all inside the caller's transaction.
/// A count below what is reserved is raised to it. A repeat under the same operation id moves nothing twice, so each
/// new intention needs a new id.
pub(crate) async fn set_on_hand(
    tx: &mut sqlx::PgTransaction<'_>,
    operation: &str,
    counts: &[(BookId, i32)],
    now: domain::UnixMillis,
) -> Result<(), Error> {
    ledger::set_on_hand(tx, operation, counts, now).await
}
