//! SQL of reading the catalogue. Lists find ids; what they show of each book comes from [`books`] and its cache.

use super::{
    BookFacts,
    cache::{Book, Found},
    search::{Terms, like_escaped},
};
use domain::{
    BookId, Currency, Minor,
    catalog::{BookQuery, Category, PAGE_SIZE, Sort},
};
use sqlx::PgPool;
use std::sync::Arc;

/// Whole books; unknown ids are absent, order is any.
pub(super) async fn books(pg: &PgPool, ids: &[i64]) -> Result<Vec<Arc<Book>>, sqlx::Error> {
    let rows = sqlx::query_as!(
        BookRow,
        r#"SELECT id, slug, title, subtitle, isbn13, authors_text AS "authors!", year, language, pages, description,
                  price_minor, currency, retired_at IS NOT NULL AS "is_retired!",
                  ARRAY(SELECT category FROM book_categories WHERE book_id = b.id ORDER BY position, category)
                      AS "categories!"
           FROM books b WHERE id = ANY($1)"#,
        ids
    );
    rows.fetch_all(pg).await?.into_iter().map(|row| row.into_book().map(Arc::new)).collect()
}

/// Well known and in stock.
pub(super) async fn home(pg: &PgPool, limit: i64) -> Result<Vec<BookId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        r#"SELECT id AS "id!" FROM books_on_sale(NULL, NULL, NULL, NULL, NULL, true)
           ORDER BY popularity DESC, id LIMIT $1"#,
        limit
    );
    ids.fetch_all(pg).await?.into_iter().map(book_id).collect()
}

/// The best known books, retired ones included: they may lie in carts.
pub(super) async fn best_known(pg: &PgPool, limit: i64) -> Result<Vec<BookId>, sqlx::Error> {
    let ids = sqlx::query_scalar!("SELECT id FROM books ORDER BY popularity DESC, id LIMIT $1", limit);
    ids.fetch_all(pg).await?.into_iter().map(book_id).collect()
}

/// The next books on sale by id.
pub(super) async fn slugs(pg: &PgPool, after: i64, limit: i64) -> Result<Vec<(BookId, String)>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT id, slug FROM books WHERE id > $1 AND retired_at IS NULL ORDER BY id LIMIT $2",
        after,
        limit
    );
    rows.fetch_all(pg).await?.into_iter().map(|row| Ok((book_id(row.id)?, row.slug))).collect()
}

pub(super) async fn categories(pg: &PgPool) -> Result<Vec<Category>, sqlx::Error> {
    sqlx::query_as!(
        Category,
        r#"SELECT c.slug, c.name, count(*) AS "books!"
           FROM categories c JOIN book_categories bc ON bc.category = c.slug JOIN books b ON b.id = bc.book_id
           WHERE b.retired_at IS NULL
           GROUP BY c.slug ORDER BY c.position, c.name"#
    )
    .fetch_all(pg)
    .await
}

pub(super) async fn id_of(pg: &PgPool, slug: &str) -> Result<Option<BookId>, sqlx::Error> {
    let id = sqlx::query_scalar!("SELECT id FROM books WHERE slug = $1", slug).fetch_optional(pg).await?;
    id.map(book_id).transpose()
}

/// Keeps others from changing the book until the end of the transaction; false: there is none.
pub(super) async fn lock(db: impl sqlx::PgExecutor<'_>, id: BookId) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!("SELECT id FROM books WHERE id = $1 FOR NO KEY UPDATE", id.get());
    Ok(found.fetch_optional(db).await?.is_some())
}

/// On a pool or inside a transaction.
pub(super) async fn has_sku(db: impl sqlx::PgExecutor<'_>, sku: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM books WHERE sku = $1) AS "known!""#, sku).fetch_one(db).await
}

