//! The inbox of webhooks: each event and its effect in one transaction, and another look at events that came too early.

use super::{
    Received,
    effect::{self, Fresh, Outcome},
    provider::{self, EventKind, ProviderEvent},
    queries::{self, WaitingEvent},
};
use crate::{
    Store,
    error::{During, Error},
    jobs::{self, Job, Letter, dead_letters},
    world::to_timestamp,
};
use async_trait::async_trait;
use domain::{OrderId, PaymentId, RefundId, UnixMillis, payment::Quarantined};
use serde_json::Value;
use sqlx::PgTransaction;
use std::{borrow::Cow, time::Duration};

const OPERATION: &str = "payments.inbox";
/// Events looked at again in one round.
const BATCH: i64 = 32;
const LEASE_MS: i64 = 30_000;
/// Pause when nothing was due.
const IDLE: Duration = Duration::from_millis(500);
/// Looks (with growing pauses, together some minutes) before an event without an order is given up.
const MAX_LOOKS: i32 = 10;
/// Looks before a refund of our own session is given up whose money we do not have: about a day, in which it is asked
/// about many times.
const LOOKS_FOR_MONEY: i32 = 300;

/// Takes a genuine event in: once, whatever is sent how often at the same time.
pub(super) async fn take(
    store: &Store,
    provider: &str,
    event: &ProviderEvent,
    payload: &Value,
) -> Result<Received, Error> {
    let now = store.now();
    let mut tx = store.postgres(OPERATION).await?.begin().await.during(OPERATION)?;
    let taken = queries::insert_event(&mut *tx, provider, event, payload, to_timestamp(now)).await;
    let Some(id) = taken.during(OPERATION)? else { return Ok(Received::Ignored) };
    let outcome = apply(store, &mut tx, provider, event, id).await?;
    let received = record(&mut tx, id, outcome, jobs::retry_at(store, 1)).await?;
    tx.commit().await.during(OPERATION)?;
    Ok(received)
}

async fn apply(
    store: &Store,
    tx: &mut PgTransaction<'_>,
    provider: &str,
    event: &ProviderEvent,
    inbox: i64,
) -> Result<Outcome, Error> {
    let event = named(tx, provider, event).await?;
    let fresh = Fresh { refund: RefundId::new(store.uuid()), session: PaymentId::new(store.uuid()) };
    let outcome = effect::apply(tx, provider, &event, fresh, store.now()).await?;
    if let (EventKind::Captured, Outcome::Applied | Outcome::Quarantined(_), Some(money)) =
        (&event.kind, outcome, &event.capture_ref)
    {
        queries::set_capture(&mut **tx, provider, &event.provider_ref, money).await.during(OPERATION)?;
    }
    // Also what waits may end apart.
    if matches!(outcome, Outcome::Quarantined(_) | Outcome::Waiting(_)) {
        let brings_money = event.kind == EventKind::Captured;
        let noted = queries::set_about(&mut **tx, inbox, provider, &event.provider_ref, brings_money).await;
        noted.during(OPERATION)?;
    }
    Ok(outcome)
}

/// What did not fit the ledger and waits for a person: all, or what names this order; at most fifty, the newest first.
pub async fn quarantined(store: &Store, order: Option<OrderId>) -> Result<Vec<Quarantined>, Error> {
    const MOST: i64 = 50;
    queries::quarantined(store.postgres(OPERATION).await?, order, MOST).await.during(OPERATION)
}

/// A refund that somebody made on the provider's own pages names no order of ours, only the money; an attempt that failed
/// names only the session, which may be another shop's.
async fn named<'e>(
    tx: &mut PgTransaction<'_>,
    provider: &str,
    event: &'e ProviderEvent,
) -> Result<Cow<'e, ProviderEvent>, Error> {
    let found = match (event.order, &event.kind, &event.capture_ref) {
        (None, EventKind::AttemptFailed, _) => {
            queries::payment_of_ref(&mut **tx, provider, &event.provider_ref).await.during(OPERATION)?
        }
        (None, EventKind::RefundSucceeded(_) | EventKind::RefundFailed(_), Some(money)) => {
            queries::payment_of_capture(&mut **tx, provider, money).await.during(OPERATION)?
        }
        _ => None,
    };
    let Some(payment) = found else { return Ok(Cow::Borrowed(event)) };
    Ok(Cow::Owned(ProviderEvent {
        order: Some(OrderId::new(payment.order_id)),
        payment: Some(PaymentId::new(payment.id)),
        provider_ref: payment.provider_ref.unwrap_or_default(),
        ..event.clone()
    }))
}

async fn record(tx: &mut PgTransaction<'_>, id: i64, outcome: Outcome, look_at: UnixMillis) -> Result<Received, Error> {
    let (received, name, note) = match outcome {
        Outcome::Applied => (Received::Applied, "applied", None),
        Outcome::Ignored(why) => (Received::Ignored, "ignored", Some(why)),
        Outcome::Waiting(what_for) => (Received::Waiting, "waiting", Some(what_for)),
        Outcome::Quarantined(why) => (Received::Quarantined, "quarantined", Some(why)),
    };
    let due_at = (received == Received::Waiting).then(|| to_timestamp(look_at));
    queries::set_outcome(&mut **tx, id, name, note, due_at).await.during(OPERATION)?;
    if let Outcome::Quarantined(why) = outcome {
        set_apart(tx, id, why).await?;
    }
    metrics::counter!("webhook_events_total", "outcome" => name).increment(1);
    Ok(received)
}

