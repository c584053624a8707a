//! Finding books: search, filters, counts and suggestions from an index in this process (ADR 19), so that a search costs
//! Postgres nothing and goes on while it is away.

mod asked;
mod facets;
mod index;
mod load;
mod rank;
mod text;
mod words;

pub(super) use index::Source;

use super::{Author, cache::Found, places::Place};
use crate::{
    Store,
    cache::{self as kept, Aged, Held},
    error::Error,
};
use asked::Asked;
use domain::{
    BookId, Minor,
    catalog::{BookQuery, Facet, Facets, PAGE_SIZE, PRICE_STEPS, PriceFacet, Sort},
};
use facets::{Counts, Filters};
use index::Index;
use rank::Hit;
use std::{cmp::Reverse, sync::Arc, time::Duration};
use tokio::{
    sync::Semaphore,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

const INDEX_AGE: Duration = Duration::from_secs(60);
const SOLD_OUT_AGE: Duration = Duration::from_secs(5);
/// A search waits so long for what an editor just changed, then goes on with what was.
const PATIENCE: Duration = Duration::from_secs(1);
/// After a load the next one waits so many times as long as it took: editing a large catalogue must not slow the shop.
const REST: u32 = 3;
/// Authors and languages that are named beside a list.
const MAX_NAMED: usize = 8;
/// Of a suggestion.
const MAX_BOOKS: usize = 6;
const MAX_AUTHORS: usize = 2;
const MAX_CATEGORIES: usize = 2;
/// Hits whose authors are looked at.
const MAX_LOOKED_AT: usize = 100;

/// The index and what it needs to be made.
pub(super) struct Finder {
    index: Aged<(), Arc<Index>>,
    sold_out: Aged<(), Arc<Vec<BookId>>>,
    /// One load at a time.
    turn: Arc<Semaphore>,
}

impl Default for Finder {
    fn default() -> Self {
        Self { index: Aged::new(INDEX_AGE, 1), sold_out: Aged::new(SOLD_OUT_AGE, 1), turn: Arc::new(Semaphore::new(1)) }
    }
}

impl Finder {
    pub fn drop_all(&self) {
        self.index.drop_all();
        self.sold_out.drop_all();
    }
}

/// What was found, and whether a change of the catalogue may be missing in it.
pub(super) async fn list(store: &Store, query: &BookQuery) -> Result<(Found, bool), Error> {
    let (index, is_sure) = index(store).await?;
    let sold_out = sold_out(store).await;
    let query = query.clone();
    let found = off_the_road("catalog.find", move || found(&index, &query, &sold_out)).await?;
    Ok((found, is_sure))
}

/// What a text not typed to its end may mean.
#[derive(Default)]
pub(super) struct Meant {
    pub books: Vec<BookId>,
    pub authors: Vec<Author>,
    pub categories: Vec<String>,
}

pub(super) async fn suggest(store: &Store, typed: &str) -> Result<Meant, Error> {
    let (index, _) = index(store).await?;
    let typed = typed.to_owned();
    off_the_road("catalog.suggest", move || meant(&index, &typed)).await
}

/// Brings the index up to date before anybody asks.
pub(super) async fn warm(store: &Store) -> Result<(), Error> {
    sold_out(store).await;
    index(store).await.map(drop)
}

/// The author whose page has this address.
pub(super) async fn author(store: &Store, slug: &str) -> Result<Option<Author>, Error> {
    let (index, _) = index(store).await?;
    Ok(index.authors.iter().find(|author| author.slug == slug).map(shown))
}

/// Who wrote a book on sale.
pub(super) async fn authors_of(store: &Store, id: BookId) -> Result<Vec<Author>, Error> {
    let (index, _) = index(store).await?;
    let authors = index.doc(id).map(|doc| &index.books[doc as usize].authors);
    Ok(authors.into_iter().flatten().map(|author| shown(&index.authors[*author as usize])).collect())
}

/// Authors with pages, from that number on: slugs and latest changes.
pub(super) async fn author_places(store: &Store, from: usize, limit: usize) -> Result<Vec<Place>, Error> {
    let (index, _) = index(store).await?;
    let authors = index.authors.iter().filter(|author| !author.slug.is_empty()).skip(from).take(limit);
    Ok(authors.map(|author| Place { slug: author.slug.clone(), changed: author.changed }).collect())
}

/// How many authors have pages.
pub(super) async fn authors_with_pages(store: &Store) -> Result<usize, Error> {
    let (index, _) = index(store).await?;
    Ok(index.authors.iter().filter(|author| !author.slug.is_empty()).count())
}

fn shown(author: &index::Author) -> Author {
    Author { name: author.name.clone(), slug: author.slug.clone() }
}

/// The index, and whether it is surely what Postgres has.
async fn index(store: &Store) -> Result<(Arc<Index>, bool), Error> {
    let finder = &store.catalog_cache().finder;
    match finder.index.look(&(), store.now()) {
        Held::Fresh(index) => Ok((index, true)),
        Held::Aged(index) => {
            if store.outage().no_doubt() && finder.turn.available_permits() > 0 {
                reload(store);
            }
            Ok((index, true))
        }
        Held::Dropped(index) => match timeout(PATIENCE, reload(store)).await {
            Ok(Ok(Ok(fresh))) => Ok((fresh, true)),
            _ => Ok((index, false)),
        },
        Held::Nothing => {
            let loaded = reload(store).await.map_err(|error| Error::unexpected("catalog.index", error.to_string()))?;
            loaded.map(|index| (index, true))
        }
    }
}

/// Goes on to its end also when nobody waits any more.
fn reload(store: &Store) -> JoinHandle<Result<Arc<Index>, Error>> {
    let store = store.clone();
    tokio::spawn(async move {
        load_in_turn(&store).await.inspect_err(|error| {
            tracing::warn!(error = error as &dyn std::error::Error, "books are found by an old index, or not at all");
        })
    })
}

async fn load_in_turn(store: &Store) -> Result<Arc<Index>, Error> {
    let finder = &store.catalog_cache().finder;
    let turn = finder.turn.clone().acquire_owned().await;
    if let Some(index) = finder.index.fresh(&(), store.now()) {
        return Ok(index);
    }
    let (ticket, started) = (finder.index.ticket(store.now()), Instant::now());
    let sources = load::books(store).await?;
    let index = off_the_road("catalog.index", move || Index::build(sources)).await.map(Arc::new)?;
    finder.index.put((), index.clone(), ticket);
    let rest = started.elapsed() * REST;
    tracing::info!(books = index.books.len(), duration_ms = started.elapsed().as_millis(), "an index of the books");
    tokio::spawn(async move {
        sleep(rest).await;
        drop(turn);
    });
    Ok(index)
}

/// Books without a copy on sale; none as long as nobody knows.
async fn sold_out(store: &Store) -> Arc<Vec<BookId>> {
    let aged = &store.catalog_cache().finder.sold_out;
    let now = store.now();
    let load = async {
        let ticket = aged.ticket(now);
        let ids = Arc::new(load::sold_out(store).await?);
        aged.put((), ids.clone(), ticket);
        Ok(ids)
    };
    let read = kept::read(store.outage(), &aged.turns, "catalog.sold_out", || aged.look(&(), now), load);
    read.await.unwrap_or_else(|error| {
        tracing::warn!(error = &error as &dyn std::error::Error, "lists do not know what is sold out");
        Arc::default()
    })
}

/// Work of milliseconds, beside the threads that answer everybody.
async fn off_the_road<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::unexpected(operation, error.to_string()))
}

