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
    orders,
};
use domain::{
    BookId,
    desk::{Board, BoardRow},
    isbn::Isbn,
    order::OrderNumber,
};
use late::Late;
use queries::{Asked, Reach};
use std::collections::HashSet;
use uuid::Uuid;

const OPERATION: &str = "admin.board";
/// Orders on one page.
const PAGE_SIZE: i64 = 50;
/// Orders at the gate that are named.
const MOST_WAITING: usize = 50;
/// What that many orders have is common.
const MOST_HITS: i64 = 2_000;
/// Fewer letters are in too many words.
const LEAST_LETTERS: usize = 3;
/// Orders of the list that are looked through before all of them are.
const NEAR: i64 = 6_000;

/// One page of the orders that were asked for; while Postgres is away, those that wait for it.
pub async fn page(store: &Store, wanted: &Wanted) -> Result<Board, Error> {
    match written(store, wanted).await {
        Err(error) if error.is_away() => {
            Ok(Board { waiting: Some(orders::waiting_at_gate(store, MOST_WAITING).await?), ..Board::default() })
        }
        page => page,
    }
}

async fn written(store: &Store, wanted: &Wanted) -> Result<Board, Error> {
    let Some((asked, book)) = asked(store, wanted).await? else {
        return Ok(Board { book: wanted.book.clone(), ..Board::default() });
    };
    let pg = store.postgres(OPERATION).await?;
    let mut rows = Vec::new();
    for reach in reaches(wanted, &asked) {
        rows = queries::rows(pg, wanted, &asked, reach, PAGE_SIZE + 1).await.during(OPERATION)?;
        if is_full(&rows, PAGE_SIZE + 1) {
            break;
        }
    }
    let is_last = !is_full(&rows, PAGE_SIZE + 1);
    rows.truncate(usize::try_from(PAGE_SIZE).unwrap_or(usize::MAX));
    let next = rows.last().filter(|_| !is_last).map(|row| wanted.sort.place(row.place()).to_string());
    let orders = rows.into_iter().map(|row| row.read(&asked.late)).collect::<Result<Vec<BoardRow>, Error>>()?;
    Ok(Board { orders, next, book, waiting: None })
}

/// Postgres guesses badly how much several conditions let through together. So what many orders are like is looked for in the
/// next part of the list, and what is not found there in all that follows, with a plan for few. What is known to be rare
/// needs no first look.
fn reaches(wanted: &Wanted, asked: &Asked) -> impl Iterator<Item = Reach> + use<> {
    let is_rare = asked.number.is_some() || asked.among.is_some() || wanted.customer.is_some() || wanted.money_apart;
    (!is_rare).then_some(Reach::Near(NEAR)).into_iter().chain([Reach::Far])
}

fn is_full<T>(rows: &[T], most: i64) -> bool {
    i64::try_from(rows.len()).is_ok_and(|rows| rows >= most)
}

/// What the words mean; `None`: nothing can be found by them. And the title of the book that was asked for.
async fn asked(store: &Store, wanted: &Wanted) -> Result<Option<(Asked, Option<String>)>, Error> {
    let mut asked = Asked { number: None, among: None, words: None, book: None, late: Late::at(store) };
    let mut book = wanted.book.clone();
    if let Some(search) = &wanted.search {
        match (OrderNumber::parse(search), Isbn::parse(search)) {
            (Ok(number), _) => asked.number = Some(number.into()),
            (_, Ok(isbn)) if book.is_none() => book = Some(isbn.into()),
            _ if search.chars().count() < LEAST_LETTERS => return Ok(None),
            _ => asked.words(store, &search.to_lowercase()).await?,
        }
    }
    let Some(named) = book else { return Ok(Some((asked, None))) };
    let Some((book, title)) = find_book(store, &named).await? else { return Ok(None) };
    asked.book(store, book).await?;
    Ok(Some((asked, Some(title))))
}

/// What few orders have is looked up first, and the list is asked for those.
impl Asked {
    async fn words(&mut self, store: &Store, search: &str) -> Result<(), Error> {
        let pattern = like(search);
        // The index knows three letters in a row; by anything else it finds all orders.
        if search.split(|c: char| !c.is_alphanumeric()).all(|part| part.chars().count() < LEAST_LETTERS) {
            self.words = Some(pattern);
            return Ok(());
        }
        let pg = store.postgres(OPERATION).await?;
        let hits = queries::with_words(pg, &pattern, MOST_HITS).await.during(OPERATION)?;
        match is_full(&hits, MOST_HITS) {
            true => self.words = Some(pattern),
            false => self.narrow(hits),
        }
        Ok(())
    }

    async fn book(&mut self, store: &Store, book: BookId) -> Result<(), Error> {
        let pg = store.postgres(OPERATION).await?;
        let hits = queries::with_book(pg, book.get(), MOST_HITS).await.during(OPERATION)?;
        match is_full(&hits, MOST_HITS) {
            true => self.book = Some(book),
            false => self.narrow(hits),
        }
        Ok(())
    }

    fn narrow(&mut self, hits: Vec<Uuid>) {
        let hits: HashSet<Uuid> = hits.into_iter().collect();
        self.among = Some(match self.among.take() {
            None => hits,
            Some(former) => &former & &hits,
        });
    }
}

/// By its number, ISBN, SKU or address.
async fn find_book(store: &Store, named: &str) -> Result<Option<(BookId, String)>, Error> {
    let isbn = Isbn::parse(named).map(String::from).ok();
    let id = named.parse().ok().map(BookId::get);
    let found = queries::book(store.postgres(OPERATION).await?, id, isbn.as_deref(), named).await.during(OPERATION)?;
    let book = |(id, title)| Some((BookId::new(id).ok()?, title));
    Ok(found.and_then(book))
}
