//! Whether the shop is well and tells the truth: looked at, checked, mended.

#[cfg(feature = "ssr")]
use super::args;
use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::Caller;
use domain::health::HealthView;
#[cfg(feature = "ssr")]
use domain::{Permission, health::RunKind};
use leptos::{prelude::*, server_fn::codec::GetUrl};
#[cfg(feature = "ssr")]
use store::admin::health;

#[server(name = AdminHealth, prefix = "/api", endpoint = "admin/health", input = GetUrl)]
pub async fn health() -> Result<HealthView, AppError> {
    let caller = Caller::current()?;
    let viewer = caller.require(Permission::ReadWork)?;
    let view = health::overview(caller.store()).await?;
    Ok(HealthView { may_run: viewer.may(Permission::RunWork), ..view })
}

/// Asks for a check or a repair: `check`, `stock`, `carts` or `payments`.
#[server(name = RunCheck, prefix = "/api", endpoint = "admin/health/run")]
pub async fn run(#[server(default)] kind: String) -> Result<HealthView, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::RunWork)?;
    let kind = RunKind::parse(&kind)
        .ok_or_else(|| AppError::bad_request("“kind” must be check, stock, carts or payments."))?;
    health::ask(caller.store(), &admin, kind).await?;
    self::health().await
}

/// Puts the gate right about one book.
#[server(name = RepairBook, prefix = "/api", endpoint = "admin/health/repair")]
pub async fn repair(#[server(default)] book_id: String) -> Result<HealthView, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::RunWork)?;
    health::repair(caller.store(), &admin, args::book(&book_id)?).await?;
    self::health().await
}
