//! SQL of the import. A batch travels as one JSON array of records: columns may be null and authors are lists.

use super::record::Row;
use crate::{catalog::categories, catalog::queries::book_id, world::to_timestamp};
use domain::{BookId, Currency, UnixMillis};
use serde::Serialize;
use sqlx::{PgTransaction, types::Json};
use std::collections::{BTreeSet, HashMap};

/// Advisory lock: one import at a time. Taken before any book is locked.
const IMPORT_LOCK: i64 = 7_201;

/// Waits for other imports, at most one statement timeout; addresses are given out under it, too.
pub(in crate::catalog) async fn lock(tx: &mut PgTransaction<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", IMPORT_LOCK).execute(&mut **tx).await?;
    Ok(())
}

/// A book that is there.
pub(super) struct Known {
    pub id: BookId,
    pub isbn13: Option<String>,
    pub sku: String,
}

/// Books with one of these ISBNs or SKUs.
pub(super) async fn known(
    tx: &mut PgTransaction<'_>,
    isbns: &[String],
    skus: &[String],
) -> Result<Vec<Known>, sqlx::Error> {
    let rows = sqlx::query!("SELECT id, isbn13, sku FROM books WHERE isbn13 = ANY($1) OR sku = ANY($2)", isbns, skus);
    let rows = rows.fetch_all(&mut **tx).await?;
    rows.into_iter().map(|row| Ok(Known { id: book_id(row.id)?, isbn13: row.isbn13, sku: row.sku })).collect()
}

/// Which of these are in use.
pub(in crate::catalog) async fn slugs_taken(
    tx: &mut PgTransaction<'_>,
    slugs: &[String],
) -> Result<Vec<String>, sqlx::Error> {
    let taken = sqlx::query_scalar!(
        r#"SELECT slug AS "slug!" FROM books WHERE slug = ANY($1)
           UNION ALL SELECT slug FROM former_slugs WHERE slug = ANY($1)"#,
        slugs
    );
    taken.fetch_all(&mut **tx).await
}

/// A row with what only new books need.
#[derive(Serialize)]
pub(in crate::catalog) struct NewBook<'a> {
    key: &'a str,
    slug: &'a str,
    #[serde(flatten)]
    row: &'a Row,
}

impl<'a> NewBook<'a> {
    pub fn new(row: &'a Row, slug: &'a str) -> Self {
        Self { key: row.key(), slug, row }
    }
}

/// Returns the ids by SKU; new books keep the order of the file.
pub(in crate::catalog) async fn insert(
    tx: &mut PgTransaction<'_>,
    books: &[NewBook<'_>],
    currency: Currency,
    now: UnixMillis,
) -> Result<HashMap<String, BookId>, sqlx::Error> {
    let rows = sqlx::query!(
        "INSERT INTO books (sku, isbn13, slug, title, subtitle, authors, year, language, pages, description,
                            price_minor, currency, popularity, retired_at, created_at, updated_at)
         SELECT key, isbn13, slug, title, subtitle, coalesce(authors, '{}'), year, coalesce(language, 'en'), pages,
                coalesce(description, ''), price_minor, $2, coalesce(popularity, 0), CASE WHEN retired THEN $3::timestamptz END, $3, $3
         FROM jsonb_to_recordset($1) AS b (key text, isbn13 text, slug text, title text, subtitle text, authors text[],
              year integer, language text, pages integer, description text, price_minor bigint, popularity bigint,
              retired boolean)
         RETURNING sku, id",
        Json(books) as _,
        currency.code(),
        to_timestamp(now)
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter().map(|row| Ok((row.sku, book_id(row.id)?))).collect()
}

#[derive(Serialize)]
struct Change<'a> {
    id: BookId,
    #[serde(flatten)]
    row: &'a Row,
}

/// A book that is no longer what it was.
pub(in crate::catalog) struct Changed {
    pub id: i64,
    /// When its title, price or state changed, of which carts have to hear: ms, later than every former one.
    pub stamp: Option<i64>,
    pub is_retitled: bool,
}

/// What a row leaves open stays; a row that changes nothing touches nothing.
pub(in crate::catalog) async fn update(
    tx: &mut PgTransaction<'_>,
    books: &[(BookId, Row)],
    now: UnixMillis,
) -> Result<Vec<Changed>, sqlx::Error> {
    let changes: Vec<Change<'_>> = books.iter().map(|(id, row)| Change { id: *id, row }).collect();
    sqlx::query_as!(
        Changed,
        r#"UPDATE books b SET sku = n.sku, isbn13 = n.isbn13, title = n.title, subtitle = n.subtitle,
                authors = n.authors, year = n.year, language = n.language, pages = n.pages,
                description = n.description, price_minor = n.price_minor, popularity = n.popularity,
                retired_at = n.retired_at, updated_at = greatest($2::timestamptz, b.updated_at + interval '1 millisecond')
         FROM (
             SELECT o.id, coalesce(c.sku, o.sku) AS sku, coalesce(c.isbn13, o.isbn13) AS isbn13,
                    coalesce(c.title, o.title) AS title, coalesce(c.subtitle, o.subtitle) AS subtitle,
                    coalesce(c.authors, o.authors) AS authors, coalesce(c.year, o.year) AS year,
                    coalesce(c.language, o.language) AS language, coalesce(c.pages, o.pages) AS pages,
                    coalesce(c.description, o.description) AS description,
                    coalesce(c.price_minor, o.price_minor) AS price_minor,
                    coalesce(c.popularity, o.popularity) AS popularity,
                    CASE WHEN c.retired THEN coalesce(o.retired_at, $2::timestamptz) WHEN c.retired IS NULL THEN o.retired_at END
                        AS retired_at,
                    (coalesce(c.title, o.title), coalesce(c.price_minor, o.price_minor),
                     coalesce(c.retired, o.retired_at IS NOT NULL))
                        IS DISTINCT FROM (o.title, o.price_minor, o.retired_at IS NOT NULL) AS is_news,
                    coalesce(c.title <> o.title, false) AS is_retitled
             FROM jsonb_to_recordset($1) AS c (id bigint, sku text, isbn13 text, title text, subtitle text,
                  authors text[], year integer, language text, pages integer, description text, price_minor bigint,
                  popularity bigint, retired boolean)
             JOIN books o ON o.id = c.id
             FOR NO KEY UPDATE OF o
         ) n
         WHERE b.id = n.id
           AND (b.sku, b.isbn13, b.title, b.subtitle, b.authors, b.year, b.language, b.pages, b.description,
                b.price_minor, b.popularity, b.retired_at)
               IS DISTINCT FROM
               (n.sku, n.isbn13, n.title, n.subtitle, n.authors, n.year, n.language, n.pages, n.description,
                n.price_minor, n.popularity, n.retired_at)
         RETURNING b.id, CASE WHEN n.is_news THEN floor(extract(epoch FROM b.updated_at) * 1000)::bigint END AS stamp,
             n.is_retitled AS "is_retitled!""#,
        Json(changes) as _,
        to_timestamp(now)
    )
    .fetch_all(&mut **tx)
    .await
}

