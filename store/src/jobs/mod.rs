//! Background work: every job is a [`Job`], and apalis runs them all.
//!
//! A job fetches a batch from its own source (a stream, a sorted set, a table) and handles it; handling is idempotent
//! and acknowledges by itself, so a batch whose worker dies is simply found again.

pub mod dead_letters;
mod due;
mod enqueue;
mod gauges;
mod notices;
pub(crate) mod outbox;
mod prune;
pub(crate) mod pulse;
mod queries;
mod registry;
mod runner;
pub mod schedule;

pub(crate) use enqueue::{Topic, Work, enqueue, enqueue_alike, enqueue_all, enqueue_work};
pub use gauges::SetGauges;
pub(crate) use gauges::dirty as dirty_carts;
pub(crate) use notices::{Notices, TOLD_WITHIN_MS, notice, tell};
pub use outbox::DrainOutbox;
pub use prune::Prune;
pub use queries::Message;

use crate::{
    Store,
    error::{During, Error, is_crowded, is_outage},
};
use async_trait::async_trait;
use futures::FutureExt;
use std::{panic::AssertUnwindSafe, time::Duration};
use tokio_util::sync::CancellationToken;

/// Failed attempts after which work goes to the dead letters.
pub(crate) const MAX_ATTEMPTS: i32 = 10;
/// From this lease without an outcome on, work is taken up alone: it may be what its workers die of.
pub(crate) const ALONE_FROM: i32 = 3;
/// Leases without an outcome after which work goes to the dead letters unlooked at.
pub(crate) const MAX_LEASES: i32 = 10;
/// First and longest pause between two attempts.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How long the batches in hand may take after the stop.
const DRAIN: Duration = Duration::from_secs(8);

/// One kind of background work.
#[async_trait]
pub trait Job: Send + Sync + 'static {
    /// What one round works on.
    type Batch: Send + 'static;

    /// For logs, metrics and apalis: `orders.persist`.
    fn name(&self) -> &'static str;

    /// Batches in hand at once.
    fn concurrency(&self) -> usize {
        1
    }

    /// How many pieces of work a batch is, for the rate that people see.
    fn pieces(&self, _: &Self::Batch) -> u64 {
        1
    }

    /// The next batch, or `None` when nothing was due: waits at most about a second, never longer.
    async fn fetch(&self, store: &Store) -> Result<Option<Self::Batch>, Error>;

    /// Does it and acknowledges it. An error is logged and counted; the work stays leased at its source.
    async fn handle(&self, store: &Store, batch: Self::Batch) -> Result<(), Error>;
}

/// Runs every job until `stop`, then lets the batches in hand finish (at most 8 s).
pub async fn run(store: Store, stop: CancellationToken) -> Result<(), Error> {
    let mut jobs = tokio::task::JoinSet::new();
    for job in registry::all(&store, &stop) {
        jobs.spawn(job);
    }
    stop.cancelled().await;
    let drained = tokio::time::timeout(DRAIN, async { while jobs.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        // What is cut off here is still leased or unacknowledged at its source.
        tracing::warn!(jobs = jobs.len(), "some jobs were still at work and are cut off");
    }
    Ok(())
}

/// How long to wait after so many failed attempts: doubling from half a second to five minutes, cut by up to a half
/// at random so that what failed together does not come back together.
pub(crate) fn backoff(attempts: i32, random: uuid::Uuid) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(16);
    let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
    let chance = u32::from(random.as_bytes()[0]);
    pause / 2 + pause / 2 * chance / 255
}

/// Work that keeps failing.
pub(crate) struct Letter<'a> {
    /// Where it is stored: one of [`dead_letters::SOURCES`].
    pub source: &'static str,
    /// What it is called there.
    pub key: &'a str,
    pub payload: &'a serde_json::Value,
    pub error: &'a str,
    pub attempts: i32,
    /// `None`: its source does not count that.
    pub first_failed_at: Option<time::OffsetDateTime>,
}

/// Moves work that keeps failing to the dead letters; the caller removes it at its source in the same transaction.
/// Work of that source and key that is parked already is overwritten: the latest failure is the one to look at.
pub(crate) async fn park(tx: &mut sqlx::PgTransaction<'_>, letter: Letter<'_>) -> Result<(), Error> {
    queries::park(&mut **tx, &letter).await.during("jobs.park")?;
    let Letter { source, key, error, attempts, .. } = letter;
    metrics::counter!("jobs_parked_total", "source" => source).increment(1);
    tracing::error!(source, key, error, attempts, "parked in the dead letters");
    Ok(())
}

/// A panic is a failure like any other: of this piece of work, not of its batch.
pub(crate) async fn caught<T>(
    operation: &'static str,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|said| (*said).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(Error::unexpected(operation, format!("panicked: {said}")))
    })
}

/// Why work is parked that nobody could look at and live.
pub(crate) fn deadly(operation: &'static str, leases: i64) -> Error {
    Error::unexpected(operation, format!("taken up {leases} times without an outcome: its workers died"))
}

/// One of many failed, and the others go on: logs it. An error that would meet all of them comes back.
pub(crate) fn alone(error: Error, what: impl std::fmt::Display) -> Result<(), Error> {
    if is_away(&error) {
        return Err(error);
    }
    tracing::error!(%what, error = &error as &dyn std::error::Error, "this one could not be mended; the others go on");
    Ok(())
}

/// A server is away or not itself yet: no fault of the work in hand, however often that happens.
pub(crate) fn is_away(error: &Error) -> bool {
    const NOT_ITSELF: [&str; 7] = ["LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "BUSY", "OOM", "MISCONF"];
    match error {
        Error::Postgres { source, .. } => is_outage(source) || is_crowded(source),
        Error::Redis { source, .. } => {
            source.is_io_error()
                || source.is_unrecoverable_error()
                || source.code().is_some_and(|code| NOT_ITSELF.contains(&code))
        }
        Error::Message { source, .. } => source.is_away(),
        // The gate is being counted.
        Error::Refused(refusal) => refusal.code == domain::ErrorCode::NotReady,
        Error::Overtaken { .. } => true,
        Error::Http { .. } | Error::NoAccess { .. } | Error::Unexpected { .. } => false,
    }
}

/// When to try again, as a moment.
pub(crate) fn retry_at(store: &Store, attempts: i32) -> domain::UnixMillis {
    let pause = backoff(attempts, store.uuid());
    store.now().plus(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stop_growing() {
        let longest = |attempts| backoff(attempts, uuid::Uuid::max());
        assert_eq!(longest(1), Duration::from_millis(500));
        assert_eq!(longest(2), Duration::from_secs(1));
        assert_eq!(longest(9), Duration::from_secs(128));
        assert_eq!(longest(i32::MAX), LONGEST_PAUSE);
        assert_eq!(backoff(2, uuid::Uuid::nil()), Duration::from_millis(500));
        assert_eq!(backoff(i32::MIN, uuid::Uuid::max()), FIRST_PAUSE);
    }
}
