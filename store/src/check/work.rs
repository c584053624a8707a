//! Promise 6: no work is lost. What is recorded is being done, and what was given up stands in the dead letters.

use super::{Finding, queries, snapshot};
use crate::{
    Store,
    error::{During, Error},
    stock::view,
    world::to_timestamp,
};
use std::{collections::HashSet, time::Duration};

const OPERATION: &str = "check.promise_6";
/// How long work may be overdue: longer than any pause of a worker that is there.
const GRACE_MS: i64 = 60_000;
/// Between two looks at an entry that is parked and not yet taken out of the stream.
const PAUSE: Duration = Duration::from_millis(500);
const ROUNDS: u32 = 6;

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
    violations.extend(parked_and_waiting(store).await?);
    finding.violated(violations);
    Ok(finding)
}

/// Entries that are parked and that nobody takes out of the stream all the same.
async fn parked_and_waiting(store: &Store) -> Result<Vec<String>, Error> {
    let mut left: Option<HashSet<String>> = None;
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        let ids: Vec<String> = view::read(store, Some(&[])).await?.entries.into_iter().map(|entry| entry.id).collect();
        let parked = crate::orders::parked(store.pg(), &ids).await.during(OPERATION)?;
        let still = match left {
            Some(before) => parked.intersection(&before).cloned().collect(),
            None => parked,
        };
        if still.is_empty() {
            return Ok(Vec::new());
        }
        left = Some(still);
    }
    let lines = left.into_iter().flatten().map(|id| format!("entry {id} is parked and still in the stream"));
    Ok(lines.collect())
}
