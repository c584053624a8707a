//! Whether the shop is well and tells the truth: its servers, and the checks and repairs that people ask for.

mod parts;
mod queries;
mod reports;
mod runs;

pub use runs::{DoRuns, ask};

use super::audit::{self, Action};
use crate::{
    Store, check,
    error::{During, Error},
    stock,
    viewer::Viewer,
};
use domain::{
    ApiError, BookId, ErrorCode,
    health::{DriftView, HealthView},
};
use serde_json::{Value, json};
use std::fmt::Display;

/// Everybody who looks within this time sees the same.
const GOOD_MS: i64 = 800;
/// Books listed that differ; with more of them, all are compared.
const MOST_DRIFT: usize = 50;

/// Servers, the latest runs, and the books that are wrong still. `may_run` is for the caller to say.
pub async fn overview(store: &Store) -> Result<HealthView, Error> {
    store.views().health.get(store, (), GOOD_MS, || look(store)).await
}

async fn look(store: &Store) -> Result<HealthView, Error> {
    let (parts, runs) = tokio::join!(parts::all(store), runs::latest(store));
    // While a server is away, the page is there to say so.
    let runs = there(runs).unwrap_or_default();
    let suspects: Vec<i64> = runs
        .iter()
        .filter_map(|run| run.report.as_ref())
        .flat_map(|report| report.drift.iter().copied())
        .take(MOST_DRIFT)
        .collect();
    let drift = there(drift(store, &suspects).await).unwrap_or_default();
    Ok(HealthView { parts, drift, runs, may_run: false })
}

fn there<T>(answer: Result<T, Error>) -> Option<T> {
    answer
        .inspect_err(|error| tracing::warn!(error = error as &dyn std::error::Error, "the health page lacks a part"))
        .ok()
}

async fn drift(store: &Store, books: &[i64]) -> Result<Vec<DriftView>, Error> {
    const OPERATION: &str = "admin.drift";
    let drift = check::drift(store, books).await?;
    if drift.is_empty() {
        return Ok(Vec::new());
    }
    let titles = queries::titles(store.postgres(OPERATION).await?, books).await.during(OPERATION)?;
    let title = |book: i64| titles.iter().find(|(id, _)| *id == book).map(|(_, title)| title.clone());
    Ok(drift
        .into_iter()
        .map(|drift| DriftView {
            book_id: drift.book,
            title: title(drift.book).unwrap_or_else(|| "No book of the catalogue".to_owned()),
            at_gate: drift.at_gate,
            ledger: drift.available,
            in_flight: drift.in_flight,
        })
        .collect())
}

/// Judges one book with its stock row locked, and puts the gate right if it really differs. That somebody wants it is written down
/// first: the gate is no part of a transaction.
pub async fn repair(store: &Store, admin: &Viewer, book: BookId) -> Result<(), Error> {
    const OPERATION: &str = "admin.repair";
    let found = check::drift(store, &[book.get()]).await?;
    let seen = found.first().map(|drift| (drift.at_gate, drift.expected()));
    let wanted = seen.map(|(at_gate, expected)| json!({ "at_gate": at_gate, "expected": expected }));
    let (log, subject) = (store.postgres(OPERATION).await?, ("book", &book.get() as &(dyn Display + Sync)));
    audit::note(log, store, admin, Action::StockRepair, subject, Value::Null, wanted.into()).await?;
    let report = stock::count_anew(store, &[book.get()]).await?;
    store.views().health.forget().await;
    if report.books_in_motion > 0 {
        let message = "This book is being sold right now and could not be judged. Please try again in a moment.";
        return Err(ApiError::new(ErrorCode::Conflict, message).into());
    }
    match seen.filter(|_| report.drift.repaired > 0) {
        None => Ok(()),
        Some((before, after)) => {
            let [before, after] = [before, after].map(|at_gate| json!({ "at_gate": at_gate }));
            audit::note(log, store, admin, Action::StockRepaired, subject, before, after).await
        }
    }
}
