//! `jobs.gauges`: how much work waits, and for how long, as figures that an alarm can watch.

use super::{Job, dead_letters, due::Due};
use crate::{
    Store,
    error::{During, Error},
};
use async_trait::async_trait;
use domain::Owner;
use std::time::Duration;

/// How often; each process with workers does it for itself, since metrics are read from each.
const EVERY_MS: i64 = 10_000;
const PAUSE: Duration = Duration::from_millis(500);

/// The job `jobs.gauges`.
#[derive(Default)]
pub struct SetGauges {
    due: Due,
}

#[async_trait]
impl Job for SetGauges {
    type Batch = ();

    fn name(&self) -> &'static str {
        "jobs.gauges"
    }

    async fn fetch(&self, store: &Store) -> Result<Option<()>, Error> {
        Ok(self.due.comes(store, EVERY_MS, PAUSE).await)
    }

    async fn handle(&self, store: &Store, (): ()) -> Result<(), Error> {
        let (count, late_ms) = dirty(store).await?;
        metrics::gauge!("bazar_carts_dirty").set(count as f64);
        metrics::gauge!("bazar_carts_overdue_seconds").set(late_ms as f64 / 1000.0);
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

/// How many carts wait to be written, and for how many milliseconds the one that waits longest is overdue.
pub(crate) async fn dirty(store: &Store) -> Result<(u64, i64), Error> {
    let (mut counts, mut firsts) = (redis::pipe(), redis::pipe());
    for bucket in 0..Owner::CART_BUCKETS {
        let dirty = store.keys().carts_dirty(bucket);
        counts.zcard(&dirty);
        firsts.zrange_withscores(&dirty, 0, 0);
    }
    let counts: Vec<u64> = counts.query_async(&mut store.redis()).await.during("jobs.gauges")?;
    let firsts: Vec<Vec<(String, i64)>> = firsts.query_async(&mut store.redis()).await.during("jobs.gauges")?;
    let oldest = firsts.iter().flatten().map(|(_, due)| *due).min();
    Ok((counts.iter().sum(), oldest.map_or(0, |due| store.now().get().saturating_sub(due).max(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_waits_is_counted_from_when_it_was_due() {
        let store = crate::testkit::store().await;
        assert_eq!(dirty(&store).await.unwrap(), (0, 0));
        let now = store.now().get();
        for (bucket, owner, due) in [(0, "a:1", now - 90_000), (0, "a:2", now), (7, "a:3", now + 60_000)] {
            let mut mark = redis::cmd("ZADD");
            mark.arg(store.keys().carts_dirty(bucket)).arg(due).arg(owner);
            mark.exec_async(&mut store.redis()).await.unwrap();
        }
        let (count, late) = dirty(&store).await.unwrap();
        assert_eq!(count, 3);
        assert!((90_000..120_000).contains(&late), "{late}");
        SetGauges::default().handle(&store, ()).await.unwrap();
    }
}
