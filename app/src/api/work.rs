//! The work behind the shop, for its people: looked at, tried again, let go, run now.

#[cfg(feature = "ssr")]
use super::args;
use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::Caller;
#[cfg(feature = "ssr")]
use domain::Permission;
use domain::work::{LetterView, WorkPage};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};
#[cfg(feature = "ssr")]
use store::admin::work;

/// What came of trying many letters again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriedAgain {
    pub retried: u64,
    /// Still parked: they could not even be tried.
    pub failed: u64,
}

/// Queues, workers and schedules, and a page of dead letters: of one source, those before an id.
#[server(name = AdminWork, prefix = "/api", endpoint = "admin/work", input = GetUrl)]
pub async fn work(#[server(default)] source: String, #[server(default)] before: String) -> Result<WorkPage, AppError> {
    let caller = Caller::current()?;
    let viewer = caller.require(Permission::ReadWork)?;
    let before = match before.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|_| AppError::bad_request("“before” must be a number."))?),
    };
    Ok(WorkPage {
        work: work::overview(caller.store()).await?,
        letters: work::letters::page(caller.store(), &source, before).await?,
        may_run: viewer.may(Permission::RunWork),
    })
}

#[server(name = AdminLetter, prefix = "/api", endpoint = "admin/work/letter", input = GetUrl)]
pub async fn letter(#[server(default)] id: String) -> Result<LetterView, AppError> {
    let caller = Caller::current()?;
    caller.require(Permission::ReadWork)?;
    let letter = work::letters::get(caller.store(), letter_id(&id)?).await?;
    letter.ok_or_else(|| domain::ApiError::not_found("that dead letter").into())
}

#[server(name = RetryLetter, prefix = "/api", endpoint = "admin/work/retry")]
pub async fn retry(#[server(default)] id: String) -> Result<LetterView, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::RunWork)?;
    work::letters::retry(caller.store(), &admin, letter_id(&id)?).await?;
    letter(id).await
}

#[server(name = RetryLetters, prefix = "/api", endpoint = "admin/work/retry_all")]
pub async fn retry_all(#[server(default)] source: String) -> Result<TriedAgain, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::RunWork)?;
    let all = work::letters::retry_all(caller.store(), &admin, &source).await?;
    Ok(TriedAgain { retried: all.retried, failed: all.failed })
}

/// With `ask` nothing happens before `agreed` is the mark that `needs_confirmation` gave.
#[server(name = DiscardLetter, prefix = "/api", endpoint = "admin/work/discard")]
pub async fn discard(
    #[server(default)] id: String,
    #[server(default)] reason: String,
    #[server(default)] ask: String,
    #[server(default)] agreed: String,
) -> Result<LetterView, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::RunWork)?;
    let agreed = args::flag("ask", &ask)?.then_some(agreed.as_str());
    work::letters::discard(caller.store(), &admin, letter_id(&id)?, &reason, agreed).await?;
    letter(id).await
}

/// Gives stuck work its turn now.
#[server(name = FreeWork, prefix = "/api", endpoint = "admin/work/free")]
pub async fn free(#[server(default)] source: String, #[server(default)] key: String) -> Result<(), AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::RunWork)?;
    Ok(work::free(caller.store(), &admin, &source, &key).await?)
}

/// Has the next turn of a schedule begin now.
#[server(name = RunSchedule, prefix = "/api", endpoint = "admin/work/run")]
pub async fn run(#[server(default)] name: String) -> Result<(), AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::RunWork)?;
    Ok(work::run_now(caller.store(), &admin, &name).await?)
}

#[cfg(feature = "ssr")]
fn letter_id(text: &str) -> Result<i64, AppError> {
    text.parse().map_err(|_| AppError::bad_request("“id” must be the number of a dead letter."))
}
