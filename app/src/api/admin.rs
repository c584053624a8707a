//! One order as the people of the shop see it, and the steps they take it through.

use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::Caller;
#[cfg(feature = "ssr")]
use domain::Permission;
use domain::{order::OrderView, payment::Quarantined};
use leptos::{prelude::*, server_fn::codec::GetUrl};

#[server(name = AdminOrder, prefix = "/api", endpoint = "admin/orders/get", input = GetUrl)]
pub async fn order(#[server(default)] id: String) -> Result<OrderView, AppError> {
    let caller = Caller::current()?;
    let viewer = caller.require(Permission::ReadOrders)?;
    let (_, order) = caller.viewer_of(&id)?;
    let order = store::orders::get(caller.store(), &viewer, order).await?;
    order.ok_or_else(|| domain::ApiError::not_found("that order").into())
}

/// What providers said that does not fit the shop's books: all of it, or what names this order.
#[server(name = QuarantinedPayments, prefix = "/api", endpoint = "admin/payments/quarantined", input = GetUrl)]
pub async fn quarantined(#[server(default)] order_id: String) -> Result<Vec<Quarantined>, AppError> {
    let caller = Caller::current()?;
    caller.require(Permission::ReadMoney)?;
    let order = match order_id.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_| AppError::bad_request("“order_id” names no order."))?),
    };
    Ok(store::payments::quarantined(caller.store(), order).await?)
}

#[server(name = FulfilOrder, prefix = "/api", endpoint = "admin/orders/fulfil")]
pub async fn fulfil(#[server(default)] order_id: String) -> Result<OrderView, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::ShipOrders)?;
    let (_, order) = caller.viewer_of(&order_id)?;
    store::orders::begin_packing(caller.store(), &admin, order).await?;
    self::order(order_id).await
}

#[server(name = ShipOrder, prefix = "/api", endpoint = "admin/orders/ship")]
pub async fn ship(
    #[server(default)] order_id: String,
    #[server(default)] carrier: String,
    #[server(default)] tracking: String,
) -> Result<OrderView, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::ShipOrders)?;
    let (_, order) = caller.viewer_of(&order_id)?;
    store::orders::ship(caller.store(), &admin, order, &carrier, Some(&tracking)).await?;
    self::order(order_id).await
}

#[server(name = DeliverOrder, prefix = "/api", endpoint = "admin/orders/deliver")]
pub async fn deliver(#[server(default)] order_id: String) -> Result<OrderView, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::ShipOrders)?;
    let (_, order) = caller.viewer_of(&order_id)?;
    store::orders::deliver(caller.store(), &admin, order).await?;
    self::order(order_id).await
}

#[server(name = CallOrderOff, prefix = "/api", endpoint = "admin/orders/cancel")]
pub async fn cancel(
    #[server(default)] order_id: String,
    #[server(default)] reason: String,
) -> Result<OrderView, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::ServeOrders)?;
    let (_, order) = caller.viewer_of(&order_id)?;
    store::orders::call_off(caller.store(), &admin, order, &reason).await?;
    self::order(order_id).await
}
