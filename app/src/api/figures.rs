//! The figures of a chosen time.

use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::Caller;
#[cfg(feature = "ssr")]
use domain::Permission;
use domain::figures::FiguresView;
use leptos::{prelude::*, server_fn::codec::GetUrl};
#[cfg(feature = "ssr")]
use store::admin::figures::{self, Span};

/// `period`: `today`, `7`, `30` or `90`; without it days as `2026-11-21`. Days that cannot be are told in `wrong`, beside
/// the figures of a week.
#[server(name = AdminFigures, prefix = "/api", endpoint = "admin/figures", input = GetUrl)]
pub async fn figures(
    #[server(default)] period: String,
    #[server(default)] from: String,
    #[server(default)] to: String,
) -> Result<FiguresView, AppError> {
    let caller = Caller::current()?;
    caller.require(Permission::ReadFigures)?;
    match Span::parse(&period, from.trim(), to.trim()) {
        Ok(span) => Ok(figures::of(caller.store(), span).await?),
        Err(wrong) => {
            let said = wrong.fields.into_values().next().unwrap_or(wrong.message);
            let week = figures::of(caller.store(), Span::Last(7)).await?;
            Ok(FiguresView { period: String::new(), from, to, wrong: Some(said), ..week })
        }
    }
}
