//! What each kind says, word for word: subject and text with the short message, and the HTML, in `snapshots/`.
//! `BAZAR_SNAPSHOTS=write` writes them down anew.

use super::{news::Refund, *};
use crate::{
    mail::{self, Footer},
    sms,
};
use domain::{
    BookId, Currency, Minor, OrderId, PaymentId, Quantity,
    address::Address,
    order::{OrderEvent, OrderLine, OrderNumber, OrderView, Shipment},
    payment::{PaymentStatus, PaymentView},
};
use std::path::Path;

const PLACED_AT: UnixMillis = UnixMillis::new(1_763_636_412_000);

fn line(book: i64, title: &str, copies: i64, price: i64) -> OrderLine {
    OrderLine {
        book_id: BookId::new(book).unwrap(),
        title: title.into(),
        slug: format!("book-{book}"),
        quantity: Quantity::new(copies).unwrap(),
        unit_price: Minor::new(price),
        line_total: Minor::new(price * copies),
    }
}

/// An order in that state, after a step for that reason, by people with odd names who read odd books.
fn news(status: OrderStatus, step: OrderStatus, cause: Cause) -> News {
    let later = PLACED_AT.plus(3_600_000);
    let event = OrderEvent { version: 2, status: step, cause, at: later, note: None, by: None };
    let order = OrderView {
        order_id: OrderId::new(Uuid::from_u128(7)),
        number: OrderNumber::parse("BB-7K3M-9QXA").unwrap(),
        status,
        version: 2,
        lines: vec![
            line(1, "A <b>Tale</b> & \"More\"", 2, 39_900),
            line(2, "शब्द और अर्थ: एक बहुत लंबा शीर्षक जो टूटता है", 1, 20_000),
        ],
        subtotal: Minor::new(99_800),
        delivery: Minor::new(4_900),
        total: Minor::new(104_700),
        currency: Currency::Inr,
        email: "asha@example.org".into(),
        address: Address {
            name: "Asha <O'Rao>".into(),
            line1: "12 MG Road & Co".into(),
            line2: Some("2nd floor".into()),
            city: "Bengaluru".into(),
            state: "Karnataka".into(),
            postcode: "560001".into(),
            country: "IN".into(),
            phone: "98450 12345".into(),
        },
        placed_at: PLACED_AT,
        expires_at: PLACED_AT.plus(900_000),
        server_time: PLACED_AT.plus(60_000),
        events: vec![event.clone()],
        refunds: Vec::new(),
        payments: Vec::new(),
        shipment: None,
        money_apart: false,
        cancel_asked: false,
    };
    News {
        order,
        event: Some(event),
        refund: None,
        link: "https://shop.example/orders/open/00ff".into(),
        shop: "https://shop.example".into(),
        at: later,
    }
}

fn with_payment(mut news: News, status: PaymentStatus) -> News {
    news.order.payments.push(PaymentView {
        payment_id: PaymentId::new(Uuid::from_u128(9)),
        provider: "sandbox".into(),
        status,
        amount: news.order.total,
        currency: news.order.currency,
        created_at: PLACED_AT,
    });
    news
}

fn refunded(amount: i64, is_full: bool) -> News {
    let amount = Minor::new(amount).with(Currency::Inr);
    let news = news(OrderStatus::Refunded, OrderStatus::Refunded, Cause::RefundConfirmed);
    News { event: None, refund: Some(Refund { amount, is_full }), ..news }
}

fn cancelled_by_shop() -> News {
    let mut news = news(OrderStatus::Cancelled, OrderStatus::Cancelled, Cause::AdminCancelled);
    news.event.as_mut().unwrap().note = Some("The last copy was damaged <badly>.".into());
    with_payment(news, PaymentStatus::Refunding)
}

fn shipped() -> News {
    let mut news = news(OrderStatus::Shipped, OrderStatus::Shipped, Cause::HandedToCarrier);
    news.order.shipment = Some(Shipment {
        packed_at: PLACED_AT,
        shipped_at: Some(news.at),
        delivered_at: None,
        carrier: Some("India Post".into()),
        tracking: Some("EE123456789IN".into()),
    });
    news
}

fn cancelled() -> News {
    news(OrderStatus::Cancelled, OrderStatus::Cancelled, Cause::ShopperCancelled)
}

