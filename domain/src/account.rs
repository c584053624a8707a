//! People with an account, and what they may do.

use crate::{AccountId, ApiError};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// What an account may do; what that is, [`Role::may`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Shopper,
    /// Answers customers.
    Support,
    /// Packs and counts.
    Packer,
    /// Runs the shop.
    Manager,
    /// Runs the shop and says who else does.
    Owner,
}

impl Role {
    pub const ALL: [Self; 5] = [Self::Shopper, Self::Support, Self::Packer, Self::Manager, Self::Owner];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shopper => "shopper",
            Self::Support => "support",
            Self::Packer => "packer",
            Self::Manager => "manager",
            Self::Owner => "owner",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// The account of the person looking at a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    pub id: AccountId,
    pub email: Email,
    pub name: String,
    pub role: Role,
    /// They read the mails of that address.
    #[serde(default)]
    pub is_verified: bool,
}

/// An e-mail address in lower case, plausible enough to write to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this does not look like an e-mail address")]
pub struct BadEmail;

impl Email {
    /// Longest address (RFC 5321), in bytes.
    pub const MAX_LEN: usize = 254;

    pub fn parse(text: &str) -> Result<Self, BadEmail> {
        let text = text.trim().to_lowercase();
        let plain = text.len() <= Self::MAX_LEN
            && !text
                .chars()
                .any(|c| c.is_whitespace() || c.is_control() || matches!(c, ',' | ';' | '<' | '>' | '"' | '(' | ')'));
        let (local, host) = text.rsplit_once('@').ok_or(BadEmail)?;
        let host_fits = host.contains('.')
            && host.split('.').all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'));
        let fits = plain && !local.is_empty() && local.len() <= 64 && !local.contains('@') && host_fits;
        if fits { Ok(Self(text)) } else { Err(BadEmail) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Email {
    type Error = BadEmail;
    fn try_from(text: String) -> Result<Self, BadEmail> {
        Self::parse(&text)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> String {
        email.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What registration asks for, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Registration {
    pub email: Email,
    pub password: String,
    pub name: String,
}

/// Shortest and longest password, in characters and in bytes.
pub const PASSWORD_MIN: usize = 8;
pub const PASSWORD_MAX_BYTES: usize = 256;
/// Longest name, in characters.
pub const NAME_MAX: usize = 80;

impl Registration {
    /// Checks the three fields; the error names each wrong one.
    pub fn parse(email: &str, password: &str, name: &str) -> Result<Self, ApiError> {
        let mut wrong = BTreeMap::new();
        let parsed = Email::parse(email);
        if parsed.is_err() {
            wrong.insert("email".to_owned(), "This does not look like an e-mail address.".to_owned());
        }
        wrong.extend(check_password(password).err().map(|message| ("password".to_owned(), message)));
        let name = parse_name(name).map_err(|message| wrong.insert("name".into(), message));
        match (parsed, name) {
            (Ok(email), Ok(name)) if wrong.is_empty() => Ok(Self { email, password: password.to_owned(), name }),
            _ => Err(ApiError::fields(wrong)),
        }
    }
}

/// Whether a new password will do; the error says why not.
pub fn check_password(password: &str) -> Result<(), String> {
    if password.chars().count() < PASSWORD_MIN {
        Err(format!("Use at least {PASSWORD_MIN} characters."))
    } else if password.len() > PASSWORD_MAX_BYTES {
        Err(format!("Use at most {PASSWORD_MAX_BYTES} bytes."))
    } else {
        Ok(())
    }
}

/// A person's name without the spaces around it; the error says what is wrong.
pub fn parse_name(name: &str) -> Result<String, String> {
    let name = name.trim();
    let fits = !name.is_empty() && name.chars().count() <= NAME_MAX && !name.chars().any(char::is_control);
    if fits { Ok(name.to_owned()) } else { Err(format!("Please give a name of up to {NAME_MAX} characters.")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plausible_addresses_only() {
        assert_eq!(Email::parse(" Asha@Example.ORG ").map(String::from), Ok("asha@example.org".into()));
        for bad in
            ["", "a", "@b.c", "a@", "a@b", "a b@c.d", "a@b..c", "a@-b.c", "a@@b.c", "<a@b.c>", "a@b.c,d@e.f", "a\n@b.c"]
        {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn registration_names_every_wrong_field() {
        let fields = |e: &str, p: &str, n: &str| {
            Registration::parse(e, p, n).err().map(|e| e.fields.into_keys().collect::<Vec<_>>())
        };
        assert_eq!(fields("x", "short", " "), Some(["email", "name", "password"].map(String::from).to_vec()));
        assert_eq!(fields("a@b.in", "long enough", "A"), None);
        assert_eq!(fields("a@b.in", &"p".repeat(257), "A"), Some(vec!["password".into()]));
    }
}
