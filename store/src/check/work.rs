//! Promise 6: no work is lost. What is recorded is being done, and what was given up stands in the dead letters.

use super::{Finding, queries, snapshot};
use crate::{
    Store,
    error::{During, Error},
    stock::view,
    world::to_timestamp,
};
use time::OffsetDateTime;

const OPERATION: &str = "check.promise_6";
/// How long work may be overdue: longer than the takeover from a dead worker, a restart, or a rebuild.
const GRACE_MS: i64 = 300_000;

pub(super) async fn check(store: &Store) -> Result<Finding, Error> {
    let mut finding = Finding::new("6: no work is lost");
    let mut tx = snapshot(store).await?;
    let totals = queries::work(&mut tx).await.during(OPERATION)?;
    finding.figures.extend([
        ("in_the_outbox", totals.outbox),
        ("gate_ops_waiting", totals.operations),
        ("dead_letters", totals.letters),
    ]);
    let limit = to_timestamp(store.now().plus(-GRACE_MS));
    let mut violations = queries::idle_work(&mut tx, limit).await.during(OPERATION)?;
    violations.extend(queries::aimless_work(&mut tx).await.during(OPERATION)?);
    violations.extend(queries::unaccounted_operations(&mut tx).await.during(OPERATION)?);
    tx.rollback().await.during(OPERATION)?;
    violations.extend(parked_and_waiting(store, limit).await?);
    finding.violated(violations);
    Ok(finding)
}

/// Entries that were parked long ago and that nobody takes out of the stream all the same.
async fn parked_and_waiting(store: &Store, limit: OffsetDateTime) -> Result<Vec<String>, Error> {
    let ids: Vec<String> = view::read(store, Some(&[])).await?.entries.into_iter().map(|entry| entry.id).collect();
    let parked = queries::parked_before(store.pg(), &ids, limit).await.during(OPERATION)?;
    Ok(parked.into_iter().map(|id| format!("entry {id} is parked and still in the stream")).collect())
}
