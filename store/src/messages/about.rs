//! What a message is about, as the outbox, file names and Message-IDs spell it.

use std::fmt;
use uuid::Uuid;

/// `<id>`, or `<id>.<step>`: an order and the number of a row of its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct About {
    pub id: Uuid,
    pub step: Option<i64>,
}

impl About {
    pub const fn thing(id: Uuid) -> Self {
        Self { id, step: None }
    }

    pub const fn step(id: Uuid, step: i64) -> Self {
        Self { id, step: Some(step) }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('.') {
            None => text.parse().ok().map(Self::thing),
            Some((id, step)) => Some(Self::step(id.parse().ok()?, step.parse().ok()?)),
        }
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            None => self.id.fmt(f),
            Some(step) => write!(f, "{}.{step}", self.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back() {
        for about in [About::thing(Uuid::from_u128(7)), About::step(Uuid::from_u128(7), 3)] {
            assert_eq!(About::parse(&about.to_string()), Some(about));
        }
        for bad in ["", "7", ".3", "00000000-0000-0000-0000-000000000007.", "00000000-0000-0000-0000-000000000007.x"] {
            assert_eq!(About::parse(bad), None, "{bad}");
        }
    }
}
