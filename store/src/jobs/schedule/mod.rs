//! Work that comes round by the clock: every so many seconds, or once a day.
//!
//! The table `schedules` says when each is due. A turn is leased by one worker of all processes; the lease is renewed
//! while it runs, so a turn may take its time, and one whose worker dies is taken over when the lease has run out.
//! A turn may therefore run twice in part, and must bear it.

mod clock;
mod queries;

pub use clock::Every;

use super::{Job, registry};
use crate::{
    Store,
    error::{During, Error},
    world::to_timestamp,
};
use async_trait::async_trait;
use domain::UnixMillis;
use futures::FutureExt;
use serde_json::Value;
use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// A turn whose worker died is taken over after this.
const LEASE_MS: i64 = 30_000;
/// A lease is renewed after this; three renewals may fail before it runs out.
const RENEW: Duration = Duration::from_secs(8);
/// A turn that failed is tried again after this, if its next one is not sooner.
const AGAIN_MS: i64 = 300_000;
/// No turn takes longer.
const LONGEST: Duration = Duration::from_secs(2 * 3600);
/// How often a worker asks Postgres what is due.
const LOOK_MS: i64 = 5_000;
/// Pause between two looks at the worker's own clock.
const PAUSE: Duration = Duration::from_millis(500);

/// What comes round, and when. Times of day are UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    pub name: &'static str,
    pub every: Every,
}

/// One kind of work that comes round.
#[async_trait]
pub trait Scheduled: Send + Sync + 'static {
    fn schedule(&self) -> Schedule;

    /// One turn; returns what it counted, which an admin can read.
    async fn run(&self, store: &Store) -> Result<Value, Error>;
}

/// Makes the next turn of this schedule due now; a worker begins it within seconds. `false`: there is none of that name.
pub async fn run_now(store: &Store, name: &str) -> Result<bool, Error> {
    make_due(store, store.pg(), name).await
}

/// The same in the caller's transaction.
pub(crate) async fn make_due(store: &Store, db: impl sqlx::PgExecutor<'_>, name: &str) -> Result<bool, Error> {
    let Some(work) = registry::schedules().into_iter().find(|work| work.schedule().name == name) else {
        return Ok(false);
    };
    let now = to_timestamp(store.now());
    queries::make_due(db, work.schedule().name, now).await.during("schedule.run_now")?;
    Ok(true)
}

/// Whether a schedule has that name.
pub(crate) fn is_one(name: &str) -> bool {
    registry::schedules().iter().any(|work| work.schedule().name == name)
}

/// All of them.
pub(crate) fn all() -> Vec<Schedule> {
    registry::schedules().iter().map(|work| work.schedule()).collect()
}

/// The job that does the turns of one schedule.
pub struct Turns {
    work: Arc<dyn Scheduled>,
    /// When Postgres is asked next, unix ms.
    look_at: AtomicI64,
}

/// A turn, leased.
pub struct Turn {
    /// When it began: what tells this lease from a later one of the same schedule.
    started: UnixMillis,
}

impl Turns {
    pub fn new(work: Arc<dyn Scheduled>) -> Self {
        Self { work, look_at: AtomicI64::new(0) }
    }

    fn next(&self, store: &Store) -> UnixMillis {
        self.work.schedule().every.next(store.now(), store.uuid())
    }
}

#[async_trait]
impl Job for Turns {
    type Batch = Turn;

    fn name(&self) -> &'static str {
        self.work.schedule().name
    }

    async fn fetch(&self, store: &Store) -> Result<Option<Turn>, Error> {
        const OPERATION: &str = "schedule.lease";
        let now = store.now();
        if now.get() < self.look_at.load(Ordering::Relaxed) {
            tokio::time::sleep(PAUSE).await;
            return Ok(None);
        }
        let (first, until) = (to_timestamp(self.next(store)), to_timestamp(now.plus(LEASE_MS)));
        let leased =
            queries::lease(store.pg(), self.name(), to_timestamp(now), until, first).await.during(OPERATION)?;
        self.look_at.store(now.plus(LOOK_MS).get(), Ordering::Relaxed);
        Ok(leased.then_some(Turn { started: now }))
    }

    async fn handle(&self, store: &Store, turn: Turn) -> Result<(), Error> {
        let outcome = tokio::select! {
            outcome = self.attempt(store) => outcome,
            () = lost(store, self.name(), &turn) => {
                metrics::counter!("schedule_turns_total", "schedule" => self.name(), "outcome" => "lost").increment(1);
                return Err(Error::unexpected("schedule.run", "the lease ran out: another worker has this turn"));
            }
        };
        self.finish(store, &turn, outcome).await
    }
}

impl Turns {
    async fn attempt(&self, store: &Store) -> Result<Value, Error> {
        let run = AssertUnwindSafe(self.work.run(store)).catch_unwind();
        match tokio::time::timeout(LONGEST, run).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Error::unexpected("schedule.run", "panicked")),
            Err(_) => Err(Error::unexpected("schedule.run", "took too long")),
        }
    }

    /// Writes down what came of the turn, and when the next one is.
    async fn finish(&self, store: &Store, turn: &Turn, outcome: Result<Value, Error>) -> Result<(), Error> {
        let (now, mut next) = (store.now(), self.next(store));
        let (report, error) = match &outcome {
            Ok(report) => (Some(report), None),
            Err(error) => (None, Some(error.chain())),
        };
        let label = if error.is_some() { "failed" } else { "done" };
        metrics::counter!("schedule_turns_total", "schedule" => self.name(), "outcome" => label).increment(1);
        if error.is_some() {
            next = next.min(now.plus(AGAIN_MS));
        }
        tracing::info!(schedule = self.name(), ?report, duration_ms = now.since(turn.started), "a turn ended");
        let ended = queries::End { now: to_timestamp(now), next: to_timestamp(next), error: error.as_deref(), report };
        let started = to_timestamp(turn.started);
        queries::finish(store.pg(), self.name(), started, ended).await.during("schedule.finish")?;
        outcome.map(drop)
    }
}

/// Renews the lease for as long as it is ours; ends when it is not, or when it has run out because Postgres is away.
async fn lost(store: &Store, name: &str, turn: &Turn) {
    let mut until = turn.started.plus(LEASE_MS);
    loop {
        tokio::time::sleep(RENEW).await;
        let renewed = store.now().plus(LEASE_MS);
        match queries::renew(store.pg(), name, to_timestamp(turn.started), to_timestamp(renewed)).await {
            Ok(true) => until = renewed,
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(schedule = name, error = &error as &dyn std::error::Error, "the lease was not renewed");
                if store.now() >= until {
                    return;
                }
            }
        }
    }
}
