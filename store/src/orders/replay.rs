//! What a key was used for before: by the gate's record, which lasts two days, or for ever by Postgres.

use super::{
    queries,
    scripts::{self, KEY_LIFE_S},
};
use crate::{
    Store,
    error::{Error, is_outage},
    outage,
};
use domain::{ApiError, ErrorCode, IdempotencyKey, Owner, UnixMillis, order::Placed};
use sha2::{Digest, Sha256};

/// The key of the checkout page: the same for every tab and reload that shows this version of the cart, and telling when
/// the cart came to be so (UUID version 7).
pub fn checkout_key(owner: &Owner, cart_version: i64) -> IdempotencyKey {
    let hash = Sha256::digest(format!("bazar-checkout\n{owner}\n{cart_version}"));
    let mut rest = [0; 10];
    rest.copy_from_slice(&hash[..10]);
    let millis = u64::try_from(cart_version).unwrap_or(0);
    let key = uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid();
    #[expect(clippy::expect_used, reason = "a UUID is a key")]
    IdempotencyKey::parse(&key.to_string()).expect("visible ASCII, short")
}

/// Whether the key says that it is younger than a loaded gate's memory of keys: then the gate knows every use of it.
/// One that lies about its age can only name an order of its own owner, and the worker that writes orders down finds it.
fn is_young(key: &IdempotencyKey, now: UnixMillis) -> bool {
    /// Half of that memory: no clock is so wrong.
    const YOUNG_MS: i64 = KEY_LIFE_S * 1000 / 2;
    const SKEW_MS: i64 = 60_000;
    let born = || {
        let (seconds, nanos) = key.as_str().parse::<uuid::Uuid>().ok()?.get_timestamp()?.to_unix();
        Some(UnixMillis::new(i64::try_from(seconds).ok()? * 1000 + i64::from(nanos / 1_000_000)))
    };
    born().is_some_and(|born| (-SKEW_MS..YOUNG_MS).contains(&now.since(born)))
}

/// How far to look for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// What the gate remembers.
    Gate,
    Everywhere,
}

impl Look {
    /// Enough while the gate is loaded.
    pub(super) fn first(key: &IdempotencyKey, now: UnixMillis) -> Self {
        if is_young(key, now) { Self::Gate } else { Self::Everywhere }
    }
}

/// The answer that this key got before, from the gate's record or, when that is lost or too old, from Postgres.
pub(super) async fn replay(
    store: &Store,
    owner: &Owner,
    key: &IdempotencyKey,
    fingerprint: &str,
    look: Look,
) -> Result<Option<Placed>, Error> {
    let recorded = match scripts::recorded(store, owner, key).await? {
        Some(record) => Some(record),
        None if look == Look::Gate => None,
        None => match store.ask_postgres("orders.used_key", outage::LONG, queries::used_key(store, owner, key)).await {
            Ok(used) => used.map(|used| (used.fingerprint, used.answer)),
            // The gate sells on without Postgres. A key older than its records is then found by the persist worker.
            Err(Error::Postgres { source, .. }) if is_outage(&source) => None,
            Err(failure) => return Err(failure),
        },
    };
    match recorded {
        Some((known, _)) if known != fingerprint => Err(key_reused().into()),
        known => Ok(known.map(|(_, answer)| answer)),
    }
}

pub(super) fn key_reused() -> ApiError {
    ApiError::new(ErrorCode::KeyReused, "This key was used for another order. Please reload the page and try again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_the_checkout_is_young_for_a_day() {
        const DAY_MS: i64 = 24 * 3600 * 1000;
        let now = UnixMillis::new(1_790_000_000_123);
        let look = |age: i64| {
            let owner = "a:7".parse().expect("an owner");
            Look::first(&checkout_key(&owner, now.get() - age), now)
        };
        assert_eq!([-1000, 0, DAY_MS - 1].map(look), [Look::Gate; 3]);
        // A cart that is older, a clock that is far ahead, a cart that never was.
        assert_eq!([DAY_MS, -120_000, now.get()].map(look), [Look::Everywhere; 3]);
    }

    #[test]
    fn a_key_that_does_not_tell_its_age_may_be_of_any() {
        let now = UnixMillis::new(1_790_000_000_123);
        for key in ["1", "checkout-1", "9a2e8b54-8f8f-4c3e-9d5e-2f2f6a3b7c11", "c232ab00-9414-11ec-b3c8-9e6bdeced846"] {
            let key = IdempotencyKey::parse(key).expect("a key");
            assert_eq!(Look::first(&key, now), Look::Everywhere, "{key}");
        }
    }

    #[test]
    fn each_cart_has_a_key_of_its_own() {
        let key = |owner: &str, version| checkout_key(&owner.parse().expect("an owner"), version).to_string();
        assert_eq!(key("a:7", 1_790_000_000_123), key("a:7", 1_790_000_000_123));
        assert_ne!(key("a:7", 1_790_000_000_123), key("a:8", 1_790_000_000_123));
        assert_ne!(key("a:7", 1_790_000_000_123), key("a:7", 1_790_000_000_124));
    }
}
