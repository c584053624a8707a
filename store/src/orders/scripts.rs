//! The gate's scripts for orders.

use super::draft::Draft;
use crate::{
    Store,
    error::{During, Error},
};
use domain::{BookId, IdempotencyKey, Network, OrderId, Owner, order::Placed};
use redis::AsyncCommands;
use std::sync::LazyLock;

/// Open orders that one owner may have at a time: nobody hoards copies.
pub(super) const MAX_OPEN_ORDERS: u32 = 5;
/// How long the gate remembers what a key was used for; Postgres remembers it for ever.
pub(crate) const KEY_LIFE_S: i64 = 48 * 3600;

static PLACE: LazyLock<redis::Script> =
    LazyLock::new(|| redis::Script::new(include_str!("../../../lua/order_place.lua")));
static MARK: LazyLock<redis::Script> =
    LazyLock::new(|| redis::Script::new(include_str!("../../../lua/order_mark.lua")));
static PERSISTED: LazyLock<redis::Script> =
    LazyLock::new(|| redis::Script::new(include_str!("../../../lua/order_persisted.lua")));

/// What the gate says to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PlaceAnswer {
    Placed,
    Replayed(Placed),
    KeyReused,
    /// What is left of each short book.
    Insufficient(Vec<(BookId, u32)>),
    TooManyHolds,
    /// The orders that came from this network, perhaps some that ended, hold too many.
    TooManyCopies,
    /// This order was made of the cart, which has not given its copies up yet.
    CartTaken(OrderId),
    NotReady,
}

/// `given_up`: what the cart that the draft was made of had given up; `from`: where the request came from.
pub(super) async fn place(
    store: &Store,
    draft: &Draft,
    given_up: &[OrderId],
    from: Option<Network>,
) -> Result<PlaceAnswer, Error> {
    const OPERATION: &str = "orders.script_place";
    let keys = store.keys();
    let mut run = store.redis_run().await?;
    let mut call = PLACE.prepare_invoke();
    call.key(keys.epoch())
        .key(keys.stock())
        .key(keys.changes())
        .key(keys.placed())
        .key(keys.idempotency(&draft.owner, &draft.key))
        .key(keys.holds(&draft.owner))
        .key(keys.reservation(draft.order_id))
        .key(keys.latest(&draft.owner))
        .key(keys.from(from))
        .key(keys.run_id())
        .arg(draft.order_id.to_string())
        .arg(draft.owner.to_string())
        .arg(&draft.fingerprint)
        .arg(serde_json::to_string(&draft.answer()).during(OPERATION)?)
        .arg(serde_json::to_string(draft).during(OPERATION)?)
        .arg(draft.placed_at.get())
        .arg(draft.expires_at.get())
        .arg(MAX_OPEN_ORDERS)
        .arg(KEY_LIFE_S)
        .arg(keys.live_stock())
        .arg(given_up.iter().fold(" ".to_owned(), |words, order| words + &order.to_string() + " "))
        .arg(from.map_or(0, |_| store.config().held_copies_per_address))
        .arg(&*run.id);
    for line in &draft.lines {
        call.arg(line.book_id.get()).arg(line.quantity.get());
    }
    let answer: Vec<String> = call.invoke_async(&mut run.connection).await.during(OPERATION)?;
    place_answer(&answer).ok_or_else(|| Error::unexpected(OPERATION, format!("answered {answer:?}")))
}

