//! Carts in the dead letters: tried again every hour and by hand, written from Redis as a whole.

use super::{CartState, Code, Verb, plain, scripts, verb::Revival};
use crate::{
    Store,
    error::{During, Error},
    jobs::{
        dead_letters,
        schedule::{Every, Schedule, Scheduled},
    },
};
use async_trait::async_trait;
use domain::{ApiError, ErrorCode, Owner};
use serde_json::Value;
use std::collections::HashMap;

/// The schedule `carts.retry_parked`.
pub struct RetryParked;

#[async_trait]
impl Scheduled for RetryParked {
    fn schedule(&self) -> Schedule {
        Schedule { name: "carts.retry_parked", every: Every::Seconds(3600) }
    }

    async fn run(&self, store: &Store) -> Result<Value, Error> {
        serde_json::to_value(dead_letters::retry_all(store, dead_letters::CART).await?).during("carts.retry_parked")
    }
}

/// Makes a parked cart due, with what its letter kept; the worker that writes it ends the letter.
pub(crate) async fn retry(store: &Store, owner: Owner, letter: &Value) -> Result<(), Error> {
    if !bring_back(store, &owner, letter).await? {
        let message = "Neither Redis nor Postgres nor the letter has anything of this cart: there is nothing to retry.";
        return Err(ApiError::new(ErrorCode::Conflict, message).into());
    }
    scripts::queue_parked(store, &owner).await
}

/// Makes a cart due as if it had never failed, with what its letter kept.
pub(crate) async fn let_go(store: &Store, owner: Owner, letter: &Value) -> Result<(), Error> {
    bring_back(store, &owner, letter).await?;
    start_anew(store, owner).await
}

/// Makes a cart due as if it had never failed.
pub(crate) async fn start_anew(store: &Store, owner: Owner) -> Result<(), Error> {
    scripts::queue_anew(store, &owner).await
}

/// Redis may have lost the parked cart, and the shopper may have gone on with an older one: what the letter kept comes
/// back into it. Of a cart that never knew all of Postgres' lines nothing is taken away for that.
/// `false`: there is no cart anywhere.
async fn bring_back(store: &Store, owner: &Owner, letter: &Value) -> Result<bool, Error> {
    let Some(parked) = state_of(letter)? else { return is_somewhere(store, owner).await };
    let how = if parked.is_unproven { Revival::Raise } else { Revival::Replace };
    let revive = |how| Verb::Revive { parked: &parked, how };
    let reply = super::edit(store, owner, revive(how)).await?;
    if let (Code::Moved, Some(account)) = (reply.code, reply.into) {
        super::edit(store, &account, revive(Revival::Join)).await?;
        super::edit(store, owner, revive(Revival::Note)).await?;
    }
    Ok(true)
}

async fn is_somewhere(store: &Store, owner: &Owner) -> Result<bool, Error> {
    let is_here = plain::read(store, &[*owner]).await?.pop().is_some_and(|fields| !fields.is_empty());
    Ok(is_here || super::load(store, owner, &[]).await?.0.t > 0)
}

/// The cart as it was when it was parked, as far as it can be read: what cannot may be why it was.
fn state_of(letter: &Value) -> Result<Option<CartState>, Error> {
    let fields: Option<HashMap<String, String>> = serde_json::from_value(letter["cart"].clone()).ok();
    let is_readable =
        |(field, value): &(String, String)| CartState::from_fields([(field.clone(), value.clone())].into()).is_ok();
    CartState::from_fields(fields.unwrap_or_default().into_iter().filter(is_readable).collect())
}
