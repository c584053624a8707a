//! For every cart, Postgres equals Redis once drained: dirty and parked carts are in flight, a cart in doubt is settled
//! by the first call that touches it, and what differs is looked at again.

use super::Finding;
use crate::{
    Store,
    carts::compare::{self, AllCarts, Difference},
    error::Error,
};
use domain::Owner;
use std::time::Duration;

/// Between two looks at a cart that differs.
const PAUSE: Duration = Duration::from_millis(300);

pub(super) async fn check(store: &Store) -> Result<Finding, Error> {
    let mut finding = Finding::new("carts: Postgres has what Redis has, once drained");
    let (mut carts, mut in_flight, mut suspects) = (0, 0, Vec::new());
    let mut all = AllCarts::of(store);
    while let Some(owners) = all.next(store).await? {
        let compared = compare::carts(store, &owners).await?;
        (carts, in_flight) = (carts + compared.carts, in_flight + compared.in_flight);
        suspects.extend(compared.differences.into_iter().filter(|difference| !difference.is_doubted));
    }
    let mut violations = confirmed(store, &suspects).await?;
    let orphans = compare::orphans(store).await?;
    violations
        .extend(orphans.dead_without_letter.iter().map(|owner| format!("{owner} is parked without a dead letter")));
    violations.extend(
        orphans.letters_without_mark.iter().map(|(owner, _)| format!("{owner} has a dead letter and is not parked")),
    );
    let overdue = compare::overdue(store).await?.without_cart;
    violations.extend(overdue.iter().map(|owner| format!("{owner} is marked and has no cart")));
    finding.count("carts", carts);
    finding.count("in_flight", in_flight);
    finding.violated(violations);
    Ok(finding)
}

/// Those that stand exactly as they stood, and still differ.
async fn confirmed(store: &Store, suspects: &[Difference]) -> Result<Vec<String>, Error> {
    if suspects.is_empty() {
        return Ok(Vec::new());
    }
    tokio::time::sleep(PAUSE).await;
    let owners: Vec<Owner> = suspects.iter().map(|suspect| suspect.owner).collect();
    let mut violations = Vec::new();
    for page in owners.chunks(500) {
        let again = compare::carts(store, page).await?.differences;
        let still = again.iter().filter(|difference| suspects.contains(difference));
        violations.extend(still.map(|difference| format!("{}: {}", difference.owner, difference.kind.name())));
    }
    violations.sort_unstable();
    violations.dedup();
    Ok(violations)
}
