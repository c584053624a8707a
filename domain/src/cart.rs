//! A cart as clients see it, and its limits.

use crate::{BookId, Currency, Minor, Quantity};
use serde::{Deserialize, Serialize};

/// Most different titles in one cart.
pub const MAX_TITLES: u32 = 50;

/// Something the shopper should know about a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LineNotice {
    /// They asked for more than there is, or than one line may hold; the line holds what is left.
    Cut {
        asked: u32,
        left: u32,
    },
    SoldOut,
    OnlyLeft {
        left: u32,
    },
    /// No longer sold; the line stays until the shopper removes it.
    Retired,
    PriceChanged {
        was: Minor,
    },
}

/// One title in a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartLine {
    pub book_id: BookId,
    pub slug: String,
    pub title: String,
    pub authors: String,
    pub quantity: Quantity,
    pub unit_price: Minor,
    pub line_total: Minor,
    /// Copies on sale now; `None` while the gate does not know.
    pub available: Option<i64>,
    pub notice: Option<LineNotice>,
}

/// A whole cart; every edit answers with it and every live message carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartView {
    /// Grows with every change; the browser ignores older ones. 0: nothing was ever in it.
    pub version: i64,
    pub lines: Vec<CartLine>,
    pub subtotal: Minor,
    /// What delivery would cost now.
    pub delivery: Minor,
    /// Subtotal and delivery: what a checkout must expect.
    pub total: Minor,
    pub currency: Currency,
    /// Copies in all lines.
    pub copies: u32,
}

impl CartView {
    pub fn empty(currency: Currency) -> Self {
        Self {
            version: 0,
            lines: Vec::new(),
            subtotal: Minor::ZERO,
            delivery: Minor::ZERO,
            total: Minor::ZERO,
            currency,
            copies: 0,
        }
    }

    /// Whether every line can be ordered as it stands.
    pub fn is_orderable(&self) -> bool {
        !self.lines.is_empty()
            && self.lines.iter().all(|line| !matches!(line.notice, Some(LineNotice::SoldOut | LineNotice::Retired)))
    }
}

impl LineNotice {
    /// What the line says about it; prices in `currency`.
    pub fn sentence(&self, currency: Currency) -> String {
        match self {
            Self::Cut { asked, left } => format!("You asked for {asked}; we could give you {left}."),
            Self::SoldOut => "Sold out just now.".into(),
            Self::OnlyLeft { left: 1 } => "Only 1 left.".into(),
            Self::OnlyLeft { left } => format!("Only {left} left."),
            Self::Retired => "No longer sold.".into(),
            Self::PriceChanged { was } => format!("The price has changed; it was {}.", was.with(currency)),
        }
    }
}
