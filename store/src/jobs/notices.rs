//! Live messages of orders that were just written down: whoever wrote them tells of them at once. Their rows in the outbox
//! become due only for the case that nobody does.

use super::{Topic, enqueue_all, queries};
use crate::{
    Store,
    error::{During, Error},
    keys::Keys,
};
use domain::{OrderId, Owner};
use redis::Pipeline;
use sqlx::PgExecutor;
use time::OffsetDateTime;

/// By then, ms, the writer has told of its orders, or never will.
pub(crate) const TOLD_WITHIN_MS: i64 = 2_000;

/// New orders, and the rows that say that nobody has heard of them.
#[derive(Default)]
pub(crate) struct Notices {
    rows: Vec<i64>,
    orders: Vec<(OrderId, Owner)>,
}

/// In the transaction that writes the orders; from `due` on the lane `outbox.notices` tells of them.
pub(crate) async fn notice(
    db: impl PgExecutor<'_>,
    orders: Vec<(OrderId, Owner)>,
    due: OffsetDateTime,
) -> sqlx::Result<Notices> {
    let keys: Vec<String> = orders.iter().map(|(order, _)| order.to_string()).collect();
    let rows = enqueue_all(db, Topic::OrderChanged, &keys, due).await?;
    Ok(Notices { rows, orders })
}

/// After the commit. What cannot be told now is left to the lane.
pub(crate) async fn tell(store: &Store, notices: Notices) {
    const FIRST: i64 = 1;
    if notices.orders.is_empty() {
        return;
    }
    let mut pipe = redis::pipe();
    for (order, owner) in &notices.orders {
        publish(&mut pipe, store.keys(), &order.to_string(), &owner.to_string(), FIRST);
    }
    let told = async {
        pipe.exec_async(&mut store.redis()).await.during("orders.tell")?;
        queries::delete(store.pg(), &notices.rows).await.during("orders.tell")
    };
    let told: Result<(), Error> = told.await;
    if let Err(error) = told {
        tracing::debug!(error = &error as &dyn std::error::Error, "new orders are told of later");
    }
}

pub(super) fn publish(pipe: &mut Pipeline, keys: &Keys, order: &str, owner: &str, version: i64) {
    let json = serde_json::json!({"order_id": order, "owner": owner, "version": version});
    pipe.publish(keys.live_order(), json.to_string()).ignore();
}
