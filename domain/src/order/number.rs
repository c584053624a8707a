//! The name by which people call an order.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A short, readable, unguessable name of an order: `BB-7K3M-9QXA` (40 bits in Crockford's base 32).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrderNumber(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an order number looks like BB-7K3M-9QXA")]
pub struct BadOrderNumber;

impl OrderNumber {
    const ALPHABET: &'static [u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// The number that these 40 bits spell. Feed it bits nobody can guess: a keyed hash of the order's id.
    pub fn from_bits(bits: [u8; 5]) -> Self {
        let value = bits.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        let mut text = String::from("BB");
        for place in 0..8 {
            if place % 4 == 0 {
                text.push('-');
            }
            let digit = (value >> (35 - 5 * place)) & 31;
            text.push(char::from(Self::ALPHABET[digit as usize]));
        }
        Self(text)
    }

    pub fn parse(text: &str) -> Result<Self, BadOrderNumber> {
        let upper = text.trim().to_ascii_uppercase();
        let bytes = upper.as_bytes();
        let shape = bytes.len() == 12 && upper.starts_with("BB-") && bytes[7] == b'-';
        let spelled = shape && bytes[3..7].iter().chain(&bytes[8..]).all(|b| Self::ALPHABET.contains(b));
        if spelled { Ok(Self(upper)) } else { Err(BadOrderNumber) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for OrderNumber {
    type Error = BadOrderNumber;
    fn try_from(text: String) -> Result<Self, BadOrderNumber> {
        Self::parse(&text)
    }
}

impl From<OrderNumber> for String {
    fn from(number: OrderNumber) -> String {
        number.0
    }
}

impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(OrderNumber::from_bits([0; 5]).as_str(), "BB-0000-0000");
        assert_eq!(OrderNumber::from_bits([255; 5]).as_str(), "BB-ZZZZ-ZZZZ");
        assert_eq!(OrderNumber::from_bits([0, 0, 0, 0, 33]).as_str(), "BB-0000-0011");
        assert_eq!(OrderNumber::parse(" bb-7k3m-9qxa ").map(String::from), Ok("BB-7K3M-9QXA".into()));
        for bad in ["", "BB-7K3M9QXA", "BB-7K3M-9QXI", "BB-7K3M-9QX", "XX-7K3M-9QXA", "BB-7K3M-9QXé"] {
            assert!(OrderNumber::parse(bad).is_err(), "{bad}");
        }
    }
}
