//! Carts in the dead letters: tried again every hour and by hand, written from Redis as a whole.

use super::{CartState, Postgres, Verb, from_postgres, scripts};
use crate::{
    Store,
    error::Error,
    jobs::{
        dead_letters,
        schedule::{Every, Schedule, Scheduled},
    },
};
use async_trait::async_trait;
use domain::Owner;
use serde_json::{Value, json};
use std::collections::HashMap;

/// The schedule `carts.retry_parked`.
pub struct RetryParked;

#[async_trait]
impl Scheduled for RetryParked {
    fn schedule(&self) -> Schedule {
        Schedule { name: "carts.retry_parked", every: Every::Seconds(3600) }
    }

    async fn run(&self, store: &Store) -> Result<Value, Error> {
        Ok(json!({ "retried": dead_letters::retry_all(store, dead_letters::CART).await? }))
    }
}

/// Makes a parked cart due; the worker that writes it ends its letter. A cart that Redis has lost since comes back
/// from the letter, unless Postgres has a later state.
pub(crate) async fn retry(store: &Store, owner: Owner, letter: &Value) -> Result<(), Error> {
    let is_here = scripts::read(store, &[owner]).await?.pop().is_some_and(|fields| !fields.is_empty());
    if !is_here && let Some(parked) = state_of(letter)? {
        let written = from_postgres(store, &owner).await?;
        let newest = written.filter(|written| written.t >= parked.t).unwrap_or(parked);
        let mut run = store.redis_run().await?;
        scripts::call(store, &mut run, &owner, Verb::Load, Postgres::Has(&newest), &[]).await?;
    }
    scripts::queue_parked(store, &owner).await
}

/// Makes a cart due as if it had never failed.
pub(crate) async fn start_anew(store: &Store, owner: Owner) -> Result<(), Error> {
    scripts::queue_anew(store, &owner).await
}

/// The cart as it was when it was parked.
fn state_of(letter: &Value) -> Result<Option<CartState>, Error> {
    let fields: Option<HashMap<String, String>> = serde_json::from_value(letter["cart"].clone()).ok();
    CartState::from_fields(fields.unwrap_or_default())
}
