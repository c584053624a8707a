//! Reading `{inv}:placed` as one consumer of a group, on a connection of its own that may block.

use crate::{
    Store,
    error::{During, Error},
    orders::{draft::Draft, scripts},
};
use domain::{OrderId, UnixMillis};
use redis::{
    AsyncConnectionConfig, RedisError,
    aio::MultiplexedConnection,
    streams::{StreamAutoClaimReply, StreamId, StreamInfoConsumersReply, StreamPendingCountReply, StreamReadReply},
};
use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
    time::Duration,
};
use tokio::sync::Mutex;

/// The one consumer group of the stream.
pub(super) const GROUP: &str = "persist";
/// Entries of one batch, and so of one transaction.
const BATCH: usize = 200;
/// After a batch of so many entries the next one gathers for a moment: a transaction costs much the same whatever it writes.
const RUSH: usize = 16;
/// The moment: an order that comes in a rush can be paid so much later.
const GATHER: Duration = Duration::from_millis(25);
/// How long one read waits for a new entry.
const BLOCK: Duration = Duration::from_secs(1);
/// An entry that idle belongs to a dead worker: three times the longest statement.
const ABANDONED: Duration = Duration::from_secs(15);
/// A consumer without entries that was not heard of for so long is forgotten: every start makes a new one.
const FORGOTTEN_MS: usize = 3600 * 1000;
/// Before every entry.
const FIRST: &str = "0";
/// No moment of ours is later.
const NEVER: i64 = i64::MAX;
/// How long entries wait that were set aside.
const ASIDE_MS: i64 = 1000;
/// Pause between two searches for abandoned entries.
const SEARCH_EVERY_MS: i64 = 3000;

/// One accepted order in the stream.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The stream's id of it.
    pub(super) id: String,
    fields: Fields,
    /// The order, from its reservation; `None`: unreadable, or gone because it ended already.
    pub(super) draft: Option<Draft>,
    pub(super) cancel_asked: bool,
    /// How often somebody read it, this time included.
    pub(super) deliveries: i64,
    /// The gate's epoch before it was read.
    pub(super) epoch: Option<String>,
}

/// What stands in the entry itself.
#[derive(Debug, Clone)]
struct Fields {
    order: Option<OrderId>,
    placed_at: Option<UnixMillis>,
    lines: String,
}

impl Entry {
    pub(super) fn order(&self) -> Option<OrderId> {
        self.fields.order
    }

    pub(super) fn placed_at(&self) -> Option<UnixMillis> {
        self.fields.placed_at
    }

    /// The books of which it holds copies.
    pub(super) fn books(&self) -> impl Iterator<Item = i64> + '_ {
        super::poison::lines(&self.fields.lines).into_iter().map(|line| line.book)
    }

    /// What the gate took for it, as the entry says: `7:2,9:1`.
    pub(super) fn lines(&self) -> &str {
        &self.fields.lines
    }
}

/// A consumer; a new name per start, so that a restart never hides what its predecessor left behind.
pub(super) struct Reader {
    consumer: String,
    connection: Mutex<Option<MultiplexedConnection>>,
    /// When entries that we read before, and that are not acknowledged yet, are read again, ms; `NEVER`: there are none.
    unfinished_at: AtomicI64,
    /// How far that reading has come: the last entry read.
    passed: Mutex<String>,
    searched_at: AtomicI64,
    /// The last batch was a large one.
    is_rush: AtomicBool,
}

impl Reader {
    pub(super) fn new(store: &Store) -> Self {
        Self {
            consumer: store.uuid().to_string(),
            connection: Mutex::new(None),
            unfinished_at: AtomicI64::new(NEVER),
            passed: Mutex::new(FIRST.to_owned()),
            searched_at: AtomicI64::new(0),
            is_rush: AtomicBool::new(false),
        }
    }

    /// Reads our own unfinished entries before any new one.
    pub(super) fn read_again(&self) {
        self.unfinished_at.store(0, Ordering::SeqCst);
    }

    /// New entries first: ours wait for somebody.
    pub(super) fn read_again_later(&self, store: &Store) {
        self.unfinished_at.store(store.now().plus(ASIDE_MS).get(), Ordering::SeqCst);
    }

    /// What was read for nothing, because a server was away, counts as never read.
    pub(super) async fn begin_anew(&self, store: &Store, entries: &[String]) -> Result<(), Error> {
        let mut reset = redis::cmd("XCLAIM");
        // Those that are acknowledged stay so; those that somebody took over meanwhile are in two hands, which does no harm.
        reset.arg(store.keys().placed()).arg(GROUP).arg(&self.consumer).arg(0).arg(entries);
        reset.arg("RETRYCOUNT").arg(0).arg("JUSTID");
        reset.exec_async(&mut store.redis()).await.during("orders.begin_anew")
    }

