//! How many copies of a title one line may ask for.

use serde::{Deserialize, Serialize};
use std::fmt;

/// 1 to [`Quantity::MAX`] copies of one title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Quantity(u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("choose between 1 and {} copies", Quantity::MAX)]
pub struct BadQuantity;

impl Quantity {
    /// Most copies of one title in a cart or an order.
    pub const MAX: u32 = 10;
    pub const ONE: Self = Self(1);

    pub fn new(copies: i64) -> Result<Self, BadQuantity> {
        match u32::try_from(copies) {
            Ok(copies @ 1..=Self::MAX) => Ok(Self(copies)),
            _ => Err(BadQuantity),
        }
    }

    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<i64> for Quantity {
    type Error = BadQuantity;
    fn try_from(copies: i64) -> Result<Self, BadQuantity> {
        Self::new(copies)
    }
}

impl From<Quantity> for i64 {
    fn from(quantity: Quantity) -> i64 {
        i64::from(quantity.0)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_to_ten() {
        for bad in [i64::MIN, -1, 0, 11, i64::MAX] {
            assert_eq!(Quantity::new(bad), Err(BadQuantity));
        }
        assert_eq!(Quantity::new(1).map(Quantity::get), Ok(1));
        assert_eq!(Quantity::new(10).map(Quantity::get), Ok(10));
    }
}
