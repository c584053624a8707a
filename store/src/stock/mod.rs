//! Copies: the gate in Redis that answers at once, and the ledger in Postgres that is always right.

mod adjust;
mod counts;
mod gate_ops;
pub(crate) mod keyspace;
pub(crate) mod ledger;
pub mod load;
mod queries;
pub(crate) mod reclaim;
pub mod reconcile;
mod scripts;
pub(crate) mod view;

pub use adjust::{Correction, adjust, correct, history};
pub(crate) use counts::{Kept, set_on_hand};
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
    let mut pipe = redis::pipe();
    ask(store, pipe.atomic(), books);
    let answer = pipe.query_async(&mut store.redis()).await;
    let (epoch, counts): (Option<String>, Vec<Option<i64>>) = answer.during("stock.available")?;
    Ok(told(books, epoch.as_deref(), &counts))
}

/// Asks for the epoch and for copies on sale, in a pipeline that may go on to other slots; there must be a book.
pub(crate) fn ask(store: &Store, pipe: &mut redis::Pipeline, books: &[BookId]) {
    let ids: Vec<i64> = books.iter().map(|book| book.get()).collect();
    pipe.get(store.keys().epoch()).cmd("HMGET").arg(store.keys().stock()).arg(ids);
}

/// What the two answers to [`ask`] say.
pub(crate) fn told(books: &[BookId], epoch: Option<&str>, counts: &[Option<i64>]) -> HashMap<BookId, i64> {
    if epoch.is_none() {
        return HashMap::new();
    }
    // Below zero: a correction was larger than what was on sale; nobody can buy what is not there.
    let known = books.iter().zip(counts).filter_map(|(book, count)| Some((*book, (*count)?.max(0))));
    known.collect()
}

/// Counts these books anew, and puts the gate right where it differs from the ledger.
pub(crate) async fn count_anew(store: &Store, books: &[i64]) -> Result<reconcile::Report, Error> {
    load::ensure_loaded(store).await?;
    reconcile::count_anew(store, books.iter().copied().collect()).await
}

/// Whether the gate is loaded, and in this run of Redis.
pub(crate) async fn is_loaded(store: &Store) -> Result<bool, Error> {
    load::is_loaded(store, &store.redis_run().await?.id).await
}

/// Loads the gate from Postgres when its epoch is absent; several processes may call it at once.
pub async fn ensure_loaded(store: &Store) -> Result<(), Error> {
    load::ensure_loaded(store).await
}
