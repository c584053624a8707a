//! The life of an order: its states, the table of legal changes, its number, and how clients see it.

use crate::{Currency, ErrorCode, Minor, OrderId, Quantity, UnixMillis, address::Address, ids::BookId};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderStatus {
    /// Accepted by the gate, its copies held, not yet in Postgres.
    Pending,
    /// In Postgres with its claim; can be paid until its deadline.
    PaymentPending,
    Paid,
    Fulfilling,
    Shipped,
    Delivered,
    Failed,
    Cancelled,
    Expired,
    Refunded,
}

/// Why an order changes its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The persist worker wrote it down and claimed its copies.
    Persisted,
    /// Postgres refused the claim, or the entry was poisoned.
    Refused,
    ShopperCancelled,
    AdminCancelled,
    DeadlinePassed,
    PaymentCaptured,
    PaymentFailed,
    /// Money came after the end and the copies could be claimed again.
    LateMoneyClaimed,
    /// Money came after the end and went back, on the provider's word.
    LateMoneyReturned,
    /// A note, not a change of state: money came that this order no longer takes, and is on its way back.
    MoneyGoesBack,
    FulfilmentStarted,
    HandedToCarrier,
    Arrived,
    RefundConfirmed,
}

use Cause as C;
use OrderStatus as S;

/// Every legal change: from, to, why. What is not here does not happen.
pub const TRANSITIONS: &[(OrderStatus, OrderStatus, Cause)] = &[
    (S::Pending, S::PaymentPending, C::Persisted),
    (S::Pending, S::Failed, C::Refused),
    (S::Pending, S::Cancelled, C::ShopperCancelled),
    (S::Pending, S::Expired, C::DeadlinePassed),
    (S::PaymentPending, S::Paid, C::PaymentCaptured),
    (S::PaymentPending, S::Expired, C::DeadlinePassed),
    (S::PaymentPending, S::Cancelled, C::ShopperCancelled),
    (S::PaymentPending, S::Cancelled, C::AdminCancelled),
    (S::PaymentPending, S::Failed, C::PaymentFailed),
    (S::Paid, S::Fulfilling, C::FulfilmentStarted),
    (S::Fulfilling, S::Shipped, C::HandedToCarrier),
    (S::Shipped, S::Delivered, C::Arrived),
    (S::Paid, S::Cancelled, C::AdminCancelled),
    (S::Fulfilling, S::Cancelled, C::AdminCancelled),
    (S::Expired, S::Paid, C::LateMoneyClaimed),
    (S::Cancelled, S::Paid, C::LateMoneyClaimed),
    (S::Expired, S::Refunded, C::LateMoneyReturned),
    (S::Cancelled, S::Refunded, C::LateMoneyReturned),
    (S::Paid, S::Refunded, C::RefundConfirmed),
    (S::Fulfilling, S::Refunded, C::RefundConfirmed),
    (S::Shipped, S::Refunded, C::RefundConfirmed),
    (S::Delivered, S::Refunded, C::RefundConfirmed),
];

/// A change that the table does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an order that is {from} cannot become {to}")]
pub struct IllegalChange {
    pub from: OrderStatus,
    pub to: OrderStatus,
}

