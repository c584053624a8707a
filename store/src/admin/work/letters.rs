//! Dead letters as people read them: what was given up, what comes of trying it again, and of letting it go.

use crate::{
    Store,
    error::Error,
    jobs::dead_letters::{self, DeadLetter, Ended, Letter, Retried, SOURCES},
    viewer::Viewer,
    world::from_timestamp,
};
use domain::{
    ApiError, ErrorCode,
    work::{LetterRow, LetterView, LettersPage},
};

/// Letters of one page.
const PAGE: usize = 25;
/// Longest payload shown, in characters.
const MAX_PAYLOAD: usize = 20_000;
/// Longest reason, in characters.
const MAX_REASON: usize = 200;

/// A page of what is parked, the newest first; `source` empty: of all sources.
pub async fn page(store: &Store, source: &str, before: Option<i64>) -> Result<LettersPage, Error> {
    if !source.is_empty() && !SOURCES.contains(&source) {
        return Err(ApiError::not_found("letters of that kind").into());
    }
    let most = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let mut letters =
        dead_letters::newest(store, Some(source).filter(|source| !source.is_empty()), before, most).await?;
    let has_more = letters.len() > PAGE;
    letters.truncate(PAGE);
    Ok(LettersPage {
        source: source.to_owned(),
        before,
        next: letters.last().filter(|_| has_more).map(|letter| letter.id),
        letters: letters.into_iter().map(row).collect(),
        counts: dead_letters::counts(store).await?,
    })
}

pub async fn get(store: &Store, id: i64) -> Result<Option<LetterView>, Error> {
    let Some(Letter { letter, state, ended_at, reason }) = dead_letters::get(store, id).await? else { return Ok(None) };
    let consequence = consequence(&letter);
    let mut payload = serde_json::to_string_pretty(&letter.payload).unwrap_or_default();
    if let Some((end, _)) = payload.char_indices().nth(MAX_PAYLOAD) {
        payload.replace_range(end.., "…");
    }
    Ok(Some(LetterView {
        payload,
        may_retry: letter.source != dead_letters::PLACED,
        state,
        ended_at: ended_at.map(from_timestamp),
        reason,
        consequence,
        row: row(letter),
    }))
}

/// Tries one again.
pub async fn retry(store: &Store, admin: &Viewer, id: i64) -> Result<(), Error> {
    ended(dead_letters::retry_for(store, Some(admin), id).await?)
}

/// Tries all of one source again.
pub async fn retry_all(store: &Store, admin: &Viewer, source: &str) -> Result<Retried, Error> {
    dead_letters::retry_all_for(store, Some(admin), source).await
}

/// Lets one go. `agreed`: the mark of the consequence that the person has read; `None`: nobody needs to.
pub async fn discard(store: &Store, admin: &Viewer, id: i64, reason: &str, agreed: Option<&str>) -> Result<(), Error> {
    let reason = self::reason(reason)?;
    let Some(Letter { letter, .. }) = dead_letters::get(store, id).await? else { return ended(Ended::Never) };
    // It may have been parked anew meanwhile.
    let mark = format!("{id}-{}", letter.last_failed_at.unwrap_or(letter.parked_at).unix_timestamp_nanos());
    if agreed.is_some_and(|agreed| agreed != mark) {
        let asked = ApiError::new(ErrorCode::NeedsConfirmation, consequence(&letter));
        return Err(asked.field("agreed", mark).into());
    }
    ended(dead_letters::discard_for(store, Some(admin), id, reason).await?)
}

/// Somebody else was quicker, or it was never there.
fn ended(ended: Ended) -> Result<(), Error> {
    match ended {
        Ended::Now => Ok(()),
        Ended::Before => {
            let message = "Somebody has seen to this one already: it was tried again, or let go.";
            Err(ApiError::new(ErrorCode::Conflict, message).into())
        }
        Ended::Never => Err(ApiError::not_found("that dead letter").into()),
    }
}

fn reason(text: &str) -> Result<&str, ApiError> {
    let text = text.trim();
    let wrong = match text {
        "" => "Say why: it is kept with the letter.",
        _ if text.chars().count() > MAX_REASON => "At most 200 characters.",
        _ if text.chars().any(char::is_control) => "One line, please.",
        _ => return Ok(text),
    };
    Err(ApiError::new(ErrorCode::InvalidFields, "Please look at the reason.").field("reason", wrong))
}

/// What letting it go brings about.
fn consequence(letter: &DeadLetter) -> String {
    let of_outbox = |topic: &str| match topic {
        "order.changed" => "Pages that are open learn of this change only when they are loaded again.",
        "payment.close" => {
            "The provider is not asked to close this payment again; the watchdog goes on asking about it."
        }
        "payment.late" => "Nobody decides about this late money: it stays with the shop until somebody sends it back.",
        "refund.request" => {
            "The provider is not asked for this refund. The shopper waits for it until somebody asks again on the order's page."
        }
        "book.changed" => "Carts that hold this book show its change only when they are looked at again.",
        "mail.send" => "This mail is never sent.",
        "sms.send" => "This short message is never sent.",
        _ => "This work is never done.",
    };
    let what = match letter.source.as_str() {
        dead_letters::OUTBOX => of_outbox(letter.payload["topic"].as_str().unwrap_or_default()),
        dead_letters::GATE_OPS => {
            "The gate never hears of these copies from here; comparing the stock makes up for it."
        }
        dead_letters::PLACED => {
            "The order ended as failed, and its copies are back on sale. Only this record is put away."
        }
        dead_letters::CART => {
            "No cart is thrown away: it goes back to those that wait to be written down, with ten fresh attempts."
        }
        dead_letters::SANDBOX_EVENTS => {
            "The shop never gets this webhook. It asks Sandbox Pay by itself within minutes."
        }
        dead_letters::WEBHOOK_INBOX => {
            "What the provider said is kept, and never applied. Money that it told of stays with the shop until somebody sends it back at the provider."
        }
        dead_letters::EXPIRY => {
            "The order stays open past its deadline and keeps its copies until somebody calls it off."
        }
        _ => "This work is never done.",
    };
    format!("Let it go? {what}")
}

fn row(letter: DeadLetter) -> LetterRow {
    LetterRow {
        id: letter.id,
        source: letter.source,
        key: letter.key,
        error: letter.error,
        attempts: letter.attempts.into(),
        first_failed_at: letter.first_failed_at.map(from_timestamp),
        last_failed_at: letter.last_failed_at.map(from_timestamp),
        parked_at: from_timestamp(letter.parked_at),
    }
}
