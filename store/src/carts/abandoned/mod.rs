//! Forgotten carts: a week unchanged, books still sold in it, a shopper whose address we know → one mail per state of the
//! cart, and never after an order. Looked for by the hour in Postgres; asked again of Redis when the mail leaves.

mod offer;
mod queries;

pub use offer::{Offer, offer, put_back};

use crate::{
    Store, carts, catalog,
    catalog::BookFacts,
    error::{During, Error},
    jobs::schedule::{Every, Schedule, Scheduled},
    messages,
    world::{from_timestamp, to_timestamp},
};
use async_trait::async_trait;
use domain::{AccountId, BookId, Owner, Quantity, UnixMillis, account::Email};
use std::sync::Arc;
use uuid::Uuid;

/// Carts looked at in one step: short statements, however many carts there are.
const PAGE: i64 = 500;

/// What one look found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// Shoppers' carts unchanged for long enough, with something in them.
    pub seen: u64,
    /// Mails put into the outbox.
    pub written: u64,
}

/// `carts.abandoned`, by the hour.
pub struct RemindForgotten;

#[async_trait]
impl Scheduled for RemindForgotten {
    fn schedule(&self) -> Schedule {
        Schedule { name: "carts.abandoned", every: Every::Seconds(3600) }
    }

    async fn run(&self, store: &Store) -> Result<serde_json::Value, Error> {
        serde_json::to_value(remind(store).await?).during("carts.abandoned")
    }
}

/// Looks through all carts that have not changed for as long as the setting says.
pub async fn remind(store: &Store) -> Result<Report, Error> {
    let age = i64::try_from(store.config().abandoned_after.as_millis()).unwrap_or(i64::MAX);
    let until = to_timestamp(store.now().plus(age.saturating_neg()));
    let (mut report, mut after) = (Report::default(), None);
    loop {
        let page = queries::page(store.pg(), until, after.as_ref(), PAGE).await.during("carts.abandoned")?;
        let Some(last) = page.last() else { return Ok(report) };
        after = Some((last.updated_at, last.owner.clone()));
        report.seen += page.len() as u64;
        report.written += write(store, &page).await?;
    }
}

/// The mails of one page: a row that says so and the work to do it, together.
async fn write(store: &Store, page: &[queries::Seen]) -> Result<u64, Error> {
    const OPERATION: &str = "carts.abandoned";
    if !page.iter().any(|cart| cart.is_due) {
        return Ok(0);
    }
    let (mut written, now) = (0, store.now());
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    for cart in page.iter().filter(|cart| cart.is_due) {
        let Some(account) = cart.account_id else { continue };
        let id = store.uuid();
        let lines = cart.lines.clone().unwrap_or_default();
        if queries::insert(&mut *tx, id, account, cart.t, &lines, to_timestamp(now)).await.during(OPERATION)? {
            messages::enqueue(&mut tx, messages::FORGOTTEN_CART, id, now).await?;
            written += 1;
        }
    }
    tx.commit().await.during(OPERATION)?;
    Ok(written)
}

/// A cart to write about.
pub(crate) struct Forgotten {
    pub email: Email,
    pub name: String,
    /// Still sold; at least one.
    pub books: Vec<(Arc<BookFacts>, Quantity)>,
    pub written_at: UnixMillis,
}

/// Looks again before the mail leaves: it may have waited for hours.
pub(crate) async fn still_forgotten(store: &Store, mail: Uuid) -> Result<Option<Forgotten>, Error> {
    let found = queries::to_send(store.pg(), mail).await.during("carts.abandoned.to_send")?;
    let Some(found) = found.filter(|found| !found.is_sent && !found.has_ordered) else { return Ok(None) };
    let account =
        AccountId::new(found.account_id).map_err(|_| Error::unexpected("carts.abandoned", "no account id"))?;
    // Redis is ahead of Postgres: the shopper may be at it right now.
    let cart = carts::lines(store, &Owner::Account(account)).await?;
    if cart.version != found.t {
        return Ok(None);
    }
    let books = on_sale(store, &cart.lines).await?;
    let Ok(email) = Email::parse(&found.email) else { return Ok(None) };
    let written_at = from_timestamp(found.created_at);
    Ok((!books.is_empty()).then_some(Forgotten { email, name: found.name, books, written_at }))
}

pub(crate) async fn sent(store: &Store, mail: Uuid) -> Result<(), Error> {
    queries::mark_sent(store.pg(), mail, to_timestamp(store.now())).await.during("carts.abandoned.sent")
}

pub(crate) async fn recipient(store: &Store, mail: Uuid) -> Result<Option<Email>, Error> {
    let email = queries::email(store.pg(), mail).await.during("carts.abandoned.recipient")?;
    Ok(email.and_then(|email| Email::parse(&email).ok()))
}

async fn on_sale(store: &Store, lines: &[(BookId, Quantity)]) -> Result<Vec<(Arc<BookFacts>, Quantity)>, Error> {
    let ids: Vec<BookId> = lines.iter().map(|(book, _)| *book).collect();
    let facts = catalog::facts(store, &ids).await?;
    let known = lines.iter().filter_map(|(book, quantity)| Some((facts.get(book)?.clone(), *quantity)));
    Ok(known.filter(|(facts, _)| !facts.is_retired).collect())
}
