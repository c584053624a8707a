//! Letters: the channel that reaches everybody, by SMTP or, without a server, as files.
//!
//! A worker that dies between the mail server's yes and our commit sends the letter again, under the same Message-ID:
//! the known limit of SMTP.

mod failure;
mod files;
mod letter;
mod links;
mod look;
mod queries;
mod settings;
mod smtp;
mod transport;
mod unsubscribe;

pub use failure::Failure;
pub(crate) use files::write as write_file;
pub(crate) use letter::{Letter, file_stem, line};
pub(crate) use links::{Purpose, address_of, opened};
pub(crate) use look::{Block, BookLine};
#[cfg(test)]
pub(crate) use look::{Footer, html, text};
pub use settings::{BadSender, BadSmtpUrl, MailConfig, Sender, SmtpServer, Way};
pub use unsubscribe::{Unsubscribing, unsubscribe, unsubscribing};

use crate::{
    Store,
    error::{During, Error},
    messages::{About, Channel, Kind, Sent},
};
use async_trait::async_trait;
use transport::Transport;

const OPERATION: &str = "mail.send";

pub(crate) struct Mail(Transport);

impl Mail {
    pub fn new(config: &MailConfig) -> Self {
        Self(Transport::new(config))
    }
}

#[async_trait]
impl Channel for Mail {
    fn name(&self) -> &'static str {
        "mail"
    }

    async fn send(&self, store: &Store, kind: &dyn Kind, about: &About) -> Result<Sent, Error> {
        let Some(letter) = kind.letter(store, about).await? else { return Ok(Sent::No("the reason is gone")) };
        if kind.may_be_declined().is_some()
            && queries::is_opted_out(store.pg(), letter.to.as_str(), kind.name()).await.during(OPERATION)?
        {
            return Ok(Sent::No("unsubscribed"));
        }
        let file = letter.file_name(kind.name(), about);
        let failed = |source| Error::Message { operation: OPERATION, source };
        let message = letter.into_message(store, kind, about).map_err(failed)?;
        self.0.deliver(message, &file).await.map_err(failed)?;
        Ok(Sent::Yes)
    }
}
