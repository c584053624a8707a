//! The process's one subscription: hears what changed, and comes back after every loss of Redis.

use super::{Shared, push};
use crate::{
    REDIS_TIMEOUT,
    error::{During, Error},
};
use domain::{AccountId, BookId, OrderId, Owner, live::Frame};
use futures::StreamExt;
use redis::{
    Msg, RedisResult,
    aio::{PubSubSink, PubSubStream},
};
use serde::Deserialize;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Copies on sale reach the sockets at most this often per book.
const STOCK_EVERY: Duration = Duration::from_millis(250);
/// A connection that died silently is found by the lack of an answer to a ping.
const PING_EVERY: Duration = Duration::from_secs(10);

/// Subscribes for ever, with growing pauses, until the process stops; then every socket's queue ends.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut gaps = Gaps { pause: FIRST_PAUSE, is_first: true };
    let stop = shared.stop.clone();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            end = listen(&shared, &mut gaps) => {
                shared.is_subscribed.send_replace(false);
                if let Err(error) = end {
                    tracing::warn!(error = &error as &dyn std::error::Error, "live messages are interrupted");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = sleep(gaps.pause) => {}
        }
        gaps.pause = (gaps.pause * 2).min(LONGEST_PAUSE);
    }
    shared.registry.close();
}

struct Gaps {
    pause: Duration,
    is_first: bool,
}

/// One connection, until it breaks.
async fn listen(shared: &Arc<Shared>, gaps: &mut Gaps) -> Result<(), Error> {
    let (mut sink, mut messages) = subscribe(shared).await?;
    gaps.pause = FIRST_PAUSE;
    heal(shared, std::mem::take(&mut gaps.is_first)).await?;
    shared.is_subscribed.send_replace(true);
    let (mut stock, mut ping) = (Stock::default(), interval(PING_EVERY));
    let mut flush = interval(STOCK_EVERY);
    flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            message = messages.next() => match message {
                Some(message) => hear(shared, &mut stock, &message),
                None => return Err(Error::unexpected("live.listen", "the subscription ended")),
            },
            _ = flush.tick() => stock.flush(shared),
            _ = ping.tick() => answered(sink.ping::<redis::Value>()).await.map(|_| ()).during("live.ping")?,
        }
    }
}

async fn subscribe(shared: &Shared) -> Result<(PubSubSink, PubSubStream), Error> {
    let keys = shared.store.keys();
    let told = [keys.live_cart(), keys.live_order(), keys.live_stock()];
    let dropped = [keys.live_catalog(), keys.live_account(), keys.live_login()];
    let channels = [told, dropped].concat();
    let pubsub = answered(shared.store.redis_client().get_async_pubsub()).await.during("live.connect")?;
    let (mut sink, messages) = pubsub.split();
    answered(sink.subscribe(&channels[..])).await.during("live.subscribe")?;
    Ok((sink, messages))
}

/// What may have been missed while nobody listened is asked for again.
async fn heal(shared: &Shared, is_first: bool) -> Result<(), Error> {
    // The shared connection may still be on its way; what the sockets ask next must not be what waits for it.
    shared.store.redis_run().await?;
    shared.store.catalog_cache().drop_all();
    shared.store.accounts_cache().drop_all();
    // Sockets from before the first subscription too: something may have changed since their snapshot.
    let sockets = shared.registry.all();
    if !is_first {
        tracing::info!(sockets = sockets.len(), "live messages are back");
    }
    sockets.iter().for_each(|socket| socket.resync());
    Ok(())
}

async fn answered<T>(call: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let late = |_| redis::RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
    timeout(REDIS_TIMEOUT, call).await.map_err(late)?
}

#[derive(Deserialize)]
struct OrderChanged {
    order_id: OrderId,
    owner: Owner,
}

fn hear(shared: &Arc<Shared>, stock: &mut Stock, message: &Msg) {
    let keys = shared.store.keys();
    let (channel, payload) = (message.get_channel_name(), message.get_payload::<String>().unwrap_or_default());
    let mut is_understood = true;
    if channel == keys.live_cart() {
        is_understood = payload.parse().map(|owner| push::cart(shared, owner)).is_ok();
    } else if channel == keys.live_order() {
        let changed = serde_json::from_str::<OrderChanged>(&payload);
        is_understood = changed.map(|changed| push::order(shared, changed.order_id, changed.owner)).is_ok();
    } else if channel == keys.live_stock() {
        if payload.starts_with("loaded ") {
            push::all_stock(shared);
        } else {
            // One line for each book; one that is odd silences no other.
            is_understood = payload.lines().filter(|line| stock.hear(shared, line).is_none()).count() == 0;
        }
    } else if channel == keys.live_login() {
        let sockets = payload.parse().map(|owner| shared.registry.of_owner(owner));
        is_understood = sockets.map(|sockets| sockets.iter().for_each(|one| one.login_ended.notify_one())).is_ok();
    } else if channel == keys.live_catalog() {
        shared.store.catalog_cache().drop_all();
    } else if channel == keys.live_account() {
        let id = payload.parse().ok().and_then(|id| AccountId::new(id).ok());
        is_understood = id.map(|id| shared.store.accounts_cache().drop_one(id)).is_some();
    }
    if !is_understood {
        tracing::warn!(channel, payload, "a live message nobody understands");
    }
}

/// The latest counts not yet sent.
#[derive(Default)]
struct Stock {
    latest: HashMap<BookId, Count>,
}

struct Count {
    available: i64,
    /// Epoch, then counter of changes.
    version: (i64, i64),
}

impl Stock {
    /// `<book> <available> <epoch> <counter>`; `None`: it is something else.
    fn hear(&mut self, shared: &Shared, payload: &str) -> Option<()> {
        let mut words = payload.split(' ');
        let book: BookId = words.next()?.parse().ok()?;
        let mut number = || words.next()?.parse::<i64>().ok();
        let count = Count { available: number()?.max(0), version: (number()?, number()?) };
        let is_newer = self.latest.get(&book).is_none_or(|known| known.version < count.version);
        if is_newer && shared.registry.is_watched(book) {
            self.latest.insert(book, count);
        }
        Some(())
    }

    fn flush(&mut self, shared: &Shared) {
        for (book_id, Count { available, version: (epoch, version) }) in self.latest.drain() {
            for socket in shared.registry.of_book(book_id) {
                socket.push(Frame::Stock { book_id, available, epoch, version });
            }
        }
    }
}
