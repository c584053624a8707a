//! `stock.gate_ops`: brings to the gate what Postgres has decided, each operation once, within a moment.

use super::{
    ledger,
    queries::{self, Operation},
    scripts,
};
use crate::{
    Store,
    error::{During, Error},
    jobs::{self, Job, Letter, MAX_ATTEMPTS, dead_letters},
    world::to_timestamp,
};
use async_trait::async_trait;
use futures::{StreamExt, stream};
use redis::AsyncCommands;
use std::time::Duration;

/// Pause between two looks when nothing was due.
const PAUSE: Duration = Duration::from_millis(100);
/// Operations of one round; they are locked while they are applied.
const BATCH: i64 = 100;
/// Operations under way to Redis at the same time.
const PARALLEL: usize = 16;

/// A parked operation is not tried again by itself.
const PARKED_MS: i64 = 100 * 365 * 24 * 3600 * 1000;

/// Applies rows of `gate_ops` in the order of their ids.
///
/// The rows stay locked, and the gate lock shared, until the gate has answered: no second worker applies them meanwhile
/// and no rebuild counts them half. A crash in between rolls the rows back; their keys at the gate make the repeat
/// harmless. While Redis is away nothing counts as a failure of the operations.
pub struct ApplyGateOps;

#[async_trait]
impl Job for ApplyGateOps {
    type Batch = ();

    fn name(&self) -> &'static str {
        "stock.gate_ops"
    }

    async fn fetch(&self, store: &Store) -> Result<Option<()>, Error> {
        if queries::has_due_operations(store.pg(), to_timestamp(store.now())).await.during("stock.gate_ops")? {
            return Ok(Some(()));
        }
        tokio::time::sleep(PAUSE).await;
        Ok(None)
    }

    async fn handle(&self, store: &Store, (): ()) -> Result<(), Error> {
        const OPERATION: &str = "stock.gate_ops";
        let mut tx = store.pg().begin().await.during(OPERATION)?;
        ledger::share_gate_lock(&mut tx).await?;
        let due = queries::lock_due_operations(&mut *tx, to_timestamp(store.now()), BATCH).await.during(OPERATION)?;
        let calls: Vec<_> = due.iter().map(|row| apply(store, row)).collect();
        let answers: Vec<_> = stream::iter(calls).buffered(PARALLEL).collect().await;
        let mut applied = Vec::with_capacity(due.len());
        for (row, answer) in due.iter().zip(answers) {
            match answer {
                Ok(()) => applied.push(row.id),
                Err(error) if jobs::is_away(&error) => return Err(error),
                Err(error) => failed(store, &mut tx, row, &error).await?,
            }
        }
        queries::mark_applied(&mut *tx, &applied, to_timestamp(store.now())).await.during(OPERATION)?;
        tx.commit().await.during(OPERATION)
    }
}

async fn apply(store: &Store, row: &Operation) -> Result<(), Error> {
    let owner = match (row.order_id, &row.owner) {
        (None, _) => None,
        (Some(_), Some(owner)) => owner.parse().ok(),
        // The order never came to Postgres: its reservation knows.
        (Some(order), None) => {
            let key = store.keys().reservation(domain::OrderId::new(order));
            let owner: Option<String> = store.redis().hget(key, "owner").await.during("stock.reservation_owner")?;
            owner.and_then(|owner| owner.parse().ok())
        }
    };
    let answer = scripts::apply(store, row, owner).await?;
    tracing::debug!(operation.id = row.id, kind = row.kind, ?answer, "gate operation");
    Ok(())
}

/// Later again, or to the dead letters; the row stays unapplied then, so that the next rebuild of the gate counts it.
async fn failed(store: &Store, tx: &mut sqlx::PgTransaction<'_>, row: &Operation, error: &Error) -> Result<(), Error> {
    let attempts = row.attempts + 1;
    tracing::warn!(operation.id = row.id, attempts, error = error as &dyn std::error::Error, "gate operation failed");
    let mut due = jobs::retry_at(store, attempts);
    if attempts >= MAX_ATTEMPTS {
        due = due.plus(PARKED_MS);
        let payload = serde_json::json!({"kind": row.kind, "order_id": row.order_id, "lines": row.lines});
        let letter = Letter {
            source: dead_letters::GATE_OPS,
            key: &row.id.to_string(),
            payload: &payload,
            error: &error.chain(),
            attempts,
            first_failed_at: row.first_failed_at,
        };
        jobs::park(tx, letter).await?;
    }
    queries::put_off(&mut **tx, row.id, to_timestamp(due), &error.chain()).await.during("stock.gate_ops")
}
