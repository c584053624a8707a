//! Rebuilding the gate from Postgres: when Redis lost it, or may have (another `run_id`: a restart, a failover, an old
//! file).
//!
//! What must come out is promise 1: available at the gate = available in Postgres − copies of accepted orders that
//! Postgres lacks. Five things make it exact while the shop goes on:
//! - without an epoch nothing is accepted, so the stream only shrinks; it is read before Postgres, which has the last
//!   word on what is written down already;
//! - Postgres is read in one snapshot; the operations that the gate has not confirmed by then are in its counts, so
//!   their keys are set: a late repeat changes nothing;
//! - an operation from after the snapshot that is applied before the rebuild is installed takes its token away, and the
//!   rebuild starts again. The gate lock keeps stock transactions and the worker of `gate_ops` out, so that this ends;
//! - a rebuild that sleeps for 15 s loses the lock, and another one may open the gate. When it wakes, its token is gone:
//!   it deletes nothing, installs nothing, and at most adds what reconciling finds to be superfluous.

use super::{
    keyspace::Scan,
    queries::{self, Line, OperationId},
    reconcile,
    scripts::{self, CloseAnswer, LoadAnswer, OPERATION_LIFE_S},
};
use crate::{
    Store,
    error::{During, Error},
    jobs::Job,
    orders,
    world::to_timestamp,
};
use async_trait::async_trait;
use domain::OrderId;
use redis::AsyncCommands;
use sqlx::Connection;
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};
use uuid::Uuid;

/// Rows, keys or entries of one step.
const PAGE: i64 = 1000;
/// Keys that one script takes away.
const SWEPT_AT_ONCE: usize = 1000;
/// How long staged counts of a rebuild that died stay around.
const STAGED_LIFE_S: i64 = 600;
/// Rebuilds tried at once before giving the caller the word.
const TRIES: usize = 3;
/// How often Postgres is shown that the owner of the gate lock is alive.
const ALIVE_EVERY: Duration = Duration::from_secs(1);
/// Pause between two looks of the watch.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// See [`super::ensure_loaded`].
pub(super) async fn ensure_loaded(store: &Store) -> Result<(), Error> {
    for _ in 0..TRIES {
        let run_id = store.redis_run().await?.id;
        if is_loaded(store, &run_id).await? || rebuild(store, &run_id).await? == LoadAnswer::Loaded {
            return Ok(());
        }
    }
    Err(Error::unexpected("stock.ensure_loaded", "every rebuild was overtaken"))
}

/// `stock.load`: looks after the gate once a second and loads it when it is lost.
pub struct WatchGate;

#[async_trait]
impl Job for WatchGate {
    type Batch = ();

    fn name(&self) -> &'static str {
        "stock.load"
    }

    async fn fetch(&self, store: &Store) -> Result<Option<()>, Error> {
        if !is_loaded(store, &store.redis_run().await?.id).await? {
            return Ok(Some(()));
        }
        tokio::time::sleep(WATCH_EVERY).await;
        Ok(None)
    }

    async fn handle(&self, store: &Store, (): ()) -> Result<(), Error> {
        ensure_loaded(store).await
    }
}

pub(super) async fn is_loaded(store: &Store, run_id: &str) -> Result<bool, Error> {
    let (epoch, loaded): (Option<String>, Option<String>) =
        store.redis().mget(&[store.keys().epoch(), store.keys().run_id()]).await.during("stock.is_loaded")?;
    Ok(epoch.is_some() && loaded.as_deref() == Some(run_id))
}

