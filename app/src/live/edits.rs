//! Editing the cart in this tab: shown at once, sent in turn, taken back when refused.

use super::{Live, pending::Edit, socket};
use crate::{AppError, call, derived::Derived};
use domain::{ApiError, BookId, cart::CartView, live::Ask};
use leptos::{prelude::*, task::spawn_local};
use std::time::Duration;

/// As long as the glow in the stylesheet.
const GLOW: Duration = Duration::from_secs(1);

impl Live {
    /// The cart as it is shown: the server's, with the edits that are under way and the stock of now.
    pub fn cart(self) -> Derived<CartView> {
        self.shown
    }

    /// Why the last edit was refused.
    pub fn refusal(self) -> RwSignal<Option<ApiError>> {
        self.refusal
    }

    /// Whether the server has answered every edit.
    pub fn is_settled(self) -> Derived<bool> {
        Derived::new(move || self.pending.with(super::pending::Pending::is_empty))
    }

    /// Whether somebody else changed this line just now.
    pub fn is_changed(self, book: BookId) -> bool {
        self.changed.with(|changed| changed.contains(&book))
    }

    /// In the browser only; without WASM the same buttons send plain forms.
    pub fn edit(self, edit: Edit) {
        self.refusal.set(None);
        self.pending.update(|pending| pending.push(edit));
        self.send_next();
    }

    fn send_next(self) {
        let cart = self.cart.get_untracked();
        let Some((name, form)) = self.pending.try_update(|pending| pending.next(&cart)).flatten() else { return };
        spawn_local(async move {
            let answer = call::post(name, form).await;
            match answer.and_then(|text| call::read(&text)) {
                Ok(cart) => self.take(cart, |live| live.pending.update(super::pending::Pending::landed)),
                Err(error) => self.roll_back(error),
            }
            self.send_next();
        });
    }

    /// The page is being left. Requests outlive it, what waits here would not. A stranger's first edit has to be answered
    /// before the next one, or they would become two guests.
    pub(super) fn send_rest(self) {
        if !self.is_known.get_value() {
            return;
        }
        for (name, form) in self.pending.try_update(super::pending::Pending::rest).unwrap_or_default() {
            spawn_local(async move { drop(call::post(name, form).await) });
        }
    }

    fn roll_back(self, AppError(error): AppError) {
        self.pending.update(|pending| pending.refused(error.code));
        self.refusal.set(Some(error));
        // Nobody knows whether an edit whose answer was lost has happened.
        socket::ask(&Ask::Snapshot);
    }

    /// A cart that the server just answered with. Same version: the cart is the same, but its stock and prices are news.
    pub fn set_cart(self, cart: CartView) {
        self.take(cart, |_| {});
    }

    fn take(self, cart: CartView, landed: fn(Self)) {
        // Newer than a snapshot that is still under way.
        self.expects_snapshot.set_value(false);
        let is_news = cart.version >= self.cart.with_untracked(|known| known.version);
        let before = self.shown.get_untracked();
        landed(self);
        if is_news {
            self.cart.set(cart);
        }
        self.glow(&before);
        if !self.is_known.get_value() {
            // This edit made us somebody: now the socket, and those of our other tabs, can follow our cart.
            self.is_known.set_value(true);
            socket::announce_new_identity(self);
        }
    }

    /// A cart that a live message told.
    pub(super) fn hear_cart(self, cart: CartView) {
        let is_snapshot = self.expects_snapshot.get_value();
        self.expects_snapshot.set_value(false);
        if is_snapshot || cart.version > self.cart.with_untracked(|known| known.version) {
            let before = self.shown.get_untracked();
            self.cart.set(cart);
            self.glow(&before);
        }
    }

    /// Marks for a moment what the server's word changed on the screen: what this tab did itself was there already.
    fn glow(self, before: &CartView) {
        let changed = self.shown.with_untracked(|after| super::pending::changed(before, after));
        if !changed.is_empty() {
            self.changed.set(changed);
            set_timeout(move || self.changed.set(Vec::new()), GLOW);
        }
    }
}
