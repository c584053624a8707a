//! Looking for many keys without stopping Redis for the others.

use crate::{
    Store,
    error::{During, Error},
};

/// Keys asked for in one step of a scan.
const SCAN_COUNT: usize = 2000;

/// Which of these keys are there.
pub(crate) async fn exist(store: &Store, keys: &[String]) -> Result<Vec<bool>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipe = redis::pipe();
    for key in keys {
        pipe.exists(key);
    }
    pipe.query_async(&mut store.redis()).await.during("stock.exist")
}

/// Steps through the keys that start with `prefix`. A key may come twice.
pub(crate) struct Scan {
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

    /// The next keys, at least one, without the prefix; `None`: that was all.
    pub async fn next(&mut self, store: &Store) -> Result<Option<Vec<String>>, Error> {
        while let Some(cursor) = self.cursor {
            let (next, keys): (u64, Vec<String>) = redis::cmd("SCAN")
                .arg(cursor)
                .arg("MATCH")
                .arg(&self.pattern)
                .arg("COUNT")
                .arg(SCAN_COUNT)
                .query_async(&mut store.redis())
                .await
                .during("stock.scan")?;
            self.cursor = (next != 0).then_some(next);
            // Most steps pass over the keys of others.
            if !keys.is_empty() {
                let names = keys.iter().filter_map(|key| key.strip_prefix(&self.prefix));
                return Ok(Some(names.map(str::to_owned).collect()));
            }
        }
        Ok(None)
    }
}
