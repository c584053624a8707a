//! Notes of the people of the shop, and messages that they have sent again. Nothing here is ever changed.

use super::{OPERATION, queries, refused, word_of, written, wrong_field};
use crate::{
    Store,
    admin::audit::{self, Action},
    error::{During, Error},
    jobs::{self, Topic},
    messages::About,
    viewer::Viewer,
    world::to_timestamp,
};
use domain::{ApiError, ErrorCode, OrderId};
use serde_json::{Value, json};

/// Longest note, in characters.
const MAX_NOTE: usize = 1000;

/// What a note tells of.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Note,
    Message,
    Address,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Message => "message",
            Self::Address => "address",
        }
    }

    const fn action(self) -> Action {
        match self {
            Self::Note => Action::OrderNote,
            Self::Message => Action::OrderMessage,
            Self::Address => Action::OrderAddress,
        }
    }
}

/// Keeps what somebody has to say about the order; the shopper never sees it.
pub async fn note(store: &Store, admin: &Viewer, order: OrderId, text: &str) -> Result<(), Error> {
    let text = text.trim();
    let wrong = match text {
        "" => Some("Write something first."),
        _ if text.chars().count() > MAX_NOTE => Some("At most 1,000 characters."),
        _ if text.chars().any(|c| c.is_control() && c != '\n' && c != '\r') => Some("Only what can be printed."),
        _ => None,
    };
    if let Some(wrong) = wrong {
        return Err(wrong_field("note", wrong).into());
    }
    written(store, order).await?;
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    keep(store, &mut tx, admin, order, (Kind::Note, text)).await?;
    tx.commit().await.during(OPERATION)
}

/// Sends a message that went out before once more, as one of its own. What it says is decided when it leaves.
pub async fn resend(store: &Store, admin: &Viewer, order: OrderId, message: i64) -> Result<(), Error> {
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    let sent = queries::message(&mut *tx, order, message).await.during(OPERATION)?;
    let sent = sent.ok_or_else(|| ApiError::not_found("that message"))?;
    let about = About::parse(&sent.about).ok_or_else(|| Error::unexpected(OPERATION, "a message about nothing"))?;
    let topic = if sent.channel == "sms" { Topic::SmsSend } else { Topic::MailSend };
    let (now, soon) = (store.now(), store.now().plus(-60_000));
    if queries::was_resent(&mut *tx, order, to_timestamp(soon)).await.during(OPERATION)? {
        return Err(refused("A message of this order was sent again within the last minute. Please wait a moment."));
    }
    let words = format!("Sent again: {} ({}).", word_of(&sent.kind), sent.channel);
    let copy = keep(store, &mut tx, admin, order, (Kind::Message, &words)).await?;
    let (key, payload) = (about.again(copy).to_string(), json!({ "kind": sent.kind }));
    jobs::enqueue(&mut *tx, topic, &key, &payload, to_timestamp(now)).await.during(OPERATION)?;
    tx.commit().await.during(OPERATION)
}

/// Writes the note and has the open pages of the order told; returns the note's number.
pub(super) async fn keep(
    store: &Store,
    tx: &mut sqlx::PgTransaction<'_>,
    admin: &Viewer,
    order: OrderId,
    (kind, text): (Kind, &str),
) -> Result<i64, Error> {
    let nobody = || ApiError::new(ErrorCode::Unauthorised, "Please log in first.");
    let account = admin.owner.account().ok_or_else(nobody)?;
    let at = to_timestamp(store.now());
    let id = queries::insert_note(&mut **tx, order, account.get(), kind.as_str(), text, at).await.during(OPERATION)?;
    let after = json!({ "text": text });
    audit::note(&mut **tx, store, admin, kind.action(), ("order", &order), Value::Null, after).await?;
    let nothing_more = json!({});
    jobs::enqueue(&mut **tx, Topic::OrderChanged, &order.to_string(), &nothing_more, at).await.during(OPERATION)?;
    Ok(id)
}
