//! Books: shelves, lists, search, the book page, and the facts that carts and orders need.

use crate::{Store, error::Error};
use domain::{
    BookId, Currency, Minor,
    catalog::{BookCard, BookDetail, BookPage, BookQuery, Category},
};
use std::{collections::HashMap, sync::Arc};

/// What is kept in the process.
#[derive(Default)]
pub struct Cache {}

/// What carts and orders must know of a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookFacts {
    pub id: BookId,
    pub slug: String,
    pub title: String,
    pub authors: String,
    pub price: Minor,
    pub currency: Currency,
    /// Slug of its first category.
    pub category: Option<String>,
    pub is_retired: bool,
}

/// The shelf of the home page: well known and in stock.
pub async fn home(store: &Store) -> Result<Arc<Vec<BookCard>>, Error> {
    todo!()
}

/// One page of a list; the query is bounded here again.
pub async fn list(store: &Store, query: &BookQuery) -> Result<BookPage, Error> {
    todo!()
}

pub async fn book(store: &Store, slug: &str) -> Result<Option<BookDetail>, Error> {
    todo!()
}

pub async fn book_by_id(store: &Store, id: BookId) -> Result<Option<BookDetail>, Error> {
    todo!()
}

/// All categories that have books, in shelf order.
pub async fn categories(store: &Store) -> Result<Arc<Vec<Category>>, Error> {
    todo!()
}

/// Facts of these books from the process's cache (≤ 60 s old; served stale while Postgres is away); unknown ids are absent.
pub async fn facts(store: &Store, ids: &[BookId]) -> Result<HashMap<BookId, Arc<BookFacts>>, Error> {
    todo!()
}

/// Facts of one book by slug, for its cover.
pub async fn facts_by_slug(store: &Store, slug: &str) -> Result<Option<Arc<BookFacts>>, Error> {
    todo!()
}
