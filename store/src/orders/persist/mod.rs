//! `orders.persist`: writes accepted orders down, in the order in which the gate accepted them, batch by batch.
//!
//! While an order is in the stream only this worker may end it. Its windows:
//! - before the commit: nothing happened; the entry stays and is read again, by us or (idle for 15 s) by another worker;
//! - after the commit, before `order_persisted`: the entry comes again, its insert finds the row, only the rest is done;
//! - a worker that wakes up late with an entry that another one finished finds the row as well, and changes nothing;
//! - Redis loses its data while entries are in hand: the rebuild did not count them, so they are not written ([`fence`]);
//! - somebody keeps the row of a book locked: after a second its entries are set aside, the others go on;
//! - Postgres or Redis is away: what was in hand is tried together again, as if it were new;
//! - an order with the number of another one gets the next of its numbers;
//! - an entry that its workers die of is taken up alone, after the others, and parked after the tenth death;
//! - a cancellation that arrives around the commit keeps the entry in the stream until it has been carried out.

mod entries;
mod fence;
pub(crate) mod placed;
mod poison;
mod queries;
mod write;

use super::{
    change::{self, Change},
    draft,
    scripts::{self, Persisted, PersistedAnswer},
};
use crate::{
    Store, carts,
    error::{Error, is_crowded, is_outage},
    jobs::{Job, MAX_ATTEMPTS, caught, deadly, is_away},
};
use async_trait::async_trait;
use domain::order::{Cause, OrderStatus};
use entries::{Entry, GROUP, Reader};
use futures::{StreamExt, TryStreamExt, stream};
use sqlx::Connection;
use std::collections::VecDeque;
use write::Settled;

pub(crate) use poison::lines as entry_lines;

/// Entries of one call that takes them out of the stream: Redis answers nobody else for about a millisecond.
const AT_ONCE: usize = 50;
/// Entries of which more is left to do, and for which that is done at the same time.
const PARALLEL: usize = 32;
/// From this delivery on an entry is written on its own, so that it spoils no batch.
const ALONE_FROM: i64 = 3;
/// Times that an entry is taken up alone without an outcome before it is parked: with those before, ten.
const MAX_ALONE: i64 = MAX_ATTEMPTS as i64 - (ALONE_FROM - 1);
/// Numbers tried for an order whose own one is taken: it is one of 2^40.
const MAX_NUMBERS: u8 = 3;
/// Times that a batch is tried again without the books that are locked.
const LOCKED_TRIES: usize = 3;

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

    fn pieces(&self, batch: &Self::Batch) -> u64 {
        batch.len() as u64
    }

    async fn fetch(&self, store: &Store) -> Result<Option<Vec<Entry>>, Error> {
        self.reader.next(store).await
    }

    async fn handle(&self, store: &Store, batch: Vec<Entry>) -> Result<(), Error> {
        // Should anything below fail or panic, what is not acknowledged is read again first.
        self.reader.read_again();
        let in_hand: Vec<String> = batch.iter().map(|entry| entry.id.clone()).collect();
        let (alone, together): (Vec<Entry>, Vec<Entry>) =
            batch.into_iter().partition(|entry| entry.deliveries >= ALONE_FROM || entry.draft.is_none());
        let mut aside = 0;
        let mut failed = self::together(store, together, &mut aside).await.err();
        let mut is_down = self::is_down(store, failed.as_ref()).await;
        if !is_down {
            failed = self::alone(store, alone, &mut aside).await.err().or(failed);
            is_down = self::is_down(store, failed.as_ref()).await;
        }
        if let Some(error) = failed {
            if is_down && let Err(error) = self.reader.begin_anew(store, &in_hand).await {
                tracing::debug!(error = &error as &dyn std::error::Error, "this delivery counts");
            }
            return Err(error);
        }
        if aside > 0 {
            metrics::counter!("orders_set_aside_total").increment(aside);
            tracing::warn!(entries = aside, "set aside: somebody keeps the stock rows of their books locked");
            self.reader.read_again_later(store);
        }
        Ok(())
    }
}

