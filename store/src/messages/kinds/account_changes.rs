//! Mails to the address of before about an account that changed: a new password (`account.password_changed`), a new
//! address (`account.email_changed`), which the mail does not name because who reads it may be a stranger by now.

use super::Kind;
use crate::{
    Store,
    accounts::{changes, links::Reader},
    error::Error,
    mail::{Block, Letter},
    messages::About,
};
use async_trait::async_trait;

pub(super) static PASSWORD: ChangeKind = ChangeKind {
    name: "account.password_changed",
    subject: "Your password was changed",
    letter: |hello, shop| {
        vec![
            Block::Heading("Your password was changed".into()),
            Block::Text(format!(
                "{hello} your account has a new password since just now. If that was you, all is well."
            )),
            Block::Text(
                "If it was not you, choose another one now. Whoever is signed in is signed out by that.".into(),
            ),
            Block::Button { words: "Choose another password".into(), href: format!("{shop}/password/forgot") },
        ]
    },
};

pub(super) static EMAIL: ChangeKind = ChangeKind {
    name: "account.email_changed",
    subject: "Your account has another e-mail address",
    letter: |hello, _| {
        vec![
            Block::Heading("Your account has another e-mail address".into()),
            Block::Text(format!(
                "{hello} news of your account and your orders goes to a new address from now on. Somebody who knows your \
                 password asked for it and confirmed it there. If that was you, all is well."
            )),
            Block::Text("If it was not you, answer this mail at once, and we look into it.".into()),
        ]
    },
};

pub(super) struct ChangeKind {
    name: &'static str,
    subject: &'static str,
    /// From a greeting and the shop's address.
    letter: fn(&str, &str) -> Vec<Block>,
}

#[async_trait]
impl Kind for ChangeKind {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn letter(&self, store: &Store, about: &About) -> Result<Option<Letter>, Error> {
        let Some(Reader { email, name, written_at }) = changes::reader(store, about.id).await? else { return Ok(None) };
        let blocks = (self.letter)(&format!("Hello {name},"), &store.config().base_url);
        Ok(Some(Letter { to: email, to_name: name, subject: self.subject.to_owned(), blocks, at: written_at }))
    }
}
