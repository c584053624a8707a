//! The well-known part of the catalogue, read before anybody asks: carts, orders and pages go on without Postgres also
//! with books that this process never showed.

use super::{cache::MAX_BOOKS, find, queries};
use crate::{
    Store,
    error::{During, Error},
    outage,
};
use domain::BookId;
use std::time::Duration;
use tokio::time::sleep;

/// Books of one query.
const PAGE: usize = 500;
/// Between two looks for books that are new, or had to make room.
const EVERY: Duration = Duration::from_secs(300);
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Keeps what is best known in the process, as much as the cache holds. Never ends.
pub async fn keep_warm(store: &Store) {
    loop {
        match warm(store).await {
            Ok(0) => sleep(EVERY).await,
            Ok(books) => {
                tracing::info!(books, "the catalogue is at hand");
                sleep(EVERY).await;
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the catalogue is not all at hand");
                sleep(AFTER_FAILURE).await;
            }
        }
    }
}

/// Reads what is missing; returns how many books that were.
pub async fn warm(store: &Store) -> Result<usize, Error> {
    const OPERATION: &str = "catalog.warm";
    let cache = store.catalog_cache();
    super::home(store).await?;
    super::categories(store).await?;
    find::warm(store).await?;
    let most = i64::try_from(MAX_BOOKS).unwrap_or(i64::MAX);
    let ask = async { queries::best_known(store.pg(), most).await.during(OPERATION) };
    let mut missing: Vec<BookId> = store.ask_postgres(OPERATION, outage::LONG, ask).await?;
    missing.retain(|id| !cache.books.has(id));
    for page in missing.chunks(PAGE) {
        let ids: Vec<i64> = page.iter().map(|id| id.get()).collect();
        let tickets = cache.tickets(store.now());
        let ask = async { queries::books(store.pg(), &ids).await.during(OPERATION) };
        for book in store.ask_postgres(OPERATION, outage::LONG, ask).await? {
            cache.keep(&book, tickets);
        }
    }
    Ok(missing.len())
}
