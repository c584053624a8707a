//! A new password and a new address are told at the address of before: whoever holds the account hears of it when it was
//! not them.

use super::{links::Reader, queries};
use crate::{
    Store,
    error::{During, Error},
    messages,
    world::from_timestamp,
};
use domain::{AccountId, account::Email};
use uuid::Uuid;

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change<'a> {
    /// To this one; before it is written.
    Email(&'a str),
    Password,
}

impl Change<'_> {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Password => "password",
        }
    }
}

/// In the transaction that changes it. An address that stays the same is not told.
pub(super) async fn tell(
    store: &Store,
    tx: &mut sqlx::PgTransaction<'_>,
    account: AccountId,
    change: Change<'_>,
) -> Result<(), Error> {
    let (id, now) = (store.uuid(), store.now());
    let (kind, new) = match change {
        Change::Email(new) => (messages::EMAIL_CHANGED, new),
        Change::Password => (messages::PASSWORD_CHANGED, ""),
    };
    let written = queries::changes::insert(&mut **tx, id, account, change.as_str(), new, now).await;
    if written.during("accounts.tell")? { messages::enqueue(tx, kind, id, now).await } else { Ok(()) }
}

/// For the mail: whom to write to.
pub(crate) async fn reader(store: &Store, id: Uuid) -> Result<Option<Reader>, Error> {
    let told = queries::changes::by_id(store.pg(), id).await.during("accounts.changed")?;
    Ok(told.and_then(|told| {
        let written_at = from_timestamp(told.changed_at);
        Some(Reader { email: Email::parse(&told.email).ok()?, name: told.name, written_at })
    }))
}
