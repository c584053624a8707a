//! The ledger of copies, as people read and correct it.

use crate::{OrderId, UnixMillis, order::OrderNumber};
use serde::{Deserialize, Serialize};

/// Why copies moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// Copies came from a publisher.
    Receipt,
    /// An order holds them.
    Reserve,
    /// It gave them up.
    Release,
    /// It was paid.
    Sale,
    /// They came back from a shopper.
    Return,
    /// Somebody counted.
    Adjustment,
}

impl MovementKind {
    pub const ALL: [Self; 6] =
        [Self::Receipt, Self::Reserve, Self::Release, Self::Sale, Self::Return, Self::Adjustment];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Reserve => "reserve",
            Self::Release => "release",
            Self::Sale => "sale",
            Self::Return => "return",
            Self::Adjustment => "adjustment",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Receipt => "Delivered",
            Self::Reserve => "Held for an order",
            Self::Release => "Given up",
            Self::Sale => "Sold",
            Self::Return => "Came back",
            Self::Adjustment => "Corrected",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// One line of a book's history, and what there was after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    pub id: i64,
    pub kind: MovementKind,
    pub copies: i64,
    pub on_hand: i64,
    pub reserved: i64,
    pub order: Option<(OrderId, OrderNumber)>,
    /// What made a repeat the same correction, and why it was made.
    pub operation: Option<String>,
    pub note: Option<String>,
    /// The name of the admin who made it.
    pub by: Option<String>,
    pub at: UnixMillis,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for kind in MovementKind::ALL {
            assert_eq!(MovementKind::parse(kind.as_str()), Some(kind));
        }
    }
}
