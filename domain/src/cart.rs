//! A cart as clients see it, and its limits.

use crate::{BookId, Currency, Minor, Quantity};
use serde::{Deserialize, Serialize};

/// Most different titles in one cart.
pub const MAX_TITLES: u32 = 50;

/// Something the shopper should know about a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", from = "WrittenNotice")]
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

/// [`LineNotice`] as it stands in JSON. serde reads a tagged enum through a buffer; reading it as this does not, which
/// keeps that buffer out of the browser's code.
#[derive(Deserialize)]
struct WrittenNotice {
    kind: Kind,
    #[serde(default)]
    asked: u32,
    #[serde(default)]
    left: u32,
    #[serde(default)]
    was: Minor,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Cut,
    SoldOut,
    OnlyLeft,
    Retired,
    PriceChanged,
}

impl From<WrittenNotice> for LineNotice {
    fn from(written: WrittenNotice) -> Self {
        let WrittenNotice { kind, asked, left, was } = written;
        match kind {
            Kind::Cut => Self::Cut { asked, left },
            Kind::SoldOut => Self::SoldOut,
            Kind::OnlyLeft => Self::OnlyLeft { left },
            Kind::Retired => Self::Retired,
            Kind::PriceChanged => Self::PriceChanged { was },
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_are_read_as_they_are_written() {
        let notices = [
            LineNotice::Cut { asked: 5, left: 3 },
            LineNotice::SoldOut,
            LineNotice::OnlyLeft { left: 2 },
            LineNotice::Retired,
            LineNotice::PriceChanged { was: Minor::new(39_900) },
        ];
        for notice in notices {
            let text = serde_json::to_string(&notice).unwrap();
            assert_eq!(serde_json::from_str::<LineNotice>(&text).unwrap(), notice, "{text}");
        }
        assert_eq!(serde_json::to_string(&LineNotice::SoldOut).unwrap(), r#"{"kind":"sold_out"}"#);
    }
}
