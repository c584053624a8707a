//! `bazar reconcile stock`: finds where gate and ledger have drifted apart, and mends it while the shop sells on.
//!
//! Nothing here should ever find anything: every window between two steps has an owner. This is for what nobody thought
//! of, for a careless hand, and for data that a server lost in part. Each kind is judged only on facts that cannot be a
//! matter of timing (said where it is done), and mended on the condition that they still hold.

mod books;
mod operations;
mod orders;
mod queries;
mod scripts;

pub(super) use queries::end_letters;

use super::load;
use crate::{
    Store,
    error::Error,
    jobs::schedule::{Every, Schedule, Scheduled},
};
use async_trait::async_trait;
use serde::Serialize;
use std::collections::BTreeSet;

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All orders at the gate, and the books that moved lately.
    Recent,
    /// All orders and all books.
    All,
}

/// How many of one kind were found wrong, and how many of those are right now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub found: usize,
    pub repaired: usize,
}

impl Tally {
    /// What the script did not find as it was judged had moved on by itself, and was not wrong.
    fn mended(&mut self, is_done: bool) {
        self.found += usize::from(is_done);
        self.repaired += usize::from(is_done);
    }
}

/// What a run counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    pub books: usize,
    /// Books that moved whenever they were looked at: not judged.
    pub books_in_motion: usize,
    /// Reservations at the gate.
    pub reservations: usize,
    /// The gate has another number of copies than the ledger says.
    pub drift: Tally,
    /// Accepted orders that only the reservation knew of; they are in the stream again.
    pub lost_entries: Tally,
    /// Reservations and holds of orders that have ended, or never were.
    pub orphaned_reservations: Tally,
    pub orphaned_holds: Tally,
    /// Open orders that the gate did not know, or did not count for their owner.
    pub missing_reservations: Tally,
    pub missing_holds: Tally,
    /// Operations that nobody brought to the gate.
    pub stuck_operations: Tally,
    /// Why something was not looked at.
    pub skipped: Option<String>,
}

impl Report {
    /// Everything that was found is mended, and nothing was left out.
    pub fn is_repaired(&self) -> bool {
        self.skipped.is_none() && self.kinds().iter().all(|(_, tally)| tally.found == tally.repaired)
    }

    pub fn kinds(&self) -> [(&'static str, Tally); 7] {
        [
            ("drift", self.drift),
            ("lost_entries", self.lost_entries),
            ("orphaned_reservations", self.orphaned_reservations),
            ("orphaned_holds", self.orphaned_holds),
            ("missing_reservations", self.missing_reservations),
            ("missing_holds", self.missing_holds),
            ("stuck_operations", self.stuck_operations),
        ]
    }
}

/// Looks and mends; a second run finds nothing. Loads the gate first if it is lost.
pub async fn run(store: &Store, scope: Scope) -> Result<Report, Error> {
    load::ensure_loaded(store).await?;
    let mut report = Report::default();
    // In this order: what the first two mend moves copies, and the last one counts them.
    operations::mend(store, &mut report).await?;
    orders::mend(store, &mut report).await?;
    books::mend(store, scope, &mut report).await?;
    tell(&report);
    Ok(report)
}

/// Only the books that moved lately: copies that were taken at the gate and never written down are on sale again.
pub(super) async fn give_back(store: &Store) -> Result<(), Error> {
    load::ensure_loaded(store).await?;
    let mut report = Report::default();
    books::mend(store, Scope::Recent, &mut report).await?;
    tell(&report);
    Ok(())
}

/// What it takes at the gate, or finds missing in the ledger, is looked at by the next run, whatever becomes of the caller.
pub(crate) async fn suspect(store: &Store, books: &[i64]) -> Result<(), Error> {
    books::suspect(store, books).await
}

/// Counts these books now.
pub(crate) async fn count_anew(store: &Store, books: BTreeSet<i64>) -> Result<Report, Error> {
    let mut report = Report::default();
    books::judge_all(store, books, &mut report).await?;
    tell(&report);
    Ok(report)
}

fn tell(report: &Report) {
    for (kind, tally) in report.kinds().into_iter().filter(|(_, tally)| tally.found > 0) {
        metrics::counter!("stock_reconciled_total", "kind" => kind).increment(tally.repaired as u64);
        tracing::warn!(kind, found = tally.found, repaired = tally.repaired, "gate and ledger had drifted apart");
    }
}

/// `stock.reconcile` and `stock.reconcile_all`.
pub struct ReconcileStock(pub Scope);

#[async_trait]
impl Scheduled for ReconcileStock {
    fn schedule(&self) -> Schedule {
        match self.0 {
            Scope::Recent => Schedule { name: "stock.reconcile", every: Every::Seconds(120) },
            Scope::All => Schedule { name: "stock.reconcile_all", every: Every::DailyAt { hour: 3, minute: 0 } },
        }
    }

    async fn run(&self, store: &Store) -> Result<serde_json::Value, Error> {
        let report = run(store, self.0).await?;
        serde_json::to_value(report).map_err(|error| Error::unexpected("stock.reconcile", error.to_string()))
    }
}
