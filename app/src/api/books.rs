//! Books: lists and single ones.

#[cfg(feature = "ssr")]
use super::args::{self, ListArgs};
use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::Caller;
use domain::catalog::{BookDetail, BookPage};
use leptos::{prelude::*, server_fn::codec::GetUrl};
#[cfg(feature = "ssr")]
use store::catalog;

#[server(name = ListBooks, prefix = "/api", endpoint = "books", input = GetUrl)]
#[expect(clippy::too_many_arguments, reason = "one per field of the query string")]
pub async fn list(
    #[server(default)] q: String,
    #[server(default)] category: String,
    #[server(default)] author: String,
    #[server(default)] language: String,
    #[server(default)] min: String,
    #[server(default)] max: String,
    #[server(default)] in_stock: String,
    #[server(default)] sort: String,
    #[server(default)] page: String,
) -> Result<BookPage, AppError> {
    let caller = Caller::current()?;
    let query = ListArgs { q, category, author, language, min, max, in_stock, sort, page }.parse()?;
    Ok(catalog::list(caller.store(), &query).await?)
}

#[server(name = GetBook, prefix = "/api", endpoint = "books/get", input = GetUrl)]
pub async fn get(#[server(default)] id: String) -> Result<BookDetail, AppError> {
    let caller = Caller::current()?;
    let book = catalog::book_by_id(caller.store(), args::book(&id)?).await?;
    book.ok_or_else(|| domain::ApiError::not_found("that book").into())
}
