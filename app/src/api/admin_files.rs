//! Files of books: what they would do, and the word that lets them. They are handed in and out beside the server functions,
//! which only take small forms.

use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::Caller;
use domain::catalog::desk::BookFile;
#[cfg(feature = "ssr")]
use domain::{ApiError, Permission};
use leptos::{prelude::*, server_fn::codec::GetUrl};
#[cfg(feature = "ssr")]
use store::catalog::files;

/// The latest first.
#[server(name = BookFiles, prefix = "/api", endpoint = "admin/files", input = GetUrl)]
pub async fn list() -> Result<Vec<BookFile>, AppError> {
    let caller = Caller::current()?;
    caller.require(Permission::EditCatalogue)?;
    Ok(files::list(caller.store()).await?)
}

#[server(name = GetBookFile, prefix = "/api", endpoint = "admin/files/get", input = GetUrl)]
pub async fn file(#[server(default)] id: String) -> Result<BookFile, AppError> {
    let caller = Caller::current()?;
    caller.require(Permission::EditCatalogue)?;
    let file = files::get(caller.store(), named(&id)?).await?;
    file.ok_or_else(|| not_there().into())
}

#[server(name = ImportBookFile, prefix = "/api", endpoint = "admin/files/import")]
pub async fn import(#[server(default)] id: String) -> Result<BookFile, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::EditCatalogue)?;
    Ok(files::want(caller.store(), &admin, named(&id)?).await?)
}

#[server(name = DiscardBookFile, prefix = "/api", endpoint = "admin/files/discard")]
pub async fn discard(#[server(default)] id: String) -> Result<BookFile, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::EditCatalogue)?;
    Ok(files::discard(caller.store(), &admin, named(&id)?).await?)
}

#[cfg(feature = "ssr")]
fn named(id: &str) -> Result<uuid::Uuid, AppError> {
    id.parse().map_err(|_| not_there().into())
}

#[cfg(feature = "ssr")]
fn not_there() -> ApiError {
    ApiError::not_found("that file; files that nobody imports are kept for a day")
}
