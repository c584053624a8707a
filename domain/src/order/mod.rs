//! An order as clients place it and see it; its states are in [`status`], its number in [`number`].

pub mod number;
pub mod status;

pub use number::{BadOrderNumber, OrderNumber};
pub use status::{Cause, IllegalChange, OrderStatus, TRANSITIONS, UnknownStatus};

use crate::{Currency, ErrorCode, Minor, OrderId, Quantity, UnixMillis, address::Address, ids::BookId};
use serde::{Deserialize, Serialize};

/// What a parcel costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRule {
    pub fee: Minor,
    /// From this subtotal on, delivery is free.
    pub free_from: Minor,
}

impl DeliveryRule {
    pub fn fee_for(&self, subtotal: Minor) -> Minor {
        if subtotal >= self.free_from { Minor::ZERO } else { self.fee }
    }
}

/// How long a parcel usually takes, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryDays {
    least: u16,
    most: u16,
}

impl DeliveryDays {
    const LONGEST: u16 = 90;

    /// `3-6`, or `2` for always two.
    pub fn parse(text: &str) -> Option<Self> {
        let (least, most) = text.split_once('-').unwrap_or((text, text));
        let (least, most) = (least.trim().parse().ok()?, most.trim().parse().ok()?);
        (1 <= least && least <= most && most <= Self::LONGEST).then_some(Self { least, most })
    }

    pub const fn least(self) -> u16 {
        self.least
    }

    pub const fn most(self) -> u16 {
        self.most
    }
}

impl Default for DeliveryDays {
    fn default() -> Self {
        Self { least: 3, most: 6 }
    }
}

/// `3 to 6 days`
impl std::fmt::Display for DeliveryDays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.least, self.most) {
            (1, 1) => f.write_str("1 day"),
            (least, most) if least == most => write!(f, "{most} days"),
            (least, most) => write!(f, "{least} to {most} days"),
        }
    }
}

/// What a client sends to place an order; the key travels beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceOrder {
    pub address: Address,
    pub email: String,
    /// The total, delivery included, that the shopper saw.
    pub expected_total: Option<Minor>,
}

/// The answer to placing an order: `{order_id,number,status,total,currency,expires_at}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    pub order_id: OrderId,
    pub number: OrderNumber,
    pub status: OrderStatus,
    pub total: Minor,
    pub currency: Currency,
    pub expires_at: UnixMillis,
}

/// One title in an order, with the price it was sold for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    pub book_id: BookId,
    pub title: String,
    pub slug: String,
    pub quantity: Quantity,
    pub unit_price: Minor,
    pub line_total: Minor,
}

/// One knot of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEvent {
    /// 1, 2, 3 … per order: the version of live order messages.
    pub version: i64,
    pub status: OrderStatus,
    pub cause: Cause,
    pub at: UnixMillis,
    pub note: Option<String>,
    /// The admin whose doing it was; told to admins only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// The parcel of an order, from the moment its packing began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    pub packed_at: UnixMillis,
    pub shipped_at: Option<UnixMillis>,
    pub delivered_at: Option<UnixMillis>,
    pub carrier: Option<String>,
    pub tracking: Option<String>,
}

/// An order as its owner, or an admin, sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderView {
    pub order_id: OrderId,
    pub number: OrderNumber,
    pub status: OrderStatus,
    /// 0 while it is only in the gate, then the number of its latest history row.
    pub version: i64,
    pub lines: Vec<OrderLine>,
    pub subtotal: Minor,
    pub delivery: Minor,
    pub total: Minor,
    pub currency: Currency,
    pub email: String,
    pub address: Address,
    pub placed_at: UnixMillis,
    pub expires_at: UnixMillis,
    /// The server's clock when this was read: countdowns are right on a wrong client clock.
    pub server_time: UnixMillis,
    pub events: Vec<OrderEvent>,
    pub payments: Vec<crate::payment::PaymentView>,
    pub shipment: Option<Shipment>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<crate::payment::RefundView>,
    /// Money came that does not fit this order; somebody of the shop looks at it.
    #[serde(default)]
    pub money_apart: bool,
    pub cancel_asked: bool,
}

/// One row of a list of orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderSummary {
    pub order_id: OrderId,
    pub number: OrderNumber,
    pub status: OrderStatus,
    pub version: i64,
    pub total: Minor,
    pub currency: Currency,
    pub copies: i64,
    pub email: String,
    pub first_title: String,
    /// How many different books.
    pub titles: i64,
    pub placed_at: UnixMillis,
    pub expires_at: UnixMillis,
}

impl OrderSummary {
    /// `Gitanjali and 2 more`
    pub fn name(&self) -> String {
        match self.titles {
            ..2 => self.first_title.clone(),
            titles => format!("{} and {} more", self.first_title, titles - 1),
        }
    }
}

/// The shopper's orders, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderList {
    pub orders: Vec<OrderSummary>,
    /// `false`: Postgres is away; these are only the ones that wait to be written down.
    pub is_whole: bool,
}

/// What is left of a title that an order wanted more of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShortLine {
    pub book_id: BookId,
    pub title: String,
    pub wanted: u32,
    pub left: u32,
}

impl ShortLine {
    /// The refusal that names every short line.
    pub fn refusal(lines: &[Self]) -> crate::ApiError {
        let mut error = crate::ApiError::new(ErrorCode::InsufficientStock, Self::sentence(lines));
        for line in lines {
            error = error.field(&format!("book_{}", line.book_id), line.left.to_string());
        }
        error
    }

    fn sentence(lines: &[Self]) -> String {
        let mut parts = lines.iter().map(|line| match line.left {
            0 => format!("“{}” is sold out", line.title),
            1 => format!("only 1 copy of “{}” is left", line.title),
            n => format!("only {n} copies of “{}” are left", line.title),
        });
        let first = parts.next().unwrap_or_else(|| "something in your cart is sold out".into());
        parts.fold(format!("Somebody was quicker: {first}"), |text, part| text + "; " + &part) + "."
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_of_several_books_does_not_pass_for_one() {
        let order = |titles| OrderSummary {
            order_id: OrderId::new(uuid::Uuid::nil()),
            number: OrderNumber::parse("BB-0000-0000").expect("a number"),
            status: OrderStatus::Paid,
            version: 1,
            total: Minor::ZERO,
            currency: Currency::Inr,
            copies: 3,
            email: String::new(),
            first_title: "Gitanjali".into(),
            titles,
            placed_at: UnixMillis::new(0),
            expires_at: UnixMillis::new(0),
        };
        assert_eq!(
            [1, 2, 4].map(|titles| order(titles).name()),
            ["Gitanjali", "Gitanjali and 1 more", "Gitanjali and 3 more"]
        );
    }

    #[test]
    fn days_are_promised_in_plain_words() {
        let said = |text| DeliveryDays::parse(text).map(|days| days.to_string());
        assert_eq!(
            ["3-6", "1", " 2 - 2 "].map(said),
            ["3 to 6 days", "1 day", "2 days"].map(|text| Some(text.to_owned()))
        );
        assert_eq!(["6-3", "0-2", "3-400", "soon", "-", ""].map(said), [const { None }; 6]);
    }

    #[test]
    fn delivery_is_free_from_the_threshold_on() {
        let rule = DeliveryRule { fee: Minor::new(4_900), free_from: Minor::new(49_900) };
        assert_eq!(rule.fee_for(Minor::new(49_899)), Minor::new(4_900));
        assert_eq!(rule.fee_for(Minor::new(49_900)), Minor::ZERO);
    }
}
