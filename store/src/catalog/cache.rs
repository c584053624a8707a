//! What of the catalogue is kept in the process: whole books, the answers of lists, the home shelf, the categories.

use super::{BookFacts, find::Finder};
use crate::{
    Store,
    cache::{self, Aged, Ticket},
    error::Error,
};
use domain::{
    BookId, UnixMillis,
    catalog::{BookCard, BookDetail, BookQuery, Category, Facets},
};
use std::{future::Future, hash::Hash, sync::Arc, time::Duration};

const MINUTE: Duration = Duration::from_secs(60);
/// Lists show what is in stock, which no message tells them.
const LIST_AGE: Duration = Duration::from_secs(5);
pub(super) const MAX_BOOKS: usize = 20_000;
const MAX_LISTS: usize = 2_000;

/// What is kept in the process; dropped when the catalogue changes.
pub struct Cache {
    pub(super) books: Aged<BookId, Arc<Book>>,
    pub(super) slugs: Aged<String, BookId>,
    pub(super) lists: Aged<BookQuery, Arc<Found>>,
    pub(super) home: Aged<(), Arc<Vec<BookId>>>,
    pub(super) categories: Aged<(), Arc<Vec<Category>>>,
    pub(super) finder: Finder,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            books: Aged::new(MINUTE, MAX_BOOKS),
            slugs: Aged::new(MINUTE, MAX_BOOKS),
            lists: Aged::new(LIST_AGE, MAX_LISTS),
            home: Aged::new(MINUTE, 1),
            categories: Aged::new(MINUTE, 1),
            finder: Finder::default(),
        }
    }
}

impl Cache {
    /// Taken before books are loaded, for [`Self::keep`].
    pub(super) fn tickets(&self, now: UnixMillis) -> (Ticket, Ticket) {
        (self.books.ticket(now), self.slugs.ticket(now))
    }

    /// A book, and the way to it by its slug.
    pub(super) fn keep(&self, book: &Arc<Book>, (for_book, for_slug): (Ticket, Ticket)) {
        let facts = &book.facts;
        self.slugs.put(facts.slug.clone(), facts.id, for_slug);
        self.books.put(facts.id, book.clone(), for_book);
    }

    /// The catalogue changed, or a message saying so may have been missed.
    pub fn drop_all(&self) {
        self.books.drop_all();
        self.slugs.drop_all();
        self.lists.drop_all();
        self.home.drop_all();
        self.categories.drop_all();
        self.finder.drop_all();
    }
}

/// The value of one key: cached, loaded, or old while Postgres is away or busy.
pub(super) async fn one<K: Eq + Hash + Clone, V: Clone>(
    store: &Store,
    operation: &'static str,
    aged: &Aged<K, V>,
    key: K,
    load: impl Future<Output = Result<V, Error>>,
) -> Result<V, Error> {
    let now = store.now();
    let look = || aged.look(&key, now);
    let load = async {
        let ticket = aged.ticket(now);
        let value = load.await?;
        aged.put(key.clone(), value.clone(), ticket);
        Ok(value)
    };
    cache::read(store.outage(), &aged.turns, operation, look, load).await
}

/// One page of a list, as ids.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub ids: Vec<BookId>,
    /// On all pages.
    pub total: i64,
    /// Categories and languages by their codes.
    pub facets: Facets,
}

/// All that pages show of a book, except for the copies on sale.
#[derive(Debug)]
pub(super) struct Book {
    pub facts: Arc<BookFacts>,
    pub subtitle: Option<String>,
    pub isbn: Option<String>,
    pub year: Option<i32>,
    pub language: String,
    pub pages: Option<i32>,
    pub description: String,
    /// Slugs, the primary one first.
    pub categories: Vec<String>,
}

impl Book {
    pub fn card(&self, available: Option<i64>) -> BookCard {
        let facts = BookFacts::clone(&self.facts);
        BookCard {
            id: facts.id,
            slug: facts.slug,
            title: facts.title,
            authors: facts.authors,
            year: self.year,
            price: facts.price,
            currency: facts.currency,
            available,
            category: facts.category,
        }
    }

    /// `all`: every category on sale, for names and counts.
    pub fn detail(&self, all: &[Category], available: Option<i64>) -> BookDetail {
        let category = |slug: &String| all.iter().find(|category| category.slug == *slug).cloned();
        BookDetail {
            card: self.card(available),
            subtitle: self.subtitle.clone(),
            isbn: self.isbn.clone(),
            language: self.language.clone(),
            pages: self.pages,
            description: self.description.clone(),
            categories: self.categories.iter().filter_map(category).collect(),
            on_sale: !self.facts.is_retired,
        }
    }
}
