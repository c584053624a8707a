//! `outbox.*`: does what transactions left to be done after their commit.
//!
//! A message that fails, or panics, fails alone. One whose worker dies counts the lease: from the third on it is taken up
//! alone, and after the tenth it is parked without another look.
//!
//! Lanes of their own, so that live messages never wait behind a payment provider or a mail server, and neither behind the
//! thousand carts that hold a book which changed ([`crate::carts::told`]).

use super::{
    Job, Letter, MAX_ATTEMPTS, MAX_LEASES, Topic, backoff, caught, dead_letters, deadly, is_away, notices, park,
    queries, retry_at,
};
use crate::{
    Store,
    error::{During, Error},
    mail::Failure,
    messages::{self, Channel},
    payments,
    world::{from_timestamp, to_timestamp},
};
use async_trait::async_trait;
use domain::{ErrorCode, OrderId, PaymentId, RefundId, UnixMillis};
use futures::{StreamExt, stream};
use queries::Message;
use std::time::Duration;

/// Pause between two looks for what browsers wait for when nothing was due.
pub(crate) const PAUSE: Duration = Duration::from_millis(120);
/// The same for money, and for what mail servers and the like are asked to do.
const LONG_PAUSE: Duration = Duration::from_millis(400);
/// Messages of one round.
pub(crate) const BATCH: i64 = 100;
/// A message is found again after this when its worker died.
const LEASE_MS: i64 = 60_000;
/// The same of a message that is alone: nothing takes longer than its calls.
const LEASE_ALONE_MS: i64 = 30_000;
/// Mails of one round: all of them are done well within the lease, or another worker would send them again.
const FEW: i64 = PARALLEL as i64;
/// Calls to providers at the same time.
const PARALLEL: usize = 8;

/// Drains the topics of one lane.
pub struct DrainOutbox {
    name: &'static str,
    topics: &'static [Topic],
    batch: i64,
    pause: Duration,
}

impl DrainOutbox {
    /// Live messages.
    pub const NOTICES: Self =
        Self { name: "outbox.notices", topics: &[Topic::OrderChanged], batch: BATCH, pause: PAUSE };
    /// Calls to payment providers.
    pub const PAYMENTS: Self = Self {
        name: "outbox.payments",
        topics: &[Topic::PaymentClose, Topic::RefundRequest],
        batch: BATCH,
        pause: LONG_PAUSE,
    };
    /// Money that came late: nothing here waits for a provider.
    pub const LATE_MONEY: Self =
        Self { name: "outbox.late_money", topics: &[Topic::PaymentLate], batch: BATCH, pause: LONG_PAUSE };
    /// Mails.
    pub const MAIL: Self = Self { name: "outbox.mail", topics: &[Topic::MailSend], batch: FEW, pause: LONG_PAUSE };
    /// Short messages.
    pub const SMS: Self = Self { name: "outbox.sms", topics: &[Topic::SmsSend], batch: FEW, pause: LONG_PAUSE };
}

#[async_trait]
impl Job for DrainOutbox {
    type Batch = Vec<Message>;

    fn name(&self) -> &'static str {
        self.name
    }

    fn pieces(&self, batch: &Self::Batch) -> u64 {
        batch.len() as u64
    }

    async fn fetch(&self, store: &Store) -> Result<Option<Vec<Message>>, Error> {
        lease(store, self.topics, self.batch, self.pause).await
    }

    async fn handle(&self, store: &Store, batch: Vec<Message>) -> Result<(), Error> {
        let (notices, calls): (Vec<Message>, Vec<Message>) =
            batch.into_iter().partition(|message| message.topic == Topic::OrderChanged.as_str());
        let announced = announce_all(store, &notices).await;
        let calls: Vec<_> = calls.iter().map(|message| settle(store, message)).collect();
        let called = stream::iter(calls).buffer_unordered(PARALLEL).collect::<Vec<_>>().await;
        called.into_iter().chain([announced]).collect()
    }
}

