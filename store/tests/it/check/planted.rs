//! Bugs, planted one by one into a shop that is clean: the check names each, under the promise that it breaks, and no
//! other promise.

mod clicks;
mod copies;
mod ends;
mod money;
mod work;

use super::shop::{Accepted, Shop};
use crate::servers::PrivateRedis;
use futures::{StreamExt, stream};
use redis::Cmd;

/// Shops that are spoilt at the same time.
const PARALLEL: usize = 4;

/// One bug, or the trace of a careless hand.
struct Bug {
    name: &'static str,
    /// What it leaves in Postgres, whose guards are off; orders are known by their states.
    sql: &'static str,
    /// What it leaves in Redis.
    redis: fn(&Scene) -> Vec<Cmd>,
    /// Numbers of the promises that it breaks; `c`: the carts.
    breaks: &'static str,
    /// What one of the lines says.
    says: &'static str,
}

/// A shop with an order of every kind: two copies of each of the first two of three books, 40 of each to begin with.
struct Scene {
    shop: Shop,
    paid: Accepted,
    /// Waits for its payment.
    open: Accepted,
    cancelled: Accepted,
    /// In the stream.
    waiting: Accepted,
}

impl Bug {
    const fn in_postgres(name: &'static str, sql: &'static str, breaks: &'static str, says: &'static str) -> Self {
        Self { name, sql, redis: |_| Vec::new(), breaks, says }
    }

    const fn in_redis(
        name: &'static str,
        redis: fn(&Scene) -> Vec<Cmd>,
        breaks: &'static str,
        says: &'static str,
    ) -> Self {
        Self { name, sql: "", redis, breaks, says }
    }

    /// What is wrong with the check's word about it.
    async fn missed(self, redis_url: &str) -> Option<String> {
        let (shop, [paid, open, cancelled, waiting]) = Shop::busy_at(redis_url).await;
        let scene = Scene { shop, paid, open, cancelled, waiting };
        let before = scene.shop.violations().await;
        scene.shop.spoil(self.sql).await;
        for command in (self.redis)(&scene) {
            command.exec_async(&mut scene.shop.redis()).await.unwrap();
        }
        let lines = scene.shop.violations().await;
        let mut broken: Vec<&str> = lines.iter().map(|line| &line[..1]).collect();
        broken.dedup();
        let is_named = lines.iter().any(|line| line.contains(self.says));
        let is_right = before.is_empty() && broken.concat() == self.breaks && is_named;
        (!is_right).then(|| format!("{}: before {before:#?}, after {lines:#?}", self.name))
    }
}

#[tokio::test]
async fn every_planted_bug_is_found_and_named() {
    // The check passes over every key of its Redis: on that of all tests, those of all tests.
    let redis = PrivateRedis::start().await;
    let url = redis.url();
    let bugs = [copies::BUGS, clicks::BUGS, money::BUGS, ends::BUGS, work::BUGS];
    let bugs = bugs.into_iter().flatten().map(|bug| Bug { ..*bug }.missed(&url));
    let missed: Vec<String> = stream::iter(bugs).buffered(PARALLEL).filter_map(std::future::ready).collect().await;
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed.join("\n"));
}
