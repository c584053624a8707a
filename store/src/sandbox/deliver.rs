//! Sends the sandbox provider's webhooks over HTTP, as a stranger would: signed, retried, and parked in the end.

use super::{
    press::Trick,
    queries::{self, LeasedEvent},
};
use crate::{
    Store,
    config::{SandboxConfig, Secret},
    error::{During, Error},
    jobs::{self, Job, Letter, dead_letters},
    payments::{sandbox_client::SIGNATURE_HEADER, signature},
    world::to_timestamp,
};
use async_trait::async_trait;
use domain::UnixMillis;
use futures::future::join_all;
use reqwest::StatusCode;
use std::time::Duration;

/// Events sent at once.
const BATCH: i64 = 16;
/// Longest wait for the shop's answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Until somebody else may send an event that is in hand; well past `TIMEOUT`.
const LEASE_MS: i64 = 30_000;
const MAX_ATTEMPTS: i32 = 10;
/// What a forger signs with, who does not know the secret.
const FORGER: &str = "not the provider's secret";
/// Pause when nothing was due.
const IDLE: Duration = Duration::from_millis(100);

/// The sandbox provider's sender of webhooks.
pub struct DeliverEvents;

#[async_trait]
impl Job for DeliverEvents {
    type Batch = Vec<LeasedEvent>;

    fn name(&self) -> &'static str {
        "sandbox.deliver"
    }

    fn pieces(&self, batch: &Self::Batch) -> u64 {
        batch.len() as u64
    }

    async fn fetch(&self, store: &Store) -> Result<Option<Self::Batch>, Error> {
        if store.config().sandbox.is_none() {
            tokio::time::sleep(Duration::from_secs(1)).await;
            return Ok(None);
        }
        let now = store.now();
        let batch = queries::lease(store.pg(), to_timestamp(now), to_timestamp(now.plus(LEASE_MS)), BATCH)
            .await
            .during("sandbox.lease")?;
        if batch.is_empty() {
            tokio::time::sleep(IDLE).await;
            return Ok(None);
        }
        Ok(Some(batch))
    }

    async fn handle(&self, store: &Store, batch: Self::Batch) -> Result<(), Error> {
        let Some(config) = store.config().sandbox.as_ref() else { return Ok(()) };
        let sent = join_all(batch.iter().map(|event| deliver(store, config, event))).await;
        sent.into_iter().collect()
    }
}

async fn deliver(store: &Store, config: &SandboxConfig, event: &LeasedEvent) -> Result<(), Error> {
    const OPERATION: &str = "sandbox.deliver";
    let body = serde_json::to_vec(&event.payload).during(OPERATION)?;
    let trick = event.trick.as_deref().and_then(Trick::parse);
    let copies = if trick == Some(Trick::Twice) { 2 } else { 1 };
    let answers = join_all((0..copies).map(|_| post(store, config, trick, body.clone()))).await;
    for answer in &answers {
        let (status, error) = (answer.as_ref().ok(), answer.as_ref().err());
        let status = status.map(|status| i32::from(status.as_u16()));
        let at = to_timestamp(store.now());
        queries::sent(store.pg(), &event.id, at, status, error.map(String::as_str)).await.during(OPERATION)?;
    }
    match answers.into_iter().find_map(refusal) {
        // Whoever forges one does not insist.
        Some(error) if trick != Some(Trick::Forged) => put_off(store, event, error).await,
        _ => queries::delivered(store.pg(), &event.id, to_timestamp(store.now())).await.during(OPERATION),
    }
}

fn refusal(answer: Result<StatusCode, String>) -> Option<String> {
    match answer {
        Ok(status) if status.is_success() => None,
        Ok(status) => Some(format!("answered {status}")),
        Err(error) => Some(error),
    }
}

/// Tried again with growing pauses, and given up in the end.
async fn put_off(store: &Store, event: &LeasedEvent, error: String) -> Result<(), Error> {
    const OPERATION: &str = "sandbox.deliver";
    tracing::warn!(event.id, event.attempts, error, "a webhook was not taken");
    if event.attempts < MAX_ATTEMPTS {
        let due = later(store.now(), jobs::backoff(event.attempts, store.uuid()));
        return queries::failed(store.pg(), &event.id, &error, to_timestamp(due)).await.during(OPERATION);
    }
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    queries::parked(&mut tx, &event.id, &error).await.during(OPERATION)?;
    let letter = Letter {
        source: dead_letters::SANDBOX_EVENTS,
        key: &event.id,
        payload: &event.payload,
        error: &error,
        attempts: event.attempts,
        first_failed_at: event.first_failed_at,
    };
    jobs::park(&mut tx, letter).await?;
    tx.commit().await.during(OPERATION)
}

/// One attempt: the shop's answer, or why there is none, for the record.
async fn post(
    store: &Store,
    config: &SandboxConfig,
    trick: Option<Trick>,
    body: Vec<u8>,
) -> Result<StatusCode, String> {
    let forged = Secret::new(FORGER);
    let secret = match trick {
        Some(Trick::Forged) => &forged,
        _ => config.webhook_secrets.first().ok_or("no webhook secret is configured")?,
    };
    let signature = signature::sign(secret, store.now().get() / 1000, &body);
    let request = store
        .http()
        .post(&config.webhook_url)
        .timeout(TIMEOUT)
        .header("content-type", "application/json")
        .header(SIGNATURE_HEADER, signature)
        .body(body);
    // Without the URL, which the record need not repeat.
    let answer = request.send().await.map_err(|error| error.without_url().to_string())?;
    Ok(answer.status())
}

fn later(now: UnixMillis, wait: Duration) -> UnixMillis {
    now.plus(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 2))
}