impl OrderStatus {
    pub const ALL: [Self; 10] = [
        S::Pending,
        S::PaymentPending,
        S::Paid,
        S::Fulfilling,
        S::Shipped,
        S::Delivered,
        S::Failed,
        S::Cancelled,
        S::Expired,
        S::Refunded,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            S::Pending => "PENDING",
            S::PaymentPending => "PAYMENT_PENDING",
            S::Paid => "PAID",
            S::Fulfilling => "FULFILLING",
            S::Shipped => "SHIPPED",
            S::Delivered => "DELIVERED",
            S::Failed => "FAILED",
            S::Cancelled => "CANCELLED",
            S::Expired => "EXPIRED",
            S::Refunded => "REFUNDED",
        }
    }

    /// Checks the change against [`TRANSITIONS`].
    pub fn change(self, to: Self, cause: Cause) -> Result<Self, IllegalChange> {
        match TRANSITIONS.contains(&(self, to, cause)) {
            true => Ok(to),
            false => Err(IllegalChange { from: self, to }),
        }
    }

    /// Whether its copies are promised to the shopper but not yet sold.
    pub const fn holds_copies(self) -> bool {
        matches!(self, S::Pending | S::PaymentPending)
    }

    /// Whether the shopper may still cancel it.
    pub const fn shopper_may_cancel(self) -> bool {
        matches!(self, S::Pending | S::PaymentPending)
    }

    /// A short word for people.
    pub const fn label(self) -> &'static str {
        match self {
            S::Pending => "Being reserved",
            S::PaymentPending => "Waiting for payment",
            S::Paid => "Paid",
            S::Fulfilling => "Being packed",
            S::Shipped => "On its way",
            S::Delivered => "Delivered",
            S::Failed => "Could not be placed",
            S::Cancelled => "Cancelled",
            S::Expired => "Expired",
            S::Refunded => "Refunded",
        }
    }
}

impl Cause {
    pub const ALL: [Self; 14] = [
        C::Persisted,
        C::Refused,
        C::ShopperCancelled,
        C::AdminCancelled,
        C::DeadlinePassed,
        C::PaymentCaptured,
        C::PaymentFailed,
        C::LateMoneyClaimed,
        C::LateMoneyReturned,
        C::MoneyGoesBack,
        C::FulfilmentStarted,
        C::HandedToCarrier,
        C::Arrived,
        C::RefundConfirmed,
    ];

    /// The name under which the history keeps it.
    pub const fn as_str(self) -> &'static str {
        match self {
            C::Persisted => "persisted",
            C::Refused => "refused",
            C::ShopperCancelled => "shopper_cancelled",
            C::AdminCancelled => "admin_cancelled",
            C::DeadlinePassed => "deadline_passed",
            C::PaymentCaptured => "payment_captured",
            C::PaymentFailed => "payment_failed",
            C::LateMoneyClaimed => "late_money_claimed",
            C::LateMoneyReturned => "late_money_returned",
            C::MoneyGoesBack => "money_goes_back",
            C::FulfilmentStarted => "fulfilment_started",
            C::HandedToCarrier => "handed_to_carrier",
            C::Arrived => "arrived",
            C::RefundConfirmed => "refund_confirmed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == text)
    }

    /// What the timeline says about it.
    pub const fn sentence(self) -> &'static str {
        match self {
            C::Persisted => "Your copies are set aside. Waiting for payment.",
            C::Refused => "We could not set your copies aside.",
            C::ShopperCancelled => "You cancelled the order. The copies are back on the shelf.",
            C::AdminCancelled => "The shop cancelled the order.",
            C::DeadlinePassed => "No payment arrived in time. The copies are back on the shelf.",
            C::PaymentCaptured => "Payment received.",
            C::PaymentFailed => "The payment failed.",
            C::LateMoneyClaimed => "Your payment came late, and the copies were still there.",
            C::LateMoneyReturned => "Your payment came too late and went back to you.",
            C::MoneyGoesBack => "A payment came that this order no longer takes. It is on its way back.",
            C::FulfilmentStarted => "Your books are being packed.",
            C::HandedToCarrier => "Your parcel is on its way.",
            C::Arrived => "Your parcel has arrived.",
            C::RefundConfirmed => "The money is back with you.",
        }
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a status of an order")]
pub struct UnknownStatus;

impl FromStr for OrderStatus {
    type Err = UnknownStatus;
    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or(UnknownStatus)
    }
}

/// A short, readable, unguessable name of an order: `BB-7K3M-9QXA` (40 bits in Crockford's base 32).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrderNumber(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an order number looks like BB-7K3M-9QXA")]
pub struct BadOrderNumber;

