//! `order.expired`: nobody paid in time.

use super::{
    OrderKind, Saying,
    words::{books, hello, moment, to_the_order},
};
use crate::mail::Block;
use domain::order::OrderStatus;

pub(in crate::messages) static EXPIRED: OrderKind = OrderKind {
    name: "order.expired",
    still: |news| news.order.status == OrderStatus::Expired,
    letter: |news| {
        let order = &news.order;
        Saying {
            subject: format!("Order {} has expired", order.number),
            blocks: vec![
                Block::Heading("The time to pay is over".into()),
                Block::Text(format!(
                    "{} no payment for order {} arrived by {} (Indian time), so the copies went back on the shelf. \
                     You can order them again as long as they are there.",
                    hello(news),
                    order.number,
                    moment(order.expires_at)
                )),
                books(news),
                to_the_order(news, "See your order"),
                Block::Small(
                    "Did you pay all the same? Then your money buys the books as soon as it arrives, or goes back to you \
                     by itself if they are gone."
                        .into(),
                ),
            ],
        }
    },
    note: None,
};
