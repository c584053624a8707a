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

/// What somebody typed is no amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write an amount like 499 or 499.50")]
pub struct BadAmount;

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

    /// What people type: `499`, `499.50`, `₹1,29,900`. A comma only parts groups of digits, so that `4,50` is never
    /// taken for four hundred and fifty.
    pub fn parse_typed(text: &str) -> Result<Self, BadAmount> {
        let text = text.trim().trim_start_matches(['₹', '$', '€', '£']).trim_start();
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let part = match part.len() {
            1 => digits(part)?.checked_mul(10),
            2 => Some(digits(part)?),
            _ => None,
        };
        let whole = digits(&without_commas(whole)?)?.checked_mul(100);
        whole.zip(part).and_then(|(whole, part)| whole.checked_add(part)).map(Self).ok_or(BadAmount)
    }

    /// As it is typed: `499`, `499.50`.
    pub fn typed(self) -> String {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => whole.to_string(),
            (whole, part) => format!("{whole}.{part:02}"),
        }
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

fn digits(text: &str) -> Result<i64, BadAmount> {
    let are_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if are_digits { text.parse().map_err(|_| BadAmount) } else { Err(BadAmount) }
}

/// Groups of two or three digits behind the first, the last one of three.
fn without_commas(text: &str) -> Result<String, BadAmount> {
    let groups: Vec<&str> = text.split(',').collect();
    let fits = |at: usize, group: &str| match at {
        0 => groups.len() == 1 || (1..=3).contains(&group.len()),
        at if at + 1 == groups.len() => group.len() == 3,
        _ => (2..=3).contains(&group.len()),
    };
    match groups.iter().enumerate().all(|(at, group)| fits(at, group)) {
        true => Ok(groups.concat()),
        false => Err(BadAmount),
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
    fn what_people_type_is_read_once_and_never_a_hundredfold() {
        let read = |text: &str| Minor::parse_typed(text).map(Minor::get);
        for (text, minor) in [
            ("499", 49_900),
            (" 499.50 ", 49_950),
            ("499.5", 49_950),
            ("0.05", 5),
            ("₹ 1,29,900.50", 12_990_050),
            ("12,345,678", 1_234_567_800),
            ("0", 0),
        ] {
            assert_eq!(read(text), Ok(minor), "{text}");
        }
        for bad in [
            "",
            ".",
            "5.",
            ".5",
            "4,50",
            "4,5000",
            "1,,000",
            ",500",
            "499.505",
            "-5",
            "+5",
            "1e3",
            "५",
            "5 0",
            "99999999999999999999",
        ] {
            assert_eq!(read(bad), Err(BadAmount), "{bad}");
        }
        for minor in [0, 5, 49_900, 49_950] {
            assert_eq!(read(&Minor::new(minor).typed()), Ok(minor));
        }
    }

    #[test]
    fn sums_stop_at_the_range() {
        assert_eq!(Minor::new(i64::MAX).plus(Minor::new(1)), None);
        let ten = Quantity::new(10).ok();
        assert_eq!(ten.and_then(|q| Minor::new(25).times(q)), Some(Minor::new(250)));
        assert_eq!(ten.and_then(|q| Minor::new(i64::MAX).times(q)), None);
    }
}
