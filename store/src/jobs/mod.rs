//! Background work: every job is a [`Job`], and apalis runs them all.
//!
//! A job fetches a batch from its own source (a stream, a sorted set, a table) and handles it; handling is idempotent
//! and acknowledges by itself, so a batch whose worker dies is simply found again.

use crate::{Store, error::Error};
use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

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

    /// The next batch, or `None` when nothing was due: waits at most about a second, never longer.
    async fn fetch(&self, store: &Store) -> Result<Option<Self::Batch>, Error>;

    /// Does it and acknowledges it. An error is logged and counted; the work stays leased at its source.
    async fn handle(&self, store: &Store, batch: Self::Batch) -> Result<(), Error>;
}

/// Runs every job until `stop`, then lets the batches in hand finish (at most 8 s).
pub async fn run(store: Store, stop: CancellationToken) -> Result<(), Error> {
    todo!()
}
