//! The figures of a time, as the people of the shop see them.

use crate::{Currency, Minor};
use serde::{Deserialize, Serialize};

/// What a chosen time brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiguresView {
    /// `today`, `7`, `30`, `90`, or empty for days that were typed.
    pub period: String,
    /// First and last day: `2026-11-21`.
    pub from: String,
    pub to: String,
    /// `the last 7 days`
    pub label: String,
    /// What the figures beside are of: `the 7 days before`.
    pub before_label: String,
    /// Why the days that were typed could not be taken.
    pub wrong: Option<String>,
    pub currency: Currency,
    pub now: Totals,
    pub before: Totals,
    /// Today until now, and the same day of last week until the same time.
    pub today: Totals,
    pub week_ago: Totals,
    pub series: Vec<Point>,
    pub funnel: Funnel,
    pub top: Vec<TopBook>,
    pub low: Vec<LowBook>,
    /// How many books on sale have no more copies than they are low from.
    pub low_total: i64,
}

/// Sums of a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Money that came in, by when it came.
    pub captured: Minor,
    /// Money that went back, by when it had gone.
    pub refunded: Minor,
    /// Payments that brought the money.
    pub payments: i64,
    /// Orders placed, and how many of these expired.
    pub orders: i64,
    pub expired: i64,
}

impl Totals {
    pub const fn revenue(&self) -> Minor {
        Minor::new(self.captured.get() - self.refunded.get())
    }

    /// What a paid order comes to, to the nearest unit; `None`: nothing was paid.
    pub const fn average(&self) -> Option<Minor> {
        match self.payments {
            0 => None,
            payments => Some(Minor::new((self.captured.get() + payments / 2) / payments)),
        }
    }

    /// Orders that expired, of a thousand.
    pub const fn expiry_permille(&self) -> Option<i64> {
        share(self.expired, self.orders)
    }
}

/// A hour, a day or a week of the chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// `14:00`, `21 Nov`
    pub label: String,
    pub revenue: Minor,
    pub orders: i64,
}

/// How far people came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Funnel {
    /// People who had books in a cart, or ordered.
    pub carts: i64,
    pub ordered: i64,
    pub paid: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopBook {
    pub book_id: i64,
    pub title: String,
    pub slug: String,
    pub copies: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LowBook {
    pub book_id: i64,
    pub title: String,
    pub slug: String,
    pub available: i64,
}

/// A part of a whole, of a thousand, to the nearest; `None`: of nothing.
pub const fn share(part: i64, whole: i64) -> Option<i64> {
    match whole {
        0 => None,
        whole => Some((part * 1000 + whole / 2) / whole),
    }
}

/// `4.2%`
pub fn percent(permille: i64) -> String {
    let sign = if permille < 0 { "-" } else { "" };
    let permille = permille.unsigned_abs();
    match permille % 10 {
        0 => format!("{sign}{}%", permille / 10),
        rest => format!("{sign}{}.{rest}%", permille / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_and_shares_of_nothing_are_nothing() {
        assert_eq!((Totals::default().average(), Totals::default().expiry_permille()), (None, None));
        let totals = Totals { captured: Minor::new(1000), payments: 3, orders: 24, expired: 1, ..Totals::default() };
        assert_eq!(totals.average(), Some(Minor::new(333)));
        assert_eq!(totals.expiry_permille().map(percent), Some("4.2%".into()));
        assert_eq!([percent(0), percent(-5), percent(1000)], ["0%", "-0.5%", "100%"]);
    }
}
