//! Copies: the gate in Redis that answers at once, and the ledger in Postgres that is always right.

use crate::{Store, error::Error};
use domain::BookId;
use std::collections::HashMap;

/// Copies on sale, from the gate; a book is absent while the gate does not know it (not loaded).
pub async fn available(store: &Store, books: &[BookId]) -> Result<HashMap<BookId, i64>, Error> {
    todo!()
}

/// Loads the gate from Postgres when its epoch is absent; several processes may call it at once.
pub async fn ensure_loaded(store: &Store) -> Result<(), Error> {
    todo!()
}

/// Sets on-hand counts of books in Postgres (import, seed) by movements (`receipt` up, `adjustment` down) with an
/// operation id, and hands the gate its `adjust` operation, all inside the caller's transaction.
/// A count below what is reserved is raised to it.
pub(crate) async fn set_on_hand(
    tx: &mut sqlx::PgTransaction<'_>,
    operation: &str,
    counts: &[(BookId, i32)],
    now: domain::UnixMillis,
) -> Result<(), Error> {
    todo!()
}
