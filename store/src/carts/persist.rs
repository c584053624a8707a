//! Writes dirty carts to Postgres: leases what is due, writes whole carts in one transaction, and takes the mark off
//! only if the cart has not moved. What keeps failing goes to the dead letters while the shopper goes on unharmed.

use super::{
    CartState, plain, queries,
    scripts::{self, Claimed, Done},
};
use crate::{
    Store,
    error::{During, Error},
    jobs::{self, Job, Letter, dead_letters},
    world::to_timestamp,
};
use async_trait::async_trait;
use domain::{Owner, UnixMillis};
use std::time::Duration;

/// Pause after a round that found nothing.
const POLL: Duration = Duration::from_millis(500);
/// Pause after a round of less than [`FEW`] carts: edits have waited a second, and one transaction for many is cheaper.
const GATHER: Duration = Duration::from_millis(200);
const FEW: usize = 64;
/// A claimed cart is found again after this when its worker died.
const LEASE_MS: i64 = 10_000;
/// Carts of one round: at most so many of each of the 64 buckets.
const PER_BUCKET: u32 = 4;
/// Postgres must answer within this before anything is claimed: while it is away no attempt is counted.
const PROBE_TIMEOUT: Duration = Duration::from_millis(800);
/// How long an unparkable cart stays leased.
const UNPARKABLE_MS: i64 = 60_000;

/// The job `carts.persist`.
pub struct PersistCarts;

#[async_trait]
impl Job for PersistCarts {
    type Batch = Vec<Claimed>;

    fn name(&self) -> &'static str {
        "carts.persist"
    }

    fn pieces(&self, batch: &Self::Batch) -> u64 {
        batch.len() as u64
    }

    async fn fetch(&self, store: &Store) -> Result<Option<Self::Batch>, Error> {
        probe(store).await?;
        let claimed = scripts::claim(store, store.now().plus(LEASE_MS), PER_BUCKET).await?;
        if claimed.is_empty() {
            tokio::time::sleep(POLL).await;
            return Ok(None);
        }
        Ok(Some(claimed))
    }

    async fn handle(&self, store: &Store, batch: Self::Batch) -> Result<(), Error> {
        let owners: Vec<Owner> = batch.iter().map(|claimed| claimed.owner).collect();
        let (mut alone, batch): (Vec<_>, Vec<_>) = batch.into_iter().partition(is_alone);
        // Those of which fewer workers died go first.
        alone.sort_by_key(|claimed| claimed.leases);
        let few = owners.len() < FEW;
        let mut outcome = together(store, &batch).await;
        for claimed in alone {
            if outcome.is_ok() {
                outcome = self::alone(store, claimed).await;
            }
        }
        if outcome.is_err() {
            // This worker lives on: no cart is to blame.
            scripts::set_leases(store, &owners, 0).await?;
        }
        if few {
            tokio::time::sleep(GATHER).await;
        }
        outcome
    }
}

const fn is_alone(claimed: &Claimed) -> bool {
    claimed.leases >= jobs::ALONE_FROM - 1
}

async fn together(store: &Store, batch: &[Claimed]) -> Result<(), Error> {
    if batch.is_empty() {
        return Ok(());
    }
    let mut ready = Vec::with_capacity(batch.len());
    for (claimed, state) in read(store, batch).await? {
        match jobs::caught("carts.persist.settle", settle(store, &claimed.owner, state)).await {
            Ok(state) => ready.push((claimed, state)),
            Err(error) => fail(store, claimed, error).await?,
        }
    }
    write(store, ready).await
}

/// A cart with which workers died, perhaps of it: after the tenth it is parked, and each later try is one more.
async fn alone(store: &Store, claimed: Claimed) -> Result<(), Error> {
    let leases = scripts::count_lease(store, &claimed.owner).await?;
    if leases <= jobs::MAX_LEASES {
        return together(store, &[claimed]).await;
    }
    let error = jobs::deadly("carts.persist", i64::from(leases) - 1);
    fail(store, Claimed { attempts: jobs::MAX_ATTEMPTS, ..claimed }, error).await?;
    scripts::set_leases(store, &[claimed.owner], jobs::MAX_LEASES - 1).await
}

async fn probe(store: &Store) -> Result<(), Error> {
    let ping = async { sqlx::query("SELECT 1").execute(store.pg()).await.map(|_| ()) };
    let answer = tokio::time::timeout(PROBE_TIMEOUT, ping).await;
    answer.unwrap_or(Err(sqlx::Error::PoolTimedOut)).during("carts.persist.probe")
}

type Read = Result<Option<CartState>, Error>;

async fn read(store: &Store, batch: &[Claimed]) -> Result<Vec<(Claimed, Read)>, Error> {
    let owners: Vec<Owner> = batch.iter().map(|claimed| claimed.owner).collect();
    let hashes = plain::read(store, &owners).await?;
    Ok(batch.iter().copied().zip(hashes.into_iter().map(CartState::from_fields)).collect())
}

