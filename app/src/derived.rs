//! Values made from signals, as one type: Leptos compiles the machinery of a memo for each type of value anew.

use leptos::prelude::*;
use std::{any::Any, marker::PhantomData, sync::Arc};

/// Like a `Memo`: who reads it runs again when the value is another one than before.
pub struct Derived<T> {
    memo: Memo<Erased>,
    of: PhantomData<fn() -> T>,
}

impl<T> Copy for Derived<T> {}

impl<T> Clone for Derived<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: PartialEq + Send + Sync + 'static> Derived<T> {
    pub fn new(make: impl Fn() -> T + Send + Sync + 'static) -> Self {
        Self { memo: start(Box::new(move || Erased(Arc::new(make())))), of: PhantomData }
    }

    pub fn with<R>(self, read: impl FnOnce(&T) -> R) -> R {
        read(typed(&*self.memo.get().0))
    }

    pub fn with_untracked<R>(self, read: impl FnOnce(&T) -> R) -> R {
        read(typed(&*self.memo.get_untracked().0))
    }
}

impl<T: Clone + PartialEq + Send + Sync + 'static> Derived<T> {
    pub fn get(self) -> T {
        self.with(T::clone)
    }

    pub fn get_untracked(self) -> T {
        self.with_untracked(T::clone)
    }
}

#[derive(Clone)]
struct Erased(Arc<dyn Value>);

impl PartialEq for Erased {
    fn eq(&self, other: &Self) -> bool {
        (*self.0).is_same(&*other.0)
    }
}

trait Value: Any + Send + Sync {
    fn is_same(&self, other: &dyn Any) -> bool;
}

impl<T: PartialEq + Send + Sync + 'static> Value for T {
    fn is_same(&self, other: &dyn Any) -> bool {
        other.downcast_ref().is_some_and(|other| self == other)
    }
}

fn start(make: Box<dyn Fn() -> Erased + Send + Sync>) -> Memo<Erased> {
    Memo::new(move |_| make())
}

fn typed<T: 'static>(value: &dyn Any) -> &T {
    value.downcast_ref().expect("a derived value keeps its type")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_it_runs_again_only_for_another_value() {
        let owner = Owner::new();
        owner.set();
        let (copies, runs) = (RwSignal::new(1), StoredValue::new(0));
        let is_many = Derived::new(move || copies.get() > 1);
        let words = Derived::new(move || {
            runs.update_value(|runs| *runs += 1);
            if is_many.get() { "many".to_owned() } else { "one".to_owned() }
        });
        let said = [1, 1, 2, 3].map(|now| {
            copies.set(now);
            (words.get_untracked(), runs.get_value())
        });
        assert_eq!(
            said,
            [("one", 1), ("one", 1), ("many", 2), ("many", 2)].map(|(word, runs)| (word.to_owned(), runs))
        );
    }
}
