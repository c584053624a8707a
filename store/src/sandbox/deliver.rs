//! Sends the sandbox provider's webhooks over HTTP, as a stranger would: signed, retried, and parked in the end.

use super::queries::{self, LeasedEvent};
use crate::{
    Store,
    config::SandboxConfig,
    error::{During, Error},
    jobs::{self, Job, Letter, dead_letters},
    payments::{sandbox_client::SIGNATURE_HEADER, signature},
    world::to_timestamp,
};
use async_trait::async_trait;
use domain::UnixMillis;
use futures::future::join_all;
use std::time::Duration;

/// Events sent at once.
const BATCH: i64 = 16;
/// Longest wait for the shop's answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Until somebody else may send an event that is in hand; well past `TIMEOUT`.
const LEASE_MS: i64 = 30_000;
const MAX_ATTEMPTS: i32 = 10;
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
    let Err(error) = post(store, config, body).await else {
        return queries::delivered(store.pg(), &event.id, to_timestamp(store.now())).await.during(OPERATION);
    };
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

/// One attempt; the error is for the record.
async fn post(store: &Store, config: &SandboxConfig, body: Vec<u8>) -> Result<(), String> {
    let secret = config.webhook_secrets.first().ok_or("no webhook secret is configured")?;
    let signature = signature::sign(secret, store.now().get() / 1000, &body);
    let request = store
        .http()
        .post(&config.webhook_url)
        .timeout(TIMEOUT)
        .header("content-type", "application/json")
        .header(SIGNATURE_HEADER, signature)
        .body(body);
    match request.send().await {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(format!("answered {}", answer.status())),
        // Without the URL, which the record need not repeat.
        Err(error) => Err(error.without_url().to_string()),
    }
}

fn later(now: UnixMillis, wait: Duration) -> UnixMillis {
    now.plus(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 2))
}
