//! An account's address book: a handful of addresses, one of them the default.

use super::{queries::addresses as queries, wrong};
use crate::{
    Store,
    error::{During, Error},
};
use domain::{
    AccountId, AddressId, ApiError,
    address::{Address, Entry, MAX_ENTRIES},
};

/// All of them, the default first.
pub async fn list(store: &Store, account: AccountId) -> Result<Vec<Entry>, Error> {
    const OPERATION: &str = "addresses.list";
    let rows = queries::list(store.postgres(OPERATION).await?, account).await.during(OPERATION)?;
    let entry =
        |row: queries::Row| Entry { id: AddressId::new(row.id), address: row.address.0, is_default: row.is_default };
    Ok(rows.into_iter().map(entry).collect())
}

/// One of the account's own.
pub async fn get(store: &Store, account: AccountId, id: AddressId) -> Result<Address, Error> {
    let found = list(store, account).await?.into_iter().find(|entry| entry.id == id);
    found.map(|entry| entry.address).ok_or_else(not_there)
}

/// Writes a new address, or (`id`) another text of one. The first one becomes the default, and any that asks to; the
/// same address again is the one that is there.
pub async fn save(
    store: &Store,
    account: AccountId,
    id: Option<AddressId>,
    address: &Address,
    is_default: bool,
) -> Result<(), Error> {
    const OPERATION: &str = "addresses.save";
    let mut tx = store.postgres(OPERATION).await?.begin().await.during(OPERATION)?;
    queries::lock(&mut *tx, account).await.during(OPERATION)?;
    let known = queries::list(&mut *tx, account).await.during(OPERATION)?;
    let same = known.iter().find(|row| row.address.0 == *address).map(|row| AddressId::new(row.id));
    let id = match (id, same) {
        (Some(id), _) => {
            let written = queries::update(&mut *tx, (id.get(), account), address).await.during(OPERATION)?;
            written.then_some(id).ok_or_else(not_there)?
        }
        (None, Some(same)) => same,
        (None, None) if known.len() >= MAX_ENTRIES => return Err(full()),
        (None, None) => {
            let id = AddressId::new(store.uuid());
            queries::insert(&mut *tx, (id.get(), account), address, store.now()).await.during(OPERATION)?;
            id
        }
    };
    if is_default {
        queries::set_default(&mut tx, (id.get(), account)).await.during(OPERATION)?;
    }
    queries::some_default(&mut *tx, account).await.during(OPERATION)?;
    tx.commit().await.during(OPERATION)
}

/// Takes it out; another one becomes the default when it was that.
pub async fn remove(store: &Store, account: AccountId, id: AddressId) -> Result<(), Error> {
    const OPERATION: &str = "addresses.remove";
    let mut tx = store.postgres(OPERATION).await?.begin().await.during(OPERATION)?;
    queries::lock(&mut *tx, account).await.during(OPERATION)?;
    if !queries::delete(&mut *tx, (id.get(), account)).await.during(OPERATION)? {
        return Err(not_there());
    }
    queries::some_default(&mut *tx, account).await.during(OPERATION)?;
    tx.commit().await.during(OPERATION)
}

/// The one that the checkout proposes.
pub async fn make_default(store: &Store, account: AccountId, id: AddressId) -> Result<(), Error> {
    const OPERATION: &str = "addresses.make_default";
    let mut tx = store.postgres(OPERATION).await?.begin().await.during(OPERATION)?;
    queries::lock(&mut *tx, account).await.during(OPERATION)?;
    if !queries::set_default(&mut tx, (id.get(), account)).await.during(OPERATION)? {
        return Err(not_there());
    }
    tx.commit().await.during(OPERATION)
}

fn not_there() -> Error {
    ApiError::not_found("that address").into()
}

fn full() -> Error {
    wrong("line1", &format!("Your address book holds {MAX_ENTRIES} addresses. Remove one to make room."))
}
