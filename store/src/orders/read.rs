//! Orders for pages: from Postgres, or from the gate while they wait to be written down.

use super::{placed, queries, reservations};
use crate::{
    Store,
    error::{Error, is_outage},
    outage,
    viewer::Viewer,
};
use domain::{
    OrderId, Owner,
    desk::AtGate,
    order::{OrderList, OrderSummary, OrderView},
};
use std::collections::HashSet;

/// Rows of a shopper's list.
const LIST_SIZE: usize = 100;

/// The order with its owner, wherever it is; callers check who may see it.
pub(super) async fn order(store: &Store, order: OrderId) -> Result<Option<(Owner, OrderView)>, Error> {
    // Postgres, gate, Postgres: an order that moves from the one to the other between two looks is found in the third.
    let written = || store.ask_postgres("orders.view", outage::LONG, queries::view(store, order));
    let ledger = written().await;
    if let Ok(Some(found)) = ledger {
        return Ok(Some(found));
    }
    if let Some(waiting) = reservations::waiting(store, &[order]).await?.pop() {
        let owner = waiting.draft.owner;
        return Ok(Some((owner, waiting.draft.view(waiting.cancel_asked, store.now()))));
    }
    ledger?;
    written().await
}

pub(super) async fn list(store: &Store, viewer: &Viewer) -> Result<OrderList, Error> {
    // The gate first: what is persisted between the two looks is then seen twice, not never.
    let waiting = waiting(store, viewer).await;
    let written =
        match store.ask_postgres("orders.list", outage::LONG, queries::summaries(store, viewer, LIST_SIZE)).await {
            Ok(written) => written,
            Err(Error::Postgres { operation, source }) if is_outage(&source) => {
                tracing::warn!(operation, "listing only what the gate has");
                return waiting.map(|orders| OrderList { orders, is_whole: false });
            }
            Err(failure) => return Err(failure),
        };
    // The other way round, Postgres alone can answer for everything that is not waiting.
    let mut orders = waiting.unwrap_or_else(|error| {
        tracing::warn!(error = &error as &dyn std::error::Error, "listing only what Postgres has");
        Vec::new()
    });
    let known: HashSet<OrderId> = written.iter().map(|order| order.order_id).collect();
    orders.retain(|order| !known.contains(&order.order_id));
    orders.extend(written);
    orders.sort_by_key(|order| std::cmp::Reverse((order.placed_at, order.order_id)));
    orders.truncate(LIST_SIZE);
    Ok(OrderList { orders, is_whole: true })
}

/// Whoever's they are; callers have checked who may see that.
pub(crate) async fn at_gate(store: &Store, most: usize) -> Result<AtGate, Error> {
    let (count, latest) = placed::latest(store, most).await?;
    let waiting = reservations::waiting(store, &latest).await?;
    Ok(AtGate { count, orders: waiting.into_iter().map(|order| order.draft.summary()).collect() })
}

/// Also those that this browser placed as a guest, before it logged in.
async fn waiting(store: &Store, viewer: &Viewer) -> Result<Vec<OrderSummary>, Error> {
    let mut orders = reservations::held(store, &viewer.owner).await?;
    let guests = viewer.receipts.iter().filter(|(_, owner)| owner.guest().is_some());
    orders.extend(guests.map(|(order, _)| *order));
    orders.sort_unstable();
    orders.dedup();
    let mut waiting = reservations::waiting(store, &orders).await?;
    waiting.retain(|order| viewer.may_see(order.draft.order_id, &order.draft.owner, &order.draft.email));
    let mut orders: Vec<_> = waiting.into_iter().map(|order| order.draft.summary()).collect();
    orders.sort_by_key(|order| std::cmp::Reverse((order.placed_at, order.order_id)));
    Ok(orders)
}
