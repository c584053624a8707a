//! The book trade's number, always kept as ISBN-13.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An ISBN-13 with a valid check digit, 13 digits without hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Isbn(String);

/// Why a text is not an ISBN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadIsbn {
    #[error("an ISBN has 10 or 13 digits")]
    Length,
    #[error("an ISBN starts with 978 or 979")]
    Prefix,
    #[error("the ISBN's check digit does not fit")]
    CheckDigit,
}

impl Isbn {
    /// Reads an ISBN-13 or ISBN-10, hyphens and spaces allowed; an ISBN-10 becomes its ISBN-13.
    pub fn parse(text: &str) -> Result<Self, BadIsbn> {
        let chars: Vec<char> = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
        match chars.len() {
            13 => Self::parse_13(&chars),
            10 => Self::parse_10(&chars),
            _ => Err(BadIsbn::Length),
        }
    }

    fn parse_13(chars: &[char]) -> Result<Self, BadIsbn> {
        let digits: Option<Vec<u32>> = chars.iter().map(|c| c.to_digit(10)).collect();
        let digits = digits.ok_or(BadIsbn::Length)?;
        if !matches!(digits[..3], [9, 7, 8 | 9]) {
            return Err(BadIsbn::Prefix);
        }
        if check_digit_13(&digits[..12]) != digits[12] {
            return Err(BadIsbn::CheckDigit);
        }
        Ok(Self(chars.iter().collect()))
    }

    fn parse_10(chars: &[char]) -> Result<Self, BadIsbn> {
        let body: Option<Vec<u32>> = chars[..9].iter().map(|c| c.to_digit(10)).collect();
        let body = body.ok_or(BadIsbn::Length)?;
        let last = match chars[9] {
            'X' | 'x' => 10,
            c => c.to_digit(10).ok_or(BadIsbn::Length)?,
        };
        let sum: u32 = body.iter().zip((2..=10).rev()).map(|(d, weight)| d * weight).sum();
        if !(sum + last).is_multiple_of(11) {
            return Err(BadIsbn::CheckDigit);
        }
        let mut digits = vec![9, 7, 8];
        digits.extend(body);
        digits.push(check_digit_13(&digits));
        Ok(Self(digits.iter().filter_map(|d| char::from_digit(*d, 10)).collect()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The last digit of an ISBN-13 (ISO 2108): weights 1 and 3 in turn over the first twelve.
fn check_digit_13(digits: &[u32]) -> u32 {
    let sum: u32 = digits.iter().zip([1, 3].into_iter().cycle()).map(|(d, weight)| d * weight).sum();
    (10 - sum % 10) % 10
}

impl TryFrom<String> for Isbn {
    type Error = BadIsbn;
    fn try_from(text: String) -> Result<Self, BadIsbn> {
        Self::parse(&text)
    }
}

impl From<Isbn> for String {
    fn from(isbn: Isbn) -> String {
        isbn.0
    }
}

impl fmt::Display for Isbn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_become_isbn_13() {
        assert_eq!(Isbn::parse("978-0-439-02348-1").map(String::from), Ok("9780439023481".into()));
        assert_eq!(Isbn::parse("0439023483").map(String::from), Ok("9780439023481".into()));
        assert_eq!(Isbn::parse("080442957X").map(String::from), Ok("9780804429573".into()));
    }

    #[test]
    fn wrong_ones_say_why() {
        assert_eq!(Isbn::parse("9780439023482"), Err(BadIsbn::CheckDigit));
        assert_eq!(Isbn::parse("0439023484"), Err(BadIsbn::CheckDigit));
        assert_eq!(Isbn::parse("1234567890128"), Err(BadIsbn::Prefix));
        assert_eq!(Isbn::parse("97804390234"), Err(BadIsbn::Length));
        assert_eq!(Isbn::parse("97804390234é1"), Err(BadIsbn::Length));
        assert_eq!(Isbn::parse(""), Err(BadIsbn::Length));
    }
}
