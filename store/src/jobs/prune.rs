//! `prune`: takes away what nobody will ask for again. The inbox of webhooks stays: it makes a repeat a repeat.

use super::schedule::{Every, Schedule, Scheduled};
use crate::{
    Store,
    error::{During, Error},
    world::to_timestamp,
};
use async_trait::async_trait;
use serde_json::{Value, json};
use sqlx::postgres::PgQueryResult;

/// Rows of one statement, so that no lock is held for long.
const BATCH: i64 = 5_000;
const DAY_MS: i64 = 24 * 3600 * 1000;
/// Applied operations of the gate: a worker that froze between the gate and its commit must find its row.
const OPERATIONS_MS: i64 = DAY_MS;
/// Ended dead letters: long enough for any question about them.
const LETTERS_MS: i64 = 90 * DAY_MS;

/// Links that prove an address: over for days. Changes of accounts: told, or in the dead letters, for days.
const LINKS_MS: i64 = 7 * DAY_MS;

/// Files of books that nobody said yes to, and the reports of those that are over.
const FILES_MS: i64 = DAY_MS;
const REPORTS_MS: i64 = 90 * DAY_MS;

/// The schedule `prune`.
pub struct Prune;

#[async_trait]
impl Scheduled for Prune {
    fn schedule(&self) -> Schedule {
        Schedule { name: "prune", every: Every::Seconds(3600) }
    }

    async fn run(&self, store: &Store) -> Result<Value, Error> {
        let now = store.now();
        let (operations, letters) = (to_timestamp(now.plus(-OPERATIONS_MS)), to_timestamp(now.plus(-LETTERS_MS)));
        let gate_ops = until_none(|| {
            sqlx::query!(
                "DELETE FROM gate_ops WHERE id IN (SELECT id FROM gate_ops WHERE applied_at < $1 ORDER BY id LIMIT $2)",
                operations,
                BATCH
            )
            .execute(store.pg())
        });
        let gate_ops = gate_ops.await.during("prune.gate_ops")?;
        let dead_letters = until_none(|| {
            sqlx::query!(
                "DELETE FROM dead_letters WHERE id IN (
                   SELECT id FROM dead_letters WHERE state <> 'parked' AND coalesce(ended_at, parked_at) < $1
                   ORDER BY id LIMIT $2)",
                letters,
                BATCH
            )
            .execute(store.pg())
        });
        let dead_letters = dead_letters.await.during("prune.dead_letters")?;
        // Of orders that could not expire and then ended otherwise.
        let expiry_failures = until_none(|| {
            sqlx::query!(
                "DELETE FROM expiry_failures WHERE order_id IN (
                   SELECT f.order_id FROM expiry_failures f JOIN orders o ON o.id = f.order_id
                   WHERE o.status <> 'PAYMENT_PENDING' LIMIT $1)",
                BATCH
            )
            .execute(store.pg())
        });
        let expiry_failures = expiry_failures.await.during("prune.expiry_failures")?;
        let links = to_timestamp(now.plus(-LINKS_MS));
        let account_links = until_none(|| {
            sqlx::query!(
                "DELETE FROM account_links WHERE id IN (SELECT id FROM account_links WHERE created_at < $1 LIMIT $2)",
                links,
                BATCH
            )
            .execute(store.pg())
        });
        let account_links = account_links.await.during("prune.account_links")?;
        let account_changes = until_none(|| {
            sqlx::query!(
                "DELETE FROM account_changes WHERE id IN (SELECT id FROM account_changes WHERE changed_at < $1 LIMIT $2)",
                links,
                BATCH
            )
            .execute(store.pg())
        });
        let account_changes = account_changes.await.during("prune.account_changes")?;
        let (files, reports) = (to_timestamp(now.plus(-FILES_MS)), to_timestamp(now.plus(-REPORTS_MS)));
        let book_files = until_none(|| {
            sqlx::query!(
                "DELETE FROM book_imports WHERE id IN (
                   SELECT id FROM book_imports WHERE (state = 'ready' AND uploaded_at < $1) OR ended_at < $2 LIMIT $3)",
                files,
                reports,
                BATCH
            )
            .execute(store.pg())
        });
        let book_files = book_files.await.during("prune.book_files")?;
        Ok(json!({
            "book_files": book_files,
            "gate_ops": gate_ops,
            "dead_letters": dead_letters,
            "expiry_failures": expiry_failures,
            "account_links": account_links,
            "account_changes": account_changes,
        }))
    }
}

/// Deletes batch after batch; returns how many rows are gone.
async fn until_none<F: Future<Output = sqlx::Result<PgQueryResult>>>(delete: impl Fn() -> F) -> sqlx::Result<u64> {
    let mut gone = 0;
    loop {
        match delete().await?.rows_affected() {
            0 => return Ok(gone),
            rows => gone += rows,
        }
    }
}
