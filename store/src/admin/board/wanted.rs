//! What somebody wants to see on the board.

use domain::{AccountId, Minor, UnixMillis, account::Email, order::OrderStatus, payment::PaymentStatus};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// An absent part lets everything through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// A number, an e-mail, a name or an ISBN, or a part of the first three.
    pub search: Option<String>,
    pub status: Option<OrderStatus>,
    /// Of one and the same attempt to pay.
    pub payment: Option<PaymentStatus>,
    pub provider: Option<String>,
    /// Placed from this moment on, and before that one.
    pub from: Option<UnixMillis>,
    pub until: Option<UnixMillis>,
    pub min: Option<Minor>,
    pub max: Option<Minor>,
    /// Its number, ISBN, SKU or address.
    pub book: Option<String>,
    pub customer: Option<Customer>,
    /// Only what should have gone on by now.
    pub is_late: bool,
    /// Only those of which money is kept apart.
    pub money_apart: bool,
    pub sort: Sort,
    /// Where the page before ended.
    pub after: Option<Place>,
}

/// Whose orders: an account's, or an address's, whoever used it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Customer {
    Account(AccountId),
    Email(Email),
}

impl FromStr for Customer {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match (text.parse(), Email::parse(text)) {
            (Ok(account), _) => Ok(Self::Account(account)),
            (_, Ok(email)) => Ok(Self::Email(email)),
            _ => Err(()),
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Newest,
    Oldest,
    Largest,
    Smallest,
}

impl Sort {
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "" | "newest" => Self::Newest,
            "oldest" => Self::Oldest,
            "largest" => Self::Largest,
            "smallest" => Self::Smallest,
            _ => return None,
        })
    }

    pub(super) const fn is_by_total(self) -> bool {
        matches!(self, Self::Largest | Self::Smallest)
    }

    pub(super) const fn is_descending(self) -> bool {
        matches!(self, Self::Newest | Self::Largest)
    }

    /// The place of an order of that time (in microseconds) and total.
    pub(super) const fn place(self, (micros, total, id): (i64, i64, Uuid)) -> Place {
        Place { key: if self.is_by_total() { total } else { micros }, id }
    }
}

/// Where an order stands in a sorted list: what it is sorted by, and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub(super) key: i64,
    pub(super) id: Uuid,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.key, self.id)
    }
}

impl FromStr for Place {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (key, id) = text.split_once('.').ok_or(())?;
        Ok(Self { key: key.parse().map_err(drop)?, id: id.parse().map_err(drop)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back() {
        let place = Place { key: 1_763_636_412_000_123, id: Uuid::from_u128(7) };
        assert_eq!(place.to_string().parse(), Ok(place));
        for bad in ["", "7", ".", "7.x", "x.00000000-0000-0000-0000-000000000007"] {
            assert_eq!(bad.parse::<Place>(), Err(()), "{bad}");
        }
    }

    #[test]
    fn customers_are_accounts_or_addresses() {
        assert!(matches!("7".parse(), Ok(Customer::Account(id)) if id.get() == 7));
        assert!(matches!("Asha@Example.org".parse(), Ok(Customer::Email(mail)) if mail.as_str() == "asha@example.org"));
        assert_eq!("asha".parse::<Customer>(), Err(()));
    }
}