/// A book on a shelf; position 0 is its primary one.
#[derive(Serialize)]
pub(in crate::catalog) struct Placement<'a> {
    pub book_id: BookId,
    pub category: &'a str,
    pub position: i32,
}

/// Categories that nobody knew yet.
pub(in crate::catalog) async fn make_categories(
    tx: &mut PgTransaction<'_>,
    placements: &[Placement<'_>],
) -> Result<(), sqlx::Error> {
    let slugs: BTreeSet<&str> = placements.iter().map(|placement| placement.category).collect();
    let slugs: Vec<String> = slugs.into_iter().map(str::to_owned).collect();
    let (names, positions): (Vec<String>, Vec<i32>) = slugs.iter().map(|slug| categories::named(slug)).unzip();
    sqlx::query!(
        "INSERT INTO categories (slug, name, position) SELECT * FROM unnest($1::text[], $2::text[], $3::integer[])
         ON CONFLICT (slug) DO NOTHING",
        &slugs,
        &names,
        &positions
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// These shelves and no others, for the books named.
pub(in crate::catalog) async fn place(
    tx: &mut PgTransaction<'_>,
    placements: &[Placement<'_>],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "WITH wanted AS MATERIALIZED (
             SELECT * FROM jsonb_to_recordset($1) AS p (book_id bigint, category text, position integer)
         ), gone AS (
             DELETE FROM book_categories b
             WHERE b.book_id IN (SELECT book_id FROM wanted)
               AND NOT EXISTS (SELECT FROM wanted w WHERE w.book_id = b.book_id AND w.category = b.category)
         )
         INSERT INTO book_categories AS b (book_id, category, position) SELECT * FROM wanted
         ON CONFLICT (book_id, category) DO UPDATE SET position = excluded.position
             WHERE b.position <> excluded.position",
        Json(placements) as _
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A line, for the book that it would change.
#[derive(Serialize)]
pub(super) struct Look<'a> {
    pub id: BookId,
    pub categories: Option<&'a [String]>,
    #[serde(flatten)]
    pub row: &'a Row,
}

/// A book as it is, and whether that line would change it.
pub(super) struct Looked {
    pub id: i64,
    pub title: String,
    pub price: i64,
    pub on_hand: i32,
    pub is_retired: bool,
    /// In anything but its copies.
    pub is_changed: bool,
}

pub(super) async fn compare(tx: &mut PgTransaction<'_>, lines: &[Look<'_>]) -> Result<Vec<Looked>, sqlx::Error> {
    sqlx::query_as!(
        Looked,
        r#"SELECT o.id AS "id!", o.title AS "title!", o.price_minor AS "price!", coalesce(s.on_hand, 0) AS "on_hand!",
                  o.retired_at IS NOT NULL AS "is_retired!",
                  (coalesce(c.sku, o.sku), coalesce(c.isbn13, o.isbn13), coalesce(c.title, o.title),
                   coalesce(c.subtitle, o.subtitle), coalesce(c.authors, o.authors), coalesce(c.year, o.year),
                   coalesce(c.language, o.language), coalesce(c.pages, o.pages), coalesce(c.description, o.description),
                   coalesce(c.price_minor, o.price_minor), coalesce(c.popularity, o.popularity),
                   coalesce(c.retired, o.retired_at IS NOT NULL), coalesce(c.categories, o.categories))
                  IS DISTINCT FROM
                  (o.sku, o.isbn13, o.title, o.subtitle, o.authors, o.year, o.language, o.pages, o.description,
                   o.price_minor, o.popularity, o.retired_at IS NOT NULL, o.categories) AS "is_changed!"
           FROM jsonb_to_recordset($1) AS c (id bigint, sku text, isbn13 text, title text, subtitle text,
                authors text[], year integer, language text, pages integer, description text, price_minor bigint,
                popularity bigint, retired boolean, categories text[])
           JOIN (SELECT b.*, ARRAY(SELECT category FROM book_categories WHERE book_id = b.id ORDER BY position, category)
                     AS categories FROM books b) o ON o.id = c.id
           LEFT JOIN stock s ON s.book_id = o.id"#,
        Json(lines) as _
    )
    .fetch_all(&mut **tx)
    .await
}