/// What must happen to a cart before it can be written: proof, or the rest of a move that was cut short.
async fn settle(store: &Store, owner: &Owner, state: Read) -> Read {
    let Some(mut state) = state? else { return Ok(None) };
    if state.is_unproven {
        super::prove(store, owner).await?;
        let Some(proven) = reread(store, owner).await? else { return Ok(None) };
        state = proven;
    }
    if let Some(account) = state.into.filter(|_| !state.lines.is_empty()) {
        super::finish_merge(store, owner, &account, state.t, &state.lines.into_iter().collect::<Vec<_>>()).await?;
        return reread(store, owner).await;
    }
    Ok(Some(state))
}

async fn reread(store: &Store, owner: &Owner) -> Read {
    plain::read(store, &[*owner]).await?.pop().map_or(Ok(None), CartState::from_fields)
}

/// All in one transaction; when one of them is refused, each by itself, so that it fails alone.
async fn write(store: &Store, ready: Vec<(Claimed, Option<CartState>)>) -> Result<(), Error> {
    let carts: Vec<_> = ready.iter().filter_map(|(claimed, cart)| Some((claimed.owner, cart.as_ref()?))).collect();
    // A cart that is nowhere in Redis has nothing to write; only its mark goes, and its letter stays.
    let mark = |(claimed, cart): &(Claimed, Option<CartState>)| {
        (claimed.owner, cart.as_ref().map_or(0, |cart| cart.v), cart.as_ref().map_or(0, |cart| cart.t))
    };
    let mut written: Vec<_> = ready.iter().map(mark).collect();
    match jobs::caught("carts.persist", save(store, &carts)).await {
        Ok(()) => {}
        Err(error) if jobs::is_away(&error) => return Err(error),
        Err(_) => {
            written = Vec::with_capacity(ready.len());
            for (claimed, cart) in &ready {
                let alone: Vec<_> = cart.iter().map(|cart| (claimed.owner, cart)).collect();
                match jobs::caught("carts.persist", save(store, &alone)).await {
                    Ok(()) => written.push(mark(&(*claimed, cart.clone()))),
                    Err(error) => fail(store, *claimed, error).await?,
                }
            }
        }
    }
    finish(store, &written).await
}

async fn save(store: &Store, carts: &[(Owner, &CartState)]) -> Result<(), Error> {
    if carts.is_empty() {
        return Ok(());
    }
    let mut tx = store.pg().begin().await.during("carts.persist")?;
    queries::save(&mut tx, carts).await.during("carts.persist")?;
    tx.commit().await.during("carts.persist")
}

async fn finish(store: &Store, written: &[(Owner, i64, i64)]) -> Result<(), Error> {
    let done = scripts::done(store, written).await?;
    metrics::counter!("bazar_carts_persisted_total").increment(written.len() as u64);
    let revived = written.iter().zip(done).filter(|(_, done)| *done == Done::Revived);
    let revived: Vec<_> = revived.map(|(written, _)| *written).collect();
    if revived.is_empty() {
        return Ok(());
    }
    queries::close_dead_letters(store.pg(), &revived).await.during("carts.persist.revive")
}

/// Counts the failure of this one cart; anything wrong with a server instead leaves it leased, uncounted.
async fn fail(store: &Store, claimed: Claimed, error: Error) -> Result<(), Error> {
    if jobs::is_away(&error) {
        return Err(error);
    }
    let attempts = claimed.attempts.saturating_add(1);
    let owner = &claimed.owner;
    scripts::set_leases(store, &[*owner], 0).await?;
    tracing::warn!(cart.owner = %owner, attempts, error = &error as &dyn std::error::Error, "a cart was not persisted");
    if attempts < jobs::MAX_ATTEMPTS {
        return scripts::failed(store, owner, jobs::retry_at(store, attempts), false).await;
    }
    match park(store, claimed, &error, attempts).await {
        Ok(()) => scripts::failed(store, owner, store.now(), true).await,
        Err(error) => {
            metrics::counter!("bazar_carts_unparkable_total").increment(1);
            tracing::error!(cart.owner = %owner, error = &error as &dyn std::error::Error, "a cart could not be parked");
            let due: UnixMillis = store.now().plus(UNPARKABLE_MS);
            scripts::failed(store, owner, due, false).await
        }
    }
}

async fn park(store: &Store, claimed: Claimed, error: &Error, attempts: i32) -> Result<(), Error> {
    let owner = claimed.owner;
    let fields = plain::read(store, &[owner]).await?.pop().unwrap_or_default();
    let letter = Letter {
        source: dead_letters::CART,
        key: &owner.to_string(),
        payload: &serde_json::json!({ "owner": owner, "cart": fields }),
        error: &error.chain(),
        attempts,
        first_failed_at: Some(to_timestamp(claimed.first_failed_at.unwrap_or_else(|| store.now()))),
    };
    let mut tx = store.pg().begin().await.during("carts.park")?;
    jobs::park(&mut tx, letter).await?;
    tx.commit().await.during("carts.park")
}