fn all() -> Vec<(&'static str, &'static OrderKind, News)> {
    use {Cause as C, OrderStatus as S};
    vec![
        ("placed", &PLACED, news(S::PaymentPending, S::PaymentPending, C::Persisted)),
        ("paid", &PAID, with_payment(news(S::Paid, S::Paid, C::PaymentCaptured), PaymentStatus::Captured)),
        ("paid_late", &PAID, with_payment(news(S::Paid, S::Paid, C::LateMoneyClaimed), PaymentStatus::Captured)),
        ("shipped", &SHIPPED, shipped()),
        ("delivered", &DELIVERED, news(S::Delivered, S::Delivered, C::Arrived)),
        ("expired", &EXPIRED, news(S::Expired, S::Expired, C::DeadlinePassed)),
        ("cancelled", &CANCELLED, cancelled()),
        ("cancelled_by_shop", &CANCELLED, cancelled_by_shop()),
        ("cancelled_while_paying", &CANCELLED, with_payment(cancelled(), PaymentStatus::Open)),
        ("cancelled_and_paid_late", &CANCELLED, with_payment(cancelled(), PaymentStatus::Late)),
        ("refunded", &REFUNDED, refunded(104_700, true)),
        ("refunded_in_part", &REFUNDED, refunded(39_900, false)),
        ("late_money_goes_back", &MONEY_GOES_BACK, news(S::Expired, S::Expired, C::MoneyGoesBack)),
        ("second_money_goes_back", &MONEY_GOES_BACK, news(S::Paid, S::Paid, C::MoneyGoesBack)),
    ]
}

#[test]
fn every_kind_says_what_was_agreed() {
    let footer = Footer { shop: "https://shop.example", unsubscribe: None };
    for (name, kind, news) in all() {
        assert!((kind.still)(&news), "{name}: there is a reason");
        let Saying { subject, blocks } = (kind.letter)(&news);
        let note = kind.note.map(|note| format!("\n--- short\nBook Bazar: {}\n", note(&news))).unwrap_or_default();
        snapshot(&format!("{name}.txt"), &format!("{subject}\n\n{}{note}", mail::text(&blocks, &footer)));
        let html = mail::html(&blocks, &footer);
        for foreign in ["<b>", "<O'", "<badly"] {
            assert!(!html.contains(foreign), "{name}: {foreign}");
        }
        snapshot(&format!("{name}.html"), &html);
    }
}

#[test]
fn short_messages_are_one_part() {
    for (name, kind, news) in all() {
        let Some(note) = kind.note else { continue };
        let text = format!("Book Bazar: {}", note(&news)).replace('₹', "Rs ");
        assert_eq!(sms::segments(&text), 1, "{name}: {} {text}", text.len());
    }
}

#[test]
fn no_message_without_a_reason() {
    use {Cause as C, OrderStatus as S};
    let paid_meanwhile = news(S::Paid, S::PaymentPending, C::Persisted);
    assert!(!(PLACED.still)(&paid_meanwhile));
    let mut over = news(S::PaymentPending, S::PaymentPending, C::Persisted);
    over.order.server_time = over.order.expires_at;
    assert!(!(PLACED.still)(&over));
    assert!(!(EXPIRED.still)(&news(S::Paid, S::Expired, C::DeadlinePassed)));
    assert!(!(CANCELLED.still)(&news(S::Paid, S::Cancelled, C::ShopperCancelled)));
    assert!(!(SHIPPED.still)(&news(S::Delivered, S::Shipped, C::HandedToCarrier)));
    assert!(!(REFUNDED.still)(&news(S::Paid, S::Paid, C::RefundConfirmed)));
}

#[test]
fn every_step_of_an_order_is_told_once_per_channel_or_not_at_all() {
    let told = |to, cause| {
        let work = of_step(Uuid::from_u128(7), 2, to, cause, PLACED_AT);
        let told =
            work.iter().map(|work| format!("{} {}", work.topic.as_str(), work.payload["kind"].as_str().unwrap()));
        told.collect::<Vec<_>>().join(", ")
    };
    let mut steps = domain::order::TRANSITIONS.to_vec();
    steps.push((OrderStatus::Expired, OrderStatus::Expired, Cause::MoneyGoesBack));
    let mut lines: Vec<String> =
        steps.into_iter().map(|(_, to, cause)| format!("{to} {}: {}\n", cause.as_str(), told(to, cause))).collect();
    lines.sort();
    lines.dedup();
    snapshot("steps.txt", &lines.concat());
}

fn snapshot(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/messages/kinds/orders/snapshots").join(name);
    if std::env::var_os("BAZAR_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, kept, "{name}");
}
