//! Work that is neither done nor given up: it failed and waits for another attempt, or somebody was lost with it.

use super::queries;
use crate::{
    Store,
    admin::audit::{self, Action},
    carts,
    error::{During, Error},
    jobs::ALONE_FROM,
    orders,
    viewer::Viewer,
    world::{from_timestamp, to_timestamp},
};
use domain::{ApiError, Owner, work::StuckView};

const OPERATION: &str = "admin.stuck_work";
/// Pieces listed.
const MOST: usize = 50;
/// What waits for something else, or for its dead worker to be replaced, is taken up well before this.
const PATIENCE_MS: i64 = 60_000;
/// Longest name of a piece, in bytes.
const MAX_KEY: usize = 200;
const PLACED: &str = "placed";
const CART: &str = "cart";
const SOURCES: [&str; 8] =
    ["outbox", "gate_ops", "webhook_inbox", "sandbox_events", "expiry", "schedule", PLACED, CART];

/// What is stuck, the worst first; whether there is more than is listed.
pub(super) async fn all(store: &Store) -> Result<(Vec<StuckView>, bool), Error> {
    let (now, pg) = (store.now(), store.postgres(OPERATION).await?);
    let most = i64::try_from(MOST + 1).unwrap_or(i64::MAX);
    let patience = to_timestamp(now.plus(-PATIENCE_MS));
    let rows = queries::stuck(pg, to_timestamp(now), patience, ALONE_FROM, most).await.during(OPERATION)?;
    let mut all: Vec<StuckView> = rows
        .into_iter()
        .map(|row| StuckView {
            source: row.source,
            key: row.key,
            title: row.title,
            attempts: row.attempts,
            leases: row.leases,
            next_at: row.next_at.map(from_timestamp),
            error: row.error,
        })
        .collect();
    let held = orders::placed::held(store).await?;
    all.extend(held.into_iter().map(|entry| StuckView {
        source: PLACED.to_owned(),
        title: format!("Accepted order {}", entry.id),
        key: entry.id,
        attempts: 0,
        leases: entry.deliveries,
        next_at: None,
        error: None,
    }));
    let failing = carts::failing(store, MOST + 1).await?;
    all.extend(failing.into_iter().map(|cart| StuckView {
        source: CART.to_owned(),
        key: cart.owner.to_string(),
        title: format!("Cart of {}", cart.owner),
        attempts: cart.attempts,
        leases: cart.leases,
        next_at: cart.due,
        error: None,
    }));
    let has_more = all.len() > MOST;
    all.truncate(MOST);
    Ok((all, has_more))
}

/// Gives it its turn now; whoever was lost with it is forgotten.
pub async fn free(store: &Store, admin: &Viewer, source: &str, key: &str) -> Result<(), Error> {
    const OPERATION: &str = "admin.free_work";
    let Some(source) = SOURCES.into_iter().find(|known| *known == source) else {
        return Err(ApiError::not_found("work of that kind").into());
    };
    if key.len() > MAX_KEY || key.chars().any(char::is_control) {
        return Err(ApiError::not_found("that work").into());
    }
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    let subject = ("work", &format!("{source}:{key}") as &(dyn std::fmt::Display + Sync));
    audit::note(&mut *tx, store, admin, Action::WorkFree, subject, serde_json::Value::Null, serde_json::Value::Null)
        .await?;
    let is_there = match source {
        PLACED | CART => {
            // Redis is no part of the transaction: the log would rather name a wish too many than lack a deed.
            tx.commit().await.during(OPERATION)?;
            free_in_redis(store, source, key).await?
        }
        _ => {
            let is_there = queries::free(&mut *tx, source, key, to_timestamp(store.now())).await.during(OPERATION)?;
            if is_there {
                tx.commit().await.during(OPERATION)?;
            }
            is_there
        }
    };
    if !is_there {
        let message = "It is not there any more: it was done, or given up, meanwhile.";
        return Err(ApiError::new(domain::ErrorCode::Conflict, message).into());
    }
    store.views().work.forget().await;
    Ok(())
}

async fn free_in_redis(store: &Store, source: &str, key: &str) -> Result<bool, Error> {
    match (source, key.parse::<Owner>()) {
        (PLACED, _) => orders::placed::free(store, key).await,
        (_, Ok(owner)) => carts::hurry(store, owner).await,
        (_, Err(_)) => Ok(false),
    }
}