/// All in one transaction; entries whose books somebody keeps locked are left out, so that they hold up no others.
async fn together(store: &Store, mut entries: Vec<Entry>, aside: &mut u64) -> Result<(), Error> {
    for _ in 0..LOCKED_TRIES {
        match persist(store, &entries).await {
            Ok(()) => return Ok(()),
            Err(error) if error.is_locked() => {
                let left_out = leave_out_locked(store, &mut entries).await?;
                if left_out == 0 {
                    return Err(error);
                }
                *aside += left_out;
            }
            Err(error) if is_temporary(&error) => return Err(error),
            // Something among them cannot be written: find out what.
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a batch failed: entry by entry");
                return one_by_one(store, entries, aside).await;
            }
        }
    }
    Err(Error::unexpected("orders.persist", "other books are locked each time"))
}

/// Takes the entries whose books are locked out of the list, and counts them; they stay in the stream.
async fn leave_out_locked(store: &Store, entries: &mut Vec<Entry>) -> Result<u64, Error> {
    let locked = write::locked_books(store, entries).await?;
    let before = entries.len();
    entries.retain(|entry| entry.books().all(|book| !locked.contains(&book)));
    Ok((before - entries.len()) as u64)
}

/// Writes the entries down in one transaction and settles them.
async fn persist(store: &Store, entries: &[Entry]) -> Result<(), Error> {
    if entries.is_empty() {
        return Ok(());
    }
    let settled = write::write(store, entries).await?;
    let calls: Vec<_> = finish(store, &settled).await?.into_iter().map(|settled| settle(store, settled)).collect();
    stream::iter(calls).buffer_unordered(PARALLEL).try_collect::<()>().await
}

/// Takes the entries of which nothing is left to do out of the stream; returns the others.
async fn finish<'a, 'b>(store: &Store, settled: &'b [Settled<'a>]) -> Result<Vec<&'b Settled<'a>>, Error> {
    let (mut left, standing): (Vec<_>, Vec<_>) =
        settled.iter().partition(|settled| settled.status == OrderStatus::Failed);
    for some in standing.chunks(AT_ONCE) {
        let orders: Vec<_> = some.iter().map(|settled| (settled.owner, settled.order)).collect();
        let given_up = carts::given_up(store, &orders).await?;
        let asked = some.iter().zip(given_up).map(|(settled, is_given_up)| settled.as_it_stands(is_given_up));
        let asked: Vec<Persisted<'_>> = asked.collect();
        let answers = scripts::persisted(store, GROUP, &asked).await?;
        left.extend(
            some.iter()
                .zip(answers)
                .filter(|(_, answer)| *answer != PersistedAnswer::Done)
                .map(|(settled, _)| *settled),
        );
    }
    Ok(left)
}

