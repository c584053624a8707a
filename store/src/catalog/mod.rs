//! Books: shelves, lists, search, the book page, and the facts that carts and orders need.
//!
//! Reads come from the process's cache, see [`Cache`]; copies on sale come from the gate each time and are the one thing
//! that a page may lack.

mod address;
mod cache;
mod categories;
mod demo;
mod edit;
pub mod editor;
pub mod export;
pub mod files;
mod find;
pub mod import;
pub mod places;
mod queries;
mod warm;

pub use cache::Cache;
pub use demo::seed_demo;
pub use edit::{BookEdit, edit};
pub use warm::{keep_warm, warm};

use crate::{
    Store,
    cache::{self as kept, Held},
    error::{During, Error},
    outage, stock,
};
use cache::{Book, Found};
use domain::{
    BookId, Currency, Minor,
    catalog::{BookCard, BookDetail, BookPage, BookQuery, Category, Facet, Facets, PAGE_SIZE},
};
use std::{collections::HashMap, sync::Arc, time::Duration};

/// Books on the shelf of the home page.
const HOME_SHELF: i64 = 12;
/// A page is shown without copies on sale rather than later than this.
const AVAILABILITY_TIMEOUT: Duration = Duration::from_millis(500);

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
    let cache = store.catalog_cache();
    let ids = cache::one(store, "catalog.home", &cache.home, (), async {
        queries::home(store.pg(), HOME_SHELF).await.during("catalog.home").map(Arc::new)
    });
    Ok(Arc::new(cards(store, &ids.await?).await?))
}

/// One page of a list; the query is bounded here again.
pub async fn list(store: &Store, query: &BookQuery) -> Result<BookPage, Error> {
    let query = query.clone().bounded();
    let found = find(store, &query).await?;
    let books = cards(store, &found.ids).await?;
    Ok(BookPage { books, total: found.total, page: query.page, page_size: PAGE_SIZE })
}

/// By what that list may be narrowed further.
pub async fn facets(store: &Store, query: &BookQuery) -> Result<Facets, Error> {
    let found = find(store, &query.clone().bounded()).await?;
    let (shelves, counted) = (categories(store).await?, &found.facets.categories);
    let shelf = |shelf: &Category| {
        let books = counted.iter().find(|facet| facet.value == shelf.slug)?.books;
        Some(Facet { value: shelf.slug.clone(), name: shelf.name.clone(), books })
    };
    Ok(Facets { categories: shelves.iter().filter_map(shelf).collect(), ..found.facets.clone() })
}

/// What a search text that is not typed to its end may mean.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suggestions {
    pub books: Vec<BookCard>,
    pub authors: Vec<Author>,
    pub categories: Vec<Category>,
}

/// An author; the slug is empty when the name has no Latin letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    pub name: String,
    pub slug: String,
}

/// Few and quick: it is asked with every letter typed.
pub async fn suggest(store: &Store, typed: &str) -> Result<Suggestions, Error> {
    let query = BookQuery { q: Some(typed.to_owned()), ..BookQuery::default() }.bounded();
    let Some(typed) = query.q else { return Ok(Suggestions::default()) };
    let meant = find::suggest(store, &typed).await?;
    let all = categories(store).await?;
    Ok(Suggestions {
        books: cards(store, &meant.books).await?,
        authors: meant.authors,
        categories: all.iter().filter(|category| meant.categories.contains(&category.slug)).cloned().collect(),
    })
}

/// The author whose page has this address.
pub async fn author(store: &Store, slug: &str) -> Result<Option<Author>, Error> {
    find::author(store, slug).await
}

/// Who wrote a book; nobody when it is not on sale.
pub async fn authors_of(store: &Store, id: BookId) -> Result<Vec<Author>, Error> {
    find::authors_of(store, id).await
}

/// By its address, or by one that it had before: then `card.slug` is another one.
pub async fn book(store: &Store, slug: &str) -> Result<Option<BookDetail>, Error> {
    match id_of(store, slug).await? {
        Some(id) => book_by_id(store, id).await,
        None => Ok(None),
    }
}

pub async fn book_by_id(store: &Store, id: BookId) -> Result<Option<BookDetail>, Error> {
    let Some(book) = books(store, &[id]).await?.remove(&id) else { return Ok(None) };
    let categories = categories(store).await?;
    let available = available(store, &[id]).await;
    Ok(Some(book.detail(&categories, available.get(&id).copied())))
}

/// All categories that have books, in shelf order.
pub async fn categories(store: &Store) -> Result<Arc<Vec<Category>>, Error> {
    let load = async { queries::categories(store.pg()).await.during("catalog.categories").map(Arc::new) };
    cache::one(store, "catalog.categories", &store.catalog_cache().categories, (), load).await
}

