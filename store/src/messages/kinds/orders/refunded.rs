//! `order.refunded`: the provider says that money is back, all of it or a part. About the refund.

use super::{
    OrderKind, Saying,
    news::News,
    words::{hello, to_the_order},
};
use crate::mail::Block;

pub(in crate::messages) static REFUNDED: OrderKind = OrderKind {
    name: "order.refunded",
    still: |news| news.refund.is_some(),
    letter: |news| {
        let (number, amount) = (&news.order.number, amount(news));
        let part = if is_part(news) { "a part of what you paid" } else { "what you paid" };
        Saying {
            subject: format!("Order {number}: {amount} went back to you"),
            blocks: vec![
                Block::Heading(format!("{amount} went back to you")),
                Block::Text(format!(
                    "{} {part} for order {number} is back where it came from. Some banks take a few days to show it.",
                    hello(news)
                )),
                Block::Sums(vec![
                    ("Order total".to_owned(), news.total().to_string()),
                    (if is_part(news) { "Partial refund" } else { "Full refund" }.to_owned(), amount),
                ]),
                to_the_order(news, "See your order"),
            ],
        }
    },
    note: Some(|news| {
        format!(
            "{} for order {} went back to you. Some banks take a few days to show it.",
            amount(news),
            news.order.number
        )
    }),
};

fn amount(news: &News) -> String {
    news.refund.as_ref().map(|refund| refund.amount.to_string()).unwrap_or_default()
}

fn is_part(news: &News) -> bool {
    news.refund.as_ref().is_some_and(|refund| !refund.is_full)
}
