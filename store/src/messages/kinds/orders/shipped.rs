//! `order.shipped`: the parcel is with the carrier, and how to follow it.

use super::{
    OrderKind, Saying,
    news::News,
    words::{address, books, hello, to_the_order},
};
use crate::mail::Block;
use domain::order::OrderStatus;

pub(in crate::messages) static SHIPPED: OrderKind = OrderKind {
    name: "order.shipped",
    still: |news| news.order.status == OrderStatus::Shipped,
    letter: |news| {
        let number = &news.order.number;
        let mut facts = vec![("Order", vec![number.to_string()])];
        facts.extend(carrier(news).map(|carrier| ("Carrier", vec![carrier.to_owned()])));
        facts.extend(tracking(news).map(|tracking| ("Tracking", vec![tracking.to_owned()])));
        facts.push(("Going to", address(news)));
        Saying {
            subject: format!("Order {number} is on its way"),
            blocks: vec![
                Block::Heading("Your books are on their way".into()),
                Block::Text(format!("{} your parcel has left us.", hello(news))),
                Block::Facts(facts),
                books(news),
                to_the_order(news, "See your order"),
            ],
        }
    },
    note: Some(|news| {
        let with = carrier(news).map(|carrier| format!(" with {carrier}")).unwrap_or_default();
        let tracking = tracking(news).map(|tracking| format!(" Tracking: {tracking}.")).unwrap_or_default();
        format!("order {} is on its way{with}.{tracking}", news.order.number)
    }),
};

fn carrier(news: &News) -> Option<&str> {
    news.order.shipment.as_ref()?.carrier.as_deref().filter(|text| !text.is_empty())
}

fn tracking(news: &News) -> Option<&str> {
    news.order.shipment.as_ref()?.tracking.as_deref().filter(|text| !text.is_empty())
}