/// Facts of these books from the process's cache (≤ 60 s old; served stale while Postgres is away); unknown ids are absent.
pub async fn facts(store: &Store, ids: &[BookId]) -> Result<HashMap<BookId, Arc<BookFacts>>, Error> {
    let books = books(store, ids).await?;
    Ok(books.into_iter().map(|(id, book)| (id, book.facts.clone())).collect())
}

/// Facts of one book by its address or a former one, for its cover.
pub async fn facts_by_slug(store: &Store, slug: &str) -> Result<Option<Arc<BookFacts>>, Error> {
    let Some(id) = id_of(store, slug).await? else { return Ok(None) };
    Ok(facts(store, &[id]).await?.remove(&id))
}

/// Every process drops what it kept of the catalogue; one that does not hear of it does within a minute.
pub(crate) async fn announce(store: &Store) {
    store.catalog_cache().drop_all();
    let mut redis = store.redis();
    let mut publish = redis::cmd("PUBLISH");
    publish.arg(store.keys().live_catalog()).arg("changed");
    if let Err(error) = publish.query_async::<()>(&mut redis).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "nobody was told of a change of the catalogue");
    }
}

/// A list by its query: kept for a few seconds, unless a change of the catalogue may be missing in it.
async fn find(store: &Store, query: &BookQuery) -> Result<Arc<Found>, Error> {
    let lists = &store.catalog_cache().lists;
    let now = store.now();
    if let Some(found) = lists.fresh(query, now) {
        return Ok(found);
    }
    let ticket = lists.ticket(now);
    let (found, is_sure) = find::list(store, query).await?;
    let found = Arc::new(found);
    if is_sure {
        lists.put(query.clone(), found.clone(), ticket);
    }
    Ok(found)
}

/// These books, in this order, with the copies on sale.
async fn cards(store: &Store, ids: &[BookId]) -> Result<Vec<BookCard>, Error> {
    let books = books(store, ids).await?;
    let available = available(store, ids).await;
    Ok(ids.iter().filter_map(|id| Some(books.get(id)?.card(available.get(id).copied()))).collect())
}

/// From the cache; what it lacks comes from Postgres in one query, or is served old while Postgres is away or busy.
async fn books(store: &Store, ids: &[BookId]) -> Result<HashMap<BookId, Arc<Book>>, Error> {
    const OPERATION: &str = "catalog.books";
    let (cache, now) = (store.catalog_cache(), store.now());
    let look = || {
        ids.iter().fold(Held::Fresh(HashMap::with_capacity(ids.len())), |found, id| {
            found.and(cache.books.look(id, now), |mut found, book| {
                found.insert(*id, book);
                found
            })
        })
    };
    let load = async {
        let looked = ids.iter().map(|id| (*id, cache.books.look(id, now)));
        let (mut found, mut missing) = (HashMap::new(), Vec::new());
        for (id, held) in looked {
            match held {
                Held::Fresh(book) => drop(found.insert(id, book)),
                _ => missing.push(id.get()),
            }
        }
        let tickets = cache.tickets(now);
        for book in queries::books(store.pg(), &missing).await.during(OPERATION)? {
            cache.keep(&book, tickets);
            found.insert(book.facts.id, book);
        }
        Ok(found)
    };
    kept::read(store.outage(), &cache.books.turns, OPERATION, look, load).await
}

/// The book that has this slug, or had it; slugs never move to another book.
async fn id_of(store: &Store, slug: &str) -> Result<Option<BookId>, Error> {
    let cache = store.catalog_cache();
    // Our slugs are plain; anything else (a NUL, which Postgres refuses) names no book.
    let is_plain = slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !is_plain || slug.len() > import::MAX_SLUG {
        return Ok(None);
    }
    if let Some(id) = cache.slugs.stale(slug) {
        return Ok(Some(id));
    }
    let ticket = cache.slugs.ticket(store.now());
    let ask = async { queries::id_of(store.pg(), slug).await.during("catalog.id_of") };
    let id = store.ask_postgres("catalog.id_of", outage::LONG, ask).await?;
    if let Some(id) = id {
        cache.slugs.put(slug.to_owned(), id, ticket);
    }
    Ok(id)
}

/// Copies on sale as far as the gate tells in time: lists must not wait for it.
async fn available(store: &Store, ids: &[BookId]) -> HashMap<BookId, i64> {
    if ids.is_empty() {
        return HashMap::new();
    }
    match tokio::time::timeout(AVAILABILITY_TIMEOUT, stock::available(store, ids)).await {
        Ok(Ok(available)) => available,
        Ok(Err(error)) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "showing books without copies on sale");
            HashMap::new()
        }
        Err(_) => {
            tracing::warn!("showing books without copies on sale: the gate is slow");
            HashMap::new()
        }
    }
}
