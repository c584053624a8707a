//! What the mail channel is told from outside; whatever cannot be understood is refused at the start.

use crate::config::Secret;
use lettre::{
    Address, AsyncSmtpTransport, Tokio1Executor, message::Mailbox, transport::smtp::AsyncSmtpTransportBuilder,
};
use std::{fmt, path::PathBuf, time::Duration};

#[derive(Debug, Clone)]
pub struct MailConfig {
    pub way: Way,
    pub from: Sender,
    /// Signs the links in mails.
    pub link_secret: Secret,
    /// Longest wait for one reply of the mail server.
    pub reply_timeout: Duration,
}

impl MailConfig {
    pub const REPLY_TIMEOUT: Duration = Duration::from_secs(8);
}

/// How mails leave.
#[derive(Debug, Clone)]
pub enum Way {
    Smtp(SmtpServer),
    /// As `.eml` files in this folder.
    Files(PathBuf),
}

impl Way {
    /// For people.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Smtp(_) => "by a mail server",
            Self::Files(_) => "into files",
        }
    }
}

/// `Book Bazar <books@shop.example>`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender(pub(super) Mailbox);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a name and an address like: Book Bazar <books@shop.example>")]
pub struct BadSender;

impl Sender {
    pub fn parse(text: &str) -> Result<Self, BadSender> {
        text.parse().map(Self).map_err(|_| BadSender)
    }

    /// For mails that stay on this machine.
    pub fn local() -> Self {
        Self(Mailbox::new(Some("Book Bazar".into()), Address::new_dangerous("books", "bookbazar.local")))
    }
}

/// A mail server, and how to get in.
#[derive(Clone)]
pub struct SmtpServer(pub(super) AsyncSmtpTransportBuilder);

/// Says nothing of the URL: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a URL of the kind smtps://user:password@mail.example:465")]
pub struct BadSmtpUrl;

impl SmtpServer {
    /// `smtps://` is encrypted from the start, `smtp://` is not unless it says `?tls=required` (STARTTLS); but a
    /// password never goes over a network in the clear, so with one STARTTLS is required anyway.
    pub fn parse(url: &str) -> Result<Self, BadSmtpUrl> {
        let mut url: reqwest::Url = url.parse().map_err(|_| BadSmtpUrl)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(BadSmtpUrl)?;
        let is_local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        let says_tls = url.query_pairs().any(|(name, _)| name == "tls");
        if url.scheme() == "smtp" && url.password().is_some() && !is_local && !says_tls {
            url.query_pairs_mut().append_pair("tls", "required");
        }
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str());
        builder.map(Self).map_err(|_| BadSmtpUrl)
    }
}

impl fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmtpServer(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_ones_are_refused() {
        for good in ["smtp://127.0.0.1:2525", "smtps://u:p%40x@mail.example:465", "smtp://u:p@mail.example:587"] {
            assert!(SmtpServer::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "mail.example", "http://mail.example", "smtp://", "smtp://mail.example?tls=maybe"] {
            assert!(SmtpServer::parse(bad).is_err(), "{bad}");
        }
        assert!(Sender::parse("Book Bazar <books@shop.example>").is_ok());
        for bad in ["", "Book Bazar", "books@", "a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.example"] {
            assert!(Sender::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_is_not_sent_in_the_clear_nor_printed() {
        let tls = |url| format!("{:?}", SmtpServer::parse(url).expect("parse").0);
        assert!(tls("smtp://u:secret@mail.example:587").contains("Required"));
        assert!(!tls("smtp://mail.example:25").contains("Required"));
        assert!(!format!("{:?}", SmtpServer::parse("smtp://u:secret@mail.example").expect("parse")).contains("secret"));
    }
}
