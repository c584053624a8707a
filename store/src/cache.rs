//! Facts kept in the process: bounded, fresh for a while, and served stale while Postgres is away.

use crate::error::{Error, is_outage};
use domain::UnixMillis;
use std::{
    borrow::Borrow,
    collections::HashMap,
    future::Future,
    hash::Hash,
    sync::{
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// How long a request waits for a fresh value when it holds a stale one.
const PATIENCE: Duration = Duration::from_secs(1);
/// After an outage was seen, stale values are served at once for so long.
const RETRY_MS: i64 = 2_000;

/// A bounded map whose values age.
pub(crate) struct Aged<K, V> {
    fresh_ms: i64,
    capacity: usize,
    state: RwLock<State<K, V>>,
}

struct State<K, V> {
    /// Counts drops, so that a load which began before a drop is not kept after it.
    drops: u64,
    entries: HashMap<K, Entry<V>>,
}

struct Entry<V> {
    value: V,
    at: UnixMillis,
}

/// Taken before a load, handed in with what it brought.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    drops: u64,
    at: UnixMillis,
}

impl<K: Eq + Hash, V: Clone> Aged<K, V> {
    pub fn new(fresh: Duration, capacity: usize) -> Self {
        let fresh_ms = i64::try_from(fresh.as_millis()).unwrap_or(i64::MAX);
        Self { fresh_ms, capacity, state: RwLock::new(State { drops: 0, entries: HashMap::new() }) }
    }

    pub fn fresh<Q: ?Sized + Eq + Hash>(&self, key: &Q, now: UnixMillis) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let state = self.read();
        let entry = state.entries.get(key)?;
        // A clock that went back makes an age negative: not fresh either.
        (0..self.fresh_ms).contains(&now.since(entry.at)).then(|| entry.value.clone())
    }

    /// Whatever is there, however old.
    pub fn stale<Q: ?Sized + Eq + Hash>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.read().entries.get(key).map(|entry| entry.value.clone())
    }

    pub fn ticket(&self, now: UnixMillis) -> Ticket {
        Ticket { drops: self.read().drops, at: now }
    }

    /// Keeps a value loaded since `ticket`, unless something was dropped meanwhile.
    pub fn put(&self, key: K, value: V, ticket: Ticket) {
        let mut state = self.write();
        if state.drops != ticket.drops {
            return;
        }
        if state.entries.len() >= self.capacity && !state.entries.contains_key(&key) {
            self.make_room(&mut state, ticket.at);
        }
        state.entries.insert(key, Entry { value, at: ticket.at });
    }

    /// Nothing is fresh any more; old values stay for outages.
    pub fn drop_all(&self) {
        let mut state = self.write();
        state.drops += 1;
        for entry in state.entries.values_mut() {
            entry.at = UnixMillis::new(i64::MIN);
        }
    }

    pub fn drop_one(&self, key: &K) {
        let mut state = self.write();
        state.drops += 1;
        state.entries.remove(key);
    }

    /// Drops what is stale; if that is not enough, any quarter, so that making room is rare.
    fn make_room(&self, state: &mut State<K, V>, now: UnixMillis) {
        let keep = self.capacity - self.capacity / 4;
        state.entries.retain(|_, entry| (0..self.fresh_ms).contains(&now.since(entry.at)));
        let mut surplus = state.entries.len().saturating_sub(keep.min(self.capacity.saturating_sub(1)));
        state.entries.retain(|_, _| {
            let leaves = surplus > 0;
            surplus = surplus.saturating_sub(1);
            !leaves
        });
    }

    fn read(&self) -> RwLockReadGuard<'_, State<K, V>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State<K, V>> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Remembers that Postgres is away, so that not every request finds it out by waiting.
pub(crate) struct Outage {
    retry_at: AtomicI64,
}

impl Default for Outage {
    fn default() -> Self {
        Self { retry_at: AtomicI64::new(i64::MIN) }
    }
}

impl Outage {
    /// What `load` brings; the stale value, if there is one, while Postgres is away or slow.
    pub async fn load_or<V>(
        &self,
        now: UnixMillis,
        stale: Option<V>,
        load: impl Future<Output = Result<V, Error>>,
    ) -> Result<V, Error> {
        let Some(stale) = stale else { return load.await };
        if now.get() < self.retry_at.load(Ordering::Relaxed) {
            return Ok(stale);
        }
        let loaded = tokio::time::timeout(PATIENCE, load).await;
        match loaded {
            Err(_) => {}
            Ok(Err(Error::Postgres { source, .. })) if is_outage(&source) => {}
            Ok(answer) => return answer,
        }
        tracing::warn!("postgres does not answer: serving what is cached");
        self.retry_at.store(now.plus(RETRY_MS).get(), Ordering::Relaxed);
        Ok(stale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> UnixMillis {
        UnixMillis::new(millis)
    }

    fn cache(capacity: usize) -> Aged<u32, u32> {
        Aged::new(Duration::from_millis(100), capacity)
    }

    #[test]
    fn values_age_but_stay() {
        let cache = cache(10);
        cache.put(1, 7, cache.ticket(at(1_000)));
        assert_eq!((cache.fresh(&1, at(1_099)), cache.fresh(&1, at(1_100))), (Some(7), None));
        assert_eq!((cache.fresh(&1, at(999)), cache.stale(&1)), (None, Some(7)));
    }

    #[test]
    fn a_load_older_than_a_drop_is_not_kept() {
        let cache = cache(10);
        cache.put(1, 7, cache.ticket(at(0)));
        let ticket = cache.ticket(at(0));
        cache.drop_all();
        cache.put(1, 8, ticket);
        assert_eq!((cache.fresh(&1, at(1)), cache.stale(&1)), (None, Some(7)));
        cache.drop_one(&1);
        assert_eq!(cache.stale(&1), None);
    }

    #[test]
    fn it_never_outgrows_its_capacity() {
        for capacity in [1, 2, 3, 40] {
            let cache = cache(capacity);
            for key in 0..200 {
                cache.put(key, key, cache.ticket(at(i64::from(key))));
                assert!(cache.read().entries.len() <= capacity);
                assert_eq!(cache.stale(&key), Some(key));
            }
        }
    }

    #[tokio::test]
    async fn an_outage_is_bridged_and_remembered() {
        let outage = Outage::default();
        let away = || async { Err::<u32, _>(Error::Postgres { operation: "test", source: sqlx::Error::PoolTimedOut }) };
        assert!(outage.load_or(at(0), None, away()).await.is_err());
        assert_eq!(outage.load_or(at(0), Some(1), away()).await.ok(), Some(1));
        assert_eq!(outage.load_or(at(1_999), Some(1), async { Ok(2) }).await.ok(), Some(1));
        assert_eq!(outage.load_or(at(2_000), Some(1), async { Ok(2) }).await.ok(), Some(2));
        let refused = async { Err(Error::unexpected("test", "broken")) };
        assert!(outage.load_or(at(3_000), Some(1), refused).await.is_err());
    }
}
