//! Slows down who guesses passwords: per account, so that many machines gain nothing, and per address, so that one
//! machine cannot go through a list of accounts, or keep every core busy hashing passwords of new ones. Counted in each process; what a crowd of processes lets through more is
//! far from enough to guess.

use super::refuse;
use crate::config::LoginLimits;
use app::ssr::AuthSession;
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use axum_login::AuthUser;
use domain::{ApiError, ErrorCode, Network};
use http::{HeaderValue, StatusCode, header};
use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use store::Store;

/// Counters of one kind. Fixed in number, so nothing has to be thrown away under attack; two keys that share one are
/// slowed down a little early.
const SLOTS: usize = 1 << 16;
/// Longest body that is looked into; the limit on bodies came before.
const MAX_BODY: usize = 64 * 1024;

pub struct Throttle {
    limits: LoginLimits,
    store: Store,
    accounts: Counters,
    addresses: Counters,
}

impl Throttle {
    pub fn new(limits: LoginLimits, store: Store) -> Self {
        Self { limits, store, accounts: Counters::new(), addresses: Counters::new() }
    }
}

pub async fn guard(State(throttle): State<Arc<Throttle>>, request: Request, next: Next) -> Response {
    let attempt = Attempt::at(request.uri().path());
    let Some(attempt) = attempt.filter(|_| !request.method().is_safe()) else { return next.run(request).await };
    let logged_in = request.extensions().get::<AuthSession>().and_then(|auth| auth.user.as_ref()).map(AuthUser::id);
    let network = request.extensions().get::<Network>().copied();
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return refuse(ApiError::new(ErrorCode::TooLarge, "That form is too long."));
    };
    let email = form_urlencoded::parse(&body).find(|(name, _)| name == "email");
    let email = email.map(|(_, email)| email.trim().to_lowercase()).unwrap_or_default();
    // An address holds an at sign, so this is nobody's.
    let who = if attempt == Attempt::Password { format!("#{}", logged_in.unwrap_or_default()) } else { email };

    let limits = &throttle.limits;
    let now = throttle.store.now().get() / 1000;
    let (window, left) = (now / limits.window_seconds, limits.window_seconds - now % limits.window_seconds);
    // Counted before the attempt: a hundred at once must not all be the first.
    let account = throttle.accounts.slot(&who);
    let address = throttle.addresses.slot(&network);
    let by_account = if attempt.guesses() { account.add(window) } else { 0 };
    if address.add(window) > limits.per_address || by_account > limits.per_account {
        return too_many(left);
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    if attempt.guesses() && response.status() == StatusCode::OK {
        // Whoever knows the password is no guesser; whoever knows one may still be guessing others.
        account.reset(window);
        address.take_back(window);
    }
    response
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    /// With a password, by somebody who names an address.
    Login,
    /// With a password, by somebody logged in: perhaps only by a stolen session.
    Password,
    /// Work, and mails to anybody, for whoever asks.
    Costly,
}

impl Attempt {
    fn at(path: &str) -> Option<Self> {
        match path.strip_prefix("/api/account/")? {
            "login" => Some(Self::Login),
            "password" | "email" => Some(Self::Password),
            "register" | "password/forgot" | "password/reset" => Some(Self::Costly),
            _ => None,
        }
    }

    fn guesses(self) -> bool {
        self != Self::Costly
    }
}

fn too_many(seconds: i64) -> Response {
    let minutes = (seconds + 59) / 60;
    let mut response = refuse(ApiError::new(
        ErrorCode::TooManyRequests,
        format!("That was a lot of attempts. Please wait {minutes} min, then try again."),
    ));
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

struct Counters {
    slots: Box<[Slot]>,
    hasher: RandomState,
}

/// Number of the window in the upper half, count in the lower one.
#[derive(Default)]
struct Slot(AtomicU64);

impl Counters {
    fn new() -> Self {
        Self { slots: (0..SLOTS).map(|_| Slot::default()).collect(), hasher: RandomState::new() }
    }

    fn slot(&self, key: &impl std::hash::Hash) -> &Slot {
        let hash = self.hasher.hash_one(key);
        &self.slots[usize::try_from(hash % SLOTS as u64).unwrap_or(0)]
    }
}

impl Slot {
    /// One more in this window; says how many that makes.
    fn add(&self, window: i64) -> u32 {
        self.change(window, |count| count.saturating_add(1))
    }

    fn take_back(&self, window: i64) {
        self.change(window, |count| count.saturating_sub(1));
    }

    fn reset(&self, window: i64) {
        self.change(window, |_| 0);
    }

    fn change(&self, window: i64, change: impl Fn(u32) -> u32) -> u32 {
        let window = window.cast_unsigned() << 32;
        let new = |old: u64| {
            let count = if old & !u64::from(u32::MAX) == window { (old & u64::from(u32::MAX)) as u32 } else { 0 };
            change(count)
        };
        let old = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |old| Some(window | u64::from(new(old))));
        old.map(new).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_forgets_the_one_before() {
        let counters = Counters::new();
        let slot = counters.slot(&"asha@example.org");
        assert_eq!((slot.add(7), slot.add(7), slot.add(7)), (1, 2, 3));
        slot.take_back(7);
        assert_eq!(slot.add(7), 3);
        assert_eq!(slot.add(8), 1);
        slot.reset(8);
        assert_eq!(counters.slot(&"asha@example.org").add(8), 1);
    }
}