/// A dead letter, by which an admin has the event looked at again, or lets it go.
async fn set_apart(tx: &mut PgTransaction<'_>, id: i64, why: &str) -> Result<(), Error> {
    let letter = Letter {
        source: dead_letters::WEBHOOK_INBOX,
        key: &id.to_string(),
        payload: &serde_json::json!({"inbox": id}),
        error: why,
        attempts: 1,
        first_failed_at: None,
    };
    jobs::park(tx, letter).await
}

/// Applies events that came before their order was in Postgres.
pub struct RetryWaiting;

#[async_trait]
impl Job for RetryWaiting {
    type Batch = Vec<WaitingEvent>;

    fn name(&self) -> &'static str {
        "payments.inbox"
    }

    fn pieces(&self, batch: &Self::Batch) -> u64 {
        batch.len() as u64
    }

    async fn fetch(&self, store: &Store) -> Result<Option<Self::Batch>, Error> {
        let now = store.now();
        let lease_end = to_timestamp(now.plus(LEASE_MS));
        let batch = queries::lease_waiting(store.pg(), to_timestamp(now), lease_end, BATCH).await;
        let mut batch = batch.during(OPERATION)?;
        // Those with which fewer workers died go first.
        batch.sort_by_key(|event| event.leases);
        if batch.is_empty() {
            tokio::time::sleep(IDLE).await;
            return Ok(None);
        }
        Ok(Some(batch))
    }

    async fn handle(&self, store: &Store, batch: Self::Batch) -> Result<(), Error> {
        // One that cannot be applied must not keep those behind it waiting, lease after lease.
        let mut failed = None;
        for event in batch {
            let leases = queries::count_lease(store.pg(), event.id).await.during(OPERATION)?;
            let looked = match leases > jobs::MAX_LEASES {
                true => Err(jobs::deadly(OPERATION, i64::from(leases) - 1)),
                false => jobs::caught(OPERATION, look_again(store, &event)).await,
            };
            if let Err(error) = looked {
                tracing::warn!(inbox.id = event.id, error = &error as &dyn std::error::Error, "an event waits on");
                wait_on(store, &event, leases, &error).await?;
                failed = Some(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

/// After its last look, or when its workers died, the event goes to quarantine with a dead letter that tells why.
async fn wait_on(store: &Store, event: &WaitingEvent, leases: i32, error: &Error) -> Result<(), Error> {
    if jobs::is_away(error) {
        return queries::hand_back(store.pg(), event.id).await.during(OPERATION);
    }
    if event.attempts < MAX_LOOKS && leases <= jobs::MAX_LEASES {
        return queries::forget_leases(store.pg(), event.id).await.during(OPERATION);
    }
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    if !queries::lock_waiting(&mut *tx, event.id).await.during(OPERATION)? {
        return Ok(());
    }
    record(&mut tx, event.id, Outcome::Quarantined("it could not be applied: see the dead letters"), store.now())
        .await?;
    // Its letter tells more than that.
    let letter = Letter {
        source: dead_letters::WEBHOOK_INBOX,
        key: &event.id.to_string(),
        payload: &serde_json::json!({"provider": event.provider, "event": event.payload}),
        error: &error.chain(),
        attempts: event.attempts,
        first_failed_at: None,
    };
    jobs::park(&mut tx, letter).await?;
    tx.commit().await.during(OPERATION)
}

async fn look_again(store: &Store, waiting: &WaitingEvent) -> Result<(), Error> {
    let provider = provider::find(store, &waiting.provider)
        .ok_or_else(|| Error::unexpected(OPERATION, format!("provider {} is not configured", waiting.provider)))?;
    let body = serde_json::to_vec(&waiting.payload).during(OPERATION)?;
    let event = provider.read(&|_| None, &body).map_err(|why| Error::unexpected(OPERATION, why))?;
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    if !queries::lock_waiting(&mut *tx, waiting.id).await.during(OPERATION)? {
        return Ok(());
    }
    let outcome = apply(store, &mut tx, provider.name(), &event, waiting.id).await?;
    let outcome = match outcome {
        Outcome::Waiting(effect::ANYBODYS) if waiting.attempts >= MAX_LOOKS => Outcome::Ignored("nothing of this shop"),
        Outcome::Waiting(effect::NO_ORDER) if waiting.attempts >= MAX_LOOKS => {
            Outcome::Quarantined("its order never came")
        }
        Outcome::Waiting(_) if waiting.attempts >= LOOKS_FOR_MONEY => Outcome::Quarantined("its money never came"),
        other => other,
    };
    record(&mut tx, waiting.id, outcome, jobs::retry_at(store, waiting.attempts + 1)).await?;
    tx.commit().await.during(OPERATION)
}
