//! Facts kept in the process: bounded, fresh for a while, and served stale while Postgres is away.

use crate::{
    error::{Error, is_outage},
    outage::{self, Outage},
};
use domain::UnixMillis;
use std::{
    borrow::Borrow,
    collections::HashMap,
    future::Future,
    hash::Hash,
    sync::{
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::Semaphore;

/// Loads of one cache under way at the same time: less than half of a usual pool.
const TURNS: usize = 6;
/// When a value was loaded that is known to be out of date.
const LONG_AGO: UnixMillis = UnixMillis::new(i64::MIN);

/// A bounded map whose values age.
pub(crate) struct Aged<K, V> {
    fresh_ms: i64,
    capacity: usize,
    pub turns: Semaphore,
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
    /// Looked at since room was made last.
    is_used: AtomicBool,
}

/// What is there of a key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Held<V> {
    Fresh(V),
    /// Nobody said that it changed.
    Aged(V),
    /// It may have changed: only for outages.
    Dropped(V),
    Nothing,
}

impl<V> Held<V> {
    pub fn map<W>(self, change: impl FnOnce(V) -> W) -> Held<W> {
        match self {
            Self::Fresh(value) => Held::Fresh(change(value)),
            Self::Aged(value) => Held::Aged(change(value)),
            Self::Dropped(value) => Held::Dropped(change(value)),
            Self::Nothing => Held::Nothing,
        }
    }

    /// Both together are as good as the worse one.
    pub fn and<W, X>(self, other: Held<W>, join: impl FnOnce(V, W) -> X) -> Held<X> {
        use Held::{Aged, Dropped, Fresh, Nothing};
        match (self, other) {
            (Nothing, _) | (_, Nothing) => Nothing,
            (Fresh(one), Fresh(two)) => Fresh(join(one, two)),
            (Fresh(one) | Aged(one), Fresh(two) | Aged(two)) => Aged(join(one, two)),
            (Fresh(one) | Aged(one) | Dropped(one), Fresh(two) | Aged(two) | Dropped(two)) => Dropped(join(one, two)),
        }
    }
}

/// Taken before a load, handed in with what it brought.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    drops: u64,
    at: UnixMillis,
}

impl Ticket {
    /// For a value of which nobody knows whether it is still right.
    pub fn in_doubt(self) -> Self {
        Self { at: LONG_AGO, ..self }
    }
}

impl<K: Eq + Hash, V: Clone> Aged<K, V> {
    pub fn new(fresh: Duration, capacity: usize) -> Self {
        let fresh_ms = i64::try_from(fresh.as_millis()).unwrap_or(i64::MAX);
        let state = RwLock::new(State { drops: 0, entries: HashMap::new() });
        Self { fresh_ms, capacity, turns: Semaphore::new(TURNS.min(capacity)), state }
    }

    pub fn look<Q: ?Sized + Eq + Hash>(&self, key: &Q, now: UnixMillis) -> Held<V>
    where
        K: Borrow<Q>,
    {
        let state = self.read();
        let Some(entry) = state.entries.get(key) else { return Held::Nothing };
        if !entry.is_used.load(Ordering::Relaxed) {
            entry.is_used.store(true, Ordering::Relaxed);
        }
        let value = entry.value.clone();
        match entry.at {
            LONG_AGO => Held::Dropped(value),
            // A clock that went back makes an age negative: not fresh either.
            at if (0..self.fresh_ms).contains(&now.since(at)) => Held::Fresh(value),
            _ => Held::Aged(value),
        }
    }

    pub fn fresh<Q: ?Sized + Eq + Hash>(&self, key: &Q, now: UnixMillis) -> Option<V>
    where
        K: Borrow<Q>,
    {
        match self.look(key, now) {
            Held::Fresh(value) => Some(value),
            _ => None,
        }
    }

