//! A copy in Redis of what the session layer needs of an account: who was logged in stays so while Postgres is away, also
//! in a process that never saw them before. Read only then.

use super::Account;
use crate::{
    Store,
    error::{During, Error},
};
use domain::{AccountId, account::AccountView};
use redis::AsyncCommands;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// As long as a session lives without a visit.
const LIFE_S: u64 = 31 * 24 * 3600;

#[derive(Serialize, Deserialize)]
struct Copy {
    view: AccountView,
    auth_hash: String,
}

/// Without it an outage would only be felt more: its own failure is none.
pub(super) async fn keep(store: &Store, account: &Account) {
    let copy = Copy { view: account.view.clone(), auth_hash: hex::encode(&account.auth_hash) };
    let kept = async {
        let text = serde_json::to_string(&copy).during("accounts.copy")?;
        let key = store.keys().account(account.view.id);
        store.redis().set_ex::<_, _, ()>(key, text, LIFE_S).await.during("accounts.copy")
    };
    if let Err(error) = kept.await {
        tracing::warn!(error = &error as &dyn std::error::Error, "redis has no copy of an account");
    }
}

pub(super) async fn read(store: &Store, id: AccountId) -> Result<Option<Arc<Account>>, Error> {
    const OPERATION: &str = "accounts.read_copy";
    let text: Option<String> = store.redis().get(store.keys().account(id)).await.during(OPERATION)?;
    let Some(text) = text else { return Ok(None) };
    let Copy { view, auth_hash } = serde_json::from_str(&text).during(OPERATION)?;
    let auth_hash = hex::decode(auth_hash).map_err(|error| Error::unexpected(OPERATION, error.to_string()))?;
    Ok(Some(Arc::new(Account { view, auth_hash })))
}

/// Takes the copy away, and what the processes keep.
pub(super) async fn discard(store: &Store, id: AccountId) -> Result<(), Error> {
    let mut pipe = redis::pipe();
    pipe.del(store.keys().account(id)).publish(store.keys().live_account(), id.get());
    pipe.exec_async(&mut store.redis()).await.during("accounts.discard_copy")
}