impl OrderNumber {
    const ALPHABET: &'static [u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// The number that these 40 bits spell. Feed it bits nobody can guess: a keyed hash of the order's id.
    pub fn from_bits(bits: [u8; 5]) -> Self {
        let value = bits.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        let mut text = String::from("BB");
        for place in 0..8 {
            if place % 4 == 0 {
                text.push('-');
            }
            let digit = (value >> (35 - 5 * place)) & 31;
            text.push(char::from(Self::ALPHABET[digit as usize]));
        }
        Self(text)
    }

    pub fn parse(text: &str) -> Result<Self, BadOrderNumber> {
        let upper = text.trim().to_ascii_uppercase();
        let bytes = upper.as_bytes();
        let shape = bytes.len() == 12 && upper.starts_with("BB-") && bytes[7] == b'-';
        let spelled = shape && bytes[3..7].iter().chain(&bytes[8..]).all(|b| Self::ALPHABET.contains(b));
        if spelled { Ok(Self(upper)) } else { Err(BadOrderNumber) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for OrderNumber {
    type Error = BadOrderNumber;
    fn try_from(text: String) -> Result<Self, BadOrderNumber> {
        Self::parse(&text)
    }
}

impl From<OrderNumber> for String {
    fn from(number: OrderNumber) -> String {
        number.0
    }
}

impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

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
    pub placed_at: UnixMillis,
    pub expires_at: UnixMillis,
}

/// One page of orders, for admins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPage {
    pub orders: Vec<OrderSummary>,
    pub total: i64,
    pub page: u32,
    pub page_size: u32,
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
    fn only_the_table_is_legal() {
        for from in OrderStatus::ALL {
            for to in OrderStatus::ALL {
                for cause in Cause::ALL {
                    let legal = TRANSITIONS.contains(&(from, to, cause));
                    assert_eq!(from.change(to, cause).is_ok(), legal, "{from} -> {to} {cause:?}");
                }
            }
        }
    }

    #[test]
    fn nothing_goes_back_to_waiting_and_no_end_is_left_but_by_money() {
        for (from, to, cause) in TRANSITIONS {
            assert_ne!(to, &S::Pending);
            assert!(*to != S::PaymentPending || *from == S::Pending);
            if matches!(from, S::Expired | S::Cancelled) {
                assert!(matches!(cause, C::LateMoneyClaimed | C::LateMoneyReturned));
            }
            assert!(!matches!(from, S::Failed | S::Refunded), "an end without a way on");
        }
    }

    #[test]
    fn names_come_back() {
        for status in OrderStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_string(&status).ok(), Some(format!("\"{status}\"")));
        }
        for cause in Cause::ALL {
            assert_eq!(Cause::parse(cause.as_str()), Some(cause));
            assert_eq!(serde_json::to_string(&cause).ok(), Some(format!("\"{}\"", cause.as_str())));
        }
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(OrderNumber::from_bits([0; 5]).as_str(), "BB-0000-0000");
        assert_eq!(OrderNumber::from_bits([255; 5]).as_str(), "BB-ZZZZ-ZZZZ");
        assert_eq!(OrderNumber::from_bits([0, 0, 0, 0, 33]).as_str(), "BB-0000-0011");
        assert_eq!(OrderNumber::parse(" bb-7k3m-9qxa ").map(String::from), Ok("BB-7K3M-9QXA".into()));
        for bad in ["", "BB-7K3M9QXA", "BB-7K3M-9QXI", "BB-7K3M-9QX", "XX-7K3M-9QXA", "BB-7K3M-9QXé"] {
            assert!(OrderNumber::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn delivery_is_free_from_the_threshold_on() {
        let rule = DeliveryRule { fee: Minor::new(4_900), free_from: Minor::new(49_900) };
        assert_eq!(rule.fee_for(Minor::new(49_899)), Minor::new(4_900));
        assert_eq!(rule.fee_for(Minor::new(49_900)), Minor::ZERO);
    }
}
