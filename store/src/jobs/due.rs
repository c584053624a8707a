//! The clock of a job that each process does for itself, every so often.

use crate::Store;
use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

/// When it is next, unix ms.
#[derive(Default)]
pub(super) struct Due(AtomicI64);

impl Due {
    /// `Some` once in so many milliseconds; until then `None`, after a pause.
    pub async fn comes(&self, store: &Store, every_ms: i64, pause: Duration) -> Option<()> {
        let now = store.now();
        if now.get() < self.0.load(Ordering::Relaxed) {
            tokio::time::sleep(pause).await;
            return None;
        }
        self.0.store(now.plus(every_ms).get(), Ordering::Relaxed);
        Some(())
    }
}
