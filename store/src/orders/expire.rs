//! `orders.expire`: ends what was not paid in time.

use super::{
    change::{self, Change},
    queries,
};
use crate::{
    Store,
    error::Error,
    jobs::{Job, is_away},
};
use async_trait::async_trait;
use domain::{
    OrderId, UnixMillis,
    order::{Cause, OrderStatus},
};
use futures::{StreamExt, stream};
use std::time::Duration;
use uuid::Uuid;

/// Pause between two looks when nothing was due.
const PAUSE: Duration = Duration::from_secs(1);
/// Orders read at once.
const PAGE: i64 = 200;
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
        loop {
            let page = queries::due(store, due, last, PAGE).await?;
            let Some(end) = page.last() else { break };
            last = Some((end.expires_at, end.id));
            let orders: Vec<Uuid> = page.into_iter().map(|order| order.id).collect();
            match change::expire(store, &orders, store.now()).await {
                Ok(ended) => tracing::info!(orders = ended, "expired"),
                Err(error) if is_away(&error) => return Err(error),
                // One of them cannot be ended: find out which.
                Err(_) => failed = one_by_one(store, &orders).await.or(failed),
            }
        }
        failed.map_or(Ok(()), Err)
    }
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
    match change::apply_alone(store, change).await {
        Ok(Some(_)) => tracing::info!(order.id = %order, "expired"),
        // Paid or cancelled in the meantime.
        Ok(None) => {}
        Err(error) => {
            tracing::warn!(order.id = %order, error = &error as &dyn std::error::Error, "could not expire");
            return Err(error);
        }
    }
    Ok(())
}
