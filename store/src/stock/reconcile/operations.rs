//! Operations that nobody brought to the gate: parked ones, and such whose turn is far off.
//!
//! Each is tried once more; its key at the gate makes that harmless if it was applied after all. One that can never be
//! read is closed: what it should have moved shows as drift, and is put right by counting.

use super::{Report, queries};
use crate::{
    Store,
    error::{During, Error},
    jobs::Job,
    stock::ApplyGateOps,
    world::to_timestamp,
};

const OPERATION: &str = "stock.reconcile_operations";
/// Operations are applied within a second; after this one is stuck.
const STUCK_MS: i64 = 60_000;
/// Operations of one run.
const MOST: i64 = 10_000;

pub(super) async fn mend(store: &Store, report: &mut Report) -> Result<(), Error> {
    let now = store.now();
    let since = to_timestamp(now.plus(-STUCK_MS));
    let stuck = queries::make_due(store.pg(), since, to_timestamp(now), MOST).await.during(OPERATION)?;
    report.stuck_operations.found = stuck.len();
    if stuck.is_empty() {
        return Ok(());
    }
    while queries::are_due(store.pg(), &stuck, to_timestamp(now)).await.during(OPERATION)? {
        ApplyGateOps.handle(store, ()).await?;
    }
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    let hopeless = queries::unreadable(&mut *tx, &stuck).await.during(OPERATION)?;
    queries::close(&mut *tx, &hopeless, to_timestamp(store.now())).await.during(OPERATION)?;
    queries::end_letters(&mut *tx, &stuck, to_timestamp(store.now())).await.during(OPERATION)?;
    let left = queries::unapplied_of(&mut *tx, &stuck).await.during(OPERATION)?;
    tx.commit().await.during(OPERATION)?;
    report.stuck_operations.repaired = stuck.len().saturating_sub(usize::try_from(left).unwrap_or(usize::MAX));
    Ok(())
}
