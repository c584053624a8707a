//! What a provider answers over HTTP: bounded, and told apart by whose fault a failure is. Away: everybody waits. Our key
//! is wrong: an operator has to mend it. Anything else that is no answer: ours to look at.

use crate::error::{During, Error};
use domain::{ApiError, ErrorCode};
use reqwest::{RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Longest answer that is read, in bytes; one payment is a few thousand.
const MAX_BODY: usize = 1024 * 1024;
/// Pauses before a request is sent again that met itself, still under way.
const PAUSES: [Duration; 3] = [Duration::from_millis(200), Duration::from_millis(500), Duration::from_millis(1000)];
/// Most of a provider's explanation that goes into the log, in characters.
const MAX_WORDS: usize = 300;

/// 2xx, or a refusal (4xx) that the caller understands better.
pub(super) struct Answer {
    operation: &'static str,
    status: StatusCode,
    body: Vec<u8>,
}

/// Sends a request that makes something under a key; once more, and later, while the provider still works on the same.
pub(super) async fn insist(operation: &'static str, request: RequestBuilder) -> Result<Answer, Error> {
    for pause in PAUSES {
        let Some(again) = request.try_clone() else { break };
        let answer = ask(operation, again).await?;
        if answer.status != StatusCode::CONFLICT {
            return Ok(answer);
        }
        tokio::time::sleep(pause).await;
    }
    let answer = ask(operation, request).await?;
    if answer.status == StatusCode::CONFLICT { Err(away(operation, answer.status)) } else { Ok(answer) }
}

pub(super) async fn ask(operation: &'static str, request: RequestBuilder) -> Result<Answer, Error> {
    let mut response = request.send().await.during(operation)?;
    let status = response.status();
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            let message = format!("the provider refuses the shop's key ({status}): check its settings");
            tracing::error!(operation, http.status = status.as_u16(), "a payment provider refuses the shop's key");
            return Err(Error::NoAccess { operation, message });
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => return Err(away(operation, status)),
        _ if status.is_server_error() => return Err(away(operation, status)),
        _ if status.is_success() || status.is_client_error() => {}
        _ => return Err(Error::unexpected(operation, format!("answered {status}"))),
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.during(operation)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(Error::unexpected(operation, "the answer is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { operation, status, body })
}

impl Answer {
    /// The body; `None` for 404.
    pub fn json<T: DeserializeOwned>(self) -> Result<Option<T>, Error> {
        match self.status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => serde_json::from_slice(&self.body).during(self.operation).map(Some),
            _ => Err(self.refused("")),
        }
    }

    /// The body of something that must be there.
    pub fn known<T: DeserializeOwned>(self) -> Result<T, Error> {
        let operation = self.operation;
        self.json()?.ok_or_else(|| Error::unexpected(operation, "the provider does not know it"))
    }

    pub fn is_bad_request(&self) -> bool {
        self.status == StatusCode::BAD_REQUEST
    }

    /// What the provider says about a refusal; nothing when it is not in the documented shape.
    pub fn complaint<T: DeserializeOwned + Default>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The refusal as an error. Words that may repeat somebody's address, or card, are left out.
    pub fn refused(&self, words: &str) -> Error {
        let words: String = if is_personal(words) { String::new() } else { words.chars().take(MAX_WORDS).collect() };
        Error::unexpected(self.operation, format!("answered {} {words}", self.status))
    }
}

fn away(operation: &'static str, status: StatusCode) -> Error {
    tracing::warn!(operation, http.status = status.as_u16(), "the payment provider is out of order");
    ApiError::new(
        ErrorCode::ProviderUnavailable,
        "The payment provider does not answer right now. Nothing was charged; please try again in a minute.",
    )
    .into()
}

/// Whether a mail address, or the number of a card, may stand in it.
fn is_personal(words: &str) -> bool {
    const CARD_DIGITS: usize = 12;
    let longest = words.chars().filter(|c| !matches!(c, ' ' | '-')).fold((0, 0), |(longest, run), c| {
        let run = if c.is_ascii_digit() { run + 1 } else { 0 };
        (longest.max(run), run)
    });
    words.contains('@') || longest.0 >= CARD_DIGITS
}

/// Whether this is a provider's id, fit to stand in an address.
pub(super) fn is_id(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}
