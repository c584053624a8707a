//! `carts.restore`: brings back carts that Redis no longer has, so that shoppers find them there when Postgres is away,
//! and finishes moves into an account that a loss of Redis cut short.
//!
//! Carts of guests stay where they are: they left Redis because nobody looked at them. A guest cart that has moved into
//! an account is never revived; one that still has lines is put back closed, and the worker moves them, once.

use super::{plain, queries};
use crate::{
    Store,
    error::{During, Error},
    jobs::{
        self,
        schedule::{Every, Schedule, Scheduled},
    },
    world::to_timestamp,
};
use async_trait::async_trait;
use domain::Owner;
use futures::{StreamExt, stream};
use serde_json::{Value, json};

const PAGE: usize = 200;
/// Carts under way at the same time.
const PARALLEL: usize = 4;
/// Accounts' carts that changed since.
const SINCE_MS: i64 = 90 * 24 * 3600 * 1000;

/// The schedule `carts.restore`.
pub struct RestoreCarts;

#[async_trait]
impl Scheduled for RestoreCarts {
    fn schedule(&self) -> Schedule {
        Schedule { name: "carts.restore", every: Every::DailyAt { hour: 1, minute: 30 } }
    }

    async fn run(&self, store: &Store) -> Result<Value, Error> {
        let since = to_timestamp(store.now().plus(-SINCE_MS));
        let (mut after, mut looked_at, mut restored, mut failed) = (String::new(), 0, 0, 0);
        loop {
            let page = queries::restorable(store.pg(), since, &after, PAGE).await.during("carts.restore")?;
            let Some(last) = page.last() else { break };
            after.clone_from(last);
            let owners: Vec<Owner> = page.iter().filter_map(|owner| owner.parse().ok()).collect();
            let hashes = plain::read(store, &owners).await?;
            let absent: Vec<Owner> =
                owners.iter().zip(hashes).filter(|(_, fields)| fields.is_empty()).map(|(owner, _)| *owner).collect();
            // A read like any other: it puts back what is absent, and leaves alone what came back meanwhile.
            let loads: Vec<_> =
                absent.iter().map(async |owner| (owner, super::load(store, owner, &[]).await)).collect();
            let mut loads = stream::iter(loads).buffer_unordered(PARALLEL);
            while let Some((owner, loaded)) = loads.next().await {
                match loaded {
                    Ok(_) => restored += 1,
                    Err(error) => {
                        jobs::alone(error, owner)?;
                        failed += 1;
                    }
                }
            }
            looked_at += owners.len();
        }
        Ok(json!({ "carts": looked_at, "restored": restored, "failed": failed }))
    }
}
