//! Tells carts that a book in them has another price, title or state, so that every tab shows it.
//!
//! A change of the catalogue leaves a row in the outbox (`book.changed`); this lane of its own drains them. Who holds the
//! book is found by index in Postgres, and among the carts that Postgres does not have yet. A second round a little
//! later finds those that were edited meanwhile by a process which had not heard of the change. A cart is told of each
//! change once (`k:<book>` in its hash), so a round may be cut off and repeated anywhere.

use super::{queries, verb::Verb};
use crate::{
    Store, catalog,
    error::{During, Error},
    jobs::{self, Job, Message, Topic, outbox},
};
use async_trait::async_trait;
use domain::{BookId, Owner};
use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Carts of one step.
const PAGE: usize = 200;
/// Carts of one round of this job; a row that needs more goes on in the next, after those that waited.
const TURN: usize = 2_000;
/// Carts told at the same time.
const PARALLEL: usize = 16;
/// Time for every process to hear of the change, and for an edit that was under way to be written down.
const SECOND_ROUND_MS: i64 = 5_000;

/// The job `carts.told`.
pub struct TellCarts;

/// A changed book, and how far its carts were told.
struct News {
    message: Message,
    book: BookId,
    progress: Progress,
}

/// That this cart's book changed then (ms).
type Call = (Owner, BookId, i64);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Progress {
    /// When it changed, ms.
    stamp: i64,
    #[serde(default)]
    is_second_round: bool,
    /// The last owner told in this round; empty: nobody yet.
    #[serde(default)]
    after: String,
}

#[async_trait]
impl Job for TellCarts {
    type Batch = Vec<Message>;

    fn name(&self) -> &'static str {
        "carts.told"
    }

    fn pieces(&self, batch: &Self::Batch) -> u64 {
        batch.len() as u64
    }

    async fn fetch(&self, store: &Store) -> Result<Option<Vec<Message>>, Error> {
        outbox::lease(store, &[Topic::BookChanged], outbox::BATCH, outbox::PAUSE).await
    }

    async fn handle(&self, store: &Store, batch: Vec<Message>) -> Result<(), Error> {
        let mut news = Vec::with_capacity(batch.len());
        for message in batch {
            if !outbox::begin(store, &message).await? {
                continue;
            }
            match parse(&message) {
                Ok((book, progress)) => news.push(News { message, book, progress }),
                Err(error) => outbox::failed(store, &message, &error).await?,
            }
        }
        let held = match jobs::caught("carts.told", begin(store, &news)).await {
            Ok(held) => held,
            Err(error) => {
                for news in &news {
                    outbox::failed(store, &news.message, &error).await?;
                }
                return Ok(());
            }
        };
        let mut room = TURN;
        for news in &news {
            let told = match held.contains(&news.book) {
                true => jobs::caught("carts.told", tell_written(store, news, &mut room)).await,
                false => Ok(None),
            };
            match told {
                Ok(reached) => go_on(store, news, reached).await?,
                Err(error) => outbox::failed(store, &news.message, &error).await?,
            }
        }
        Ok(())
    }
}

fn parse(message: &Message) -> Result<(BookId, Progress), Error> {
    const OPERATION: &str = "carts.told.parse";
    let book = message.key.parse().map_err(|_| Error::unexpected(OPERATION, format!("no book {:?}", message.key)))?;
    Ok((book, Progress::deserialize(&message.payload).during(OPERATION)?))
}

/// Caches, then the carts that only Redis has, then the question which of the books Postgres' carts hold: in this
/// order, a cart that is being written down meanwhile is found in one place or the other.
async fn begin(store: &Store, news: &[News]) -> Result<HashSet<BookId>, Error> {
    let is_begun = |news: &&News| news.progress.after.is_empty();
    if news.iter().filter(is_begun).any(|news| !news.progress.is_second_round) {
        // Whoever changed the book may have died before saying so.
        catalog::announce(store).await;
    }
    let changes: Vec<_> = news.iter().filter(is_begun).map(|news| (news.book, news.progress.stamp)).collect();
    tell_unwritten(store, &changes).await?;
    let books: Vec<i64> = news.iter().map(|news| news.book.get()).collect();
    queries::held(store.pg(), &books).await.during("carts.told.held")
}