fn found(index: &Index, query: &BookQuery, sold_out: &[BookId]) -> Found {
    let mut is_sold_out = vec![false; index.books.len()];
    for doc in sold_out.iter().filter_map(|id| index.doc(*id)) {
        is_sold_out[doc as usize] = true;
    }
    let filters = Filters::of(index, query, &is_sold_out);
    let (mut hits, counts) = facets::narrowed(index, all_hits(index, query.q.as_deref()), &filters);
    let total = hits.len() as i64;
    let page = page(index, &mut hits, query);
    Found { ids: page, total, facets: named(index, counts) }
}

/// Without a search text: all books.
fn all_hits(index: &Index, typed: Option<&str>) -> Vec<Hit> {
    match typed.map(Asked::parse) {
        None => (0..).zip(&index.books).map(|(doc, book)| Hit { doc, score: book.fame }).collect(),
        Some(None) => Vec::new(),
        Some(Some(asked)) => rank::hits(index, &asked),
    }
}

/// The ids of one page; only what stands before its end is put in order.
fn page(index: &Index, hits: &mut [Hit], query: &BookQuery) -> Vec<BookId> {
    let from = (query.page.saturating_sub(1) as usize).saturating_mul(PAGE_SIZE as usize);
    if from >= hits.len() {
        return Vec::new();
    }
    let until = (from + PAGE_SIZE as usize).min(hits.len());
    let book = |hit: &Hit| &index.books[hit.doc as usize];
    let order = |one: &Hit, other: &Hit| {
        let asked = match query.sort {
            Sort::Relevance => other.score.total_cmp(&one.score),
            Sort::Title => book(one).title_rank.cmp(&book(other).title_rank),
            Sort::PriceLow => book(one).price.cmp(&book(other).price),
            Sort::PriceHigh => book(other).price.cmp(&book(one).price),
            Sort::Newest => Reverse(book(one).year).cmp(&Reverse(book(other).year)),
        };
        asked.then_with(|| other.score.total_cmp(&one.score)).then(one.doc.cmp(&other.doc))
    };
    if until < hits.len() {
        hits.select_nth_unstable_by(until, order);
    }
    hits[..until].sort_unstable_by(order);
    hits[from..until].iter().map(|hit| book(hit).id).collect()
}

