//! What the shop tells people by itself, through which channels.
//!
//! A transaction that gives a reason to write puts into the outbox what kind of message it is and what it is about
//! ([`enqueue`], [`of_step`]), once per channel: a slow mail server holds up neither orders nor short messages. What is
//! said is decided when it leaves ([`send`]): each kind in `kinds/` looks again whether there still is a reason.

mod about;
mod kinds;

pub(crate) use about::About;
pub(crate) use kinds::{
    ALL, EMAIL_CHANGED, FORGOTTEN_CART, Kind, PASSWORD_CHANGED, REFUNDED, RESET_PASSWORD, VERIFY_EMAIL, of_step,
};

use crate::{
    Store,
    error::{During, Error},
    jobs::{self, Topic, Work},
    world::to_timestamp,
};
use async_trait::async_trait;
use domain::UnixMillis;
use serde_json::{Value, json};
use uuid::Uuid;

/// A way to a person. What there is to say is the kind's business; how it is put and carried is the channel's.
#[async_trait]
pub(crate) trait Channel: Send + Sync {
    /// In logs and metrics.
    fn name(&self) -> &'static str;

    /// Says what this kind has to say as things stand now. The same message sent again can be told from a second one.
    async fn send(&self, store: &Store, kind: &dyn Kind, about: &About) -> Result<Sent, Error>;
}

pub(crate) enum Sent {
    Yes,
    /// There was nothing to say, and why.
    No(&'static str),
}

/// Work for the outbox, in the transaction that gives the reason; for kinds that are about a thing and not about a step.
pub(crate) async fn enqueue(
    tx: &mut sqlx::PgTransaction<'_>,
    kind: &'static dyn Kind,
    id: Uuid,
    due: UnixMillis,
) -> Result<(), Error> {
    jobs::enqueue_work(&mut **tx, &work(kind, &About::thing(id), due)).await.during("messages.enqueue")
}

/// One piece of work for each channel that this kind uses.
fn work(kind: &dyn Kind, about: &About, due: UnixMillis) -> Vec<Work> {
    let channels = [Some(Topic::MailSend), kind.is_short().then_some(Topic::SmsSend)];
    let work =
        |topic| Work { topic, key: about.to_string(), payload: json!({ "kind": kind.name() }), due: to_timestamp(due) };
    channels.into_iter().flatten().map(work).collect()
}

/// Says one message of the outbox through its channel; nothing when the reason is gone, or the channel is off.
pub(crate) async fn send(store: &Store, channel: &dyn Channel, key: &str, payload: &Value) -> Result<(), Error> {
    const OPERATION: &str = "messages.send";
    let name = payload["kind"].as_str().unwrap_or_default();
    let kind =
        kinds::named(name).ok_or_else(|| Error::unexpected(OPERATION, format!("no kind of message {name:?}")))?;
    let about = About::parse(key).ok_or_else(|| Error::unexpected(OPERATION, format!("about nothing: {key:?}")))?;
    if let Sent::No(why) = channel.send(store, kind, &about).await? {
        tracing::info!(message.about = %about, message.kind = name, channel = channel.name(), why, "message not sent");
        return Ok(());
    }
    metrics::counter!("bazar_messages_sent_total", "channel" => channel.name(), "kind" => kind.name()).increment(1);
    tracing::info!(message.about = %about, message.kind = name, channel = channel.name(), "message sent");
    if let Err(error) = kind.sent(store, channel.name(), &about).await {
        // It is out: trying again would send it twice.
        tracing::error!(message.about = %about, error = &error as &dyn std::error::Error, "a sent message is not marked as sent");
    }
    Ok(())
}
