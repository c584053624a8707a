//! The work behind the shop: what waits and for how long, who is at it, what got stuck, and what was given up.

pub mod letters;
mod queries;
mod schedules;
mod sources;
mod stuck;

pub use schedules::run_now;
pub use stuck::free;

use crate::{Store, error::Error, jobs::pulse};
use domain::work::WorkView;

/// Everybody who looks within this time sees the same.
const GOOD_MS: i64 = 800;

/// Queues, workers, what is stuck, and the schedules.
pub async fn overview(store: &Store) -> Result<WorkView, Error> {
    store.views().work.get(store, (), GOOD_MS, || count(store)).await
}

async fn count(store: &Store) -> Result<WorkView, Error> {
    let workers = pulse::read(store).await?;
    let (stuck, more_stuck) = stuck::all(store).await?;
    Ok(WorkView {
        processes: u32::try_from(workers.processes).unwrap_or(u32::MAX),
        sources: sources::all(store, &workers).await?,
        stuck,
        more_stuck,
        schedules: schedules::all(store).await?,
    })
}
