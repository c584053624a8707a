//! `order.delivered`: the parcel has arrived.

use super::{
    OrderKind, Saying,
    words::{books, hello, to_the_order},
};
use crate::mail::Block;
use domain::order::OrderStatus;

pub(in crate::messages) static DELIVERED: OrderKind = OrderKind {
    name: "order.delivered",
    still: |news| news.order.status == OrderStatus::Delivered,
    letter: |news| {
        let number = &news.order.number;
        Saying {
            subject: format!("Order {number} has arrived"),
            blocks: vec![
                Block::Heading("Your books have arrived".into()),
                Block::Text(format!(
                    "{} the carrier says that order {number} was delivered. We hope you enjoy reading.",
                    hello(news)
                )),
                books(news),
                to_the_order(news, "See your order"),
                Block::Small("Nothing there? The page of your order says who carried it and where it went.".into()),
            ],
        }
    },
    note: Some(|news| format!("order {} was delivered. We hope you enjoy reading.", news.order.number)),
};
