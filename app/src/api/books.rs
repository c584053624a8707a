//! Books: lists and single ones.

#[cfg(feature = "ssr")]
use super::args;
use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::Caller;
use domain::catalog::{BookDetail, BookPage};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};
#[cfg(feature = "ssr")]
use store::catalog;

/// What a list may be asked for, as texts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListArgs {
    pub q: String,
    pub category: String,
    pub author: String,
    pub language: String,
    pub min: String,
    pub max: String,
    pub in_stock: String,
    pub sort: String,
    pub page: String,
}

#[server(name = ListBooks, prefix = "/api", endpoint = "books", input = GetUrl)]
pub async fn list(#[server(flatten)] query: ListArgs) -> Result<BookPage, AppError> {
    let caller = Caller::current()?;
    Ok(catalog::list(caller.store(), &args::list(query)?).await?)
}

#[server(name = GetBook, prefix = "/api", endpoint = "books/get", input = GetUrl)]
pub async fn get(#[server(default)] id: String) -> Result<BookDetail, AppError> {
    let caller = Caller::current()?;
    let book = catalog::book_by_id(caller.store(), args::book(&id)?).await?;
    book.ok_or_else(|| domain::ApiError::not_found("that book").into())
}