    /// Unfinished, then abandoned, then new entries; waits up to a second for the last.
    pub(super) async fn next(&self, store: &Store) -> Result<Option<Vec<Entry>>, Error> {
        if self.is_rush.load(Ordering::Relaxed) {
            tokio::time::sleep(GATHER).await;
        }
        let mut slot = self.connection.lock().await;
        let connection = match slot.take() {
            Some(connection) => connection,
            None => {
                let mut connection = connect(store).await?;
                if let Err(error) = forget_consumers(store, &mut connection).await {
                    tracing::debug!(error = &error as &dyn std::error::Error, "no consumers to forget");
                }
                connection
            }
        };
        let mut used = connection.clone();
        let epoch = scripts::epoch(store).await?;
        let batch = match self.read(store, &mut used).await {
            Err(error) if error.code() == Some("NOGROUP") => {
                create_group(store, &mut used).await?;
                Batch::default()
            }
            other => {
                // What was handed to us in an answer that got lost is ours all the same.
                other.inspect_err(|_| self.read_again()).during("orders.read_stream")?
            }
        };
        // Not kept after an error: a new connection is made then.
        *slot = Some(connection);
        drop(slot);
        self.is_rush.store(batch.entries.len() >= RUSH, Ordering::Relaxed);
        if batch.entries.is_empty() {
            return Ok(None);
        }
        complete(store, batch, epoch.as_ref()).await.map(Some)
    }

    async fn read(&self, store: &Store, connection: &mut MultiplexedConnection) -> Result<Batch, RedisError> {
        let now = store.now().get();
        if self.unfinished_at.load(Ordering::SeqCst) <= now {
            let own = self.read_own(store, connection).await?;
            if !own.is_empty() {
                return self.counted(store, connection, own).await;
            }
        }
        if now.saturating_sub(self.searched_at.load(Ordering::SeqCst)) >= SEARCH_EVERY_MS {
            let abandoned = self.claim(store, connection).await?;
            if !abandoned.is_empty() {
                return self.counted(store, connection, abandoned).await;
            }
            self.searched_at.store(now, Ordering::SeqCst);
        }
        let new = self.read_group(store, connection, ">", Some(BLOCK)).await?;
        Ok(Batch { entries: new.into_iter().map(|entry| (entry, 1)).collect() })
    }

    /// The next of our own unfinished entries; after the last of them it begins anew, if there was any.
    async fn read_own(
        &self,
        store: &Store,
        connection: &mut MultiplexedConnection,
    ) -> Result<Vec<StreamId>, RedisError> {
        let mut passed = self.passed.lock().await;
        let own = self.read_group(store, connection, &passed, None).await?;
        match own.last() {
            Some(last) => *passed = last.id.clone(),
            None if *passed == FIRST => self.unfinished_at.store(NEVER, Ordering::SeqCst),
            None => {
                FIRST.clone_into(&mut passed);
                self.read_again_later(store);
            }
        }
        Ok(own)
    }

    async fn read_group(
        &self,
        store: &Store,
        connection: &mut MultiplexedConnection,
        after: &str,
        block: Option<Duration>,
    ) -> Result<Vec<StreamId>, RedisError> {
        let mut read = redis::cmd("XREADGROUP");
        read.arg("GROUP").arg(GROUP).arg(&self.consumer).arg("COUNT").arg(BATCH);
        if let Some(block) = block {
            read.arg("BLOCK").arg(block.as_millis().to_string());
        }
        read.arg("STREAMS").arg(store.keys().placed()).arg(after);
        let reply: Option<StreamReadReply> = read.query_async(connection).await?;
        Ok(reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids).collect())
    }

    async fn claim(&self, store: &Store, connection: &mut MultiplexedConnection) -> Result<Vec<StreamId>, RedisError> {
        let mut claim = redis::cmd("XAUTOCLAIM");
        claim.arg(store.keys().placed()).arg(GROUP).arg(&self.consumer).arg(ABANDONED.as_millis().to_string());
        let reply: StreamAutoClaimReply = claim.arg("0-0").arg("COUNT").arg(BATCH).query_async(connection).await?;
        Ok(reply.claimed)
    }

    /// Adds how often each entry was read.
    async fn counted(
        &self,
        store: &Store,
        connection: &mut MultiplexedConnection,
        entries: Vec<StreamId>,
    ) -> Result<Batch, RedisError> {
        let mut pending = redis::cmd("XPENDING");
        pending.arg(store.keys().placed()).arg(GROUP);
        let (first, last) = (entries.first().map_or("-", |e| &e.id), entries.last().map_or("+", |e| &e.id));
        let reply: StreamPendingCountReply =
            pending.arg(first).arg(last).arg(BATCH).arg(&self.consumer).query_async(connection).await?;
        let times = |id: &str| reply.ids.iter().find(|pending| pending.id == id).map_or(1, |p| p.times_delivered);
        let entries = entries.into_iter().map(|entry| {
            let deliveries = i64::try_from(times(&entry.id)).unwrap_or(i64::MAX);
            (entry, deliveries)
        });
        Ok(Batch { entries: entries.collect() })
    }
}

