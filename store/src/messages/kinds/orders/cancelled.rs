//! `order.cancelled`: by the shopper or by the shop.

use super::{
    OrderKind, Saying,
    news::News,
    words::{books, hello, to_the_order},
};
use crate::mail::Block;
use domain::{
    order::{Cause, OrderStatus},
    payment::PaymentStatus,
};

pub(in crate::messages) static CANCELLED: OrderKind = OrderKind {
    name: "order.cancelled",
    // Refunded: its money went back meanwhile. Anything else: late money has bought it after all.
    still: |news| matches!(news.order.status, OrderStatus::Cancelled | OrderStatus::Refunded),
    letter: |news| {
        let number = &news.order.number;
        let who = if is_by_shop(news) { "we had to cancel" } else { "as you asked, we cancelled" };
        let mut blocks = vec![
            Block::Heading("Your order is cancelled".into()),
            Block::Text(format!("{} {who} order {number}. {}", hello(news), money(news))),
        ];
        blocks.extend(note(news).map(|note| Block::Text(format!("The reason: {note}"))));
        blocks.extend([books(news), to_the_order(news, "See your order")]);
        Saying { subject: format!("Order {number} is cancelled"), blocks }
    },
    note: None,
};

fn is_by_shop(news: &News) -> bool {
    news.event.as_ref().is_some_and(|event| event.cause == Cause::AdminCancelled)
}

/// The shop's own words about it.
fn note(news: &News) -> Option<&str> {
    news.event.as_ref().filter(|event| event.cause == Cause::AdminCancelled)?.note.as_deref()
}

fn money(news: &News) -> &'static str {
    use PaymentStatus as S;
    let has = |these: &[S]| news.order.payments.iter().any(|payment| these.contains(&payment.status));
    if has(&[S::Captured, S::Refunding, S::Refunded]) {
        "What you paid goes back to you the way it came; we write again when it is there."
    } else if has(&[S::Late]) || news.order.money_apart {
        "A payment reached us all the same; we are looking at it and write to you again."
    } else if has(&[S::Creating, S::Open, S::Closing]) {
        "No payment has reached us; should one still come, we write to you."
    } else {
        "Nothing was charged."
    }
}
