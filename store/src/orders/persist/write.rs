//! The transaction that writes a batch of orders down and claims their copies.

use super::{
    entries::Entry,
    fence,
    queries::{self, Rows},
};
use crate::{
    BRIEF_LOCKS, Store,
    error::{During, Error},
    jobs::{self, Notices, Work},
    messages,
    orders::{draft::Draft, scripts::Persisted},
    stock::{Line, ledger, reconcile},
    world::to_timestamp,
};
use domain::{
    OrderId, Owner, UnixMillis,
    order::{Cause, OrderStatus},
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// An entry whose order is in Postgres, and how it stands there.
pub(super) struct Settled<'a> {
    pub entry: &'a Entry,
    pub order: OrderId,
    pub owner: Owner,
    pub status: OrderStatus,
}

impl Settled<'_> {
    /// What is dealt with by the commit, and by the cart if that has given the copies up.
    pub(super) fn as_it_stands(&self, is_given_up: bool) -> Persisted<'_> {
        Persisted {
            entry: &self.entry.id,
            order: self.order,
            is_cart_settled: is_given_up || self.entry.draft.is_none(),
            is_cancel_settled: self.status != OrderStatus::PaymentPending,
        }
    }
}

/// An order about to be written, with the status in which it arrives.
pub(super) struct Arrival<'a> {
    pub draft: &'a Draft,
    pub status: OrderStatus,
    pub cause: Cause,
    pub expires_at: UnixMillis,
    pub copies: Vec<Line>,
}

impl Arrival<'_> {
    fn messages(&self, now: UnixMillis) -> Vec<Work> {
        messages::of_step(self.draft.order_id.get(), 1, self.status, self.cause, now)
    }
}

/// Writes down what is not written yet. All claims in one go; if their sum does not fit, order by order, and what does
/// not fit then has failed.
pub(super) async fn write<'a>(store: &Store, entries: &'a [Entry]) -> Result<Vec<Settled<'a>>, Error> {
    let now = store.now();
    let arrivals: Vec<Arrival<'_>> =
        entries.iter().filter_map(|entry| Some(arrive(store, entry, entry.draft.as_ref()?, now))).collect();
    if !commit(store, entries, arrivals, now).await? {
        one_by_one(store, entries, now).await?;
    }
    look_up(store, entries, now).await
}

async fn one_by_one(store: &Store, entries: &[Entry], now: UnixMillis) -> Result<(), Error> {
    let mut refused_books = BTreeSet::new();
    for entry in entries {
        let alone = std::slice::from_ref(entry);
        let Some(draft) = &entry.draft else { continue };
        if !commit(store, alone, vec![arrive(store, entry, draft, now)], now).await? {
            tracing::warn!(order.id = %draft.order_id, "postgres has not the copies that the gate promised");
            let books: Vec<i64> = entry.books().collect();
            // First: should nobody come so far as to count them below, reconciling does.
            reconcile::suspect(store, &books).await?;
            commit(store, alone, vec![refused(draft)], now).await?;
            refused_books.extend(books);
        }
    }
    // The gate has too many of them, and would promise the same copies to the next shopper.
    if let Err(error) = reconcile::count_anew(store, refused_books).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "refused books are left to reconciling");
    }
    Ok(())
}

/// The books among these entries' whose rows somebody keeps locked right now.
pub(super) async fn locked_books(store: &Store, entries: &[Entry]) -> Result<HashSet<i64>, Error> {
    let wanted: HashSet<i64> = entries.iter().flat_map(Entry::books).collect();
    let ids: Vec<i64> = wanted.iter().copied().collect();
    let free = queries::unlocked(store.pg(), &ids).await.during("orders.locked_books")?;
    Ok(&wanted - &free.into_iter().collect())
}

/// Whether Postgres has the very order of this entry.
pub(super) async fn is_written(store: &Store, entry: &Entry) -> Result<bool, Error> {
    Ok(!look_up(store, std::slice::from_ref(entry), store.now()).await?.is_empty())
}

/// Whether it failed because another order has this one's number.
pub(super) fn is_number_taken(outcome: &Result<(), Error>) -> bool {
    let Err(Error::Postgres { source, .. }) = outcome else { return false };
    source.as_database_error().and_then(|error| error.constraint()) == Some("orders_number_key")
}

/// An order that Postgres refuses.
pub(super) fn refused(draft: &Draft) -> Arrival<'_> {
    let (status, cause) = (OrderStatus::Failed, Cause::Refused);
    Arrival { draft, status, cause, expires_at: draft.expires_at, copies: draft.copies() }
}

/// How an order arrives: overdue, cancelled, or to be paid within a time that is still worth something.
fn arrive<'a>(store: &Store, entry: &Entry, draft: &'a Draft, now: UnixMillis) -> Arrival<'a> {
    let floor = store.config().min_time_to_pay.min(store.config().order_ttl);
    let floor = now.plus(i64::try_from(floor.as_millis()).unwrap_or(i64::MAX));
    let (status, cause, expires_at) = if entry.cancel_asked {
        (OrderStatus::Cancelled, Cause::ShopperCancelled, draft.expires_at)
    } else if draft.expires_at <= now {
        (OrderStatus::Expired, Cause::DeadlinePassed, draft.expires_at)
    } else {
        (OrderStatus::PaymentPending, Cause::Persisted, draft.expires_at.max(floor))
    };
    Arrival { draft, status, cause, expires_at, copies: draft.copies() }
}

