//! What people change about their own account.

use super::{
    Account,
    changes::{self, Change},
    get, hasher, links, queries, sessions_ended, taken_or, wrong,
};
use crate::{
    Store,
    error::{During, Error},
};
use domain::{
    AccountId, ApiError,
    account::{AccountView, Email, check_password, parse_name},
};
use std::sync::Arc;

/// A new name, checked here.
pub async fn change_name(store: &Store, id: AccountId, name: &str) -> Result<(), Error> {
    const OPERATION: &str = "accounts.change_name";
    let name = parse_name(name).map_err(|message| wrong("name", &message))?;
    if !queries::set_name(store.postgres(OPERATION).await?, id, &name).await.during(OPERATION)? {
        return Err(gone());
    }
    super::changed(store, id).await
}

/// A mail to the new address asks whether it is theirs; until that is answered the old one stands. The current password
/// is asked for, because the new address could have another one sent to it.
pub async fn change_email(store: &Store, account: &AccountView, email: &Email, password: &str) -> Result<(), Error> {
    if *email == account.email {
        return Err(wrong("email", "That is your address already."));
    }
    require_password(store, account.id, ("password", password)).await?;
    links::ask_to_verify(store, account.id, email).await
}

/// Ends every session opened with the old password; whoever asks logs in anew with what this returns.
pub async fn change_password(store: &Store, id: AccountId, current: &str, new: &str) -> Result<Arc<Account>, Error> {
    const OPERATION: &str = "accounts.change_password";
    check_password(new).map_err(|message| wrong("password", &message))?;
    let was = require_password(store, id, ("current", current)).await?;
    let hash = hasher(store).hash(new.to_owned(), store.uuid()).await?;
    let now = store.now();
    let mut tx = store.postgres(OPERATION).await?.begin().await.during(OPERATION)?;
    if !queries::set_password(&mut *tx, id, &was, &hash).await.during(OPERATION)? {
        // Changed from elsewhere since the look at it.
        return Err(wrong("current", "That is not your password any more."));
    }
    queries::links::spend_all(&mut *tx, id.get(), now).await.during(OPERATION)?;
    changes::tell(store, &mut tx, id, Change::Password).await?;
    tx.commit().await.during(OPERATION)?;
    sessions_ended(store, id).await?;
    get(store, id).await?.ok_or_else(gone)
}

/// Every session of the account is over, this one too.
pub async fn sign_out_everywhere(store: &Store, id: AccountId) -> Result<(), Error> {
    const OPERATION: &str = "accounts.sign_out_everywhere";
    if !queries::count_sign_out(store.postgres(OPERATION).await?, id).await.during(OPERATION)? {
        return Err(gone());
    }
    sessions_ended(store, id).await
}

/// The address is the account's, proven.
pub(super) async fn set_email(
    store: &Store,
    tx: &mut sqlx::PgTransaction<'_>,
    id: AccountId,
    email: &str,
) -> Result<(), Error> {
    const OPERATION: &str = "accounts.set_email";
    changes::tell(store, tx, id, Change::Email(email)).await?;
    let set = queries::set_verified_email(&mut **tx, id, email, store.now()).await;
    if set.map_err(|error| taken_or(OPERATION, error))? { Ok(()) } else { Err(gone()) }
}

/// The hash of the current password, which they know.
async fn require_password(store: &Store, id: AccountId, (field, password): (&str, &str)) -> Result<String, Error> {
    const OPERATION: &str = "accounts.require_password";
    let hash =
        queries::password_hash(store.postgres(OPERATION).await?, id).await.during(OPERATION)?.ok_or_else(gone)?;
    if hasher(store).fits(password.to_owned(), Some(hash.clone())).await? {
        return Ok(hash);
    }
    Err(wrong(field, "That is not your password."))
}

fn gone() -> Error {
    ApiError::not_found("that account").into()
}