#[derive(Default)]
struct Batch {
    entries: Vec<(StreamId, i64)>,
}

/// Reads the reservations that belong to the entries.
async fn complete(store: &Store, batch: Batch, epoch: Option<&String>) -> Result<Vec<Entry>, Error> {
    let parsed: Vec<(String, Fields, i64)> =
        batch.entries.into_iter().map(|(entry, deliveries)| (entry.id.clone(), fields(&entry), deliveries)).collect();
    let mut pipe = redis::pipe();
    for order in parsed.iter().filter_map(|(_, fields, _)| fields.order) {
        pipe.cmd("HMGET").arg(store.keys().reservation(order)).arg("order").arg("cancel");
    }
    let reservations: Vec<(Option<String>, Option<String>)> = match pipe.is_empty() {
        true => Vec::new(),
        false => pipe.query_async(&mut store.redis()).await.during("orders.read_reservations")?,
    };
    let mut reservations = reservations.into_iter();
    let entries = parsed.into_iter().map(|(id, fields, deliveries)| {
        let (text, cancel) = fields.order.and_then(|_| reservations.next()).unwrap_or_default();
        let draft = text.and_then(|text| serde_json::from_str::<Draft>(&text).ok());
        // An older entry of the same order must not be written with the lines of a later one, or the other way round.
        let draft = draft.filter(|draft| Some(draft.placed_at) == fields.placed_at);
        Entry { id, fields, draft, cancel_asked: cancel.is_some(), deliveries, epoch: epoch.cloned() }
    });
    Ok(entries.collect())
}

fn fields(entry: &StreamId) -> Fields {
    let text = |name: &str| entry.get::<String>(name);
    Fields {
        order: text("order").and_then(|id| id.parse().ok()),
        placed_at: text("placed_at").and_then(|at| at.parse().ok()).map(UnixMillis::new),
        lines: text("lines").unwrap_or_default(),
    }
}

async fn connect(store: &Store) -> Result<MultiplexedConnection, Error> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(crate::REDIS_TIMEOUT))
        .set_response_timeout(Some(BLOCK + crate::REDIS_TIMEOUT));
    store.redis_client().get_multiplexed_async_connection_with_config(&config).await.during("orders.connect_stream")
}

/// Only consumers without entries: deleting one deletes what it has in hand.
async fn forget_consumers(store: &Store, connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
    let placed = store.keys().placed();
    let known: StreamInfoConsumersReply =
        redis::cmd("XINFO").arg("CONSUMERS").arg(&placed).arg(GROUP).query_async(connection).await?;
    for consumer in known.consumers.iter().filter(|consumer| consumer.pending == 0 && consumer.idle > FORGOTTEN_MS) {
        let mut forget = redis::cmd("XGROUP");
        forget.arg("DELCONSUMER").arg(&placed).arg(GROUP).arg(&consumer.name);
        forget.query_async::<()>(connection).await?;
    }
    Ok(())
}

/// From the very beginning, so that nothing placed before the group existed is missed.
async fn create_group(store: &Store, connection: &mut MultiplexedConnection) -> Result<(), Error> {
    let mut create = redis::cmd("XGROUP");
    create.arg("CREATE").arg(store.keys().placed()).arg(GROUP).arg("0").arg("MKSTREAM");
    match create.query_async::<()>(connection).await {
        Err(error) if error.code() != Some("BUSYGROUP") => Err(error).during("orders.create_group"),
        _ => Ok(()),
    }
}

/// How often these entries were begun alone without an outcome.
pub(super) async fn begun(store: &Store, entries: &[Entry]) -> Result<HashMap<String, i64>, Error> {
    let ids: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
    let mut read = redis::cmd("HMGET");
    read.arg(store.keys().placed_leases()).arg(&ids);
    let counts: Vec<Option<i64>> = read.query_async(&mut store.redis()).await.during("orders.entries_begun")?;
    Ok(ids.into_iter().zip(counts).filter_map(|(id, count)| Some((id.to_owned(), count?))).collect())
}

/// An entry is begun alone; returns how often that is now.
pub(super) async fn begin(store: &Store, entry: &str) -> Result<i64, Error> {
    let mut count = redis::cmd("HINCRBY");
    count.arg(store.keys().placed_leases()).arg(entry).arg(1);
    count.query_async(&mut store.redis()).await.during("orders.begin_entry")
}

/// It has an outcome, whatever that is: whoever began it lives.
pub(super) async fn ended(store: &Store, entry: &str) -> Result<(), Error> {
    let mut forget = redis::cmd("HDEL");
    forget.arg(store.keys().placed_leases()).arg(entry);
    forget.exec_async(&mut store.redis()).await.during("orders.entry_ended")
}