/// One transaction; `false`: the claims do not fit, and nothing was written. `entries`: where the arrivals come from.
async fn commit(
    store: &Store,
    entries: &[Entry],
    mut arrivals: Vec<Arrival<'_>>,
    now: UnixMillis,
) -> Result<bool, Error> {
    if arrivals.is_empty() {
        return Ok(true);
    }
    // Everybody inserts in the same order, so that two workers with the same entries wait for each other only one way.
    arrivals.sort_by_key(|arrival| arrival.draft.order_id);
    let mut tx = store.pg().begin().await.during("orders.persist")?;
    ledger::share_gate_lock(&mut tx).await?;
    fence::check(store, entries).await?;
    // After the gate lock: a rebuild may keep that for as long as it needs, a stock row nobody may.
    sqlx::raw_sql(BRIEF_LOCKS).execute(&mut *tx).await.during("orders.persist")?;
    let Some(notices) = insert(&mut tx, arrivals, now).await? else {
        tx.rollback().await.during("orders.persist")?;
        return Ok(false);
    };
    tx.commit().await.during("orders.persist")?;
    jobs::tell(store, notices).await;
    Ok(true)
}

/// Inserts what is new, with all that follows from it; the caller holds the gate lock, and tells of it after its commit.
/// `None`: the claims do not fit.
pub(super) async fn insert(
    tx: &mut sqlx::PgTransaction<'_>,
    mut arrivals: Vec<Arrival<'_>>,
    now: UnixMillis,
) -> Result<Option<Notices>, Error> {
    const OPERATION: &str = "orders.persist";
    let at = to_timestamp(now);
    let new = queries::insert_orders(&mut **tx, &Rows::new(&arrivals), at).await.during(OPERATION)?;
    arrivals.retain(|arrival| new.contains(&arrival.draft.order_id.get()));
    if arrivals.is_empty() {
        return Ok(Some(Notices::default()));
    }
    queries::insert_items(&mut **tx, &arrivals).await.during(OPERATION)?;
    queries::insert_histories(&mut **tx, &Rows::new(&arrivals), at).await.during(OPERATION)?;
    let messages: Vec<Work> = arrivals.iter().flat_map(|arrival| arrival.messages(now)).collect();
    jobs::enqueue_work(&mut **tx, &messages).await.during(OPERATION)?;
    let orders = arrivals.iter().map(|arrival| (arrival.draft.order_id, arrival.draft.owner)).collect();
    let told_by = to_timestamp(now.plus(jobs::TOLD_WITHIN_MS));
    let notices = jobs::notice(&mut **tx, orders, told_by).await.during(OPERATION)?;
    let (claims, unclaimed): (Vec<_>, Vec<_>) =
        arrivals.iter().partition(|arrival| arrival.status == OrderStatus::PaymentPending);
    queries::insert_reserves(&mut **tx, &claims, at).await.during(OPERATION)?;
    for arrival in unclaimed {
        ledger::release_at_gate(tx, arrival.draft.order_id, &arrival.copies, now).await?;
    }
    // Last: the rows of popular books are locked until the commit, and other batches wait for them.
    let fits = ledger::claim(tx, &sums(&claims)).await?;
    Ok(fits.then_some(notices))
}

/// Copies per book over all these claims, in book order.
fn sums(claims: &[&Arrival<'_>]) -> Vec<Line> {
    let mut sums = BTreeMap::<i64, i32>::new();
    for line in claims.iter().flat_map(|arrival| &arrival.copies) {
        *sums.entry(line.book).or_default() += line.copies;
    }
    sums.into_iter().map(|(book, copies)| Line { book, copies }).collect()
}

/// How the orders of these entries stand now. An entry whose order was placed at another time than the one in Postgres
/// (a key used again after the gate forgot it, with Postgres away) took copies that nobody will claim: they go back.
async fn look_up<'a>(store: &Store, entries: &'a [Entry], now: UnixMillis) -> Result<Vec<Settled<'a>>, Error> {
    let ids: Vec<_> = entries.iter().filter_map(|entry| entry.order()).map(OrderId::get).collect();
    let rows = queries::standing(store.pg(), &ids).await.during("orders.standing")?;
    let rows: HashMap<OrderId, queries::Standing> = rows.into_iter().map(|row| (row.order, row)).collect();
    let mut settled = Vec::with_capacity(entries.len());
    for entry in entries {
        let Some(row) = entry.order().and_then(|order| rows.get(&order)) else { continue };
        if entry.placed_at().is_some_and(|placed_at| placed_at != row.placed_at) {
            super::poison::give_back_twin(store, entry, row.order, now).await?;
        }
        let (Ok(owner), Ok(status)) = (row.owner.parse(), row.status.parse()) else {
            return Err(Error::unexpected("orders.standing", format!("order {} is unreadable", row.order)));
        };
        settled.push(Settled { entry, order: row.order, owner, status });
    }
    Ok(settled)
}
