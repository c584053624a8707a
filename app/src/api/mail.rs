//! Where links in mails lead: a forgotten cart, and the end of a kind of mail.

use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::Caller;
use domain::cart::CartView;
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};
#[cfg(feature = "ssr")]
use store::{carts::abandoned, mail};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The books of the mail at today's prices.
    pub books: CartView,
    /// The viewer's cart holds them all.
    pub is_in_cart: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutBack {
    pub cart: CartView,
    /// What could not come along, and why.
    pub said: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsubscribing {
    /// Which mails: as in "no more ….".
    pub what: String,
    pub is_done: bool,
}

#[server(name = OfferPage, prefix = "/api", endpoint = "page/offer", input = GetUrl)]
pub async fn offer(#[server(default)] token: String) -> Result<Offer, AppError> {
    let caller = Caller::current()?;
    let viewer = caller.viewer();
    let offer = abandoned::offer(caller.store(), viewer.as_ref().map(|viewer| &viewer.owner), &token).await?;
    Ok(Offer { books: offer.books, is_in_cart: offer.is_in_cart })
}

/// Puts the books of a mail into the cart of whoever asks; what is there already stays as it is.
#[server(name = RestoreCart, prefix = "/api", endpoint = "cart/restore")]
pub async fn put_back(#[server(default)] token: String) -> Result<PutBack, AppError> {
    let caller = Caller::current()?;
    // A wrong link makes nobody a guest.
    abandoned::offer(caller.store(), None, &token).await?;
    let (cart, said) = abandoned::put_back(caller.store(), &caller.owner(), &token).await?;
    Ok(PutBack { cart, said })
}

#[server(name = UnsubscribePage, prefix = "/api", endpoint = "page/unsubscribe", input = GetUrl)]
pub async fn unsubscribing(#[server(default)] token: String) -> Result<Unsubscribing, AppError> {
    let mail::Unsubscribing { what, is_done } = mail::unsubscribing(Caller::current()?.store(), &token).await?;
    Ok(Unsubscribing { what: what.to_owned(), is_done })
}
