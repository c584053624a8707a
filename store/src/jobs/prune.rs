//! `prune`: takes away what nobody will ask for again. The inbox of webhooks stays: it makes a repeat a repeat.

use super::schedule::{Every, Schedule, Scheduled};
use crate::{
    Store,
    error::{During, Error},
    world::to_timestamp,
};
use async_trait::async_trait;
use serde_json::{Value, json};

/// Rows of one statement, so that no lock is held for long.
const BATCH: i64 = 5_000;
const DAY_MS: i64 = 24 * 3600 * 1000;
/// Applied operations of the gate: a worker that froze between the gate and its commit must find its row.
const OPERATIONS_MS: i64 = DAY_MS;
/// Ended dead letters: long enough for any question about them.
const LETTERS_MS: i64 = 90 * DAY_MS;

/// Links that prove an address: over for days.
const LINKS_MS: i64 = 7 * DAY_MS;

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
        let links = to_timestamp(now.plus(-LINKS_MS));
        let (mut gate_ops, mut dead_letters, mut account_links) = (0, 0, 0);
        loop {
            let gone = sqlx::query!(
                "DELETE FROM gate_ops WHERE id IN (SELECT id FROM gate_ops WHERE applied_at < $1 ORDER BY id LIMIT $2)",
                operations,
                BATCH
            );
            let gone = gone.execute(store.pg()).await.during("prune.gate_ops")?.rows_affected();
            gate_ops += gone;
            if gone == 0 {
                break;
            }
        }
        loop {
            let gone = sqlx::query!(
                "DELETE FROM dead_letters WHERE id IN (
                   SELECT id FROM dead_letters WHERE state <> 'parked' AND coalesce(ended_at, parked_at) < $1
                   ORDER BY id LIMIT $2)",
                letters,
                BATCH
            );
            let gone = gone.execute(store.pg()).await.during("prune.dead_letters")?.rows_affected();
            dead_letters += gone;
            if gone == 0 {
                break;
            }
        }
        loop {
            let gone = sqlx::query!(
                "DELETE FROM account_links WHERE id IN (SELECT id FROM account_links WHERE created_at < $1 LIMIT $2)",
                links,
                BATCH
            );
            let gone = gone.execute(store.pg()).await.during("prune.account_links")?.rows_affected();
            account_links += gone;
            if gone == 0 {
                break;
            }
        }
        Ok(json!({ "gate_ops": gate_ops, "dead_letters": dead_letters, "account_links": account_links }))
    }
}
