//! The kinds of mail the shop sends, one per file.

mod forgotten_cart;

use super::letter::Letter;
use crate::{Store, error::Error};
use async_trait::async_trait;
use domain::account::Email;
use uuid::Uuid;

pub(super) static ALL: &[&dyn Kind] = &[&forgotten_cart::ForgottenCart];

pub(crate) const FORGOTTEN_CART: &str = forgotten_cart::NAME;

/// A reason to write to somebody.
#[async_trait]
pub(super) trait Kind: Send + Sync {
    /// In the outbox and in opt-outs: `cart.forgotten`.
    fn name(&self) -> &'static str;

    /// For mails that people may decline: what they would no longer get.
    fn may_be_declined(&self) -> Option<&'static str> {
        None
    }

    /// The letter as things stand now; `None`: the reason is gone, or it went out before.
    async fn write(&self, store: &Store, id: Uuid) -> Result<Option<Letter>, Error>;

    /// Whose mail that is, for declining.
    async fn recipient(&self, _store: &Store, _id: Uuid) -> Result<Option<Email>, Error> {
        Ok(None)
    }

    /// It has left the shop.
    async fn sent(&self, _store: &Store, _id: Uuid) -> Result<(), Error> {
        Ok(())
    }
}

pub(super) fn named(name: &str) -> Option<&'static dyn Kind> {
    ALL.iter().copied().find(|kind| kind.name() == name)
}
