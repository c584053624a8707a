//! `stock.gate_ops`: brings to the gate what Postgres has decided, each operation once, within a moment.

use super::{
    ledger,
    queries::{self, Operation, TakenUp},
    scripts,
};
use crate::{
    Store,
    error::{During, Error},
    jobs::{self, Job, Letter, MAX_ATTEMPTS, MAX_LEASES, dead_letters},
    world::to_timestamp,
};
use async_trait::async_trait;
use futures::{StreamExt, stream};
use redis::AsyncCommands;
use std::time::Duration;

const OPERATION: &str = "stock.gate_ops";
/// Pause between two looks when nothing was due.
const PAUSE: Duration = Duration::from_millis(100);
/// Operations of one round; they are locked while they are applied.
const BATCH: i64 = 100;
/// Rounds of somebody who is in a hurry.
const MOST_ROUNDS: usize = 100;
/// Operations under way to Redis at the same time.
const PARALLEL: usize = 16;

/// An operation that is due for so long is late, and counts how often it is taken up: perhaps its workers die of it.
const LATE_MS: i64 = 3_000;
/// A late operation is found again after this when its worker died.
const LEASE_MS: i64 = 5_000;
/// A parked operation is not tried again by itself.
const PARKED_MS: i64 = 100 * 365 * 24 * 3600 * 1000;

/// Applies rows of `gate_ops` in the order of their ids.
///
/// The rows stay locked, and the gate lock shared, until the gate has answered: no second worker applies them meanwhile
/// and no rebuild counts them half. A crash in between rolls the rows back; their keys at the gate make the repeat
/// harmless. While Redis is away nothing counts as a failure of the operations. A late one that nobody survives is taken
/// up alone from the third time on, and parked after the tenth.
pub struct ApplyGateOps;

#[async_trait]
impl Job for ApplyGateOps {
    type Batch = ();

    fn name(&self) -> &'static str {
        "stock.gate_ops"
    }

    /// Counted one by one where they are done.
    fn pieces(&self, _: &Self::Batch) -> u64 {
        0
    }

    async fn fetch(&self, store: &Store) -> Result<Option<()>, Error> {
        if queries::has_due_operations(store.pg(), to_timestamp(store.now())).await.during(OPERATION)? {
            return Ok(Some(()));
        }
        tokio::time::sleep(PAUSE).await;
        Ok(None)
    }

    async fn handle(&self, store: &Store, (): ()) -> Result<(), Error> {
        let now = store.now();
        let [late, due, until] = [-LATE_MS, 0, LEASE_MS].map(|millis| to_timestamp(now.plus(millis)));
        let taken_up = queries::take_up(store.pg(), (late, due, until), BATCH).await.during(OPERATION)?;
        if let [TakenUp { id, leases }] = taken_up[..]
            && leases > MAX_LEASES
        {
            return set_aside(store, id, leases).await;
        }
        let ids: Vec<i64> = taken_up.into_iter().map(|operation| operation.id).collect();
        let outcome = apply_all(store, &ids).await;
        if outcome.is_err() && !ids.is_empty() {
            queries::hand_back(store.pg(), &ids, to_timestamp(store.now())).await.during(OPERATION)?;
        }
        outcome
    }
}

/// Brings what is due to the gate now, for whoever cannot wait for the worker; most of it, if there is ever more.
pub(super) async fn bring_due(store: &Store) -> Result<(), Error> {
    for _ in 0..MOST_ROUNDS {
        if !queries::has_due_operations(store.pg(), to_timestamp(store.now())).await.during(OPERATION)? {
            break;
        }
        ApplyGateOps.handle(store, ()).await?;
    }
    Ok(())
}

/// Those taken up, or whatever is due.
async fn apply_all(store: &Store, taken_up: &[i64]) -> Result<(), Error> {
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    ledger::share_gate_lock(&mut tx).await?;
    let due = queries::lock_operations(&mut *tx, taken_up, to_timestamp(store.now()), BATCH).await.during(OPERATION)?;
    let calls: Vec<_> = due.iter().map(|row| jobs::caught(OPERATION, apply(store, row))).collect();
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
    tx.commit().await.during(OPERATION)?;
    store.pulse().did(OPERATION, applied.len() as u64);
    Ok(())
}

/// To the dead letters, unlooked at.
async fn set_aside(store: &Store, id: i64, leases: i32) -> Result<(), Error> {
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    let row = queries::lock_operations(&mut *tx, &[id], to_timestamp(store.now()), 1).await.during(OPERATION)?;
    let Some(row) = row.first() else { return Ok(()) };
    let error = jobs::deadly(OPERATION, i64::from(leases) - 1);
    park(&mut tx, row, &error, row.attempts).await?;
    let due = to_timestamp(store.now().plus(PARKED_MS));
    queries::set_aside(&mut *tx, id, due, &error.chain()).await.during(OPERATION)?;
    tx.commit().await.during(OPERATION)
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
        park(tx, row, error, attempts).await?;
    }
    queries::put_off(&mut **tx, row.id, to_timestamp(due), &error.chain()).await.during(OPERATION)
}

async fn park(tx: &mut sqlx::PgTransaction<'_>, row: &Operation, error: &Error, attempts: i32) -> Result<(), Error> {
    let payload = serde_json::json!({"kind": row.kind, "order_id": row.order_id, "lines": row.lines});
    let letter = Letter {
        source: dead_letters::GATE_OPS,
        key: &row.id.to_string(),
        payload: &payload,
        error: &error.chain(),
        attempts,
        first_failed_at: row.first_failed_at,
    };
    jobs::park(tx, letter).await
}