/// The next messages of these topics, at most so many, leased; `None` after the pause when there are none.
pub(crate) async fn lease(
    store: &Store,
    topics: &[Topic],
    most: i64,
    pause: Duration,
) -> Result<Option<Vec<Message>>, Error> {
    let topics: Vec<String> = topics.iter().map(|topic| topic.as_str().to_owned()).collect();
    let now = store.now();
    let leases =
        queries::Leases { together: to_timestamp(now.plus(LEASE_MS)), alone: to_timestamp(now.plus(LEASE_ALONE_MS)) };
    let batch = queries::lease(store.pg(), &topics, to_timestamp(now), leases, most).await.during("outbox.lease")?;
    if batch.is_empty() {
        tokio::time::sleep(pause).await;
        return Ok(None);
    }
    Ok(Some(batch))
}

/// All at once; one by one when one of them spoils that.
async fn announce_all(store: &Store, messages: &[Message]) -> Result<(), Error> {
    match messages {
        [] => Ok(()),
        [message] => attempt(store, message, announce(store, messages)).await.map(|_| ()),
        _ => match caught("outbox.announce", announce(store, messages)).await {
            Err(error) if !is_away(&error) => {
                for message in messages {
                    attempt(store, message, announce(store, std::slice::from_ref(message))).await?;
                }
                Ok(())
            }
            outcome => outcome,
        },
    }
}

/// Publishes the newest version of each changed order; several changes of one order are one message.
async fn announce(store: &Store, messages: &[Message]) -> Result<(), Error> {
    const OPERATION: &str = "outbox.announce";
    let ids: Vec<_> = messages.iter().filter_map(|message| message.key.parse().ok()).map(OrderId::get).collect();
    let orders = queries::versions(store.pg(), &ids).await.during(OPERATION)?;
    let mut pipe = redis::pipe();
    for order in orders {
        notices::publish(&mut pipe, store.keys(), &order.id.to_string(), &order.owner, order.version);
    }
    let rows: Vec<i64> = messages.iter().map(|message| message.id).collect();
    if let Err(error) = pipe.exec_async(&mut store.redis()).await.during(OPERATION) {
        let again = store.now().plus(i64::try_from(backoff(2, store.uuid()).as_millis()).unwrap_or(1000));
        queries::hand_back(store.pg(), &rows, to_timestamp(again)).await.during(OPERATION)?;
        return Err(error);
    }
    queries::delete(store.pg(), &rows).await.during(OPERATION)
}

/// Does one message and takes it out; a failure puts it off, or parks it.
async fn settle(store: &Store, message: &Message) -> Result<(), Error> {
    match attempt(store, message, dispatch(store, message)).await? {
        Some(()) => done(store, message).await,
        None => Ok(()),
    }
}

