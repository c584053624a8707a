//! `orders.persist`: writes accepted orders down, in the order in which the gate accepted them, batch by batch.
//!
//! While an order is in the stream only this worker may end it. Its windows:
//! - before the commit: nothing happened; the entry stays and is read again, by us or (idle for 15 s) by another worker;
//! - after the commit, before `order_persisted`: the entry comes again, its insert finds the row, only the rest is done;
//! - a worker that wakes up late with an entry that another one finished finds the row as well, and changes nothing;
//! - a cancellation that arrives around the commit keeps the entry in the stream until it has been carried out.

mod entries;
mod poison;
mod queries;
mod write;

use super::{
    change::{self, Change},
    scripts::{self, PersistedAnswer},
};
use crate::{
    Store, carts,
    error::{Error, is_outage},
    jobs::{Job, MAX_ATTEMPTS, is_away},
};
use async_trait::async_trait;
use domain::order::{Cause, OrderStatus};
use entries::{Entry, GROUP, Reader};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use write::Settled;

pub(crate) use poison::lines as entry_lines;

/// Entries whose carts and stream entries are settled at the same time.
const PARALLEL: usize = 32;
/// From this delivery on an entry is written on its own, so that it spoils no batch.
const ALONE_FROM: i64 = 3;

/// Reads `{inv}:placed` under a consumer name of its own.
pub struct PersistOrders {
    reader: Reader,
}

impl PersistOrders {
    pub fn new(store: &Store) -> Self {
        Self { reader: Reader::new(store) }
    }
}

#[async_trait]
impl Job for PersistOrders {
    type Batch = Vec<Entry>;

    fn name(&self) -> &'static str {
        "orders.persist"
    }

    async fn fetch(&self, store: &Store) -> Result<Option<Vec<Entry>>, Error> {
        self.reader.next(store).await
    }

    async fn handle(&self, store: &Store, batch: Vec<Entry>) -> Result<(), Error> {
        // Should anything below fail or panic, what is not acknowledged is read again first.
        self.reader.read_again();
        let (alone, together): (Vec<Entry>, Vec<Entry>) =
            batch.into_iter().partition(|entry| entry.deliveries >= ALONE_FROM || entry.draft.is_none());
        let mut failed = match persist(store, &together).await {
            Ok(()) => None,
            Err(error) if is_temporary(&error) => Some(error),
            // Something among them cannot be written: find out what.
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a batch failed: entry by entry");
                one_by_one(store, together).await.err()
            }
        };
        failed = one_by_one(store, alone).await.err().or(failed);
        match failed {
            Some(error) => Err(error),
            None => {
                self.reader.all_done();
                Ok(())
            }
        }
    }
}

/// Writes the entries down in one transaction and settles them.
async fn persist(store: &Store, entries: &[Entry]) -> Result<(), Error> {
    if entries.is_empty() {
        return Ok(());
    }
    let settled = write::write(store, entries).await?;
    let calls: Vec<_> = settled.iter().map(|settled| settle(store, settled)).collect();
    stream::iter(calls).buffer_unordered(PARALLEL).try_collect::<()>().await
}

/// Each entry on its own; one that can never be written is parked, so that it holds up nobody.
async fn one_by_one(store: &Store, entries: Vec<Entry>) -> Result<(), Error> {
    let mut failed = None;
    for entry in entries {
        let Err(error) = persist_alone(store, &entry).await else { continue };
        let may_heal = is_temporary(&error) && (is_away(&error) || entry.deliveries <= i64::from(MAX_ATTEMPTS));
        match may_heal {
            true => failed = Some(error),
            false => poison::park(store, &entry, &error).await?,
        }
    }
    failed.map_or(Ok(()), Err)
}

async fn persist_alone(store: &Store, entry: &Entry) -> Result<(), Error> {
    if entry.draft.is_none() && !write::is_written(store, entry).await? {
        return Err(Error::unexpected("orders.persist", "the gate has no readable order for this entry"));
    }
    let attempt = std::panic::AssertUnwindSafe(persist(store, std::slice::from_ref(entry)));
    attempt.catch_unwind().await.unwrap_or_else(|_| Err(Error::unexpected("orders.persist", "panicked")))
}

/// After the commit: the cart gives the copies up (or gets them back), a late cancellation is carried out, the entry goes.
async fn settle(store: &Store, settled: &Settled<'_>) -> Result<(), Error> {
    let Settled { entry, order, owner, status } = settled;
    match (status, &entry.draft) {
        (OrderStatus::Failed, _) => carts::restore(store, owner, *order).await?,
        (_, Some(draft)) => carts::take(store, owner, *order, &draft.cart_lines()).await?,
        (_, None) => {}
    }
    let is_open = *status == OrderStatus::PaymentPending;
    if scripts::persisted(store, GROUP, &entry.id, *order, !is_open).await? == PersistedAnswer::Cancel {
        let change = Change {
            order: *order,
            from: OrderStatus::PaymentPending,
            to: OrderStatus::Cancelled,
            cause: Cause::ShopperCancelled,
            note: None,
        };
        change::apply_alone(store, change).await?;
        scripts::persisted(store, GROUP, &entry.id, *order, true).await?;
    }
    Ok(())
}

/// Whether trying again later can help: an outage, a timeout, a deadlock, but not data that Postgres refuses.
fn is_temporary(error: &Error) -> bool {
    match error {
        Error::Postgres { source, .. } if is_outage(source) => true,
        Error::Postgres { source: sqlx::Error::Database(error), .. } => {
            // Class 22: data that does not fit its type; class 23: a broken constraint.
            !error.code().is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
        }
        Error::Unexpected { .. } | Error::Refused(_) => false,
        Error::Postgres { .. } | Error::Redis { .. } | Error::Http { .. } | Error::Mail { .. } => true,
    }
}
