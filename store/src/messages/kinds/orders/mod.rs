//! Messages about orders: the steps of an order that are worth telling, one kind per file.

mod cancelled;
mod delivered;
mod expired;
mod money_goes_back;
mod news;
mod paid;
mod placed;
mod queries;
mod refunded;
mod shipped;
mod words;

pub(in crate::messages) use cancelled::CANCELLED;
pub(in crate::messages) use delivered::DELIVERED;
pub(in crate::messages) use expired::EXPIRED;
pub(in crate::messages) use money_goes_back::MONEY_GOES_BACK;
pub(in crate::messages) use paid::PAID;
pub(in crate::messages) use placed::PLACED;
pub(in crate::messages) use refunded::REFUNDED;
pub(in crate::messages) use shipped::SHIPPED;

use super::Kind;
use crate::{
    Store,
    error::{During, Error},
    jobs::Work,
    mail::{Block, Letter},
    messages::{About, work},
    sms::{Note, Phone},
    world::to_timestamp,
};
use async_trait::async_trait;
use domain::{
    UnixMillis,
    account::Email,
    order::{Cause, OrderStatus},
};
use news::News;
use uuid::Uuid;

/// Who pays at once gets the receipt only: "please pay" waits so long, in milliseconds.
const PATIENCE_MS: i64 = 30_000;

/// The work that a step of an order's history causes; a refund is told of when the provider confirms it, not by a step.
pub(crate) fn of_step(order: Uuid, version: i64, to: OrderStatus, cause: Cause, at: UnixMillis) -> Vec<Work> {
    let about = About::step(order, version);
    match (to, cause) {
        (_, Cause::MoneyGoesBack) => work(&MONEY_GOES_BACK, &about, at),
        (OrderStatus::PaymentPending, Cause::Persisted) => work(&PLACED, &about, at.plus(PATIENCE_MS)),
        (OrderStatus::Paid, Cause::PaymentCaptured | Cause::LateMoneyClaimed) => work(&PAID, &about, at),
        (OrderStatus::Shipped, Cause::HandedToCarrier) => work(&SHIPPED, &about, at),
        (OrderStatus::Delivered, Cause::Arrived) => work(&DELIVERED, &about, at),
        (OrderStatus::Expired, Cause::DeadlinePassed) => work(&EXPIRED, &about, at),
        (OrderStatus::Cancelled, Cause::ShopperCancelled | Cause::AdminCancelled) => work(&CANCELLED, &about, at),
        _ => Vec::new(),
    }
}

/// A kind of message about an order.
pub(in crate::messages) struct OrderKind {
    name: &'static str,
    /// Whether there still is a reason: the order may have gone on since.
    still: fn(&News) -> bool,
    letter: fn(&News) -> Saying,
    note: Option<fn(&News) -> String>,
}

struct Saying {
    subject: String,
    blocks: Vec<Block>,
}

#[async_trait]
impl Kind for OrderKind {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn letter(&self, store: &Store, about: &About) -> Result<Option<Letter>, Error> {
        let Some(news) = self.news(store, about).await? else { return Ok(None) };
        let Ok(to) = Email::parse(&news.order.email) else { return Ok(None) };
        let Saying { subject, blocks } = (self.letter)(&news);
        Ok(Some(Letter { to, to_name: news.order.address.name, subject, blocks, at: news.at }))
    }

    fn is_short(&self) -> bool {
        self.note.is_some()
    }

    async fn note(&self, store: &Store, about: &About) -> Result<Option<Note>, Error> {
        let (Some(note), Some(news)) = (self.note, self.news(store, about).await?) else { return Ok(None) };
        let address = &news.order.address;
        let to = Phone::parse(&address.phone, &address.country);
        Ok(to.map(|to| Note { to, text: format!("Book Bazar: {}", note(&news)), at: news.at }))
    }

    /// The people of the shop see at the order what its shopper was told.
    async fn sent(&self, store: &Store, channel: &str, about: &About) -> Result<(), Error> {
        let at = to_timestamp(store.now());
        queries::insert_sent(store.pg(), about, channel, self.name, at).await.during("messages.sent")
    }
}

impl OrderKind {
    async fn news(&self, store: &Store, about: &About) -> Result<Option<News>, Error> {
        let news = match about.step {
            Some(step) => News::of_step(store, about.id, step).await?,
            None => News::of_refund(store, about.id).await?,
        };
        Ok(news.filter(|news| (self.still)(news)))
    }
}

#[cfg(test)]
mod tests;