/// The work of one message; `None`: it failed or panicked, and is put off or parked.
pub(crate) async fn attempt<T>(
    store: &Store,
    message: &Message,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<Option<T>, Error> {
    if !begin(store, message).await? {
        return Ok(None);
    }
    match caught("outbox.attempt", work).await {
        Ok(done) => Ok(Some(done)),
        Err(error) => failed(store, message, &error).await.map(|()| None),
    }
}

/// `false`: the message was alone with its worker too often, and nobody tries it any more.
pub(crate) async fn begin(store: &Store, message: &Message) -> Result<bool, Error> {
    const OPERATION: &str = "outbox.begin";
    if !message.is_alone {
        return Ok(true);
    }
    let Some(leases) = queries::count_lease(store.pg(), message.id).await.during(OPERATION)? else { return Ok(false) };
    if leases <= MAX_LEASES {
        return Ok(true);
    }
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    give_up(&mut tx, message, &deadly(OPERATION, i64::from(leases) - 1)).await?;
    tx.commit().await.during(OPERATION)?;
    Ok(false)
}

pub(crate) async fn done(store: &Store, message: &Message) -> Result<(), Error> {
    queries::delete(store.pg(), &[message.id]).await.during("outbox.done")
}

/// A part of the work is done; `payload` is what is left of it.
pub(crate) async fn go_on(
    store: &Store,
    message: &Message,
    payload: &serde_json::Value,
    due: UnixMillis,
) -> Result<(), Error> {
    queries::go_on(store.pg(), message.id, payload, to_timestamp(due)).await.during("outbox.go_on")
}

/// Puts the message off, or parks it after its last attempt.
pub(crate) async fn failed(store: &Store, message: &Message, error: &Error) -> Result<(), Error> {
    const OPERATION: &str = "outbox.failed";
    tracing::warn!(
        outbox.id = message.id,
        topic = message.topic,
        key = message.key,
        attempts = message.attempts,
        error = error as &dyn std::error::Error,
        "put off"
    );
    let provider_away = is_provider_away(error) && !is_old(message, store.now());
    if provider_away || is_away(error) {
        // Attempts are not counted, so the pause does not grow: about 2 s for our own servers, 16 s for somebody else's.
        let again = to_timestamp(retry_at(store, if provider_away { 6 } else { 3 }));
        return queries::hand_back(store.pg(), &[message.id], again).await.during(OPERATION);
    }
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    if message.attempts >= MAX_ATTEMPTS || is_final(error) {
        give_up(&mut tx, message, error).await?;
    } else {
        let again = to_timestamp(retry_at(store, message.attempts + patience(error)));
        queries::put_off(&mut *tx, message.id, again, &error.chain()).await.during(OPERATION)?;
    }
    tx.commit().await.during(OPERATION)
}

/// To the dead letters.
async fn give_up(tx: &mut sqlx::PgTransaction<'_>, message: &Message, error: &Error) -> Result<(), Error> {
    let payload = serde_json::json!({"topic": message.topic, "key": message.key, "payload": message.payload});
    let key = format!("{}:{}", message.topic, message.key);
    let letter = Letter {
        source: dead_letters::OUTBOX,
        key: &key,
        payload: &payload,
        error: &error.chain(),
        attempts: message.attempts,
        first_failed_at: message.first_failed_at,
    };
    park(tx, letter).await?;
    queries::delete(&mut **tx, &[message.id]).await.during("outbox.give_up")
}

/// The provider, or the mail server, does not answer: what it is to do waits as long as that lasts.
fn is_provider_away(error: &Error) -> bool {
    match error {
        Error::Http { .. } => true,
        Error::Message { source, .. } => source.is_away(),
        Error::Refused(refusal) => refusal.code == ErrorCode::ProviderUnavailable,
        _ => false,
    }
}

/// Nobody is away for so long: perhaps this one request is what is never answered, and a person looks at it.
fn is_old(message: &Message, now: UnixMillis) -> bool {
    const LONGEST_OUTAGE_MS: i64 = 24 * 3600 * 1000;
    message.first_failed_at.is_some_and(|first| now.since(from_timestamp(first)) > LONGEST_OUTAGE_MS)
}

/// Trying again would be the same again.
fn is_final(error: &Error) -> bool {
    matches!(error, Error::Message { source, .. } if source.is_final())
}

/// Steps of the pause skipped: mail servers that say "later" mean many minutes (greylisting).
fn patience(error: &Error) -> i32 {
    if matches!(error, Error::Message { source: Failure::Later(_), .. }) { 5 } else { 0 }
}

async fn dispatch(store: &Store, message: &Message) -> Result<(), Error> {
    let bad = |what: &str| Error::unexpected("outbox.dispatch", format!("{what} {}", message.key));
    match Topic::parse(&message.topic) {
        Some(Topic::PaymentClose) => {
            let payment: PaymentId = message.key.parse().map_err(|_| bad("no payment"))?;
            payments::close(store, payment).await
        }
        Some(Topic::PaymentLate) => {
            let payment: PaymentId = message.key.parse().map_err(|_| bad("no payment"))?;
            payments::decide_late(store, payment).await
        }
        Some(Topic::RefundRequest) => {
            let refund: RefundId = message.key.parse().map_err(|_| bad("no refund"))?;
            payments::refund::request(store, refund).await
        }
        Some(Topic::MailSend) => say(store, store.mail(), message).await,
        Some(Topic::SmsSend) => say(store, store.sms(), message).await,
        _ => Err(bad(&message.topic)),
    }
}

async fn say(store: &Store, channel: &dyn Channel, message: &Message) -> Result<(), Error> {
    messages::send(store, channel, &message.key, &message.payload).await
}

#[cfg(test)]
mod tests;
