//! `order.money_goes_back`: money came that the order no longer takes.

use super::{
    OrderKind, Saying,
    news::News,
    words::{hello, to_the_order},
};
use crate::mail::Block;
use domain::order::OrderStatus;

pub(in crate::messages) static MONEY_GOES_BACK: OrderKind = OrderKind {
    name: "order.money_goes_back",
    // It stays true, and says why; another message tells of the arrival.
    still: |_| true,
    letter: |news| Saying {
        subject: format!("Order {}: your payment goes back to you", news.order.number),
        blocks: vec![
            Block::Heading("Your payment is on its way back".into()),
            Block::Text(format!("{} {}. It goes back to you the way it came, in full.", hello(news), why(news))),
            Block::Text("There is nothing you need to do. We write again when it is there.".into()),
            to_the_order(news, "See your order"),
        ],
    },
    note: Some(|news| format!("{}. It goes back to you in full, by itself.", why(news))),
};

fn why(news: &News) -> String {
    let number = &news.order.number;
    let has_ended = |status| matches!(status, OrderStatus::Expired | OrderStatus::Cancelled | OrderStatus::Failed);
    match news.event.as_ref().is_some_and(|event| has_ended(event.status)) {
        true => format!("your payment for order {number} came after the order had ended"),
        false => format!("order {number} was paid already when a second payment came"),
    }
}