fn place_answer(answer: &[String]) -> Option<PlaceAnswer> {
    let (code, rest) = answer.split_first()?;
    Some(match code.as_str() {
        "PLACED" => PlaceAnswer::Placed,
        "REPLAYED" => PlaceAnswer::Replayed(serde_json::from_str(rest.first()?).ok()?),
        "KEY_REUSED" => PlaceAnswer::KeyReused,
        "TOO_MANY_HOLDS" => PlaceAnswer::TooManyHolds,
        "TOO_MANY_COPIES" => PlaceAnswer::TooManyCopies,
        "CART_TAKEN" => PlaceAnswer::CartTaken(rest.first()?.parse().ok()?),
        "NOT_READY" => PlaceAnswer::NotReady,
        "INSUFFICIENT" => {
            let pairs = rest.chunks_exact(2).map(|pair| Some((pair[0].parse().ok()?, pair[1].parse().ok()?)));
            PlaceAnswer::Insufficient(pairs.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// Forgets the orders of this network that hold nothing any more; how many there were.
pub(super) async fn forget_ended(store: &Store, from: Network) -> Result<usize, Error> {
    const OPERATION: &str = "orders.forget_ended";
    let (key, mut redis) = (store.keys().from(Some(from)), store.redis());
    let orders: Vec<String> = redis.hkeys(&key).await.during(OPERATION)?;
    if orders.is_empty() {
        return Ok(0);
    }
    let mut pipe = redis::pipe();
    let ids = || orders.iter().filter_map(|order| order.parse::<OrderId>().ok());
    for order in ids() {
        pipe.exists(store.keys().reservation(order));
    }
    let holds: Vec<bool> = pipe.query_async(&mut redis).await.during(OPERATION)?;
    let ended: Vec<String> = ids().zip(holds).filter(|(_, holds)| !holds).map(|(order, _)| order.to_string()).collect();
    if !ended.is_empty() {
        redis.hdel::<_, _, ()>(&key, &ended).await.during(OPERATION)?;
    }
    Ok(ended.len())
}

/// Whether a wish to cancel reached the order in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MarkAnswer {
    /// The persist worker will cancel it.
    Marked,
    /// It is in Postgres, or was never here.
    Gone,
}

pub(super) async fn mark(store: &Store, order: OrderId) -> Result<MarkAnswer, Error> {
    const OPERATION: &str = "orders.script_mark";
    let mut call = MARK.prepare_invoke();
    call.key(store.keys().reservation(order)).arg(store.now().get());
    let answer: String = call.invoke_async(&mut store.redis()).await.during(OPERATION)?;
    mark_answer(&answer).ok_or_else(|| Error::unexpected(OPERATION, format!("answered {answer}")))
}

fn mark_answer(code: &str) -> Option<MarkAnswer> {
    match code {
        "MARKED" => Some(MarkAnswer::Marked),
        "GONE" => Some(MarkAnswer::Gone),
        _ => None,
    }
}

/// An entry whose order is committed, and what the worker knows to be dealt with.
pub(super) struct Persisted<'a> {
    pub entry: &'a str,
    pub order: OrderId,
    pub is_cart_settled: bool,
    pub is_cancel_settled: bool,
}

/// What is left to do with such an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PersistedAnswer {
    Done,
    /// Its copies may be in the cart still: take them out, then say so.
    Take,
    /// Somebody asked to cancel before the commit was known here: cancel it, then say so.
    Cancel,
}

/// One answer for each entry; one round trip.
pub(super) async fn persisted(
    store: &Store,
    group: &str,
    entries: &[Persisted<'_>],
) -> Result<Vec<PersistedAnswer>, Error> {
    const OPERATION: &str = "orders.script_persisted";
    let mut pipe = redis::pipe();
    pipe.load_script(&PERSISTED).ignore();
    for entry in entries {
        let mut call = PERSISTED.prepare_invoke();
        call.key(store.keys().placed())
            .key(store.keys().reservation(entry.order))
            .arg(group)
            .arg(entry.entry)
            .arg(u8::from(entry.is_cart_settled))
            .arg(u8::from(entry.is_cancel_settled));
        pipe.invoke_script(&call);
    }
    let answers: Vec<String> = pipe.query_async(&mut store.redis()).await.during(OPERATION)?;
    let known = answers
        .iter()
        .map(|code| persisted_answer(code).ok_or_else(|| Error::unexpected(OPERATION, format!("answered {code}"))));
    known.collect()
}

fn persisted_answer(code: &str) -> Option<PersistedAnswer> {
    match code {
        "DONE" => Some(PersistedAnswer::Done),
        "TAKE" => Some(PersistedAnswer::Take),
        "CANCEL" => Some(PersistedAnswer::Cancel),
        _ => None,
    }
}

/// What this key was used for within the last 48 hours: fingerprint and answer.
pub(super) async fn recorded(
    store: &Store,
    owner: &Owner,
    key: &IdempotencyKey,
) -> Result<Option<(String, Placed)>, Error> {
    const OPERATION: &str = "orders.recorded_key";
    let record: (Option<String>, Option<String>) = store
        .redis()
        .hmget(store.keys().idempotency(owner, key), &["fingerprint", "answer"])
        .await
        .during(OPERATION)?;
    let (Some(fingerprint), Some(answer)) = record else { return Ok(None) };
    Ok(Some((fingerprint, serde_json::from_str(&answer).during(OPERATION)?)))
}

/// The gate's epoch; `None`: it is not loaded.
pub(super) async fn epoch(store: &Store) -> Result<Option<String>, Error> {
    store.redis().get(store.keys().epoch()).await.during("orders.epoch")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stock::promised_codes;

    #[test]
    fn the_wrappers_know_every_code_that_the_headers_promise() {
        let place = promised_codes(include_str!("../../../lua/order_place.lua"));
        assert_eq!(
            place,
            [
                "NOT_READY",
                "REPLAYED",
                "KEY_REUSED",
                "TOO_MANY_HOLDS",
                "TOO_MANY_COPIES",
                "CART_TAKEN",
                "INSUFFICIENT",
                "PLACED"
            ]
        );
        let answer = r#"{"order_id":"c85a0465-8329-82fa-9ec7-9ebd73ded635","number":"BB-7K3M-9QXA","status":"PENDING",
            "total":1,"currency":"INR","expires_at":1}"#;
        for code in place {
            let rest: &[&str] = match code {
                "REPLAYED" => &[answer],
                "INSUFFICIENT" => &["7", "0"],
                "CART_TAKEN" => &["c85a0465-8329-82fa-9ec7-9ebd73ded635"],
                _ => &[],
            };
            let reply: Vec<String> = [code].iter().chain(rest).map(|part| (*part).to_owned()).collect();
            assert!(place_answer(&reply).is_some(), "{code}");
        }
        let mark = promised_codes(include_str!("../../../lua/order_mark.lua"));
        assert_eq!(mark, ["MARKED", "GONE"]);
        assert!(mark.into_iter().all(|code| mark_answer(code).is_some()));
        let persisted = promised_codes(include_str!("../../../lua/order_persisted.lua"));
        assert_eq!(persisted, ["DONE", "TAKE", "CANCEL"]);
        assert!(persisted.into_iter().all(|code| persisted_answer(code).is_some()));
        assert_eq!(place_answer(&["NONSENSE".to_owned()]), None);
    }
}
