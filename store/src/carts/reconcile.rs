//! `bazar reconcile carts`: finds where Redis and Postgres say different things about a cart that nobody is at, and
//! mends it while shoppers edit. A cart is mended only if it still stands as it was compared; a second run finds nothing.
//!
//! Nothing here should ever find anything: every step that a crash can cut off is repeated by its own worker. This is
//! for what nobody thought of, for a careless hand, and for a server that lost a part of its data.

use super::{
    compare::{self, AllCarts, Difference, Kind},
    parked, queries, scripts,
};
use crate::{
    Store,
    error::{During, Error},
    jobs::{
        self, dead_letters,
        schedule::{Every, Schedule, Scheduled},
    },
    world::to_timestamp,
};
use async_trait::async_trait;
use domain::Owner;
use serde::Serialize;
use std::collections::BTreeMap;

pub use crate::stock::reconcile::{Scope, Tally};

/// Carts that Postgres wrote so lately are looked at by the cheap run.
const RECENT_MS: i64 = 15 * 60_000;
/// Carts compared at once.
const PAGE: usize = 500;

/// What a run counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Carts of Redis that were looked at.
    pub carts: usize,
    /// Of these, dirty or parked: not judged.
    pub in_flight: usize,
    /// Carts that wait to be written for over a minute; the worker's business, and told by a metric.
    pub overdue: usize,
    /// Only kinds of which something was found.
    pub kinds: BTreeMap<&'static str, Tally>,
}

impl Report {
    /// Everything that was found is mended.
    pub fn is_repaired(&self) -> bool {
        self.kinds.values().all(|tally| tally.found == tally.repaired)
    }

    fn tell(&mut self, kind: &'static str, is_repaired: bool) {
        let tally = self.kinds.entry(kind).or_default();
        tally.found += 1;
        tally.repaired += usize::from(is_repaired);
    }
}

/// Looks and mends.
pub async fn run(store: &Store, scope: Scope) -> Result<Report, Error> {
    let mut report = Report::default();
    match scope {
        Scope::All => {
            let mut all = AllCarts::of(store);
            while let Some(owners) = all.next(store).await? {
                mend_page(store, &owners, &mut report).await?;
            }
        }
        Scope::Recent => {
            for owners in recent(store).await?.chunks(PAGE) {
                mend_page(store, owners, &mut report).await?;
            }
        }
    }
    mend_marks(store, &mut report).await?;
    for (kind, tally) in &report.kinds {
        metrics::counter!("carts_reconciled_total", "kind" => *kind).increment(tally.repaired as u64);
        tracing::warn!(kind, found = tally.found, repaired = tally.repaired, "Redis and Postgres had drifted apart");
    }
    Ok(report)
}

/// What Postgres wrote lately, and what failed to be written.
async fn recent(store: &Store) -> Result<Vec<Owner>, Error> {
    let since = to_timestamp(store.now().plus(-RECENT_MS));
    let mut owners = scripts::failing(store).await?;
    let mut after = String::new();
    loop {
        let page = queries::written_since(store.pg(), since, &after, PAGE).await.during("carts.reconcile.recent")?;
        let Some(last) = page.last() else { break };
        after.clone_from(last);
        owners.extend(page.iter().filter_map(|owner| owner.parse::<Owner>().ok()));
    }
    owners.sort_unstable_by_key(ToString::to_string);
    owners.dedup();
    Ok(owners)
}

async fn mend_page(store: &Store, owners: &[Owner], report: &mut Report) -> Result<(), Error> {
    let compared = compare::carts(store, owners).await?;
    report.carts += compared.carts;
    report.in_flight += compared.in_flight;
    for difference in compared.differences {
        match mend(store, difference).await {
            Ok(Some(is_mended)) => report.tell(difference.kind.name(), is_mended),
            // It moved: whoever moved it has marked it.
            Ok(None) => report.in_flight += 1,
            Err(error) => {
                jobs::alone(error, difference.owner)?;
                report.tell(difference.kind.name(), false);
            }
        }
    }
    Ok(())
}

/// `None`: there is nothing to mend any more.
async fn mend(store: &Store, difference: Difference) -> Result<Option<bool>, Error> {
    let Difference { owner, kind, .. } = difference;
    if kind == Kind::Unreadable {
        tracing::error!(cart.owner = %owner, "a cart that nobody can read");
        return Ok(Some(false));
    }
    let is_behind = kind == Kind::PostgresNewer;
    if !scripts::mend(store, &owner, (difference.v, difference.t), is_behind).await? {
        return Ok(None);
    }
    if is_behind {
        super::load(store, &owner, &[]).await?;
        scripts::announce(store, &owner).await?;
    }
    Ok(Some(true))
}

async fn mend_marks(store: &Store, report: &mut Report) -> Result<(), Error> {
    let overdue = compare::overdue(store).await?;
    report.overdue = overdue.waiting;
    for owner in overdue.without_cart {
        // A cart that came back meanwhile has moved, and keeps its mark.
        scripts::done(store, &[(owner, 0, 0)]).await?;
        report.tell("mark_without_cart", true);
    }
    let orphans = compare::orphans(store).await?;
    for owner in orphans.dead_without_letter {
        parked::start_anew(store, owner).await?;
        report.tell("dead_without_letter", true);
    }
    for (_, letter) in orphans.letters_without_mark {
        let is_retried = match dead_letters::retry(store, letter).await {
            Ok(_) => true,
            Err(error) => {
                jobs::alone(error, letter)?;
                false
            }
        };
        report.tell("letter_without_mark", is_retried);
    }
    Ok(())
}

/// `carts.reconcile` and `carts.reconcile_all`.
pub struct ReconcileCarts(pub Scope);

#[async_trait]
impl Scheduled for ReconcileCarts {
    fn schedule(&self) -> Schedule {
        match self.0 {
            Scope::Recent => Schedule { name: "carts.reconcile", every: Every::Seconds(180) },
            Scope::All => Schedule { name: "carts.reconcile_all", every: Every::DailyAt { hour: 2, minute: 30 } },
        }
    }

    async fn run(&self, store: &Store) -> Result<serde_json::Value, Error> {
        serde_json::to_value(run(store, self.0).await?).during("carts.reconcile")
    }
}
