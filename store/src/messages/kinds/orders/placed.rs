//! `order.placed`: the copies are set aside; how to pay, and until when.

use super::{
    OrderKind, Saying,
    words::{clock, hello, moment, receipt, to_the_order},
};
use crate::mail::Block;
use domain::order::OrderStatus;

pub(in crate::messages) static PLACED: OrderKind = OrderKind {
    name: "order.placed",
    still: |news| news.order.status == OrderStatus::PaymentPending && news.order.expires_at > news.order.server_time,
    letter: |news| {
        let (order, total) = (&news.order, news.total());
        let [books, sums] = receipt(news);
        Saying {
            subject: format!("Order {}: please pay by {}", order.number, clock(order.expires_at)),
            blocks: vec![
                Block::Heading("Your copies are set aside".into()),
                Block::Text(format!(
                    "{} we hold these books for you until {} (Indian time). They are yours once your payment arrives.",
                    hello(news),
                    moment(order.expires_at)
                )),
                books,
                sums,
                to_the_order(news, &format!("Pay {total}")),
                Block::Small(format!(
                    "Order {}. If no payment arrives by then, the copies go back on the shelf and nothing is charged.",
                    order.number
                )),
            ],
        }
    },
    note: None,
};
