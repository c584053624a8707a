//! SQL of reading the catalogue.

pub(super) mod addresses;

use super::{BookFacts, cache::Book, export::Exported, find::Source};
use crate::world::from_timestamp;
use domain::{BookId, Currency, Minor, catalog::Category};
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

/// By its address, or one that it had.
pub(super) async fn id_of(pg: &PgPool, slug: &str) -> Result<Option<BookId>, sqlx::Error> {
    let id = sqlx::query_scalar!(
        r#"SELECT id AS "id!" FROM books WHERE slug = $1
           UNION ALL SELECT book_id FROM former_slugs WHERE slug = $1"#,
        slug
    );
    let id = id.fetch_optional(pg).await?;
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

/// The next books on sale by id, with all that they can be found by.
pub(super) async fn findable(pg: &PgPool, after: i64, limit: i64) -> Result<Vec<Source>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT id, isbn13, title, subtitle, authors, year, language, description, price_minor, popularity, updated_at,
                  ARRAY(SELECT category FROM book_categories WHERE book_id = b.id ORDER BY position, category)
                      AS "categories!"
           FROM books b WHERE id > $1 AND retired_at IS NULL ORDER BY id LIMIT $2"#,
        after,
        limit
    );
    let books = rows.fetch_all(pg).await?.into_iter().map(|row| {
        Ok(Source {
            id: book_id(row.id)?,
            isbn: row.isbn13.and_then(|isbn| isbn.parse().ok()),
            title: row.title,
            subtitle: row.subtitle,
            authors: row.authors,
            year: row.year,
            language: row.language,
            description: row.description,
            price: row.price_minor,
            popularity: row.popularity,
            categories: row.categories,
            changed: from_timestamp(row.updated_at),
        })
    });
    books.collect()
}

/// Books on sale without a copy to sell.
pub(super) async fn sold_out(pg: &PgPool) -> Result<Vec<BookId>, sqlx::Error> {
    let ids = sqlx::query_scalar!("SELECT book_id FROM stock WHERE available = 0");
    ids.fetch_all(pg).await?.into_iter().map(book_id).collect()
}

/// The next books by id, retired ones included, with their copies.
pub(super) async fn exports(pg: &PgPool, after: i64, limit: i64) -> Result<Vec<Exported>, sqlx::Error> {
    sqlx::query_as!(
        Exported,
        r#"SELECT id, sku, isbn13, title, subtitle, authors, year, language, pages, description, price_minor, popularity,
                  ARRAY(SELECT category FROM book_categories WHERE book_id = b.id ORDER BY position, category)
                      AS "categories!",
                  coalesce(s.on_hand, 0) AS "on_hand!", retired_at IS NOT NULL AS "is_retired!"
           FROM books b LEFT JOIN stock s ON s.book_id = b.id WHERE id > $1 ORDER BY id LIMIT $2"#,
        after,
        limit
    )
    .fetch_all(pg)
    .await
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
