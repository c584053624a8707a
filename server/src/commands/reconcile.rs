//! `bazar reconcile`: mends what Redis and Postgres, or providers and ledger, disagree about, and says how many of each kind there were.

use crate::failure::Failure;
use clap::ValueEnum;
use store::{
    Store, carts, payments,
    stock::{
        self,
        reconcile::{Scope, Tally},
    },
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    Carts,
    Stock,
    /// Carts and stock
    All,
    /// What the payment providers say, and what the ledger has
    Payments,
}

pub async fn run(store: &Store, what: What, days: i64) -> Result<(), Failure> {
    let mut is_repaired = true;
    if matches!(what, What::Carts | What::All) {
        let report = carts::reconcile::run(store, Scope::All).await?;
        println!("carts: {} compared, {} in flight, {} overdue", report.carts, report.in_flight, report.overdue);
        report.kinds.iter().for_each(|(kind, tally)| show(kind, *tally));
        is_repaired &= report.is_repaired();
    }
    if matches!(what, What::Stock | What::All) {
        let report = stock::reconcile::run(store, Scope::All).await?;
        let (books, moving) = (report.books, report.books_in_motion);
        println!("stock: {books} books, {moving} of them in motion, {} reservations", report.reservations);
        report.kinds().into_iter().filter(|(_, tally)| tally.found > 0).for_each(|(kind, tally)| show(kind, tally));
        if let Some(reason) = &report.skipped {
            println!("       not all was looked at: {reason}");
        }
        is_repaired &= report.is_repaired();
    }
    if what == What::Payments {
        let report = payments::reconcile::run(store, days).await?;
        println!("payments: {} moves of {days} days compared, {} differ", report.moves, report.differences);
        report.lines.iter().for_each(|line| println!("       {line}"));
        report.skipped.iter().for_each(|line| println!("       not compared: {line}"));
        is_repaired &= report.is_repaired();
    }
    if is_repaired { Ok(()) } else { Err(Failure::said("not everything could be mended: see above")) }
}

fn show(kind: &str, tally: Tally) {
    println!("       {kind}: {} found, {} mended", tally.found, tally.repaired);
}
