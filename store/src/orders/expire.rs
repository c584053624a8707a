//! `orders.expire`: ends what was not paid in time. What cannot be ended is put off, and in the end left to a person; a book
//! that somebody keeps locked holds up its own orders only.

use super::{
    change::{self, Change},
    queries,
};
use crate::{
    Store,
    error::{During, Error},
    jobs::{Job, Letter, MAX_ATTEMPTS, caught, dead_letters, is_away, park, retry_at},
    payments,
    world::to_timestamp,
};
use async_trait::async_trait;
use domain::{
    OrderId, UnixMillis,
    order::{Cause, OrderStatus},
};
use futures::{StreamExt, stream};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

const OPERATION: &str = "orders.expire";
/// Pause between two looks when nothing was due.
const PAUSE: Duration = Duration::from_secs(1);
/// Orders read at once.
const PAGE: i64 = 200;
/// How long a sweep may be busy with providers: money that is on its way to them still counts, and none comes after it.
const CLOSING: Duration = Duration::from_secs(10);
/// Orders ended at the same time.
const PARALLEL: usize = 4;

/// Sweeps over the deadlines in Postgres, once a second.
pub struct ExpireOrders;

#[async_trait]
impl Job for ExpireOrders {
    type Batch = UnixMillis;

    fn name(&self) -> &'static str {
        "orders.expire"
    }

    /// Counted one by one where they are done.
    fn pieces(&self, _: &Self::Batch) -> u64 {
        0
    }

    async fn fetch(&self, store: &Store) -> Result<Option<UnixMillis>, Error> {
        let now = store.now();
        if queries::due(store, now, None, 1).await?.is_empty() {
            tokio::time::sleep(PAUSE).await;
            return Ok(None);
        }
        Ok(Some(now))
    }

    /// All that was due then, page after page: those that cannot be ended do not keep the others, however many they are.
    async fn handle(&self, store: &Store, due: UnixMillis) -> Result<(), Error> {
        let (mut failed, mut last) = (None, None);
        let closing_ends = Instant::now() + CLOSING;
        loop {
            let page = queries::due(store, due, last, PAGE).await?;
            let Some(end) = page.last() else { break };
            last = Some((end.expires_at, end.id));
            let orders: Vec<Uuid> = page.into_iter().map(|order| order.id).collect();
            payments::close_all(store, &orders, closing_ends).await;
            if let Err(error) = sweep(store, &orders).await {
                if is_away(&error) {
                    return Err(error);
                }
                // One of them cannot be ended: find out which.
                failed = one_by_one(store, &orders).await.or(failed);
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

/// All in one transaction, but for those whose books somebody keeps locked: their turn is in the next sweep.
async fn sweep(store: &Store, orders: &[Uuid]) -> Result<(), Error> {
    let ended = match caught(OPERATION, change::expire(store, orders, store.now())).await {
        Err(error) if error.is_locked() => {
            let free = queries::unlocked(store.pg(), orders).await.during(OPERATION)?;
            tracing::warn!(orders = orders.len() - free.len(), "left for later: their books are locked");
            match free.len() < orders.len() {
                true => change::expire(store, &free, store.now()).await?,
                false => return Err(error),
            }
        }
        outcome => outcome?,
    };
    store.pulse().did(OPERATION, ended as u64);
    tracing::info!(orders = ended, "expired");
    Ok(())
}

/// Each in a transaction of its own; returns one of the failures.
async fn one_by_one(store: &Store, orders: &[Uuid]) -> Option<Error> {
    let calls: Vec<_> = orders.iter().map(|order| expire(store, OrderId::new(*order))).collect();
    let outcomes: Vec<_> = stream::iter(calls).buffer_unordered(PARALLEL).collect().await;
    outcomes.into_iter().filter_map(Result::err).last()
}

async fn expire(store: &Store, order: OrderId) -> Result<(), Error> {
    let (from, to) = (OrderStatus::PaymentPending, OrderStatus::Expired);
    let change = Change { order, from, to, cause: Cause::DeadlinePassed, note: None };
    match caught(OPERATION, change::apply_alone(store, change)).await {
        Ok(Some(_)) => {
            store.pulse().did(OPERATION, 1);
            tracing::info!(order.id = %order, "expired");
        }
        // Paid or cancelled in the meantime.
        Ok(None) => {}
        Err(error) => {
            tracing::warn!(order.id = %order, error = &error as &dyn std::error::Error, "could not expire");
            if !is_away(&error) {
                put_off(store, order, &error).await?;
            }
            return Err(error);
        }
    }
    Ok(())
}

/// Later again; after the last attempt a dead letter tells of it, and the order stays as it is.
async fn put_off(store: &Store, order: OrderId, error: &Error) -> Result<(), Error> {
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    let at = to_timestamp(store.now());
    let (attempts, first) = queries::count_failure(&mut *tx, order, at).await.during(OPERATION)?;
    let due = (attempts < MAX_ATTEMPTS).then(|| to_timestamp(retry_at(store, attempts)));
    queries::put_off(&mut *tx, order, due).await.during(OPERATION)?;
    if due.is_none() {
        let letter = Letter {
            source: dead_letters::EXPIRY,
            key: &order.to_string(),
            payload: &serde_json::json!({ "order_id": order }),
            error: &error.chain(),
            attempts,
            first_failed_at: Some(first),
        };
        park(&mut tx, letter).await?;
    }
    tx.commit().await.during(OPERATION)
}