/// Entries that were read before and never finished. Each time one is begun is counted until it has an outcome: those
/// that workers died of come last, and are parked unlooked at in the end. Those whose books are locked wait for that, and
/// while a server is away all do.
async fn alone(store: &Store, mut entries: Vec<Entry>, aside: &mut u64) -> Result<(), Error> {
    if entries.is_empty() {
        return Ok(());
    }
    let begun = entries::begun(store, &entries).await?;
    entries.sort_by_key(|entry| begun.get(&entry.id).copied().unwrap_or_default());
    *aside += leave_out_locked(store, &mut entries).await?;
    let mut failed = None;
    while !entries.is_empty() {
        let (entry, before) = (entries.remove(0), *aside);
        let id = entry.id.clone();
        let times = entries::begin(store, &id).await?;
        let outcome = match times > MAX_ALONE {
            true => {
                let error = deadly("orders.persist", times + ALONE_FROM - 2);
                poison::park(store, &entry, &error, times <= MAX_ALONE + 2).await
            }
            false => one_by_one(store, vec![entry], aside).await,
        };
        failed = outcome.err().or(failed);
        entries::ended(store, &id).await?;
        if is_down(store, failed.as_ref()).await {
            break;
        }
        if *aside > before {
            *aside += leave_out_locked(store, &mut entries).await?;
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Each entry on its own; one that can never be written is parked, so that it holds up nobody.
async fn one_by_one(store: &Store, entries: Vec<Entry>, aside: &mut u64) -> Result<(), Error> {
    let mut failed = None;
    let mut left = VecDeque::from(entries);
    while let Some(entry) = left.pop_front() {
        let Err(error) = persist_alone(store, &entry).await else { continue };
        if error.is_locked() {
            // So would all others of that book, each for as long.
            let mut others: Vec<Entry> = std::iter::once(entry).chain(left).collect();
            let left_out = leave_out_locked(store, &mut others).await?;
            if left_out == 0 {
                return Err(error);
            }
            *aside += left_out;
            left = others.into();
            continue;
        }
        let may_heal = is_temporary(&error) && (is_away(&error) || entry.deliveries <= i64::from(MAX_ATTEMPTS));
        match may_heal {
            true => failed = Some(error),
            false => poison::park(store, &entry, &error, true).await?,
        }
        if is_down(store, failed.as_ref()).await {
            break;
        }
    }
    failed.map_or(Ok(()), Err)
}

async fn persist_alone(store: &Store, entry: &Entry) -> Result<(), Error> {
    if entry.draft.is_none() && !write::is_written(store, entry).await? {
        return Err(Error::unexpected("orders.persist", "the gate has no readable order for this entry"));
    }
    let mut outcome = caught("orders.persist", persist(store, std::slice::from_ref(entry))).await;
    let mut entry = entry.clone();
    for try_no in 1..=MAX_NUMBERS {
        let Some(draft) = entry.draft.as_mut().filter(|_| write::is_number_taken(&outcome)) else { break };
        let secret = store.config().number_secret.reveal();
        draft.number = draft::another_number(secret, draft.order_id, try_no);
        tracing::warn!(order.id = %draft.order_id, order.number = %draft.number, "another order has its number");
        outcome = caught("orders.persist", persist(store, std::slice::from_ref(&entry))).await;
    }
    outcome
}

/// After the commit: the cart gives the copies up (or gets them back), a late cancellation is carried out, the entry goes.
async fn settle(store: &Store, settled: &Settled<'_>) -> Result<(), Error> {
    let Settled { entry, order, owner, status } = settled;
    match (status, &entry.draft) {
        (OrderStatus::Failed, _) => carts::restore(store, owner, *order).await?,
        (_, Some(draft)) => carts::take(store, owner, *order, &draft.cart_lines()).await?,
        (_, None) => {}
    }
    let with_cart = settled.as_it_stands(true);
    if scripts::persisted(store, GROUP, &[with_cart]).await? == [PersistedAnswer::Cancel] {
        let change = Change {
            order: *order,
            from: OrderStatus::PaymentPending,
            to: OrderStatus::Cancelled,
            cause: Cause::ShopperCancelled,
            note: None,
        };
        change::apply_alone(store, change).await?;
        let all = Persisted { entry: &entry.id, order: *order, is_cart_settled: true, is_cancel_settled: true };
        scripts::persisted(store, GROUP, &[all]).await?;
    }
    Ok(())
}

/// A server is away, for all entries alike: no fault of those in hand, and no reason to try the others now. Postgres is
/// asked, because an entry of which connections break must not pass for an outage.
async fn is_down(store: &Store, error: Option<&Error>) -> bool {
    match error {
        Some(Error::Postgres { source, .. }) if is_outage(source) => match store.pg().acquire().await {
            Ok(mut connection) => connection.ping().await.is_err(),
            Err(_) => true,
        },
        Some(Error::Postgres { source, .. }) if is_crowded(source) => false,
        other => other.is_some_and(is_away),
    }
}

/// Whether trying again later can help: an outage, a timeout, a deadlock, but not data that Postgres refuses.
fn is_temporary(error: &Error) -> bool {
    match error {
        Error::Postgres { source, .. } if is_outage(source) => true,
        Error::Postgres { source: sqlx::Error::Database(error), .. } => {
            // Class 22: data that does not fit its type; class 23: a broken constraint.
            !error.code().is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
        }
        Error::NoAccess { .. } | Error::Unexpected { .. } | Error::Refused(_) => false,
        Error::Postgres { .. }
        | Error::Redis { .. }
        | Error::Http { .. }
        | Error::Message { .. }
        | Error::Overtaken { .. } => true,
    }
}
