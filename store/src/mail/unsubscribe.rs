//! Out of a kind of mail by one click (RFC 8058). The link alone decides, so it works for people who are not logged in.

use super::{
    links::{Purpose, opened},
    queries,
};
use crate::{
    Store,
    error::{During, Error},
    messages::{self, About, Kind},
    world::to_timestamp,
};
use domain::{ApiError, account::Email};

/// What the page of an unsubscribe link shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribing {
    /// The mails it is about, as in "no more ….".
    pub what: &'static str,
    pub is_done: bool,
}

/// Looks without changing anything: programs that check mails follow links.
pub async fn unsubscribing(store: &Store, token: &str) -> Result<Unsubscribing, Error> {
    let (kind, what, email) = of(store, token).await?;
    let done = queries::is_opted_out(store.pg(), email.as_str(), kind.name()).await.during("mail.unsubscribing")?;
    Ok(Unsubscribing { what, is_done: done })
}

/// No more mails of that kind to that address; once or a hundred times.
pub async fn unsubscribe(store: &Store, token: &str) -> Result<(), Error> {
    let (kind, _, email) = of(store, token).await?;
    let now = to_timestamp(store.now());
    queries::opt_out(store.pg(), email.as_str(), kind.name(), now).await.during("mail.unsubscribe")?;
    tracing::info!(mail.kind = kind.name(), "somebody unsubscribed");
    Ok(())
}

async fn of(store: &Store, token: &str) -> Result<(&'static dyn Kind, &'static str, Email), Error> {
    for kind in messages::ALL {
        if let Some(what) = kind.may_be_declined()
            && let Some(id) = opened(store, Purpose::Unsubscribe(kind.name()), token)
            && let Some(email) = kind.recipient(store, &About::thing(id)).await?
        {
            return Ok((*kind, what, email));
        }
    }
    Err(ApiError::not_found("that mail").into())
}
