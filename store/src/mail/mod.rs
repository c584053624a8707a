//! Mail: one letter to one person, in the shop's look, by SMTP or as files in a folder.
//!
//! A transaction that gives a reason to write puts an id and a kind into the outbox ([`enqueue`]); a lane of its own takes
//! it from there ([`send`]), so that a slow mail server holds nothing else up. What a letter says is decided when it
//! leaves: each kind in `kinds/` looks again whether there still is a reason. A worker that dies between the mail
//! server's yes and our commit sends the letter again, under the same Message-ID: the known limit of SMTP.

mod channel;
mod failure;
mod files;
mod kinds;
mod letter;
mod links;
mod look;
mod queries;
mod settings;
mod smtp;
mod unsubscribe;

pub(crate) use channel::Channel;
pub use failure::Failure;
pub(crate) use kinds::FORGOTTEN_CART;
pub(crate) use links::{Purpose, opened};
pub use settings::{BadSender, BadSmtpUrl, MailConfig, Sender, SmtpServer, Way};
pub use unsubscribe::{Unsubscribing, unsubscribe, unsubscribing};

use crate::{
    Store,
    error::{During, Error},
    jobs::{self, Topic},
    world::to_timestamp,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// Work for the outbox, in the transaction that gives the reason; `id` is what the kind writes about.
pub(crate) async fn enqueue(
    tx: &mut sqlx::PgTransaction<'_>,
    kind: &'static str,
    id: Uuid,
    due: domain::UnixMillis,
) -> Result<(), Error> {
    let payload = json!({ "kind": kind });
    jobs::enqueue(&mut **tx, Topic::MailSend, &id.to_string(), &payload, to_timestamp(due)).await.during("mail.enqueue")
}

/// Writes the letter of one outbox message as things stand now, and sends it; no letter when the reason is gone.
pub(crate) async fn send(store: &Store, key: &str, payload: &Value) -> Result<(), Error> {
    const OPERATION: &str = "mail.send";
    let name = payload["kind"].as_str().unwrap_or_default();
    let kind = kinds::named(name).ok_or_else(|| Error::unexpected(OPERATION, format!("no kind of mail {name:?}")))?;
    let id: Uuid = key.parse().map_err(|_| Error::unexpected(OPERATION, format!("no id {key:?}")))?;
    let Some(letter) = kind.write(store, id).await? else {
        drop_it(name, id, "the reason is gone");
        return Ok(());
    };
    if kind.may_be_declined().is_some()
        && queries::is_opted_out(store.pg(), letter.to.as_str(), name).await.during(OPERATION)?
    {
        drop_it(name, id, "unsubscribed");
        return Ok(());
    }
    let file = letter.file_name(name, id);
    let message = letter.into_message(store, kind, id).map_err(failed)?;
    store.mail().deliver(message, &file).await.map_err(failed)?;
    metrics::counter!("bazar_mails_sent_total", "kind" => kind.name()).increment(1);
    tracing::info!(mail.id = %id, mail.kind = name, "mail sent");
    if let Err(error) = kind.sent(store, id).await {
        // It is out: trying again would send it twice.
        tracing::error!(mail.id = %id, error = &error as &dyn std::error::Error, "a sent mail is not marked as sent");
    }
    Ok(())
}

fn drop_it(kind: &str, id: Uuid, why: &str) {
    tracing::info!(mail.id = %id, mail.kind = kind, why, "mail not sent");
}

fn failed(source: Failure) -> Error {
    Error::Mail { operation: "mail.send", source }
}