async fn rebuild(store: &Store, run_id: &str) -> Result<LoadAnswer, Error> {
    const OPERATION: &str = "stock.rebuild";
    // Both connections first: whoever waits for the lock may hold all the others.
    let mut reader = store.pg().acquire().await.during(OPERATION)?;
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    queries::lock_gate(&mut *tx).await.during(OPERATION)?;
    let token = store.uuid().to_string();
    if scripts::close(store, &token, run_id).await? == CloseAnswer::Open {
        return Ok(LoadAnswer::Loaded);
    }
    tracing::warn!(redis.run_id = run_id, "the gate is not loaded: rebuilding it from postgres");
    let counted = tokio::select! {
        counted = count(store, &mut reader, &token) => counted,
        error = keep_lock(&mut tx) => Err(error),
    };
    let counted = match counted {
        Err(Error::Overtaken { .. }) => return Ok(LoadAnswer::Superseded),
        other => other?,
    };
    let answer = scripts::load(store, &token, run_id, counted.epoch).await?;
    if answer == LoadAnswer::Loaded {
        // They are in the counts; should this not be committed, the worker finds their keys.
        let ids: Vec<i64> = counted.operations.iter().map(|operation| operation.id).collect();
        let at = to_timestamp(store.now());
        queries::mark_applied(&mut *tx, &ids, at).await.during(OPERATION)?;
        reconcile::end_letters(&mut *tx, &ids, at).await.during(OPERATION)?;
        tx.commit().await.during(OPERATION)?;
        let Counted { books, open, in_flight, operations, .. } = counted;
        let operations = operations.len();
        tracing::info!(books, orders.open = open, orders.in_flight = in_flight, operations, "the gate is loaded");
        metrics::counter!("gate_loads_total").increment(1);
    }
    Ok(answer)
}

/// Returns when the transaction that holds the gate lock is no more. Postgres ends it, for all who wait for the lock,
/// when it hears nothing of its owner for 15 s.
async fn keep_lock(tx: &mut sqlx::PgTransaction<'_>) -> Error {
    loop {
        tokio::time::sleep(ALIVE_EVERY).await;
        if let Err(error) = tx.ping().await.during("stock.keep_gate_lock") {
            return error;
        }
    }
}

/// What a rebuild put down beside the gate.
struct Counted {
    epoch: i64,
    books: usize,
    open: usize,
    in_flight: usize,
    /// Those that the counts contain.
    operations: Vec<OperationId>,
}

/// Counts everything, under the gate lock and with the gate closed.
async fn count(store: &Store, reader: &mut sqlx::PgConnection, token: &str) -> Result<Counted, Error> {
    const OPERATION: &str = "stock.count";
    let entries = entries(store).await?;
    // Committed by itself: an epoch that is not used does no harm, one that is used twice would.
    let epoch = queries::next_epoch(&mut *reader, store.now().get()).await.during(OPERATION)?;
    let mut snapshot = reader.begin_with(queries::BEGIN_SNAPSHOT).await.during(OPERATION)?;
    allow_pauses(&mut snapshot).await?;
    let in_flight = in_flight(store, &mut snapshot, entries).await?;
    let books = stage(store, &mut snapshot, token, &in_flight).await?;
    let operations = queries::unapplied(&mut *snapshot).await.during(OPERATION)?;
    confirm(store, &operations).await?;
    let open = restore_orders(store, &mut snapshot, token, &in_flight).await?;
    restore_keys(store, &mut snapshot).await?;
    snapshot.rollback().await.during(OPERATION)?;
    Ok(Counted { epoch, books, open, in_flight: in_flight.len(), operations })
}

/// Postgres does not cut this transaction off while it waits for Redis; it must hold nothing that others wait for.
pub(super) async fn allow_pauses(tx: &mut sqlx::PgTransaction<'_>) -> Result<(), Error> {
    sqlx::raw_sql(queries::ALLOW_PAUSES).execute(&mut **tx).await.during("stock.allow_pauses")?;
    Ok(())
}

/// Before it takes a lock that others wait for, it is cut off like any other again.
pub(super) async fn end_pauses(tx: &mut sqlx::PgTransaction<'_>) -> Result<(), Error> {
    sqlx::raw_sql(queries::END_PAUSES).execute(&mut **tx).await.during("stock.end_pauses")?;
    Ok(())
}

