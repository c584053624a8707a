//! `order.paid`: the receipt; also for money that came late and bought the copies again.

use super::{
    OrderKind, Saying,
    news::News,
    words::{address, hello, moment, receipt, to_the_order},
};
use crate::mail::Block;
use domain::{order::Cause, payment::PaymentStatus};

pub(in crate::messages) static PAID: OrderKind = OrderKind {
    name: "order.paid",
    // A receipt stays true, whatever happens to the order later.
    still: |_| true,
    letter: |news| {
        let (order, total) = (&news.order, news.total());
        let [books, sums] = receipt(news);
        let what = match is_late(news) {
            true => {
                "your payment came after the time to pay was over, but the copies were still there: they are yours. \
                 We pack them next."
            }
            false => "your payment has arrived. We pack your books next and write again when they leave.",
        };
        Saying {
            subject: format!("Order {} is paid: your receipt over {total}", order.number),
            blocks: vec![
                Block::Heading("Thank you, your order is paid".into()),
                Block::Text(format!("{} {what}", hello(news))),
                Block::Facts(vec![
                    ("Order", vec![order.number.to_string()]),
                    ("Placed", vec![moment(order.placed_at)]),
                    ("Paid", paid(news)),
                    ("Going to", address(news)),
                ]),
                books,
                sums,
                to_the_order(news, "See your order"),
                Block::Small("All times are Indian time.".into()),
            ],
        }
    },
    note: Some(|news| {
        let (number, total) = (&news.order.number, news.total());
        match is_late(news) {
            true => format!(
                "your payment of {total} for order {number} came late, but the books are yours. We pack them next."
            ),
            false => format!("order {number} is paid, {total}. We pack your books next."),
        }
    }),
};

fn is_late(news: &News) -> bool {
    news.event.as_ref().is_some_and(|event| event.cause == Cause::LateMoneyClaimed)
}

/// How much, when, and with which payment.
fn paid(news: &News) -> Vec<String> {
    let arrived =
        |status| matches!(status, PaymentStatus::Captured | PaymentStatus::Refunding | PaymentStatus::Refunded);
    let payment = news.order.payments.iter().find(|payment| arrived(payment.status));
    let mut lines = vec![format!("{}, {}", news.total(), moment(news.at))];
    lines.extend(payment.map(|payment| format!("Payment {} ({})", payment.payment_id, payment.provider)));
    lines
}
