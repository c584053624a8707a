//! The kinds of messages the shop sends, one per file.

mod account_changes;
mod accounts;
mod forgotten_cart;
mod orders;

pub(crate) use orders::of_step;

use super::About;
use crate::{Store, error::Error, mail::Letter, sms::Note};
use async_trait::async_trait;
use domain::account::Email;

pub(crate) static FORGOTTEN_CART: &dyn Kind = &forgotten_cart::ForgottenCart;
pub(crate) static VERIFY_EMAIL: &dyn Kind = &accounts::VERIFY;
pub(crate) static RESET_PASSWORD: &dyn Kind = &accounts::RESET;
pub(crate) static EMAIL_CHANGED: &dyn Kind = &account_changes::EMAIL;
pub(crate) static PASSWORD_CHANGED: &dyn Kind = &account_changes::PASSWORD;
pub(crate) static REFUNDED: &dyn Kind = &orders::REFUNDED;

pub(crate) static ALL: &[&dyn Kind] = &[
    &forgotten_cart::ForgottenCart,
    &accounts::VERIFY,
    &accounts::RESET,
    &account_changes::EMAIL,
    &account_changes::PASSWORD,
    &orders::PLACED,
    &orders::PAID,
    &orders::SHIPPED,
    &orders::DELIVERED,
    &orders::EXPIRED,
    &orders::CANCELLED,
    &orders::REFUNDED,
    &orders::MONEY_GOES_BACK,
];

/// A reason to write to somebody.
#[async_trait]
pub(crate) trait Kind: Send + Sync {
    /// In the outbox and in opt-outs: `cart.forgotten`.
    fn name(&self) -> &'static str;

    /// For mails that people may decline: what they would no longer get.
    fn may_be_declined(&self) -> Option<&'static str> {
        None
    }

    /// The letter as things stand now; `None`: the reason is gone, or it went out before.
    async fn letter(&self, store: &Store, about: &About) -> Result<Option<Letter>, Error>;

    /// Whether it is also worth a short message.
    fn is_short(&self) -> bool {
        false
    }

    /// The short message as things stand now.
    async fn note(&self, _store: &Store, _about: &About) -> Result<Option<Note>, Error> {
        Ok(None)
    }

    /// Whose mail that is, for declining.
    async fn recipient(&self, _store: &Store, _about: &About) -> Result<Option<Email>, Error> {
        Ok(None)
    }

    /// It has left the shop, by the channel of that name.
    async fn sent(&self, _store: &Store, _channel: &str, _about: &About) -> Result<(), Error> {
        Ok(())
    }
}

pub(super) fn named(name: &str) -> Option<&'static dyn Kind> {
    ALL.iter().copied().find(|kind| kind.name() == name)
}
