//! Ids as types of their own, so that an order is never looked up by the id of a book.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {what}")]
pub struct BadId {
    what: &'static str,
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "i64", into = "i64")]
        pub struct $name(i64);

        impl $name {
            /// The id with this number; ids start at 1.
            pub fn new(number: i64) -> Result<Self, BadId> {
                if number > 0 { Ok(Self(number)) } else { Err(BadId { what: $what }) }
            }

            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = BadId;
            fn try_from(number: i64) -> Result<Self, BadId> {
                Self::new(number)
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> i64 {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
                let number = if digits { text.parse().ok() } else { None };
                number.map_or(Err(BadId { what: $what }), Self::new)
            }
        }
    };
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            pub const fn get(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            /// Only the hyphenated form, as `Display` writes it.
            fn from_str(text: &str) -> Result<Self, BadId> {
                let id = (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten();
                id.map(Self).ok_or(BadId { what: $what })
            }
        }
    };
}

number_id!(/// A title on sale.
    BookId, "book id");
number_id!(/// A registered person, shopper or admin.
    AccountId, "account id");
uuid_id!(/// Somebody who has not logged in, named by a signed cookie.
    GuestId, "guest id");
uuid_id!(/// An order; derived from its owner and idempotency key, see [`OrderId::derive_input`].
    OrderId, "order id");
uuid_id!(/// One attempt to pay an order at one provider.
    PaymentId, "payment id");
uuid_id!(/// An address of an address book.
    AddressId, "address id");
uuid_id!(/// Money on its way back.
    RefundId, "refund id");

impl OrderId {
    /// The bytes whose hash is the order's id: the same owner and key name the same order after any loss (promise 3).
    pub fn derive_input(owner: &crate::Owner, key: &IdempotencyKey) -> String {
        format!("bazar-order\n{owner}\n{key}")
    }
}

/// What a client sends to make a retry the same request (the IETF `Idempotency-Key` draft).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Longest key accepted, in bytes.
    pub const MAX_LEN: usize = 128;

    /// 1 to [`Self::MAX_LEN`] visible ASCII characters.
    pub fn parse(text: &str) -> Result<Self, BadId> {
        let fits = !text.is_empty() && text.len() <= Self::MAX_LEN;
        if fits && text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadId { what: "idempotency key" })
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for IdempotencyKey {
    type Error = BadId;
    fn try_from(text: String) -> Result<Self, BadId> {
        Self::parse(&text)
    }
}

impl From<IdempotencyKey> for String {
    fn from(key: IdempotencyKey) -> String {
        key.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_no_ids_are_refused() {
        for bad in ["", "0", "-1", "+1", "1.0", " 1", "1e3", "99999999999999999999", "१"] {
            assert!(bad.parse::<BookId>().is_err(), "{bad:?}");
        }
        assert_eq!("42".parse::<BookId>().map(BookId::get), Ok(42));
        assert!(serde_json::from_str::<BookId>("0").is_err());
    }

    #[test]
    fn uuids_have_one_spelling() {
        let id = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";
        assert_eq!(id.parse::<OrderId>().map(|id| id.to_string()), Ok(id.to_owned()));
        assert!("6f9619ff8b864d01b42d00cf4fc964ff".parse::<OrderId>().is_err());
        assert!("{6f9619ff-8b86-4d01-b42d-00cf4fc964f}".parse::<OrderId>().is_err());
    }

    #[test]
    fn keys_are_bounded_and_visible() {
        assert!(IdempotencyKey::parse("").is_err());
        assert!(IdempotencyKey::parse("a b").is_err());
        assert!(IdempotencyKey::parse("é").is_err());
        assert!(IdempotencyKey::parse(&"k".repeat(128)).is_ok());
        assert!(IdempotencyKey::parse(&"k".repeat(129)).is_err());
    }
}
