//! What the check reads of Redis: the gate at one moment, and keys by their beginning.

use crate::{
    Store,
    error::{During, Error},
};
use domain::{OrderId, UnixMillis};
use std::collections::HashMap;

/// Most entries of the stream that are looked at; more wait only while Postgres is away.
pub(super) const MAX_ENTRIES: usize = 50_000;
/// Keys asked for in one step of a scan.
const SCAN_COUNT: usize = 500;

/// The gate at one moment.
pub(super) struct Gate {
    /// `None`: not loaded.
    pub epoch: Option<String>,
    pub stock: HashMap<i64, i64>,
    pub changes: HashMap<i64, i64>,
    pub entries: Vec<Entry>,
    /// Ids of entries that nobody can read.
    pub unreadable: Vec<String>,
}

/// An accepted order in the stream.
pub(super) struct Entry {
    /// The stream's.
    pub id: String,
    pub order: OrderId,
    pub placed_at: UnixMillis,
    /// Book and copies.
    pub lines: Vec<(i64, i64)>,
}

type RawEntry = (String, HashMap<String, String>);
type RawGate = (Option<String>, HashMap<i64, i64>, HashMap<i64, i64>, Vec<RawEntry>);

pub(super) async fn gate(store: &Store) -> Result<Gate, Error> {
    let keys = store.keys();
    let (epoch, stock, changes, raw): RawGate = redis::pipe()
        .atomic()
        .get(keys.epoch())
        .hgetall(keys.stock())
        .hgetall(keys.changes())
        .cmd("XRANGE")
        .arg(keys.placed())
        .arg("-")
        .arg("+")
        .arg("COUNT")
        .arg(MAX_ENTRIES)
        .query_async(&mut store.redis())
        .await
        .during("check.gate")?;
    let (mut entries, mut unreadable) = (Vec::with_capacity(raw.len()), Vec::new());
    for (id, fields) in raw {
        match entry(&id, &fields) {
            Some(entry) => entries.push(entry),
            None => unreadable.push(id),
        }
    }
    Ok(Gate { epoch, stock, changes, entries, unreadable })
}

fn entry(id: &str, fields: &HashMap<String, String>) -> Option<Entry> {
    let order = fields.get("order")?.parse().ok()?;
    let placed_at = UnixMillis::new(fields.get("placed_at")?.parse().ok()?);
    let line = |text: &str| {
        let (book, copies) = text.split_once(':')?;
        Some((book.parse().ok()?, copies.parse().ok()?))
    };
    let lines = fields.get("lines")?.split(',').map(line).collect::<Option<Vec<_>>>()?;
    Some(Entry { id: id.to_owned(), order, placed_at, lines })
}

/// Which of these keys are there.
pub(super) async fn exist(store: &Store, keys: &[String]) -> Result<Vec<bool>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipe = redis::pipe();
    for key in keys {
        pipe.exists(key);
    }
    pipe.query_async(&mut store.redis()).await.during("check.exist")
}

/// Two fields of each of these hashes.
pub(super) async fn fields(
    store: &Store,
    keys: &[String],
    first: &str,
    second: &str,
) -> Result<Vec<(Option<String>, Option<String>)>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipe = redis::pipe();
    for key in keys {
        pipe.cmd("HMGET").arg(key).arg(first).arg(second);
    }
    pipe.query_async(&mut store.redis()).await.during("check.fields")
}

/// Steps through the keys that start with `prefix`. A key may come twice.
pub(super) struct Scan {
    pattern: String,
    prefix: String,
    cursor: Option<u64>,
}

impl Scan {
    pub fn new(prefix: String) -> Self {
        let escaped: String = prefix
            .chars()
            .flat_map(|c| matches!(c, '*' | '?' | '[' | ']' | '\\').then_some('\\').into_iter().chain([c]))
            .collect();
        Self { pattern: escaped + "*", prefix, cursor: Some(0) }
    }

    /// The next keys, without the prefix; `None`: that was all.
    pub async fn next(&mut self, store: &Store) -> Result<Option<Vec<String>>, Error> {
        let Some(cursor) = self.cursor else { return Ok(None) };
        let (next, keys): (u64, Vec<String>) = redis::cmd("SCAN")
            .arg(cursor)
            .arg("MATCH")
            .arg(&self.pattern)
            .arg("COUNT")
            .arg(SCAN_COUNT)
            .query_async(&mut store.redis())
            .await
            .during("check.scan")?;
        self.cursor = (next != 0).then_some(next);
        Ok(Some(keys.iter().filter_map(|key| key.strip_prefix(&self.prefix)).map(str::to_owned).collect()))
    }
}
