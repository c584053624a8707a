//! `cart.forgotten`: a week ago somebody left books in their cart. One mail per state of the cart.

use super::Kind;
use crate::{
    Store,
    carts::abandoned,
    error::Error,
    mail::{Block, BookLine, Letter, Purpose, address_of},
    messages::About,
};
use async_trait::async_trait;
use domain::account::Email;

pub(super) struct ForgottenCart;

#[async_trait]
impl Kind for ForgottenCart {
    fn name(&self) -> &'static str {
        "cart.forgotten"
    }

    fn may_be_declined(&self) -> Option<&'static str> {
        Some("mails about books waiting in your cart")
    }

    async fn letter(&self, store: &Store, about: &About) -> Result<Option<Letter>, Error> {
        let Some(cart) = abandoned::still_forgotten(store, about.id).await? else { return Ok(None) };
        let currency = store.config().currency;
        let lines = cart.books.iter().map(|(facts, quantity)| BookLine {
            title: facts.title.clone(),
            authors: facts.authors.clone(),
            copies: quantity.get(),
            price: facts.price.with(currency).to_string(),
            href: format!("{}/books/{}", store.config().base_url, facts.slug),
        });
        let blocks = vec![
            Block::Heading("Still in your cart".into()),
            Block::Text(format!(
                "Hello {}, you left these in your cart a while ago. We kept them there for you.",
                cart.name
            )),
            Block::Books(lines.collect()),
            Block::Button {
                words: "Back to these books".into(),
                href: address_of(store, Purpose::RestoreCart, about.id),
            },
            Block::Small(
                "Prices are those of today. Copies are held once you place the order, and there is no hurry.".into(),
            ),
        ];
        Ok(Some(Letter {
            to: cart.email,
            to_name: cart.name,
            subject: subject(&cart.books[0].0.title, cart.books.len()),
            blocks,
            at: cart.written_at,
        }))
    }

    async fn recipient(&self, store: &Store, about: &About) -> Result<Option<Email>, Error> {
        abandoned::recipient(store, about.id).await
    }

    async fn sent(&self, store: &Store, _channel: &str, about: &About) -> Result<(), Error> {
        abandoned::sent(store, about.id).await
    }
}

/// `“Gitanjali” and 2 more are waiting in your cart`
fn subject(first: &str, titles: usize) -> String {
    match titles {
        ..=1 => format!("“{first}” is waiting in your cart"),
        2 => format!("“{first}” and one more book are waiting in your cart"),
        _ => format!("“{first}” and {} more books are waiting in your cart", titles - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_names_the_first_book() {
        assert_eq!(subject("Gitanjali", 1), "“Gitanjali” is waiting in your cart");
        assert_eq!(subject("Gitanjali", 2), "“Gitanjali” and one more book are waiting in your cart");
        assert_eq!(subject("Gitanjali", 3), "“Gitanjali” and 2 more books are waiting in your cart");
    }
}
