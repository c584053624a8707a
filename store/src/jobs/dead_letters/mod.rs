//! Dead letters: work that kept failing, with its payload, error and attempts, until a person (or, for carts, the next
//! hour) tries it again or lets it go. Ending a letter twice changes nothing.

mod queries;

pub use queries::{DeadLetter, Letter};

use super::{Topic, enqueue};
use crate::{
    Store,
    admin::audit::{self, Action},
    carts,
    error::{During, Error},
    jobs,
    viewer::Viewer,
    world::to_timestamp,
};
use domain::{ApiError, ErrorCode, Owner};
use queries::Parked;
use serde_json::{Value, json};

/// Letters of one page.
const PAGE: i64 = 200;

pub(crate) const OUTBOX: &str = "outbox";
pub(crate) const GATE_OPS: &str = "gate_ops";
pub(crate) const PLACED: &str = "placed";
pub(crate) const CART: &str = "cart";
pub(crate) const SANDBOX_EVENTS: &str = "sandbox_events";
pub(crate) const WEBHOOK_INBOX: &str = "webhook_inbox";
pub(crate) const EXPIRY: &str = "expiry";
/// Where letters come from.
pub const SOURCES: [&str; 7] = [OUTBOX, GATE_OPS, PLACED, CART, SANDBOX_EVENTS, WEBHOOK_INBOX, EXPIRY];

/// What became of a wish to end a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Now,
    /// It had ended before.
    Before,
    /// There is no such letter.
    Never,
}

/// Parked letters, the oldest first, after the one with the id `after` (0: from the start).
pub async fn list(store: &Store, after: i64) -> Result<Vec<DeadLetter>, Error> {
    queries::list(store.pg(), after, PAGE).await.during("dead_letters.list")
}

/// Parked letters, the newest first, of one source or of all: those before the id `before`, at most `most`.
pub async fn newest(
    store: &Store,
    source: Option<&str>,
    before: Option<i64>,
    most: i64,
) -> Result<Vec<DeadLetter>, Error> {
    const OPERATION: &str = "dead_letters.newest";
    queries::newest(store.postgres(OPERATION).await?, source, before, most).await.during(OPERATION)
}

/// How many are parked of each source that has any.
pub async fn counts(store: &Store) -> Result<Vec<(String, i64)>, Error> {
    const OPERATION: &str = "dead_letters.counts";
    queries::counts(store.postgres(OPERATION).await?).await.during(OPERATION)
}

/// One letter, also one that has ended.
pub async fn get(store: &Store, id: i64) -> Result<Option<Letter>, Error> {
    const OPERATION: &str = "dead_letters.get";
    queries::get(store.postgres(OPERATION).await?, id).await.during(OPERATION)
}

/// Brings the work back to where it came from, with ten fresh attempts.
///
/// A cart is different: it is written from Redis as a whole, and its letter ends when Postgres has it.
pub async fn retry(store: &Store, id: i64) -> Result<Ended, Error> {
    retry_for(store, None, id).await
}

/// The same because this person wants it.
pub async fn retry_for(store: &Store, admin: Option<&Viewer>, id: i64) -> Result<Ended, Error> {
    const OPERATION: &str = "dead_letters.retry";
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    let letter = match queries::lock(&mut *tx, id).await.during(OPERATION)? {
        None => return Ok(Ended::Never),
        Some(letter) if letter.state != "parked" => return Ok(Ended::Before),
        Some(letter) => letter,
    };
    if letter.source == CART {
        note(&mut tx, store, admin, Action::LetterRetry, (id, &letter), Value::Null).await?;
        tx.commit().await.during(OPERATION)?;
        carts::parked::retry(store, owner(&letter)?, &letter.payload).await?;
        return Ok(Ended::Now);
    }
    give_back(store, &mut tx, &letter).await?;
    queries::end(&mut *tx, id, "retried", None).await.during(OPERATION)?;
    note(&mut tx, store, admin, Action::LetterRetry, (id, &letter), json!({ "state": "retried" })).await?;
    tx.commit().await.during(OPERATION)?;
    Ok(Ended::Now)
}

/// Brings a piece of the outbox's work back at once, with fresh attempts: put off, parked, or let go.
pub(crate) async fn ask_again(
    store: &Store,
    tx: &mut sqlx::PgTransaction<'_>,
    topic: Topic,
    key: &str,
) -> Result<(), Error> {
    const OPERATION: &str = "dead_letters.ask_again";
    let name = format!("{}:{key}", topic.as_str());
    if let Some((id, letter)) = queries::lock_parked(&mut **tx, OUTBOX, &name).await.during(OPERATION)? {
        give_back(store, tx, &letter).await?;
        return queries::end(&mut **tx, id, "retried", None).await.during(OPERATION);
    }
    let now = to_timestamp(store.now());
    if queries::hurry(&mut **tx, topic.as_str(), key, now).await.during(OPERATION)? {
        return Ok(());
    }
    enqueue(&mut **tx, topic, key, &serde_json::json!({}), now).await.during(OPERATION)
}

/// What became of all letters of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Retried {
    pub retried: u64,
    /// Could not even be tried; they are still parked, and the log says why.
    pub failed: u64,
}

/// Retries all letters of one source that are parked now. One that cannot be tried is in nobody's way.
pub async fn retry_all(store: &Store, source: &str) -> Result<Retried, Error> {
    retry_all_for(store, None, source).await
}