    /// Whatever is there, however old.
    pub fn stale<Q: ?Sized + Eq + Hash>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        match self.look(key, LONG_AGO) {
            Held::Fresh(value) | Held::Aged(value) | Held::Dropped(value) => Some(value),
            Held::Nothing => None,
        }
    }

    pub fn has(&self, key: &K) -> bool {
        self.read().entries.contains_key(key)
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
            self.make_room(&mut state);
        }
        state.entries.insert(key, Entry { value, at: ticket.at, is_used: AtomicBool::new(false) });
    }

    /// Nothing is fresh any more; old values stay for outages.
    pub fn drop_all(&self) {
        let mut state = self.write();
        state.drops += 1;
        for entry in state.entries.values_mut() {
            entry.at = LONG_AGO;
        }
    }

    pub fn drop_one(&self, key: &K) {
        let mut state = self.write();
        state.drops += 1;
        state.entries.remove(key);
    }

    /// A quarter leaves, so that making room is rare: first what nobody looked at since the last time. Age alone is no
    /// reason, because old values are what an outage is lived on.
    fn make_room(&self, state: &mut State<K, V>) {
        let keep = (self.capacity - self.capacity / 4).min(self.capacity.saturating_sub(1));
        let mut surplus = state.entries.len().saturating_sub(keep);
        for _ in 0..2 {
            state.entries.retain(|_, entry| {
                let leaves = surplus > 0 && !entry.is_used.swap(false, Ordering::Relaxed);
                surplus -= usize::from(leaves);
                !leaves
            });
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State<K, V>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State<K, V>> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fresh value, or what `load` brings; the old one, if there is one, while Postgres is away or busy. `look` says what
/// is there right now. Only a few load at a time, so that a cache that went old at once does not flood Postgres; whoever
/// had to wait for a turn looks again first.
pub(crate) async fn read<V>(
    outage: &Outage,
    turns: &Semaphore,
    operation: &'static str,
    look: impl Fn() -> Held<V>,
    load: impl Future<Output = Result<V, Error>>,
) -> Result<V, Error> {
    let (old, is_aged) = match look() {
        Held::Fresh(value) => return Ok(value),
        Held::Aged(value) => (Some(value), true),
        Held::Dropped(value) => (Some(value), false),
        Held::Nothing => (None, false),
    };
    let old = match old {
        // Nobody waits only to see what is most likely the same again.
        Some(old) if !outage.no_doubt() || (is_aged && turns.available_permits() == 0) => return Ok(old),
        old => old,
    };
    let ask = async {
        let _turn = turns.acquire().await;
        match look() {
            Held::Fresh(value) => Ok(value),
            _ => load.await,
        }
    };
    let patience = if old.is_some() { outage::BRIEF } else { outage::LONG };
    match (outage.ask(operation, patience, ask).await, old) {
        (Err(Error::Postgres { source, .. }), Some(old)) if is_outage(&source) => Ok(old),
        (answer, _) => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::postgres::PgConnectOptions;
    use std::sync::atomic::AtomicUsize;

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
        assert_eq!((cache.look(&1, at(1_099)), cache.look(&1, at(1_100))), (Held::Fresh(7), Held::Aged(7)));
        assert_eq!((cache.look(&1, at(999)), cache.stale(&1)), (Held::Aged(7), Some(7)));
        cache.put(2, 8, cache.ticket(at(1_000)).in_doubt());
        assert_eq!((cache.look(&2, at(1_000)), cache.look(&3, at(1_000))), (Held::Dropped(8), Held::Nothing));
    }

    #[test]
    fn a_load_older_than_a_drop_is_not_kept() {
        let cache = cache(10);
        cache.put(1, 7, cache.ticket(at(0)));
        let ticket = cache.ticket(at(0));
        cache.drop_all();
        cache.put(1, 8, ticket);
        assert_eq!((cache.look(&1, at(1)), cache.stale(&1)), (Held::Dropped(7), Some(7)));
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
    async fn many_who_miss_a_value_load_it_a_few_times() {
        let (cache, outage, loads) =
            (cache(10), Outage::of(PgConnectOptions::new_without_pgpass()), AtomicUsize::new(0));
        let read = async || {
            let load = async {
                let ticket = cache.ticket(at(0));
                loads.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(20)).await;
                cache.put(1, 2, ticket);
                Ok(2)
            };
            read(&outage, &cache.turns, "test", || cache.look(&1, at(0)), load).await.expect("a value")
        };
        let values = futures::future::join_all((0..500).map(|_| read())).await;
        assert_eq!((values, loads.swap(0, Ordering::Relaxed)), (vec![2; 500], TURNS), "nothing was there");
        cache.drop_all();
        let values = futures::future::join_all((0..500).map(|_| read())).await;
        assert_eq!((values, loads.swap(0, Ordering::Relaxed)), (vec![2; 500], TURNS), "a drop is seen by all");
        cache.put(1, 1, cache.ticket(at(-1_000)));
        let values = futures::future::join_all((0..500).map(|_| read())).await;
        let old = values.iter().filter(|value| **value == 1).count();
        assert_eq!((old, loads.load(Ordering::Relaxed)), (500 - TURNS, TURNS), "age is nothing to wait for");
    }

    #[test]
    fn what_is_looked_at_stays_however_old() {
        let cache = cache(8);
        for key in 0..1_000 {
            cache.put(key, key, cache.ticket(at(i64::from(key) * 1_000)));
            assert_eq!(cache.stale(&0), Some(0), "at {key}");
        }
    }

    #[test]
    fn two_values_are_as_good_as_the_worse_one() {
        let both = |one: Held<u32>, two: Held<u32>| one.and(two, |one, two| one + two);
        assert_eq!(both(Held::Fresh(1), Held::Fresh(2)), Held::Fresh(3));
        assert_eq!(both(Held::Fresh(1), Held::Aged(2)), Held::Aged(3));
        assert_eq!(both(Held::Dropped(1), Held::Aged(2)), Held::Dropped(3));
        assert_eq!(both(Held::Nothing, Held::Fresh(2)), Held::Nothing);
    }
}