/// An accepted order that Postgres lacks.
struct InFlight {
    /// Of the stream; names its dead letter, too.
    entry: String,
    owner: Option<String>,
    deadline: i64,
    lines: Vec<Line>,
}

/// Everything in the stream, by order and time of placing.
async fn entries(store: &Store) -> Result<HashMap<(OrderId, i64), InFlight>, Error> {
    const OPERATION: &str = "stock.entries";
    let mut found = HashMap::new();
    let mut after = "-".to_owned();
    loop {
        let page: redis::streams::StreamRangeReply =
            store.redis().xrange_count(store.keys().placed(), &after, "+", PAGE).await.during(OPERATION)?;
        let Some(last) = page.ids.last() else { break };
        after = format!("({}", last.id);
        for entry in &page.ids {
            let field = |name: &str| entry.get::<String>(name);
            let order = field("order").and_then(|id| id.parse::<OrderId>().ok());
            let placed_at = field("placed_at").and_then(|at| at.parse::<i64>().ok());
            if let (Some(order), Some(placed_at)) = (order, placed_at) {
                let lines = orders::entry_lines(&field("lines").unwrap_or_default());
                let entry = entry.id.clone();
                found.insert((order, placed_at), InFlight { entry, owner: None, deadline: placed_at, lines });
            }
        }
    }
    Ok(found)
}

/// What the stream holds and Postgres lacks. An entry whose order Postgres has from another placing counts as well: its
/// copies are given back by an operation of their own. One whose copies are given back already (it is parked, only not
/// taken out of the stream yet) does not: that operation is among those that the counts contain.
async fn in_flight(
    store: &Store,
    snapshot: &mut sqlx::PgTransaction<'_>,
    mut found: HashMap<(OrderId, i64), InFlight>,
) -> Result<HashMap<(OrderId, i64), InFlight>, Error> {
    let ids: Vec<Uuid> = found.keys().map(|(order, _)| order.get()).collect();
    for written in orders::placed_at(&mut **snapshot, &ids).await.during("stock.in_flight")? {
        found.remove(&(written.0, written.1.get()));
    }
    let entries: Vec<String> = found.values().map(|entry| entry.entry.clone()).collect();
    let parked = orders::parked(&mut **snapshot, &entries).await.during("stock.in_flight")?;
    found.retain(|_, entry| !parked.contains(&entry.entry));
    read_owners(store, &mut found).await?;
    Ok(found)
}

async fn read_owners(store: &Store, found: &mut HashMap<(OrderId, i64), InFlight>) -> Result<(), Error> {
    let mut entries: Vec<_> = found.iter_mut().collect();
    for page in entries.chunks_mut(500) {
        let mut pipe = redis::pipe();
        for ((order, _), _) in page.iter() {
            pipe.cmd("HGET").arg(store.keys().reservation(*order)).arg("owner");
        }
        let owners: Vec<Option<String>> =
            pipe.query_async(&mut store.redis()).await.during("stock.reservation_owners")?;
        for ((_, entry), owner) in page.iter_mut().zip(owners) {
            entry.owner = owner;
        }
    }
    Ok(())
}

/// Writes the counts to their staging key; returns how many books there are.
async fn stage(
    store: &Store,
    snapshot: &mut sqlx::PgTransaction<'_>,
    token: &str,
    in_flight: &HashMap<(OrderId, i64), InFlight>,
) -> Result<usize, Error> {
    const OPERATION: &str = "stock.stage";
    let mut taken = HashMap::<i64, i32>::new();
    for line in in_flight.values().flat_map(|entry| &entry.lines) {
        *taken.entry(line.book).or_default() += line.copies;
    }
    let staged = store.keys().stock_staged(token);
    let (mut after, mut books) = (0, 0);
    loop {
        let page = queries::available_page(&mut **snapshot, after, PAGE).await.during(OPERATION)?;
        let Some(last) = page.last() else { break };
        after = last.book;
        books += page.len();
        let mut set = redis::cmd("HSET");
        set.arg(&staged);
        for line in &page {
            set.arg(line.book).arg(line.copies - taken.get(&line.book).copied().unwrap_or(0));
        }
        let mut pipe = redis::pipe();
        pipe.add_command(set).expire(&staged, STAGED_LIFE_S);
        pipe.exec_async(&mut store.redis()).await.during(OPERATION)?;
    }
    Ok(books)
}

