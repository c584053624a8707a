//! The reservations that the gate keeps: what is read of them besides its scripts, and how they come back from Postgres after
//! a loss.

use super::{draft::Draft, scripts::KEY_LIFE_S};
use crate::{
    Store,
    error::{During, Error},
};
use domain::{OrderId, Owner, UnixMillis};
use redis::AsyncCommands;

/// An order that only the gate has.
pub(super) struct Waiting {
    pub draft: Draft,
    pub cancel_asked: bool,
}

/// Those of these orders that the gate keeps and that are not in Postgres already.
pub(super) async fn waiting(store: &Store, orders: &[OrderId]) -> Result<Vec<Waiting>, Error> {
    const OPERATION: &str = "orders.waiting";
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipe = redis::pipe();
    for order in orders {
        pipe.hmget(store.keys().reservation(*order), &["order", "cancel", "persisted"]);
    }
    type Fields = (Option<String>, Option<String>, Option<String>);
    let found: Vec<Fields> = pipe.query_async(&mut store.redis()).await.during(OPERATION)?;
    let waiting = found.into_iter().filter_map(|(order, cancel, persisted)| {
        let order = order.filter(|_| persisted.is_none())?;
        let draft = serde_json::from_str(&order).during(OPERATION);
        Some(draft.map(|draft| Waiting { draft, cancel_asked: cancel.is_some() }))
    });
    waiting.collect()
}

/// The owner's open orders, as the gate counts them.
pub(crate) async fn held(store: &Store, owner: &Owner) -> Result<Vec<OrderId>, Error> {
    let ids: Vec<String> = store.redis().zrange(store.keys().holds(owner), 0, -1).await.during("orders.held")?;
    Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
}

/// A reservation, as reconciling judges it.
pub(crate) struct Kept {
    pub owner: String,
    /// The order as JSON; empty: there is none.
    pub order: String,
}

impl Kept {
    /// The order, if anybody can still read it.
    pub fn draft(&self) -> Option<Draft> {
        serde_json::from_str(&self.order).ok()
    }
}

/// What the gate keeps of these orders; `None`: nothing.
pub(crate) async fn kept(store: &Store, orders: &[OrderId]) -> Result<Vec<Option<Kept>>, Error> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipe = redis::pipe();
    for order in orders {
        let key = store.keys().reservation(*order);
        pipe.exists(&key).cmd("HMGET").arg(&key).arg("owner").arg("order");
    }
    let answers: Vec<redis::Value> = pipe.query_async(&mut store.redis()).await.during("orders.kept")?;
    let pairs = answers.chunks_exact(2).map(|pair| {
        let (exists, fields) = (pair[0].clone(), pair[1].clone());
        let exists: bool = redis::from_redis_value(exists)?;
        let (owner, order): (Option<String>, Option<String>) = redis::from_redis_value(fields)?;
        Ok(exists.then(|| Kept { owner: owner.unwrap_or_default(), order: order.unwrap_or_default() }))
    });
    let kept: Result<Vec<_>, redis::ParsingError> = pairs.collect();
    kept.map_err(|error| Error::unexpected("orders.kept", error.to_string()))
}

/// What the gate knows of an open order.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    pub reservation: bool,
    /// It counts for its owner.
    pub hold: bool,
}

pub(crate) async fn known(store: &Store, orders: &[(OrderId, Owner)]) -> Result<Vec<Known>, Error> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipe = redis::pipe();
    for (order, owner) in orders {
        pipe.exists(store.keys().reservation(*order)).zscore(store.keys().holds(owner), order.to_string());
    }
    let answers: Vec<redis::Value> = pipe.query_async(&mut store.redis()).await.during("orders.known")?;
    let is_there = |value: &redis::Value| !matches!(value, redis::Value::Nil | redis::Value::Int(0));
    Ok(answers
        .chunks_exact(2)
        .map(|pair| Known { reservation: is_there(&pair[0]), hold: is_there(&pair[1]) })
        .collect())
}

/// Puts the reservation of an order that is in Postgres back, if it is missing, with its hold and its key's record.
pub(crate) fn restore(pipe: &mut redis::Pipeline, store: &Store, draft: &Draft) -> Result<(), Error> {
    const OPERATION: &str = "orders.restore_reservation";
    let keys = store.keys();
    let key = keys.reservation(draft.order_id);
    let answer = serde_json::to_string(&draft.answer()).during(OPERATION)?;
    let order = serde_json::to_string(draft).during(OPERATION)?;
    let fields = [
        ("owner", draft.owner.to_string()),
        ("fingerprint", draft.fingerprint.clone()),
        ("answer", answer),
        ("order", order),
    ];
    for (field, value) in fields {
        pipe.hset_nx(&key, field, value).ignore();
    }
    // Postgres has it and ends it: a wish to cancel that is only marked here would be read by nobody.
    pipe.hset(&key, "persisted", 1).ignore();
    pipe.zadd(keys.holds(&draft.owner), draft.order_id.to_string(), draft.expires_at.get()).ignore();
    Ok(())
}

/// Puts the record of a key back.
pub(crate) fn restore_key(
    pipe: &mut redis::Pipeline,
    store: &Store,
    used: &super::UsedKey,
    now: UnixMillis,
) -> Result<(), Error> {
    let key = store.keys().idempotency(&used.owner, &used.key);
    let answer = serde_json::to_string(&used.answer).during("orders.restore_key")?;
    let life = used.placed_at.plus(KEY_LIFE_S * 1000).since(now).max(1000);
    pipe.hset_nx(&key, "fingerprint", &used.fingerprint).ignore();
    pipe.hset_nx(&key, "answer", answer).ignore();
    pipe.pexpire(&key, life).ignore();
    Ok(())
}
