//! What the people of the shop see around one order, and do with it besides its steps.

use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::Caller;
#[cfg(feature = "ssr")]
use domain::{ApiError, OrderId, Permission, address::Address};
use domain::{
    address::AddressForm,
    desk::{OrderDesk, Paper},
    order::OrderView,
    payment::Quarantined,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
#[cfg(feature = "ssr")]
use store::admin::desk as at;

#[server(name = AdminDesk, prefix = "/api", endpoint = "admin/orders/desk", input = GetUrl)]
pub async fn desk(#[server(default)] id: String) -> Result<OrderDesk, AppError> {
    let caller = Caller::current()?;
    let viewer = caller.require(Permission::ReadOrders)?;
    let found = at::desk(caller.store(), &viewer, order_of(&id)?).await?;
    found.ok_or_else(|| ApiError::not_found("that order").into())
}

/// For the slip and the invoice.
#[server(name = AdminPaper, prefix = "/api", endpoint = "admin/orders/paper", input = GetUrl)]
pub async fn paper(#[server(default)] id: String) -> Result<Paper, AppError> {
    let caller = Caller::current()?;
    let viewer = caller.require(Permission::ReadOrders)?;
    let found = at::paper(caller.store(), &viewer, order_of(&id)?).await?;
    found.ok_or_else(|| ApiError::not_found("that order").into())
}

#[server(name = NoteOrder, prefix = "/api", endpoint = "admin/orders/note")]
pub async fn note(#[server(default)] order_id: String, #[server(default)] note: String) -> Result<OrderDesk, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::ServeOrders)?;
    at::note(caller.store(), &admin, order_of(&order_id)?, &note).await?;
    self::desk(order_id).await
}

/// `seen`: the number of the last change of the address that the person saw.
#[server(name = AddressOrder, prefix = "/api", endpoint = "admin/orders/address")]
pub async fn address(
    #[server(flatten)] address: AddressForm,
    #[server(default)] order_id: String,
    #[server(default)] seen: String,
) -> Result<OrderView, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::ServeOrders)?;
    let address = Address::parse(&address)?;
    let seen = if seen.is_empty() { Ok(0) } else { seen.parse() };
    let seen = seen.map_err(|_| AppError::bad_request("“seen” must be a number."))?;
    at::change_address(caller.store(), &admin, order_of(&order_id)?, &address, seen).await?;
    super::admin::order(order_id).await
}

#[server(name = ResendMessage, prefix = "/api", endpoint = "admin/orders/resend")]
pub async fn resend(
    #[server(default)] order_id: String,
    #[server(default)] message_id: String,
) -> Result<OrderDesk, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::ServeOrders)?;
    let message = message_id.parse().map_err(|_| AppError::bad_request("“message_id” names no message."))?;
    at::resend(caller.store(), &admin, order_of(&order_id)?, message).await?;
    self::desk(order_id).await
}

/// Money that was kept apart is dealt with elsewhere: the shop stops telling of it. With `ask` nothing happens before `agreed`
/// is the mark that `needs_confirmation` gave.
#[server(name = LetMoneyGo, prefix = "/api", endpoint = "admin/payments/let_go")]
pub async fn let_go(
    #[server(default)] event_id: String,
    #[server(default)] reason: String,
    #[server(default)] ask: String,
    #[server(default)] agreed: String,
) -> Result<Vec<Quarantined>, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::Refund)?;
    let event = event_id.parse().map_err(|_| AppError::bad_request("“event_id” names no event."))?;
    let agreed = super::args::flag("ask", &ask)?.then_some(agreed);
    store::payments::let_go(caller.store(), &admin, event, &reason, agreed.as_deref()).await?;
    super::admin::quarantined(String::new()).await
}

#[cfg(feature = "ssr")]
fn order_of(id: &str) -> Result<OrderId, AppError> {
    id.parse().map_err(|_| ApiError::not_found("that order").into())
}
