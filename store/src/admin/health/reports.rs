//! What checks and repairs found, in the one shape in which it is kept and shown.

use crate::{
    Store, carts, check,
    error::Error,
    payments,
    stock::{
        self,
        reconcile::{Scope, Tally},
    },
};
use domain::health::{Report, RunKind, Section};

/// Lines kept of one section.
const MOST_LINES: usize = 100;
/// Books kept that differ.
const MOST_BOOKS: usize = 200;

/// Does it.
pub(super) async fn make(store: &Store, kind: RunKind) -> Result<Report, Error> {
    Ok(match kind {
        RunKind::Check => check(store).await?,
        RunKind::Stock => of(stock(store).await?),
        RunKind::Carts => of(carts(store).await?),
        RunKind::Payments => of(payments(store).await?),
    })
}

fn of(section: Section) -> Report {
    Report { sections: vec![section], drift: Vec::new() }
}

async fn check(store: &Store) -> Result<Report, Error> {
    let (findings, drift) = check::with_drift(store).await?;
    let sections = findings.into_iter().map(|finding| Section {
        title: format!("Promise {}", finding.promise),
        is_good: finding.violations.is_empty(),
        figures: finding.figures.into_iter().map(|(what, figure)| (words(what), figure)).collect(),
        lines: finding.violations,
    });
    let mut drift: Vec<i64> = drift.into_iter().map(|drift| drift.book).collect();
    drift.truncate(MOST_BOOKS);
    Ok(Report { sections: sections.collect(), drift })
}

async fn stock(store: &Store) -> Result<Section, Error> {
    let report = stock::reconcile::run(store, Scope::All).await?;
    let mut section = section("Stock", report.is_repaired());
    section.figures = figures([
        ("books", report.books),
        ("books in motion", report.books_in_motion),
        ("reservations", report.reservations),
    ]);
    report.kinds().into_iter().for_each(|(kind, tally)| tell(&mut section, kind, tally));
    section.lines.extend(report.skipped.map(|reason| format!("Not all was looked at: {reason}")));
    Ok(section)
}

async fn carts(store: &Store) -> Result<Section, Error> {
    let report = carts::reconcile::run(store, Scope::All).await?;
    let mut section = section("Carts", report.is_repaired());
    section.figures = figures([("carts", report.carts), ("in flight", report.in_flight), ("overdue", report.overdue)]);
    report.kinds.iter().for_each(|(kind, tally)| tell(&mut section, kind, *tally));
    Ok(section)
}

async fn payments(store: &Store) -> Result<Section, Error> {
    let report = payments::reconcile::run(store, payments::reconcile::DAYS).await?;
    let mut section = section("Payments", report.is_repaired());
    section.figures =
        figures([("moves", report.moves), ("differences", report.differences), ("mended", report.mended)]);
    section.lines = report.lines;
    section.lines.extend(report.skipped.into_iter().map(|reason| format!("Not compared: {reason}")));
    section.lines.truncate(MOST_LINES);
    Ok(section)
}

fn section(title: &str, is_good: bool) -> Section {
    Section { title: title.to_owned(), is_good, ..Section::default() }
}

fn figures<const N: usize>(figures: [(&str, usize); N]) -> Vec<(String, i64)> {
    figures.into_iter().map(|(what, figure)| (what.to_owned(), number(figure))).collect()
}

fn tell(section: &mut Section, kind: &str, tally: Tally) {
    if tally.found > 0 {
        section.lines.push(format!("{}: {} found, {} mended", words(kind), tally.found, tally.repaired));
    }
}

fn words(name: &str) -> String {
    name.replace('_', " ")
}

fn number(figure: usize) -> i64 {
    i64::try_from(figure).unwrap_or(i64::MAX)
}
