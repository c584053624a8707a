//! The tax within a price: prices are what people pay, the tax is a part of them.

use crate::{Minor, desk::TaxLine};
use std::fmt;

/// A rate in hundredths of a percent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rate(u32);

impl Rate {
    /// `18`, `2.5` or `0.25`, in percent.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let fits = !whole.is_empty() && whole.len() <= 3 && part.len() <= 2 && are_digits(whole) && are_digits(part);
        let rate = fits.then(|| format!("{whole}{part:0<2}"))?.parse().ok()?;
        (rate <= 10_000).then_some(Self(rate))
    }

    /// How much of an amount that includes it is tax, to the nearest minor unit.
    pub fn within(self, amount: Minor) -> Minor {
        let rate = i128::from(self.0);
        let (part, whole) = (i128::from(amount.get()) * rate, 10_000 + rate);
        Minor::new(i64::try_from((2 * part + whole).div_euclid(2 * whole)).unwrap_or(0))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(f, "{whole}%"),
            (whole, part) if part % 10 == 0 => write!(f, "{whole}.{}%", part / 10),
            (whole, part) => write!(f, "{whole}.{part:02}%"),
        }
    }
}

/// What the shop's taxes are. Printed books carry none in India, and delivery goes with what it delivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taxes {
    /// `GST`
    pub name: String,
    /// The seller's number for the tax office.
    pub number: Option<String>,
    pub books: Rate,
    pub delivery: Rate,
}

impl Default for Taxes {
    fn default() -> Self {
        Self { name: "GST".into(), number: None, books: Rate::default(), delivery: Rate::default() }
    }
}

impl Taxes {
    /// The lines of an invoice.
    pub fn lines(&self, books: Minor, delivery: Minor) -> Vec<TaxLine> {
        let line = |what: &str, rate: Rate, amount: Minor| {
            let tax = rate.within(amount);
            let before = Minor::new(amount.get() - tax.get());
            TaxLine { what: format!("{what}, {} {rate}", self.name), before, tax }
        };
        let books = line("Printed books (HSN 4901)", self.books, books);
        let delivery = (delivery > Minor::ZERO).then(|| line("Delivery", self.delivery, delivery));
        std::iter::once(books).chain(delivery).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_percents_with_at_most_two_decimals() {
        let read = |text: &str| Rate::parse(text).map(|rate| rate.to_string());
        let fine = [("0", "0%"), ("18", "18%"), (" 2.5 ", "2.5%"), ("0.25", "0.25%"), ("100", "100%"), ("5.", "5%")];
        for (text, shown) in fine {
            assert_eq!(read(text).as_deref(), Some(shown), "{text}");
        }
        for bad in ["", ".5", "-1", "101", "1.234", "1e1", "a"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_tax_and_what_is_left_are_the_price() {
        let rate = Rate::parse("18").unwrap();
        assert_eq!(rate.within(Minor::new(11_800)), Minor::new(1_800));
        assert_eq!(rate.within(Minor::new(49_900)), Minor::new(7_612), "7611.86 is nearer to the next paisa");
        assert_eq!(Rate::default().within(Minor::new(49_900)), Minor::ZERO);
        let taxes = Taxes { delivery: rate, ..Taxes::default() };
        let lines = taxes.lines(Minor::new(49_900), Minor::new(4_900));
        assert_eq!(lines.iter().map(|line| line.before.get() + line.tax.get()).collect::<Vec<_>>(), [49_900, 4_900]);
        assert_eq!(lines[1].what, "Delivery, GST 18%");
        assert_eq!(taxes.lines(Minor::new(1), Minor::ZERO).len(), 1, "free delivery has no line");
    }
}