/// The same because this person wants it.
pub async fn retry_all_for(store: &Store, admin: Option<&Viewer>, source: &str) -> Result<Retried, Error> {
    if !SOURCES.contains(&source) {
        let message = format!("No dead letters come from “{source}”; there are: {}.", SOURCES.join(", "));
        return Err(ApiError::new(ErrorCode::NotFound, message).into());
    }
    let (mut after, mut all) = (0, Retried::default());
    loop {
        let page = queries::parked_ids(store.pg(), source, after, PAGE).await.during("dead_letters.retry_all")?;
        let Some(last) = page.last() else { return Ok(all) };
        after = *last;
        for id in page {
            match retry_for(store, admin, id).await {
                Ok(ended) => all.retried += u64::from(ended == Ended::Now),
                Err(error) => {
                    jobs::alone(error, format_args!("dead letter {id}"))?;
                    all.failed += 1;
                }
            }
        }
    }
}

/// Lets the work go, for a reason that is kept with the letter.
///
/// An operation of the gate counts as applied then, and reconciling the stock makes up for it. A cart is never thrown
/// away: with what its letter kept, it goes back to the carts that wait to be written, with ten fresh attempts.
pub async fn discard(store: &Store, id: i64, reason: &str) -> Result<Ended, Error> {
    discard_for(store, None, id, reason).await
}

/// The same because this person wants it.
pub async fn discard_for(store: &Store, admin: Option<&Viewer>, id: i64, reason: &str) -> Result<Ended, Error> {
    const OPERATION: &str = "dead_letters.discard";
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    let letter = match queries::lock(&mut *tx, id).await.during(OPERATION)? {
        None => return Ok(Ended::Never),
        Some(letter) if letter.state != "parked" => return Ok(Ended::Before),
        Some(letter) => letter,
    };
    if letter.source == GATE_OPS {
        queries::drop_gate_op(&mut *tx, number(&letter)?, to_timestamp(store.now())).await.during(OPERATION)?;
    }
    let after = json!({ "state": "discarded", "reason": reason });
    note(&mut tx, store, admin, Action::LetterDiscard, (id, &letter), after).await?;
    if letter.source == CART {
        // Redis is no part of the transaction: first that somebody wants it, and last of all the letter, which may be all
        // that is left of the cart.
        tx.commit().await.during(OPERATION)?;
        carts::parked::let_go(store, owner(&letter)?, &letter.payload).await?;
        queries::end(store.pg(), id, "discarded", Some(reason)).await.during(OPERATION)?;
        return Ok(Ended::Now);
    }
    queries::end(&mut *tx, id, "discarded", Some(reason)).await.during(OPERATION)?;
    tx.commit().await.during(OPERATION)?;
    Ok(Ended::Now)
}

/// For the audit log, when it was a person behind the counter.
async fn note(
    tx: &mut sqlx::PgTransaction<'_>,
    store: &Store,
    admin: Option<&Viewer>,
    action: Action,
    (id, letter): (i64, &Parked),
    after: Value,
) -> Result<(), Error> {
    let Some(admin) = admin else { return Ok(()) };
    let before = json!({ "state": letter.state, "source": letter.source, "key": letter.key });
    audit::note(&mut **tx, store, admin, action, ("letter", &id), before, after).await
}

/// Carts with a parked letter, and its id.
pub(crate) async fn of_carts(store: &Store) -> Result<Vec<(Owner, i64)>, Error> {
    let letters = queries::of_source(store.pg(), CART).await.during("dead_letters.of_carts")?;
    Ok(letters.into_iter().filter_map(|(key, id)| Some((key.parse().ok()?, id))).collect())
}

async fn give_back(store: &Store, tx: &mut sqlx::PgTransaction<'_>, letter: &Parked) -> Result<(), Error> {
    const OPERATION: &str = "dead_letters.give_back";
    let now = to_timestamp(store.now());
    match letter.source.as_str() {
        OUTBOX => {
            let text = |field: &str| letter.payload[field].as_str().ok_or_else(|| unreadable(letter));
            let topic = Topic::parse(text("topic")?).ok_or_else(|| unreadable(letter))?;
            let key = text("key")?;
            enqueue(&mut **tx, topic, key, &letter.payload["payload"], now).await.during(OPERATION)
        }
        GATE_OPS => queries::revive_gate_op(&mut **tx, number(letter)?, now).await.during(OPERATION),
        SANDBOX_EVENTS => queries::revive_event(&mut **tx, &letter.key, now).await.during(OPERATION),
        WEBHOOK_INBOX => queries::revive_webhook(&mut **tx, number(letter)?, now).await.during(OPERATION),
        EXPIRY => {
            let order = letter.key.parse().map_err(|_| unreadable(letter))?;
            queries::revive_expiry(&mut **tx, order).await.during(OPERATION)
        }
        PLACED => {
            let message = "This order has ended as FAILED and its copies are back on sale: there is nothing to retry. \
                           Discard the letter when you have looked at it.";
            Err(ApiError::new(ErrorCode::Conflict, message).into())
        }
        _ => Err(unreadable(letter)),
    }
}

fn owner(letter: &Parked) -> Result<Owner, Error> {
    letter.key.parse().map_err(|_| unreadable(letter))
}

fn number(letter: &Parked) -> Result<i64, Error> {
    letter.key.parse().map_err(|_| unreadable(letter))
}

fn unreadable(letter: &Parked) -> Error {
    Error::unexpected("dead_letters", format!("the letter {} {} is unreadable", letter.source, letter.key))
}