/// Categories and languages keep their codes for names: who shows them knows better.
fn named(index: &Index, counts: Counts) -> Facets {
    let facet = |value: &str, name: &str, books: u32| Facet { value: value.to_owned(), name: name.to_owned(), books };
    let coded = |names: &[String], counts: &[u32]| {
        let facets = names.iter().zip(counts).filter(|(_, books)| **books > 0);
        let mut facets: Vec<Facet> = facets.map(|(name, books)| facet(name, name, *books)).collect();
        facets.sort_by(|one, other| other.books.cmp(&one.books).then_with(|| one.value.cmp(&other.value)));
        facets
    };
    let mut authors: Vec<(u32, usize)> =
        counts.authors.iter().enumerate().filter(|(_, books)| **books > 0).map(|(at, books)| (*books, at)).collect();
    authors.sort_unstable_by_key(|(books, at)| (Reverse(*books), *at));
    let authors = authors.into_iter().take(MAX_NAMED).map(|(books, at)| {
        let author = &index.authors[at];
        facet(if author.slug.is_empty() { &author.name } else { &author.slug }, &author.name, books)
    });
    let mut languages = coded(&index.languages, &counts.languages);
    languages.truncate(MAX_NAMED);
    let prices = counts.prices.iter().enumerate().map(|(at, books)| PriceFacet {
        min: at.checked_sub(1).map(|at| PRICE_STEPS[at]),
        max: PRICE_STEPS.get(at).map(|step| Minor::new(step.get() - 1)),
        books: *books,
    });
    Facets {
        categories: coded(&index.categories, &counts.categories),
        authors: authors.collect(),
        languages,
        prices: prices.collect(),
        in_stock: counts.in_stock,
    }
}

fn meant(index: &Index, typed: &str) -> Meant {
    let Some(asked) = Asked::parse(typed) else { return Meant::default() };
    let mut hits = rank::hits(index, &asked);
    let order = |one: &Hit, other: &Hit| other.score.total_cmp(&one.score).then(one.doc.cmp(&other.doc));
    if hits.len() > MAX_LOOKED_AT {
        hits.select_nth_unstable_by(MAX_LOOKED_AT, order);
        hits.truncate(MAX_LOOKED_AT);
    }
    hits.sort_unstable_by(order);
    let authors = rank::authors(index, &asked, &hits, MAX_AUTHORS);
    let authors = authors.into_iter().map(|number| &index.authors[number as usize]);
    let begins = |slug: &&String| {
        let has = |typed: &String| slug.split('-').any(|word| word.starts_with(typed.as_str()));
        asked.words.iter().all(has)
    };
    Meant {
        books: hits.iter().take(MAX_BOOKS).map(|hit| index.books[hit.doc as usize].id).collect(),
        authors: authors.map(shown).collect(),
        categories: index.categories.iter().filter(begins).take(MAX_CATEGORIES).cloned().collect(),
    }
}
