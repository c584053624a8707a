//! The stream of accepted orders as people look at it: how many wait, and which are in hands that do nothing.

use super::GROUP;
use crate::{
    Store,
    error::{During, Error},
};
use domain::{OrderId, UnixMillis};
use redis::{
    RedisError,
    streams::{StreamPendingCountReply, StreamRangeReply},
};

/// Entries in one hand for longer; another worker takes them over soon, if there is one.
const HELD_MS: usize = 20_000;
/// Entries listed.
const MOST: usize = 20;
/// Under this name an entry waits for whoever comes first.
const NOBODY: &str = "nobody";
/// Longer than the longest time that a worker may be silent.
const LONG_IDLE_MS: i64 = 3_600_000;

/// What waits.
pub(crate) struct Waiting {
    pub count: u64,
    /// When the first of them was accepted.
    pub first: Option<UnixMillis>,
}

/// An entry that somebody has read and not acknowledged.
pub(crate) struct Held {
    pub id: String,
    pub deliveries: i64,
}

pub(crate) async fn waiting(store: &Store) -> Result<Waiting, Error> {
    let placed = store.keys().placed();
    let mut pipe = redis::pipe();
    pipe.xlen(&placed).cmd("XRANGE").arg(&placed).arg("-").arg("+").arg("COUNT").arg(1);
    type First = Vec<(String, redis::Value)>;
    let (count, first): (u64, First) = pipe.query_async(&mut store.redis()).await.during("orders.waiting")?;
    let first = first.first().and_then(|(id, _)| id.split('-').next()?.parse().ok()).map(UnixMillis::new);
    Ok(Waiting { count, first })
}

/// How many orders wait, and the latest of them.
pub(crate) async fn latest(store: &Store, most: usize) -> Result<(u64, Vec<OrderId>), Error> {
    let placed = store.keys().placed();
    let mut pipe = redis::pipe();
    pipe.xlen(&placed).xrevrange_count(&placed, "+", "-", most);
    let (count, entries): (u64, StreamRangeReply) =
        pipe.query_async(&mut store.redis()).await.during("orders.latest_waiting")?;
    let order = |entry: &redis::streams::StreamId| entry.get::<String>("order")?.parse().ok();
    Ok((count, entries.ids.iter().filter_map(order).collect()))
}

pub(crate) async fn held(store: &Store) -> Result<Vec<Held>, Error> {
    let mut pending = redis::cmd("XPENDING");
    pending.arg(store.keys().placed()).arg(GROUP).arg("IDLE").arg(HELD_MS).arg("-").arg("+").arg(MOST);
    let reply: Result<StreamPendingCountReply, RedisError> = pending.query_async(&mut store.redis()).await;
    let reply = match reply {
        // Nobody has read it yet.
        Err(error) if error.code() == Some("NOGROUP") => return Ok(Vec::new()),
        reply => reply.during("orders.held")?,
    };
    let deliveries = |times: usize| i64::try_from(times).unwrap_or(i64::MAX);
    Ok(reply
        .ids
        .into_iter()
        .map(|entry| Held { deliveries: deliveries(entry.times_delivered), id: entry.id })
        .collect())
}

/// Out of the hand that has it, as if nobody had died with it; the next worker that looks for abandoned entries takes it.
/// `false`: nobody has it.
pub(crate) async fn free(store: &Store, entry: &str) -> Result<bool, Error> {
    const OPERATION: &str = "orders.free";
    let is_id = entry.split_once('-').is_some_and(|(ms, n)| ms.parse::<u64>().is_ok() && n.parse::<u64>().is_ok());
    if !is_id {
        return Ok(false);
    }
    let mut claim = redis::cmd("XCLAIM");
    claim.arg(store.keys().placed()).arg(GROUP).arg(NOBODY).arg(0).arg(entry);
    claim.arg("IDLE").arg(LONG_IDLE_MS).arg("RETRYCOUNT").arg(0).arg("JUSTID");
    let claimed: Vec<String> = claim.query_async(&mut store.redis()).await.during(OPERATION)?;
    let mut forget = redis::cmd("HDEL");
    forget.arg(store.keys().placed_leases()).arg(entry);
    forget.exec_async(&mut store.redis()).await.during(OPERATION)?;
    Ok(!claimed.is_empty())
}
