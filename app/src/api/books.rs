//! Books: lists and single ones.

#[cfg(feature = "ssr")]
use super::args;
use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::Caller;
use domain::catalog::{BookDetail, BookPage, Facets};
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

/// By what that list may be narrowed further, each with the number of books it leaves.
#[server(name = BookFacets, prefix = "/api", endpoint = "books/facets", input = GetUrl)]
pub async fn facets(#[server(flatten)] query: ListArgs) -> Result<Facets, AppError> {
    let caller = Caller::current()?;
    Ok(catalog::facets(caller.store(), &args::list(query)?).await?)
}

/// What a search field offers while somebody types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestions {
    pub suggestions: Vec<Suggestion>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    pub text: String,
    /// What it is: the author of a book, or the kind of page.
    pub note: String,
    pub href: String,
}

#[server(name = SuggestBooks, prefix = "/api", endpoint = "books/suggest", input = GetUrl)]
pub async fn suggest(#[server(default)] q: String) -> Result<Suggestions, AppError> {
    let caller = Caller::current()?;
    let found = catalog::suggest(caller.store(), &q).await?;
    let suggestion = |text, note, href| Suggestion { text, note, href };
    let authors = found.authors.into_iter().map(|author| {
        let href = super::list::author_address(&author);
        suggestion(author.name, "Author".to_owned(), href)
    });
    let categories = found.categories.into_iter();
    let categories =
        categories.map(|shelf| suggestion(shelf.name, "Subject".to_owned(), format!("/categories/{}", shelf.slug)));
    let books = found.books.into_iter();
    let books = books.map(|book| suggestion(book.title, book.authors, format!("/books/{}", book.slug)));
    Ok(Suggestions { suggestions: authors.chain(categories).chain(books).collect() })
}

#[server(name = GetBook, prefix = "/api", endpoint = "books/get", input = GetUrl)]
pub async fn get(#[server(default)] id: String) -> Result<BookDetail, AppError> {
    let caller = Caller::current()?;
    let book = catalog::book_by_id(caller.store(), args::book(&id)?).await?;
    book.ok_or_else(|| domain::ApiError::not_found("that book").into())
}