/// A list without a search text. One statement per order, so that each can walk its index and stop after a page.
pub(super) async fn browse(pg: &PgPool, query: &BookQuery) -> Result<Found, sqlx::Error> {
    let filters = Filters::of(query);
    macro_rules! ordered_by {
        ($order:literal) => {
            sqlx::query_as!(
                FoundRow,
                r#"SELECT (SELECT count(*) FROM books_on_sale($1, $2, $3, $4, $5, $6)) AS "total!",
                          ARRAY(SELECT id FROM books_on_sale($1, $2, $3, $4, $5, $6) ORDER BY "#
                    + $order
                    + r#" LIMIT $7 OFFSET $8) AS "ids!""#,
                filters.category,
                filters.author,
                filters.language,
                filters.min,
                filters.max,
                query.in_stock,
                i64::from(PAGE_SIZE),
                filters.offset
            )
            .fetch_one(pg)
            .await
        };
    }
    let row = match query.sort {
        Sort::Relevance => ordered_by!("popularity DESC, id"),
        Sort::Title => ordered_by!("title, id"),
        Sort::PriceLow => ordered_by!("price_minor, id"),
        Sort::PriceHigh => ordered_by!("price_minor DESC, id DESC"),
        Sort::Newest => ordered_by!("year DESC NULLS LAST, id"),
    };
    row?.try_into()
}

/// Books that have the words. Best first: the text is the title; title or author begins with it; the words are in title
/// and authors; they are elsewhere. Among equals the better known.
pub(super) async fn search(pg: &PgPool, query: &BookQuery, terms: &Terms) -> Result<Found, sqlx::Error> {
    let filters = Filters::of(query);
    let row = sqlx::query_as!(
        FoundRow,
        r#"WITH asked AS MATERIALIZED (
               SELECT coalesce(to_tsquery('simple', $9), websearch_to_tsquery('simple', $10))
                   || websearch_to_tsquery('english', $10) AS words
           ), hits AS MATERIALIZED (
               SELECT b.id, b.title, b.price_minor, b.year, b.popularity,
                      CASE WHEN rtrim(split_part(split_part(lower(b.title), ' (', 1), ':', 1)) = ANY($11) THEN 3
                           WHEN lower(b.title) LIKE ANY($12) OR lower(b.authors_text) LIKE ANY($12) THEN 2
                           WHEN ts_rank('{0, 0, 1, 1}', b.search, asked.words) > 0 THEN 1
                           ELSE 0 END AS closeness,
                      ts_rank(b.search, asked.words) AS rank
               FROM asked, books_on_sale($1, $2, $3, $4, $5, $6) b
               WHERE b.search @@ asked.words
           )
           SELECT (SELECT count(*) FROM hits) AS "total!",
                  ARRAY(SELECT id FROM hits ORDER BY
                      CASE $13 WHEN 'title' THEN title END,
                      CASE $13 WHEN 'price_low' THEN price_minor WHEN 'price_high' THEN -price_minor
                               WHEN 'newest' THEN -year END,
                      closeness DESC, popularity DESC, rank DESC, id
                  LIMIT $7 OFFSET $8) AS "ids!""#,
        filters.category,
        filters.author,
        filters.language,
        filters.min,
        filters.max,
        query.in_stock,
        i64::from(PAGE_SIZE),
        filters.offset,
        terms.all_words,
        terms.text,
        &terms.titles,
        &terms.beginnings,
        query.sort.as_str()
    )
    .fetch_one(pg)
    .await?;
    row.try_into()
}

/// Books whose text may hold a word like the longest telling one; the nearest first, at most `limit`.
pub(super) async fn lookalikes(
    pg: &PgPool,
    query: &BookQuery,
    terms: &Terms,
    limit: i64,
) -> Result<Vec<Candidate>, sqlx::Error> {
    let filters = Filters::of(query);
    sqlx::query_as!(
        Candidate,
        r#"SELECT id AS "id!", search_text AS "text!", title AS "title!", price_minor AS "price!", year,
                  popularity AS "popularity!"
           FROM books_on_sale($1, $2, $3, $4, $5, $6)
           WHERE $7 <% search_text
           ORDER BY word_similarity($7, search_text) DESC, popularity DESC, id LIMIT $8"#,
        filters.category,
        filters.author,
        filters.language,
        filters.min,
        filters.max,
        query.in_stock,
        terms.longest(),
        limit
    )
    .fetch_all(pg)
    .await
}

/// The arguments of `books_on_sale` that need a form of their own, and where the page starts.
struct Filters<'a> {
    category: Option<&'a str>,
    author: Option<String>,
    language: Option<String>,
    min: Option<i64>,
    max: Option<i64>,
    offset: i64,
}

impl<'a> Filters<'a> {
    fn of(query: &'a BookQuery) -> Self {
        Self {
            category: query.category.as_deref(),
            author: query.author.as_ref().map(|author| format!("%{}%", like_escaped(author))),
            language: query.language.as_ref().map(|language| language.to_lowercase()),
            min: query.min.map(Minor::get),
            max: query.max.map(Minor::get),
            offset: i64::from(query.page.saturating_sub(1)) * i64::from(PAGE_SIZE),
        }
    }
}

/// A book that may be meant.
pub(super) struct Candidate {
    pub id: i64,
    /// Title and authors in lower case.
    pub text: String,
    pub title: String,
    pub price: i64,
    pub year: Option<i32>,
    pub popularity: i64,
}

struct FoundRow {
    total: i64,
    ids: Vec<i64>,
}

impl TryFrom<FoundRow> for Found {
    type Error = sqlx::Error;
    fn try_from(row: FoundRow) -> Result<Self, sqlx::Error> {
        Ok(Self { total: row.total, ids: row.ids.into_iter().map(book_id).collect::<Result<_, _>>()? })
    }
}

struct BookRow {
    id: i64,
    slug: String,
    title: String,
    subtitle: Option<String>,
    isbn13: Option<String>,
    authors: String,
    year: Option<i32>,
    language: String,
    pages: Option<i32>,
    description: String,
    price_minor: i64,
    currency: String,
    is_retired: bool,
    categories: Vec<String>,
}

impl BookRow {
    fn into_book(self) -> Result<Book, sqlx::Error> {
        let facts = BookFacts {
            id: book_id(self.id)?,
            slug: self.slug,
            title: self.title,
            authors: self.authors,
            price: Minor::new(self.price_minor),
            currency: Currency::parse(&self.currency).map_err(unreadable)?,
            category: self.categories.first().cloned(),
            is_retired: self.is_retired,
        };
        Ok(Book {
            facts: Arc::new(facts),
            subtitle: self.subtitle,
            isbn: self.isbn13,
            year: self.year,
            language: self.language,
            pages: self.pages,
            description: self.description,
            categories: self.categories,
        })
    }
}

pub(super) fn book_id(id: i64) -> Result<BookId, sqlx::Error> {
    BookId::new(id).map_err(unreadable)
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
