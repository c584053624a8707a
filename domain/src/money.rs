//! Money as whole minor units; no floats anywhere near it.

use crate::{Quantity, words::grouped};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A currency of ISO 4217 with two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    Inr,
    Usd,
    Eur,
    Gbp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a currency of this shop")]
pub struct UnknownCurrency;

impl Currency {
    /// The three-letter code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Inr => "INR",
            Self::Usd => "USD",
            Self::Eur => "EUR",
            Self::Gbp => "GBP",
        }
    }

    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Inr => "₹",
            Self::Usd => "$",
            Self::Eur => "€",
            Self::Gbp => "£",
        }
    }

    pub fn parse(code: &str) -> Result<Self, UnknownCurrency> {
        [Self::Inr, Self::Usd, Self::Eur, Self::Gbp].into_iter().find(|c| c.code() == code).ok_or(UnknownCurrency)
    }
}

/// An amount in minor units (paise, cents), whose currency stands beside it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Minor(i64);

impl Minor {
    pub const ZERO: Self = Self(0);

    pub const fn new(units: i64) -> Self {
        Self(units)
    }

    pub const fn get(self) -> i64 {
        self.0
    }

    /// The sum, or `None` past the range.
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The price of so many copies, or `None` past the range.
    pub fn times(self, quantity: Quantity) -> Option<Self> {
        self.0.checked_mul(i64::from(quantity.get())).map(Self)
    }

    /// As machines write it: `499.00`.
    pub fn decimal(self) -> String {
        let units = self.0.unsigned_abs();
        format!("{}{}.{:02}", if self.0 < 0 { "-" } else { "" }, units / 100, units % 100)
    }

    pub const fn with(self, currency: Currency) -> Money {
        Money { minor: self, currency }
    }
}

/// An amount of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    minor: Minor,
    currency: Currency,
}

impl Money {
    pub const fn new(minor: Minor, currency: Currency) -> Self {
        Self { minor, currency }
    }

    pub const fn minor(self) -> Minor {
        self.minor
    }

    pub const fn currency(self) -> Currency {
        self.currency
    }
}

/// As people write it: `₹499`, `₹1,29,900.50`; whole amounts without decimals, rupees in lakh groups.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.minor.get().unsigned_abs();
        let sign = if self.minor.get() < 0 { "-" } else { "" };
        let whole = grouped(units / 100, self.currency == Currency::Inr);
        write!(f, "{sign}{}{whole}", self.currency.symbol())?;
        match units % 100 {
            0 => Ok(()),
            part => write!(f, ".{part:02}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(units: i64, currency: Currency) -> String {
        Minor::new(units).with(currency).to_string()
    }

    #[test]
    fn people_can_read_it() {
        assert_eq!(shown(49_900, Currency::Inr), "₹499");
        assert_eq!(shown(100, Currency::Inr), "₹1");
        assert_eq!(shown(0, Currency::Inr), "₹0");
        assert_eq!(shown(12_990_050, Currency::Inr), "₹1,29,900.50");
        assert_eq!(shown(1_234_567_800, Currency::Inr), "₹1,23,45,678");
        assert_eq!(shown(1_234_567_805, Currency::Usd), "$12,345,678.05");
        assert_eq!(shown(-5, Currency::Eur), "-€0.05");
    }

    #[test]
    fn machines_can_read_it() {
        let written = [0, 5, 49_900, -12_990_050].map(|units| Minor::new(units).decimal());
        assert_eq!(written, ["0.00", "0.05", "499.00", "-129900.50"]);
    }

    #[test]
    fn sums_stop_at_the_range() {
        assert_eq!(Minor::new(i64::MAX).plus(Minor::new(1)), None);
        let ten = Quantity::new(10).ok();
        assert_eq!(ten.and_then(|q| Minor::new(25).times(q)), Some(Minor::new(250)));
        assert_eq!(ten.and_then(|q| Minor::new(i64::MAX).times(q)), None);
    }
}
