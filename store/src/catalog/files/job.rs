//! `catalog.import`: imports the files that somebody wants.

use super::queries::{self, Wanted};
use crate::{
    Store,
    admin::audit::{self, Action},
    catalog::{
        self,
        import::{self, ImportError, ImportReport, queries as importing},
    },
    error::{During, Error, chain},
    jobs::{self, Job},
    world::to_timestamp,
};
use async_trait::async_trait;
use domain::catalog::desk::{FileState, KeptCopies, MAX_FAULTS, Outcome};
use serde_json::json;
use sqlx::PgTransaction;
use std::{io::Cursor, time::Duration};
use time::OffsetDateTime;
use tokio::sync::watch;

const OPERATION: &str = "files.import";
const PAUSE: Duration = Duration::from_millis(500);
/// A file whose worker died is taken over after this; each step forward renews it.
const LEASE_MS: i64 = 120_000;
/// Attempts that nobody's outage explains.
const MAX_ATTEMPTS: i32 = 3;

/// The job `catalog.import`.
pub struct ImportFiles;

#[async_trait]
impl Job for ImportFiles {
    type Batch = Wanted;

    fn name(&self) -> &'static str {
        "catalog.import"
    }

    async fn fetch(&self, store: &Store) -> Result<Option<Wanted>, Error> {
        let now = to_timestamp(store.now());
        let wanted = queries::take_up(store.pg(), now, lease(store)).await.during(OPERATION)?;
        if wanted.is_none() {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(wanted)
    }

    async fn handle(&self, store: &Store, file: Wanted) -> Result<(), Error> {
        if file.attempts > MAX_ATTEMPTS {
            return end(store, &file, trouble("Its worker died over it, several times.")).await;
        }
        let (lines, heard) = watch::channel(0);
        let work = bring_in(store, &file, move |count| {
            lines.send_replace(count);
        });
        let (done, ()) = tokio::join!(jobs::caught(OPERATION, work), tell(store, &file, heard));
        match done {
            Ok(Ok(())) => Ok(()),
            Ok(Err(ImportError::Refused(report))) => end(store, &file, refused(report)).await,
            Ok(Err(ImportError::Busy)) => put_off(store, &file).await,
            Ok(Err(ImportError::Store(error))) | Err(error) if error.is_away() => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a file of books waits");
                put_off(store, &file).await
            }
            Ok(Err(error)) => failed(store, &file, &chain(&error)).await,
            Err(error) => failed(store, &file, &chain(&error)).await,
        }
    }
}

/// The books and the end of the file, in one transaction. The inner error is about the file, the outer one a panic.
async fn bring_in(
    store: &Store,
    file: &Wanted,
    progress: impl FnMut(u64) + Send,
) -> Result<Result<(), ImportError>, Error> {
    let done = async {
        let mut tx = store.pg().begin().await.during(OPERATION)?;
        importing::lock(&mut tx).await.map_err(import::busy)?;
        let report = import::read_and_write(store, &mut tx, Cursor::new(file.content.clone()), progress).await?;
        if report.refused_total > 0 {
            tx.rollback().await.during(OPERATION)?;
            return Err(ImportError::Refused(report));
        }
        if end_in(&mut tx, store, file, FileState::Done, outcome(report)).await? {
            tx.commit().await.during(OPERATION)?;
            catalog::announce(store).await;
            tracing::info!(file.id = %file.id, "a file of books was imported");
        }
        Ok(())
    };
    Ok(done.await)
}

/// Writes down how far it is, until nobody counts any more.
async fn tell(store: &Store, file: &Wanted, mut lines: watch::Receiver<u64>) {
    while lines.changed().await.is_ok() {
        let count = i64::try_from(*lines.borrow_and_update()).unwrap_or(i64::MAX);
        if let Err(error) = queries::note_progress(store.pg(), file.id, count, lease(store)).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the progress of an import was not written down");
        }
    }
}

/// Nothing of it was imported.
async fn end(store: &Store, file: &Wanted, outcome: Outcome) -> Result<(), Error> {
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    end_in(&mut tx, store, file, FileState::Refused, outcome).await?;
    tx.commit().await.during(OPERATION)
}

/// Also in the log, under the name of who wanted it; `false`: it had ended before.
async fn end_in(
    tx: &mut PgTransaction<'_>,
    store: &Store,
    file: &Wanted,
    state: FileState,
    outcome: Outcome,
) -> Result<bool, Error> {
    let (report, at) = (serde_json::to_value(&outcome).during(OPERATION)?, to_timestamp(store.now()));
    if queries::end(&mut **tx, file.id, state, &report, at).await.during(OPERATION)? == 0 {
        return Ok(false);
    }
    let Outcome { lines, added, updated, kept_total, faults_total, trouble, .. } = outcome;
    let (action, after) = match state {
        FileState::Done => (Action::FileImported, json!({ "new": added, "known": updated, "copies kept": kept_total })),
        _ => (Action::FileRefused, json!({ "lines": lines, "refused": faults_total, "trouble": trouble })),
    };
    audit::note_end(tx, store, (Action::FileImport, action), ("file", &file.id), after).await?;
    Ok(true)
}

async fn put_off(store: &Store, file: &Wanted) -> Result<(), Error> {
    let due = to_timestamp(jobs::retry_at(store, 3));
    queries::put_off(store.pg(), file.id, due).await.during(OPERATION)
}

async fn failed(store: &Store, file: &Wanted, error: &str) -> Result<(), Error> {
    tracing::error!(file.id = %file.id, error, "a file of books could not be imported");
    end(store, file, trouble("Something went wrong on our side.")).await
}

fn lease(store: &Store) -> OffsetDateTime {
    to_timestamp(store.now().plus(LEASE_MS))
}

fn outcome(report: ImportReport) -> Outcome {
    let kept =
        |kept: import::Kept| KeptCopies { line: kept.line, book: kept.book, asked: kept.asked, on_hand: kept.on_hand };
    Outcome {
        lines: report.lines,
        added: report.added,
        updated: report.updated,
        kept: report.kept.into_iter().take(MAX_FAULTS).map(kept).collect(),
        kept_total: report.kept_total,
        ..Outcome::default()
    }
}

/// Lines that were good at the preview and are not any more.
fn refused(report: ImportReport) -> Outcome {
    let (faults, faults_total) = import::faults(report.refused, report.refused_total);
    Outcome { lines: report.lines, faults, faults_total, ..Outcome::default() }
}

fn trouble(why: &str) -> Outcome {
    Outcome { trouble: Some(format!("{why} Nothing was imported.")), ..Outcome::default() }
}