/// Sets the keys of operations that the counts contain.
async fn confirm(store: &Store, operations: &[OperationId]) -> Result<(), Error> {
    for page in operations.chunks(1000) {
        let mut pipe = redis::pipe();
        for OperationId { id, at } in page {
            let set = pipe.cmd("SET").arg(store.keys().operation(*id, *at)).arg("loaded");
            set.arg("EX").arg(OPERATION_LIFE_S).ignore();
        }
        pipe.exec_async(&mut store.redis()).await.during("stock.confirm")?;
    }
    Ok(())
}

/// Reservations and holds: those of open orders are there, others are not. Returns how many orders are open in Postgres.
async fn restore_orders(
    store: &Store,
    snapshot: &mut sqlx::PgTransaction<'_>,
    token: &str,
    in_flight: &HashMap<(OrderId, i64), InFlight>,
) -> Result<usize, Error> {
    const OPERATION: &str = "stock.restore_orders";
    let keys = store.keys();
    let mut kept: HashSet<String> = in_flight.keys().map(|(order, _)| keys.reservation(*order)).collect();
    sweep(store, token, &keys.all_holds(), &HashSet::new()).await?;
    let mut holds = redis::pipe();
    for ((order, _), entry) in in_flight {
        if let Some(owner) = entry.owner.as_ref().and_then(|owner| owner.parse().ok()) {
            holds.zadd(keys.holds(&owner), order.to_string(), entry.deadline).ignore();
        }
    }
    if !holds.is_empty() {
        holds.exec_async(&mut store.redis()).await.during(OPERATION)?;
    }
    let (mut after, mut open) = (Uuid::nil(), 0);
    loop {
        let page = orders::open_drafts(&mut **snapshot, store, None, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.order_id.get();
        open += page.len();
        let mut pipe = redis::pipe();
        for draft in &page {
            kept.insert(keys.reservation(draft.order_id));
            orders::reservations::restore(&mut pipe, store, draft)?;
        }
        pipe.exec_async(&mut store.redis()).await.during(OPERATION)?;
    }
    sweep(store, token, &keys.reservations(), &kept).await?;
    Ok(open)
}

/// The records of keys used within their life, so that a repeat is known at the gate even while Postgres is away.
async fn restore_keys(store: &Store, snapshot: &mut sqlx::PgTransaction<'_>) -> Result<(), Error> {
    let now = store.now();
    let mut after = (now.plus(-orders::scripts::KEY_LIFE_S * 1000), Uuid::nil());
    loop {
        let page = orders::recent_keys(&mut **snapshot, store, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = (last.placed_at, last.answer.order_id.get());
        let mut pipe = redis::pipe();
        for used in &page {
            orders::reservations::restore_key(&mut pipe, store, used, now)?;
        }
        pipe.exec_async(&mut store.redis()).await.during("stock.restore_keys")?;
        // Not asked for once more: a row with fractions of a millisecond comes after its own milliseconds for ever.
        if i64::try_from(page.len()).is_ok_and(|rows| rows < PAGE) {
            return Ok(());
        }
    }
}

/// Deletes every key that starts so, but for these.
async fn sweep(store: &Store, token: &str, start: &str, kept: &HashSet<String>) -> Result<(), Error> {
    let mut scan = Scan::new(start.to_owned());
    while let Some(names) = scan.next(store).await? {
        let found = names.into_iter().map(|name| format!("{start}{name}"));
        let gone: Vec<String> = found.filter(|key| !kept.contains(key)).collect();
        for page in gone.chunks(SWEPT_AT_ONCE) {
            scripts::sweep(store, token, page).await?;
        }
    }
    Ok(())
}
