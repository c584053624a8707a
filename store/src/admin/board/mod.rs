//! The board: all orders, by whatever somebody asks for, in pages that begin where the last one ended.
//!
//! The SQL is put together from what was asked, and planned anew each time: Postgres then sees only those conditions, with
//! their values, and takes the index that fits (ADR 30).

mod bulk;
pub mod export;
mod late;
mod queries;
mod wanted;

pub use bulk::{Bulk, bulk};
pub use wanted::{Customer, Place, Sort, Wanted};

use super::like;
use crate::{
    Store,
    error::{During, Error},
};
use domain::{
    BookId,
    desk::{Board, BoardRow},
    isbn::Isbn,
    order::OrderNumber,
};
use late::Late;
use queries::{Asked, Text};

const OPERATION: &str = "admin.board";
/// Orders on one page.
const PAGE_SIZE: i64 = 50;
/// Words that are found in more orders are common.
const MOST_HITS: i64 = 4_000;
/// Fewer letters are in too many words.
const LEAST_LETTERS: usize = 3;

/// One page of the orders that were asked for.
pub async fn page(store: &Store, wanted: &Wanted) -> Result<Board, Error> {
    let Some((asked, book)) = asked(store, wanted).await? else {
        return Ok(Board { orders: Vec::new(), next: None, book: wanted.book.clone() });
    };
    let pg = store.postgres(OPERATION).await?;
    let mut rows = queries::rows(pg, wanted, &asked, PAGE_SIZE + 1).await.during(OPERATION)?;
    let is_last = i64::try_from(rows.len()).is_ok_and(|rows| rows <= PAGE_SIZE);
    rows.truncate(usize::try_from(PAGE_SIZE).unwrap_or(usize::MAX));
    let next = rows.last().filter(|_| !is_last).map(|row| wanted.sort.place(row.place()).to_string());
    let orders = rows.into_iter().map(|row| row.read(&asked.late)).collect::<Result<Vec<BoardRow>, Error>>()?;
    Ok(Board { orders, next, book })
}

/// What the words mean; `None`: nothing can be found by them. And the title of the book that was asked for.
async fn asked(store: &Store, wanted: &Wanted) -> Result<Option<(Asked, Option<String>)>, Error> {
    let late = Late::at(store);
    let mut book = wanted.book.clone();
    let mut text = None;
    if let Some(search) = &wanted.search {
        match (OrderNumber::parse(search), Isbn::parse(search)) {
            (Ok(number), _) => text = Some(Text::Number(number.into())),
            (_, Ok(isbn)) if book.is_none() => book = Some(isbn.into()),
            _ if search.chars().count() < LEAST_LETTERS => return Ok(None),
            _ => text = Some(words(store, like(&search.to_lowercase())).await?),
        }
    }
    let (book, title) = match book {
        None => (None, None),
        Some(named) => match find_book(store, &named).await? {
            None => return Ok(None),
            Some((id, title)) => (Some(id), Some(title)),
        },
    };
    Ok(Some((Asked { text, book, late }, title)))
}

/// Rare words are looked up first: Postgres guesses badly how rare they are. Common ones it finds on its way through the list.
async fn words(store: &Store, pattern: String) -> Result<Text, Error> {
    let hits = queries::hits(store.postgres(OPERATION).await?, &pattern, MOST_HITS + 1).await.during(OPERATION)?;
    let are_rare = i64::try_from(hits.len()).is_ok_and(|hits| hits <= MOST_HITS);
    Ok(if are_rare { Text::Among(hits) } else { Text::Like(pattern) })
}

/// By its number, ISBN, SKU or address.
async fn find_book(store: &Store, named: &str) -> Result<Option<(BookId, String)>, Error> {
    let isbn = Isbn::parse(named).map(String::from).ok();
    let id = named.parse().ok().map(BookId::get);
    let found = queries::book(store.postgres(OPERATION).await?, id, isbn.as_deref(), named).await.during(OPERATION)?;
    let book = |(id, title)| Some((BookId::new(id).ok()?, title));
    Ok(found.and_then(book))
}
