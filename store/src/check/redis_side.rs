//! What the check reads of Redis beside the gate's counts.

use crate::{
    Store,
    error::{During, Error},
};

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
