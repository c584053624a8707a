//! What a message is about, as the outbox, file names and Message-IDs spell it.

use std::fmt;
use uuid::Uuid;

/// `<id>`, or `<id>.<step>`: an order and the number of a row of its history. What a person had sent again is another message:
/// `<id>.<step>~<copy>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct About {
    pub id: Uuid,
    pub step: Option<i64>,
    pub copy: Option<i64>,
}

impl About {
    pub const fn thing(id: Uuid) -> Self {
        Self { id, step: None, copy: None }
    }

    pub const fn step(id: Uuid, step: i64) -> Self {
        Self { id, step: Some(step), copy: None }
    }

    pub const fn again(self, copy: i64) -> Self {
        Self { copy: Some(copy), ..self }
    }

    pub fn parse(text: &str) -> Option<Self> {
        if let Some((first, copy)) = text.split_once('~') {
            return Some(Self::parse(first)?.again(copy.parse().ok()?));
        }
        match text.split_once('.') {
            None => text.parse().ok().map(Self::thing),
            Some((id, step)) => Some(Self::step(id.parse().ok()?, step.parse().ok()?)),
        }
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)?;
        if let Some(step) = self.step {
            write!(f, ".{step}")?;
        }
        self.copy.map_or(Ok(()), |copy| write!(f, "~{copy}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back() {
        let (thing, step) = (About::thing(Uuid::from_u128(7)), About::step(Uuid::from_u128(7), 3));
        for about in [thing, step, thing.again(2), step.again(2)] {
            assert_eq!(About::parse(&about.to_string()), Some(about));
        }
        for bad in [
            "",
            "7",
            ".3",
            "00000000-0000-0000-0000-000000000007.",
            "00000000-0000-0000-0000-000000000007.x",
            "00000000-0000-0000-0000-000000000007~",
        ] {
            assert_eq!(About::parse(bad), None, "{bad}");
        }
    }
}
