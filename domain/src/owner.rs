//! Who owns a cart or an order: an account, or a guest known by a cookie.

use crate::ids::{AccountId, BadId, GuestId};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The owner of a cart or an order. Its text form, `a:<number>` or `g:<uuid>`, is also the cart's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Owner {
    Account(AccountId),
    Guest(GuestId),
}

/// Why a text names no owner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadOwner {
    #[error("an owner starts with a: or g:")]
    Kind,
    #[error(transparent)]
    Id(#[from] BadId),
}

impl Owner {
    /// How many buckets the carts are spread over.
    pub const CART_BUCKETS: u32 = 64;

    /// The bucket of this owner's cart, 0 to 63: FNV-1a of the text form, the same on every machine and for ever.
    pub fn cart_bucket(&self) -> u32 {
        let hash = self.to_string().bytes().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
        hash % Self::CART_BUCKETS
    }

    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Account(id) => Some(*id),
            Self::Guest(_) => None,
        }
    }

    pub fn guest(&self) -> Option<GuestId> {
        match self {
            Self::Guest(id) => Some(*id),
            Self::Account(_) => None,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(id) => write!(f, "a:{id}"),
            Self::Guest(id) => write!(f, "g:{id}"),
        }
    }
}

impl FromStr for Owner {
    type Err = BadOwner;
    fn from_str(text: &str) -> Result<Self, BadOwner> {
        match text.split_once(':') {
            Some(("a", id)) => Ok(Self::Account(id.parse()?)),
            Some(("g", id)) => Ok(Self::Guest(id.parse()?)),
            _ => Err(BadOwner::Kind),
        }
    }
}

impl TryFrom<String> for Owner {
    type Error = BadOwner;
    fn try_from(text: String) -> Result<Self, BadOwner> {
        text.parse()
    }
}

impl From<Owner> for String {
    fn from(owner: Owner) -> String {
        owner.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_comes_back() {
        for text in ["a:7", "g:6f9619ff-8b86-4d01-b42d-00cf4fc964ff"] {
            assert_eq!(text.parse::<Owner>().map(|o| o.to_string()), Ok(text.to_owned()));
        }
        for bad in ["", "a", "a:", "a:x", "x:1", "g:1", "a:0"] {
            assert!(bad.parse::<Owner>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn buckets_never_move() {
        // Stored data depends on these: a change of the hash would lose every cart.
        let bucket = |text: &str| text.parse::<Owner>().map(|o| o.cart_bucket());
        assert_eq!(bucket("a:1"), Ok(41));
        assert_eq!(bucket("a:2"), Ok(48));
    }
}
