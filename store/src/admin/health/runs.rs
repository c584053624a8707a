//! `health.runs`: checks and repairs that somebody asked for, done by a worker, one at a time. Its worker renews the lease
//! while it is at it; should the worker die, another one begins anew, and after the third the run counts as failed.

use super::{
    queries::{self, Leased},
    reports,
};
use crate::{
    Store,
    admin::audit::{self, Action},
    error::{During, Error},
    jobs::{self, Job},
    viewer::Viewer,
    world::{from_timestamp, to_timestamp},
};
use async_trait::async_trait;
use domain::{
    AccountId, ApiError, ErrorCode,
    health::{RunKind, RunView},
};
use serde_json::Value;
use std::time::Duration;

const OPERATION: &str = "health.runs";
const PAUSE: Duration = Duration::from_secs(1);
/// A run whose worker died is taken over after this.
const LEASE_MS: i64 = 30_000;
const RENEW: Duration = Duration::from_secs(8);
/// No run takes longer.
const LONGEST: Duration = Duration::from_secs(1800);
/// Workers that may die of one run.
const MOST_ATTEMPTS: i32 = 3;
/// Runs kept of each kind.
const KEPT: i64 = 50;

/// Asks for a run; a worker begins it within a second or two.
pub async fn ask(store: &Store, admin: &Viewer, kind: RunKind) -> Result<(), Error> {
    const OPERATION: &str = "admin.ask_for_run";
    let by = admin.owner.account().map(AccountId::get);
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    let asked = queries::ask(&mut *tx, kind.as_str(), by, to_timestamp(store.now())).await.during(OPERATION)?;
    let Some(id) = asked else {
        let message = "Another check or repair is under way. There is one at a time: please wait until it is done.";
        return Err(ApiError::new(ErrorCode::Conflict, message).into());
    };
    let after = serde_json::json!({ "kind": kind.as_str() });
    audit::note(&mut *tx, store, admin, Action::HealthRun, ("run", &id), Value::Null, after).await?;
    tx.commit().await.during(OPERATION)?;
    store.views().health.forget().await;
    Ok(())
}

/// The latest run of each kind that ever ran.
pub(super) async fn latest(store: &Store) -> Result<Vec<RunView>, Error> {
    const OPERATION: &str = "admin.latest_runs";
    let rows = queries::latest(store.postgres(OPERATION).await?).await.during(OPERATION)?;
    let views = rows.into_iter().map(|row| {
        let kind = RunKind::parse(&row.kind).ok_or_else(|| Error::unexpected(OPERATION, "an unknown kind"))?;
        Ok(RunView {
            kind,
            by: row.by,
            asked_at: from_timestamp(row.asked_at),
            started_at: row.started_at.map(from_timestamp),
            finished_at: row.finished_at.map(from_timestamp),
            report: row.report.map(serde_json::from_value).transpose().during(OPERATION)?,
            error: row.error,
        })
    });
    views.collect()
}

/// The job.
pub struct DoRuns;

/// A run, leased.
pub struct Run(Leased);

#[async_trait]
impl Job for DoRuns {
    type Batch = Run;

    fn name(&self) -> &'static str {
        OPERATION
    }

    async fn fetch(&self, store: &Store) -> Result<Option<Run>, Error> {
        let now = store.now();
        let leased = queries::lease(store.pg(), to_timestamp(now), to_timestamp(now.plus(LEASE_MS))).await;
        let leased = leased.during(OPERATION)?;
        if leased.is_none() {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(leased.map(Run))
    }

    async fn handle(&self, store: &Store, Run(run): Run) -> Result<(), Error> {
        let outcome = tokio::select! {
            outcome = attempt(store, &run) => outcome,
            () = lost(store, &run) => return Err(Error::unexpected(OPERATION, "another worker has taken this run over")),
        };
        if let Err(error) = &outcome {
            tracing::warn!(run.id = run.id, kind = run.kind, error = error as &dyn std::error::Error, "a run failed");
        }
        let outcome = outcome.map_err(|error| error.chain());
        let now = to_timestamp(store.now());
        queries::finish(store.pg(), &run, now, outcome).await.during(OPERATION)?;
        queries::forget(store.pg(), &run.kind, KEPT).await.during(OPERATION)?;
        store.views().health.forget().await;
        Ok(())
    }
}

async fn attempt(store: &Store, run: &Leased) -> Result<Value, Error> {
    if run.attempts > MOST_ATTEMPTS {
        return Err(jobs::deadly(OPERATION, i64::from(run.attempts) - 1));
    }
    let kind = RunKind::parse(&run.kind).ok_or_else(|| Error::unexpected(OPERATION, "an unknown kind"))?;
    let report = tokio::time::timeout(LONGEST, jobs::caught(OPERATION, reports::make(store, kind))).await;
    let report = report.unwrap_or_else(|_| Err(Error::unexpected(OPERATION, "took too long")))?;
    serde_json::to_value(report).during(OPERATION)
}

/// Ends when the lease is not ours any more.
async fn lost(store: &Store, run: &Leased) {
    loop {
        tokio::time::sleep(RENEW).await;
        let until = to_timestamp(store.now().plus(LEASE_MS));
        match queries::renew(store.pg(), run, until).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "the lease was not renewed"),
        }
    }
}
