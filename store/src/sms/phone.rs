//! Numbers as networks dial them.

use std::fmt;

/// `+919845012345`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phone(String);

impl Phone {
    /// What somebody typed for a courier of that country; `None`: it cannot be dialled from elsewhere.
    pub fn parse(text: &str, country: &str) -> Option<Self> {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let number = match digits.strip_prefix("00") {
            _ if text.trim_start().starts_with('+') => digits,
            Some(abroad) => abroad.to_owned(),
            None if country == "IN" => match digits.trim_start_matches('0') {
                own if own.len() == 10 => format!("91{own}"),
                whole if whole.len() == 12 && whole.starts_with("91") => whole.to_owned(),
                _ => return None,
            },
            None => return None,
        };
        (8..=15).contains(&number.len()).then(|| Self(format!("+{number}")))
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_can_be_dialled_or_is_left_alone() {
        let dialled = |text, country| Phone::parse(text, country).map(|phone| phone.0);
        for text in ["+91 98450 12345", "9845012345", "098450-12345", "0091 98450 12345", "91 98450 12345"] {
            assert_eq!(dialled(text, "IN").as_deref(), Some("+919845012345"), "{text}");
        }
        assert_eq!(dialled("+49 (30) 901820", "DE").as_deref(), Some("+4930901820"));
        for (text, country) in
            [("", "IN"), ("12345", "IN"), ("030 901820", "DE"), ("+", "IN"), ("+1234567890123456", "US")]
        {
            assert_eq!(dialled(text, country), None, "{text}");
        }
    }
}
