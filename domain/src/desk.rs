//! Orders as the people of the shop see them: the board of all of them, and what stands around one.

use crate::{
    AccountId, Minor, OrderId, UnixMillis,
    order::{OrderSummary, OrderView},
    payment::PaymentStatus,
};
use serde::{Deserialize, Serialize};

/// One order of the board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardRow {
    pub order: OrderSummary,
    /// Whom the parcel is for.
    pub name: String,
    /// Of the latest attempt to pay.
    pub payment: Option<PaymentStatus>,
    pub provider: Option<String>,
    /// It should have gone on by now.
    pub is_late: bool,
    /// Money that does not fit it is kept apart.
    pub money_apart: bool,
}

/// One page of the board.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Board {
    pub orders: Vec<BoardRow>,
    /// Where the next page begins; `None`: this is the last one.
    pub next: Option<String>,
    /// The title of the book that was asked for.
    pub book: Option<String>,
    /// `None`: Postgres answered. While it is away, nothing else is known.
    pub waiting: Option<AtGate>,
}

/// Accepted orders that wait to be written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtGate {
    pub count: u64,
    /// The latest of them.
    pub orders: Vec<OrderSummary>,
}

/// What several orders are to go through at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BulkStep {
    Fulfil,
    Ship,
    Cancel,
}

impl BulkStep {
    pub const ALL: [Self; 3] = [Self::Fulfil, Self::Ship, Self::Cancel];
    /// Orders taken on at once.
    pub const MOST: usize = 50;

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fulfil => "fulfil",
            Self::Ship => "ship",
            Self::Cancel => "cancel",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == text)
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Fulfil => "Start packing",
            Self::Ship => "Hand to carrier",
            Self::Cancel => "Cancel",
        }
    }
}

/// What became of each of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkDone {
    pub results: Vec<BulkResult>,
    /// What did not work, in one text.
    pub said: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkResult {
    pub order_id: OrderId,
    pub number: String,
    pub is_done: bool,
    pub said: String,
}

/// One order, and what stands around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderDesk {
    pub order: OrderView,
    pub server_time: UnixMillis,
    /// Why the order is where it is.
    pub why: String,
    /// What happens next by itself, and when.
    pub next: Option<Next>,
    pub customer: Customer,
    /// The number of the latest change of the address; 0: none.
    pub address_no: i64,
    pub notes: Vec<Noted>,
    pub movements: Vec<Movement>,
    pub messages: Vec<Told>,
    /// Work of this order that waits for its turn.
    pub work: Vec<Waiting>,
    /// Work of this order that was given up.
    pub letters: Vec<Parked>,
}

/// `next check`, and its moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Next {
    pub what: String,
    pub at: UnixMillis,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    pub account_id: Option<AccountId>,
    /// Placed with this e-mail, this one included.
    pub orders: i64,
}

/// Something that somebody of the shop said or did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    pub text: String,
    pub by: String,
    pub at: UnixMillis,
}

/// One line of the ledger of the stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    pub title: String,
    pub kind: String,
    pub on_hand: i32,
    pub reserved: i32,
    pub at: UnixMillis,
}

/// A message that has left the shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub id: i64,
    pub what: String,
    pub channel: String,
    pub at: UnixMillis,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub what: String,
    pub due_at: UnixMillis,
    pub attempts: i32,
    pub error: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    pub id: i64,
    pub what: String,
    pub error: String,
    pub attempts: i32,
    pub at: UnixMillis,
}

/// What goes on the paper of an order: its slip for the parcel, its invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paper {
    pub order: OrderView,
    /// Name and address of who sells, line by line.
    pub seller: Vec<String>,
    /// The seller's number for the tax office.
    pub tax_number: Option<String>,
    /// `None`: no money has come, so there is no invoice.
    pub paid_at: Option<UnixMillis>,
    pub taxes: Vec<TaxLine>,
}

/// The tax within an amount that the shopper paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxLine {
    /// `Books (HSN 4901), GST 0%`
    pub what: String,
    pub before: Minor,
    pub tax: Minor,
}
