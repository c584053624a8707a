//! Entries that were read before the gate was loaded anew are read again before anything follows from them.
//!
//! A rebuild counts what Postgres and the stream hold. An entry that only a worker still has in hand, because Redis lost
//! the stream, is in neither: its copies are on sale again, and its shopper was told that it is lost.

use super::entries::Entry;
use crate::{Store, error::Error, orders::scripts};

/// Fails when one of these entries is from before the latest rebuild; the caller holds the gate lock, so that none comes
/// between this and its commit. A gate that is lost and not loaded yet will be loaded from what the caller writes.
pub(super) async fn check(store: &Store, entries: &[Entry]) -> Result<(), Error> {
    let now = scripts::epoch(store).await?;
    match now.is_some() && entries.iter().any(|entry| entry.epoch != now) {
        true => Err(Error::Overtaken { operation: "orders.persist", message: "the gate was loaded anew meanwhile" }),
        false => Ok(()),
    }
}
