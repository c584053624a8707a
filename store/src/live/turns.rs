//! One builder at a time for each thing: what changes again while it is being built is built once more, not once per
//! message, and always after the former build, so that the newest is sent last.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What is being built now → whether it changed meanwhile.
pub(super) struct Turns<K>(Mutex<HashMap<K, bool>>);

impl<K> Default for Turns<K> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K: Copy + Eq + Hash> Turns<K> {
    /// Whether somebody is building this; they are told to do it once more.
    pub fn join(&self, key: K) -> bool {
        self.lock().get_mut(&key).map(|has_changed| *has_changed = true).is_some()
    }

    /// How many things are being built, or wait for it.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// A turn to build this, or `None`: somebody is at it and will do it again.
    pub fn take(&self, key: K) -> Option<Turn<'_, K>> {
        let mut turns = self.lock();
        if let Some(has_changed) = turns.get_mut(&key) {
            *has_changed = true;
            return None;
        }
        turns.insert(key, false);
        Some(Turn { turns: self, key, is_over: false })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, bool>> {
        // Nothing in here can be left half done by a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Dropping it (a panic of the builder included) lets the next message begin a new one.
pub(super) struct Turn<'a, K: Copy + Eq + Hash> {
    turns: &'a Turns<K>,
    key: K,
    is_over: bool,
}

impl<K: Copy + Eq + Hash> Turn<'_, K> {
    /// After a build: whether it must be done again. Otherwise the turn is over.
    pub fn again(&mut self) -> bool {
        let mut turns = self.turns.lock();
        if turns.get(&self.key) == Some(&true) {
            turns.insert(self.key, false);
            return true;
        }
        turns.remove(&self.key);
        self.is_over = true;
        false
    }
}

impl<K: Copy + Eq + Hash> Drop for Turn<'_, K> {
    fn drop(&mut self) {
        if !self.is_over {
            self.turns.lock().remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_two_builds() {
        let turns = Turns::default();
        assert!(!turns.join(1));
        let mut turn = turns.take(1).expect("free");
        assert!((0..5).all(|_| turns.take(1).is_none() && turns.join(1)));
        assert!(turns.take(2).is_some(), "others do not wait");
        assert!(turn.again());
        assert!(!turn.again());
        assert!(turns.take(1).is_some());
    }

    #[test]
    fn a_builder_that_dies_does_not_block_the_next() {
        let turns = Turns::default();
        drop(turns.take(1));
        assert!(turns.take(1).is_some());
    }
}
