//! Data of a page that is asked for again every second or so while somebody looks at it: never twice at once, and not
//! while the tab is hidden, nor for long after somebody was last at it. What is asked while nobody moves does not count as
//! being there, so a shift ends under a page that is left open. For figures that no message announces, like the length of a
//! queue.

use crate::{
    call::{get, glance, read},
    derived::Derived,
    effect::effect,
};
use domain::{ApiError, ErrorCode};
use leptos::{leptos_dom::helpers::set_interval_with_handle, prelude::*, task::spawn_local};
use serde::de::DeserializeOwned;
use std::time::Duration;
use web_sys::Event;

pub const EVERY: Duration = Duration::from_secs(1);
/// Asks without anybody moving after which the page rests.
const MOST_ALONE: u32 = 1_800;
/// What tells that somebody is there. Not `scroll`: browsers do that by themselves, too.
const MOVES: [&str; 5] = ["pointermove", "pointerdown", "keydown", "wheel", "touchmove"];

/// The newest known answer of a GET function.
pub struct Fresh<T: Send + Sync + 'static> {
    shown: RwSignal<T>,
    /// Why the latest answer did not come.
    trouble: RwSignal<Option<ApiError>>,
    address: StoredValue<String>,
    is_asking: StoredValue<bool>,
    /// Asks since somebody moved.
    alone: StoredValue<u32>,
}

impl<T: Send + Sync + 'static> Copy for Fresh<T> {}

impl<T: Send + Sync + 'static> Clone for Fresh<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: DeserializeOwned + PartialEq + Send + Sync + 'static> Fresh<T> {
    /// Begins with what the page was made of; asks from then on in the browser, until the page goes.
    pub fn new(first: T, address: String, every: Duration) -> Self {
        let fresh = Self {
            shown: RwSignal::new(first),
            trouble: RwSignal::new(None),
            address: StoredValue::new(address),
            is_asking: StoredValue::new(false),
            alone: StoredValue::new(0),
        };
        effect(move || {
            if let Ok(beat) = set_interval_with_handle(move || fresh.beat(), every) {
                on_cleanup(move || beat.clear());
            }
            for name in MOVES {
                let moved = window_event_listener_untyped(name, move |_: Event| {
                    fresh.alone.try_set_value(0);
                });
                on_cleanup(move || moved.remove());
            }
        });
        fresh
    }

    /// A part of it: who reads it runs again only when that part is another one.
    pub fn part<P: PartialEq + Send + Sync + 'static>(
        self,
        pick: impl Fn(&T) -> P + Send + Sync + 'static,
    ) -> Derived<P> {
        Derived::new(move || self.shown.with(&pick))
    }

    pub fn trouble(self) -> impl Fn() -> Option<ApiError> + Copy + Send + Sync + 'static {
        move || self.trouble.get()
    }

    /// What an action answered.
    pub fn set(self, value: T) {
        self.shown.set(value);
    }

    /// Asks now, if no answer is on its way; the next one is never far.
    pub fn ask(self) {
        self.look(true);
    }

    fn look(self, is_somebody_there: bool) {
        if self.is_asking.try_get_value() != Some(false) {
            return;
        }
        self.is_asking.set_value(true);
        let address = self.address.get_value();
        spawn_local(async move {
            let answer = if is_somebody_there { get(address).await } else { glance(address).await };
            let answer = answer.and_then(|text| read::<T>(&text));
            // The page may be gone by now.
            self.is_asking.try_set_value(false);
            match answer {
                Ok(value) => {
                    self.trouble.try_maybe_update(|trouble| (trouble.take().is_some(), ()));
                    self.shown.try_maybe_update(|shown| {
                        let is_news = *shown != value;
                        *shown = value;
                        (is_news, ())
                    });
                }
                Err(error) => {
                    self.trouble.try_set(Some(error.0));
                }
            }
        });
    }

    fn beat(self) {
        // While an answer is on its way, who moved meanwhile is kept for the next question.
        if document().hidden() || self.is_asking.try_get_value() != Some(false) {
            return;
        }
        let asks = self.alone.try_get_value().unwrap_or_default();
        self.alone.try_set_value(asks.saturating_add(1));
        if asks < MOST_ALONE {
            self.look(asks == 0);
        } else if asks == MOST_ALONE {
            let words =
                "These figures rest, because nobody was here for a while. Move the pointer, or press a key, to go on.";
            self.trouble.try_set(Some(ApiError::new(ErrorCode::NotReady, words)));
        }
    }
}
