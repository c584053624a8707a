//! Mails that prove an address: whether it is the account's (`account.verify`), and the way to a new password
//! (`account.reset`). Both end with their link.

use super::Kind;
use crate::{
    Store,
    accounts::links::{self, Purpose, Reader},
    error::Error,
    mail::{self, Block, Letter, address_of},
    messages::About,
};
use async_trait::async_trait;

pub(super) static VERIFY: AccountKind = AccountKind {
    name: "account.verify",
    purpose: Purpose::Verify,
    door: mail::Purpose::VerifyEmail,
    subject: "Is this your e-mail address?",
    letter: |hello, href| {
        vec![
            Block::Heading("Is this your e-mail address?".into()),
            Block::Text(format!(
                "{hello} please confirm that news of your orders reaches you here. Orders that you placed as a guest with \
                 this address then appear in your account."
            )),
            Block::Button { words: "Confirm this address".into(), href },
            Block::Small(
                "The link works once, for two days, and asks you to log in. If you have no account with us, somebody \
                 mistyped their address: do nothing, and nothing happens."
                    .into(),
            ),
        ]
    },
};

pub(super) static RESET: AccountKind = AccountKind {
    name: "account.reset",
    purpose: Purpose::Reset,
    door: mail::Purpose::ResetPassword,
    subject: "A new password for your account",
    letter: |hello, href| {
        vec![
            Block::Heading("Choose a new password".into()),
            Block::Text(format!(
                "{hello} somebody asked for a new password for your account. If that was you, choose one here; you are then \
                 signed out everywhere else."
            )),
            Block::Button { words: "Choose a new password".into(), href },
            Block::Small(
                "The link works once, for one hour. If you did not ask for it, do nothing: your password stays as it is."
                    .into(),
            ),
        ]
    },
};

/// A kind of mail with a link that proves an address.
pub(super) struct AccountKind {
    name: &'static str,
    purpose: Purpose,
    door: mail::Purpose,
    subject: &'static str,
    /// From a greeting and the link.
    letter: fn(&str, String) -> Vec<Block>,
}

#[async_trait]
impl Kind for AccountKind {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn letter(&self, store: &Store, about: &About) -> Result<Option<Letter>, Error> {
        let Some(Reader { email, name, written_at }) = links::reader(store, self.purpose, about.id).await? else {
            return Ok(None);
        };
        let blocks = (self.letter)(&format!("Hello {name},"), address_of(store, self.door, about.id));
        Ok(Some(Letter { to: email, to_name: name, subject: self.subject.to_owned(), blocks, at: written_at }))
    }
}
