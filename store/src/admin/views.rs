//! What the pages behind the counter count is counted once for all who look at that moment.

use super::figures::Span;
use crate::{Store, error::Error};
use domain::{UnixMillis, figures::FiguresView, health::HealthView, work::WorkView};
use std::collections::HashMap;
use tokio::sync::Mutex;

/// Different times whose figures are kept.
const MOST: usize = 32;

#[derive(Default)]
pub(crate) struct Views {
    pub work: Lately<(), WorkView>,
    pub health: Lately<(), HealthView>,
    pub figures: Lately<Span, FiguresView>,
}

/// Values that are good for a moment. One is made at a time: whoever comes meanwhile waits for it.
pub(crate) struct Lately<K, V>(Mutex<HashMap<K, (UnixMillis, V)>>);

impl<K, V> Default for Lately<K, V> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K: Eq + std::hash::Hash, V: Clone> Lately<K, V> {
    /// The value of this key, made anew when it is as old as `good_ms`.
    pub async fn get<F>(&self, store: &Store, key: K, good_ms: i64, make: impl FnOnce() -> F) -> Result<V, Error>
    where
        F: Future<Output = Result<V, Error>>,
    {
        let mut kept = self.0.lock().await;
        let now = store.now();
        kept.retain(|_, (at, _)| (0..good_ms).contains(&now.since(*at)));
        if let Some((_, value)) = kept.get(&key) {
            return Ok(value.clone());
        }
        let value = make().await?;
        if kept.len() < MOST {
            kept.insert(key, (now, value.clone()));
        }
        Ok(value)
    }

    /// Something changed: the next look counts anew.
    pub async fn forget(&self) {
        self.0.lock().await.clear();
    }
}