/// Ends a round, or remembers how far it got.
async fn go_on(store: &Store, news: &News, reached: Option<String>) -> Result<(), Error> {
    let Progress { stamp, is_second_round, .. } = news.progress;
    let (next, due) = match reached {
        Some(after) => (Progress { after, ..news.progress.clone() }, store.now()),
        None if is_second_round => return outbox::done(store, &news.message).await,
        None => {
            let after = String::new();
            (Progress { stamp, is_second_round: true, after }, store.now().plus(SECOND_ROUND_MS))
        }
    };
    let payload = serde_json::to_value(next).during("carts.told.progress")?;
    outbox::go_on(store, &news.message, &payload, due).await
}

/// Carts that hold the book in Postgres, while there is room; `Some`: up to this owner.
async fn tell_written(store: &Store, news: &News, room: &mut usize) -> Result<Option<String>, Error> {
    let mut after = news.progress.after.clone();
    while *room > 0 {
        let page = queries::holders(store.pg(), news.book, &after, PAGE).await.during("carts.told.holders")?;
        let owners = in_redis(store, &page).await?;
        tell(store, owners.into_iter().map(|owner| (owner, news.book, news.progress.stamp)).collect()).await?;
        *room = room.saturating_sub(page.len());
        match page.last() {
            Some(last) if page.len() == PAGE => after = last.to_string(),
            _ => return Ok(None),
        }
    }
    Ok(Some(after))
}

/// Carts that Redis knows to be ahead of Postgres: dirty, or parked.
async fn tell_unwritten(store: &Store, changes: &[(BookId, i64)]) -> Result<(), Error> {
    const OPERATION: &str = "carts.told.unwritten";
    if changes.is_empty() {
        return Ok(());
    }
    let fields: Vec<String> = changes.iter().map(|(book, _)| format!("i:{book}")).collect();
    for bucket in 0..Owner::CART_BUCKETS {
        let (dirty, dead) = (store.keys().carts_dirty(bucket), store.keys().carts_dead(bucket));
        let mut union = redis::cmd("ZUNION");
        let owners: Vec<String> =
            union.arg(2).arg(dirty).arg(dead).query_async(&mut store.redis()).await.during(OPERATION)?;
        let owners: Vec<Owner> = owners.iter().filter_map(|owner| owner.parse().ok()).collect();
        for page in owners.chunks(PAGE) {
            let mut pipe = redis::pipe();
            for owner in page {
                pipe.cmd("HMGET").arg(store.keys().cart(owner)).arg(&fields);
            }
            let lines: Vec<Vec<Option<String>>> = pipe.query_async(&mut store.redis()).await.during(OPERATION)?;
            tell(store, holders(page, &lines, changes)).await?;
        }
    }
    Ok(())
}

/// `lines`: of each cart, what it holds of each changed book.
fn holders(owners: &[Owner], lines: &[Vec<Option<String>>], changes: &[(BookId, i64)]) -> Vec<Call> {
    let mut calls = Vec::new();
    for (owner, lines) in owners.iter().zip(lines) {
        let held = changes.iter().zip(lines).filter(|(_, line)| line.is_some());
        calls.extend(held.map(|((book, stamp), _)| (*owner, *book, *stamp)));
    }
    calls
}

/// Idle carts of guests leave Redis by design: nobody looks at them, and the next read builds them anew.
async fn in_redis(store: &Store, page: &[Owner]) -> Result<Vec<Owner>, Error> {
    if page.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipe = redis::pipe();
    for owner in page {
        pipe.exists(store.keys().cart(owner));
    }
    let exist: Vec<bool> = pipe.query_async(&mut store.redis()).await.during("carts.told.exist")?;
    let here = page.iter().zip(exist).filter(|(owner, exists)| *exists || owner.account().is_some());
    Ok(here.map(|(owner, _)| *owner).collect())
}

/// A cart that cannot be told is broken, and shown to nobody until it is mended: the others must not wait for it.
async fn tell(store: &Store, calls: Vec<Call>) -> Result<(), Error> {
    let calls: Vec<_> = calls.into_iter().map(|call| tell_one(store, call)).collect();
    let mut calls = stream::iter(calls).buffer_unordered(PARALLEL);
    while let Some(told) = calls.next().await {
        match told {
            Ok(is_news) => metrics::counter!("carts_told_total").increment(u64::from(is_news)),
            Err(error) if jobs::is_away(&error) => return Err(error),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "a cart could not be told"),
        }
    }
    Ok(())
}

async fn tell_one(store: &Store, (owner, book, stamp): Call) -> Result<bool, Error> {
    let reply = super::edit(store, &owner, Verb::Told { book, stamp }).await?;
    Ok(reply.note == "told")
}
