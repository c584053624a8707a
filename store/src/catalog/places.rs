//! Every page of the catalogue that others may find, in pieces, for sitemaps: however large the shop is, only a piece is
//! in memory.

use super::{find, queries::addresses};
use crate::{
    Store,
    error::{During, Error},
};
use domain::{BookId, UnixMillis};

/// The address of a book, an author or a category, and when what its page shows last changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub slug: String,
    pub changed: UnixMillis,
}

/// Part `number` of a size holds the books with ids above `number * size`, as many ids as the size: a book stays in its
/// part as the shop grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookPart {
    pub number: i64,
    pub changed: UnixMillis,
}

/// The parts that hold a book on sale.
pub async fn book_parts(store: &Store, size: i64) -> Result<Vec<BookPart>, Error> {
    const OPERATION: &str = "catalog.book_parts";
    let pg = store.postgres(OPERATION).await?;
    addresses::book_parts(pg, size.max(1)).await.during(OPERATION)
}

/// The next books on sale with ids above `after`, up to `until`.
pub async fn books(store: &Store, after: i64, until: i64, limit: i64) -> Result<Vec<(BookId, Place)>, Error> {
    const OPERATION: &str = "catalog.book_places";
    let pg = store.postgres(OPERATION).await?;
    addresses::books(pg, after, until, limit).await.during(OPERATION)
}

/// Authors with a page, the best known first, from that number on.
pub async fn authors(store: &Store, from: usize, limit: usize) -> Result<Vec<Place>, Error> {
    find::author_places(store, from, limit).await
}

/// How many authors have a page.
pub async fn count_authors(store: &Store) -> Result<usize, Error> {
    find::authors_with_pages(store).await
}

/// Categories with books on sale.
pub async fn categories(store: &Store, limit: i64) -> Result<Vec<Place>, Error> {
    const OPERATION: &str = "catalog.category_places";
    let pg = store.postgres(OPERATION).await?;
    addresses::categories(pg, limit).await.during(OPERATION)
}
