//! `orders.expire`: ends what was not paid in time.

use super::{
    change::{self, Change},
    queries,
};
use crate::{Store, error::Error, jobs::Job};
use async_trait::async_trait;
use domain::{
    OrderId,
    order::{Cause, OrderStatus},
};
use std::time::Duration;

/// Pause between two looks when nothing was due.
const PAUSE: Duration = Duration::from_secs(1);
/// Orders of one sweep.
const BATCH: i64 = 100;

/// Sweeps over the deadlines in Postgres, once a second.
pub struct ExpireOrders;

#[async_trait]
impl Job for ExpireOrders {
    type Batch = Vec<OrderId>;

    fn name(&self) -> &'static str {
        "orders.expire"
    }

    async fn fetch(&self, store: &Store) -> Result<Option<Vec<OrderId>>, Error> {
        let due = queries::due(store, store.now(), BATCH).await?;
        if due.is_empty() {
            tokio::time::sleep(PAUSE).await;
            return Ok(None);
        }
        Ok(Some(due))
    }

    /// Each in a transaction of its own: one that cannot be ended does not keep the others.
    async fn handle(&self, store: &Store, batch: Vec<OrderId>) -> Result<(), Error> {
        let mut failed = None;
        for order in batch {
            let change = Change {
                order,
                from: OrderStatus::PaymentPending,
                to: OrderStatus::Expired,
                cause: Cause::DeadlinePassed,
                note: None,
            };
            match change::apply_alone(store, change).await {
                Ok(Some(_)) => tracing::info!(order.id = %order, "expired"),
                // Paid or cancelled in the meantime.
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(order.id = %order, error = &error as &dyn std::error::Error, "could not expire");
                    failed = Some(error);
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }
}
