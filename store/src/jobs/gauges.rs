//! `jobs.gauges`: how much work waits, and for how long, as figures that an alarm can watch.

use super::{Job, dead_letters};
use crate::{
    Store,
    error::{During, Error},
};
use async_trait::async_trait;
use domain::Owner;
use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

/// How often; each process with workers does it for itself, since metrics are read from each.
const EVERY_MS: i64 = 10_000;
const PAUSE: Duration = Duration::from_millis(500);

/// The job `jobs.gauges`.
#[derive(Default)]
pub struct SetGauges {
    /// When it is next, unix ms.
    next: AtomicI64,
}

#[async_trait]
impl Job for SetGauges {
    type Batch = ();

    fn name(&self) -> &'static str {
        "jobs.gauges"
    }

    async fn fetch(&self, store: &Store) -> Result<Option<()>, Error> {
        let now = store.now();
        if now.get() < self.next.load(Ordering::Relaxed) {
            tokio::time::sleep(PAUSE).await;
            return Ok(None);
        }
        self.next.store(now.plus(EVERY_MS).get(), Ordering::Relaxed);
        Ok(Some(()))
    }

    async fn handle(&self, store: &Store, (): ()) -> Result<(), Error> {
        carts(store).await?;
        let parked = sqlx::query!(
            r#"SELECT source, count(*) AS "count!" FROM dead_letters WHERE state = 'parked' GROUP BY source"#
        );
        let parked = parked.fetch_all(store.pg()).await.during("jobs.gauges")?;
        for source in dead_letters::SOURCES {
            let count = parked.iter().find(|row| row.source == source).map_or(0, |row| row.count);
            metrics::gauge!("bazar_dead_letters_parked", "source" => source).set(count as f64);
        }
        Ok(())
    }
}

/// Carts that wait to be written, and by how much the one that waits longest is overdue.
async fn carts(store: &Store) -> Result<(), Error> {
    let mut pipe = redis::pipe();
    for bucket in 0..Owner::CART_BUCKETS {
        let dirty = store.keys().carts_dirty(bucket);
        pipe.zcard(&dirty).zrange_withscores(&dirty, 0, 0);
    }
    let answers: Vec<redis::Value> = pipe.query_async(&mut store.redis()).await.during("jobs.gauges")?;
    let (mut depth, mut oldest) = (0, f64::INFINITY);
    for pair in answers.chunks(2) {
        if let [count, first] = pair {
            let count: u64 = redis::from_redis_value(count.clone()).unwrap_or(0);
            let first: Vec<(String, f64)> = redis::from_redis_value(first.clone()).unwrap_or_default();
            depth += count;
            oldest = first.first().map_or(oldest, |(_, due)| due.min(oldest));
        }
    }
    let late = (store.now().get() as f64 - oldest).max(0.0) / 1000.0;
    metrics::gauge!("bazar_carts_dirty").set(depth as f64);
    metrics::gauge!("bazar_carts_overdue_seconds").set(late);
    Ok(())
}
