//! Carts that could not be written down yet, or that workers were lost with, for the page about work.

use super::state;
use crate::{
    Store,
    error::{During, Error},
    jobs::ALONE_FROM,
};
use domain::{Owner, UnixMillis};
use std::collections::BTreeMap;

/// A cart that fails, and is not parked yet.
pub(crate) struct Failing {
    pub owner: Owner,
    pub attempts: i64,
    /// Times that somebody took it up and was not heard of again.
    pub leases: i64,
    /// When it is tried next.
    pub due: Option<UnixMillis>,
}

/// At most so many of them.
pub(crate) async fn failing(store: &Store, most: usize) -> Result<Vec<Failing>, Error> {
    const OPERATION: &str = "carts.failing";
    let mut pipe = redis::pipe();
    for bucket in 0..Owner::CART_BUCKETS {
        pipe.hgetall(store.keys().carts_attempts(bucket)).hgetall(store.keys().carts_leases(bucket));
    }
    type Fields = BTreeMap<String, String>;
    let hashes: Vec<Fields> = pipe.query_async(&mut store.redis()).await.during(OPERATION)?;
    let number = |text: Option<&String>| text.and_then(|text| text.split(':').next()?.parse().ok()).unwrap_or(0);
    let mut failing = Vec::new();
    for pair in hashes.chunks(2) {
        let [attempts, leases] = pair else { continue };
        let lost =
            leases.iter().filter(|(_, count)| number(Some(count)) >= i64::from(ALONE_FROM)).map(|(name, _)| name);
        let names: std::collections::BTreeSet<&String> = attempts.keys().chain(lost).collect();
        for name in names {
            let (attempts, leases) = (number(attempts.get(name)), number(leases.get(name)));
            failing.push(Failing { owner: state::owner(name)?, attempts, leases, due: None });
        }
    }
    failing.truncate(most);
    if failing.is_empty() {
        return Ok(failing);
    }
    let mut pipe = redis::pipe();
    for cart in &failing {
        pipe.zscore(store.keys().carts_dirty(cart.owner.cart_bucket()), cart.owner.to_string());
    }
    let due: Vec<Option<i64>> = pipe.query_async(&mut store.redis()).await.during(OPERATION)?;
    failing.iter_mut().zip(&due).for_each(|(cart, due)| cart.due = due.map(UnixMillis::new));
    // What is not dirty is parked, and has a dead letter.
    failing.retain(|cart| cart.due.is_some());
    Ok(failing)
}

/// Its turn is now; whoever was lost with it is forgotten. `false`: it does not wait any more.
pub(crate) async fn hurry(store: &Store, owner: Owner) -> Result<bool, Error> {
    let (keys, bucket, name) = (store.keys(), owner.cart_bucket(), owner.to_string());
    let mut pipe = redis::pipe();
    pipe.atomic().hdel(keys.carts_leases(bucket), &name).ignore();
    pipe.cmd("ZADD").arg(keys.carts_dirty(bucket)).arg("XX").arg("LT").arg(store.now().get()).arg(&name).ignore();
    pipe.zscore(keys.carts_dirty(bucket), &name);
    let (due,): (Option<i64>,) = pipe.query_async(&mut store.redis()).await.during("carts.hurry")?;
    Ok(due.is_some())
}
