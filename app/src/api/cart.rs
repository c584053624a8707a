//! The cart; every edit answers with the whole of it.

#[cfg(feature = "ssr")]
use super::args;
use super::mail::PutBack;
use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::Caller;
use domain::cart::CartView;
use leptos::{prelude::*, server_fn::codec::GetUrl};
#[cfg(feature = "ssr")]
use store::carts;

#[server(name = GetCart, prefix = "/api", endpoint = "cart", input = GetUrl)]
pub async fn get() -> Result<CartView, AppError> {
    let caller = Caller::current()?;
    caller.bring_guest_cart().await;
    match caller.viewer() {
        Some(viewer) => Ok(carts::view(caller.store(), &viewer.owner).await?),
        None => Ok(CartView::empty(caller.store().config().currency)),
    }
}

#[server(name = AddToCart, prefix = "/api", endpoint = "cart/add")]
pub async fn add(
    #[server(default)] book_id: String,
    #[server(default)] quantity: String,
) -> Result<CartView, AppError> {
    let caller = Caller::current()?;
    let (book, quantity) = (args::book(&book_id)?, args::quantity(&quantity)?);
    caller.edited(carts::add(caller.store(), &caller.owner(), book, quantity).await)
}

/// Sets a line to so many copies; 0 takes it out.
#[server(name = SetInCart, prefix = "/api", endpoint = "cart/set")]
pub async fn set(
    #[server(default)] book_id: String,
    #[server(default)] quantity: String,
) -> Result<CartView, AppError> {
    let caller = Caller::current()?;
    let book = args::book(&book_id)?;
    match args::quantity_or_none(&quantity)? {
        Some(quantity) => caller.edited(carts::set(caller.store(), &caller.owner(), book, quantity).await),
        None => caller.edited(carts::remove(caller.store(), &caller.owner(), book).await),
    }
}

/// Takes so many copies off a line; without any left it goes.
#[server(name = FewerInCart, prefix = "/api", endpoint = "cart/fewer")]
pub async fn fewer(
    #[server(default)] book_id: String,
    #[server(default)] quantity: String,
) -> Result<CartView, AppError> {
    let caller = Caller::current()?;
    let (book, quantity) = (args::book(&book_id)?, args::quantity(&quantity)?);
    caller.edited(carts::fewer(caller.store(), &caller.owner(), book, quantity).await)
}

#[server(name = RemoveFromCart, prefix = "/api", endpoint = "cart/remove")]
pub async fn remove(#[server(default)] book_id: String) -> Result<CartView, AppError> {
    let caller = Caller::current()?;
    let book = args::book(&book_id)?;
    caller.edited(carts::remove(caller.store(), &caller.owner(), book).await)
}

/// The person has read what changed: the price of this book, or without one everything that the cart tells.
#[server(name = SeenInCart, prefix = "/api", endpoint = "cart/seen")]
pub async fn seen(#[server(default)] book_id: String) -> Result<CartView, AppError> {
    let caller = Caller::current()?;
    let book = if book_id.is_empty() { None } else { Some(args::book(&book_id)?) };
    match caller.viewer() {
        Some(viewer) => caller.edited(carts::seen(caller.store(), &viewer.owner, book).await),
        None => Ok(CartView::empty(caller.store().config().currency)),
    }
}

/// Brings the cart down to what can be had, as the shop has it now.
#[server(name = TakeWhatIsLeft, prefix = "/api", endpoint = "cart/take_what_is_left")]
pub async fn take_what_is_left() -> Result<CartView, AppError> {
    let caller = Caller::current()?;
    match caller.viewer() {
        Some(viewer) => caller.edited(carts::take_what_is_left(caller.store(), &viewer.owner).await),
        None => Ok(CartView::empty(caller.store().config().currency)),
    }
}

/// The books of an earlier order once more; `said` tells which of them are not to be had.
#[server(name = BuyAgain, prefix = "/api", endpoint = "cart/again")]
pub async fn again(#[server(default)] order_id: String) -> Result<PutBack, AppError> {
    let caller = Caller::current()?;
    let (viewer, order) = caller.viewer_of(&order_id)?;
    let (cart, said) = store::orders::again(caller.store(), &viewer, order).await?;
    Ok(PutBack { cart, said })
}

#[server(name = ClearCart, prefix = "/api", endpoint = "cart/clear")]
pub async fn clear() -> Result<CartView, AppError> {
    let caller = Caller::current()?;
    caller.edited(carts::clear(caller.store(), &caller.owner()).await)
}
