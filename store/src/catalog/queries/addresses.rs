//! SQL of addresses: which books have or had them, and which of them there are.

use super::book_id;
use crate::{
    catalog::places::{BookPart, Place},
    world::{from_timestamp, to_timestamp},
};
use domain::{BookId, UnixMillis};
use sqlx::{PgPool, PgTransaction};
use std::collections::HashMap;

/// A book as far as its address is concerned.
pub(in crate::catalog) struct Titled {
    pub id: BookId,
    pub slug: String,
    pub title: String,
    /// The first one.
    pub author: Option<String>,
    pub isbn: Option<String>,
    pub sku: String,
}

/// Books and their new addresses, side by side.
#[derive(Default)]
pub(in crate::catalog) struct Moves {
    pub ids: Vec<i64>,
    pub slugs: Vec<String>,
}

pub(in crate::catalog) async fn titled(tx: &mut PgTransaction<'_>, ids: &[i64]) -> Result<Vec<Titled>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT id, slug, title, authors[1] AS author, isbn13, sku FROM books WHERE id = ANY($1) ORDER BY id",
        ids
    );
    let books = rows.fetch_all(&mut **tx).await?.into_iter().map(|row| {
        Ok(Titled {
            id: book_id(row.id)?,
            slug: row.slug,
            title: row.title,
            author: row.author,
            isbn: row.isbn13,
            sku: row.sku,
        })
    });
    books.collect()
}

/// Who has, or had, which of these.
pub(in crate::catalog) async fn owners(
    tx: &mut PgTransaction<'_>,
    slugs: &[String],
) -> Result<HashMap<String, BookId>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT slug AS "slug!", id AS "id!" FROM books WHERE slug = ANY($1)
           UNION ALL SELECT slug, book_id FROM former_slugs WHERE slug = ANY($1)"#,
        slugs
    );
    rows.fetch_all(&mut **tx).await?.into_iter().map(|row| Ok((row.slug, book_id(row.id)?))).collect()
}

/// The old addresses go on leading to their books.
pub(in crate::catalog) async fn move_to(
    tx: &mut PgTransaction<'_>,
    moves: &Moves,
    now: UnixMillis,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "WITH moved AS (
             SELECT * FROM unnest($1::bigint[], $2::text[]) AS m (id, slug)
         ), left_behind AS (
             INSERT INTO former_slugs (slug, book_id, left_at)
             SELECT b.slug, b.id, $3 FROM books b JOIN moved m ON m.id = b.id
         ), taken_again AS (
             DELETE FROM former_slugs f USING moved m WHERE f.slug = m.slug
         )
         UPDATE books b SET slug = m.slug FROM moved m WHERE m.id = b.id",
        &moves.ids,
        &moves.slugs,
        to_timestamp(now)
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(in crate::catalog) async fn book_parts(pg: &PgPool, size: i64) -> Result<Vec<BookPart>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT (id - 1) / $1 AS "number!", max(updated_at) AS "changed!" FROM books WHERE retired_at IS NULL
           GROUP BY 1 ORDER BY 1"#,
        size
    );
    let rows = rows.fetch_all(pg).await?.into_iter();
    Ok(rows.map(|row| BookPart { number: row.number, changed: from_timestamp(row.changed) }).collect())
}

/// Books on sale with ids above `after`, up to `until`.
pub(in crate::catalog) async fn books(
    pg: &PgPool,
    after: i64,
    until: i64,
    limit: i64,
) -> Result<Vec<(BookId, Place)>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT id, slug, updated_at FROM books WHERE id > $1 AND id <= $2 AND retired_at IS NULL ORDER BY id LIMIT $3",
        after,
        until,
        limit
    );
    let place = |slug, changed| Place { slug, changed: from_timestamp(changed) };
    let rows = rows.fetch_all(pg).await?.into_iter();
    rows.map(|row| Ok((book_id(row.id)?, place(row.slug, row.updated_at)))).collect()
}

pub(in crate::catalog) async fn categories(pg: &PgPool, limit: i64) -> Result<Vec<Place>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT bc.category AS slug, max(b.updated_at) AS "changed!"
           FROM book_categories bc JOIN books b ON b.id = bc.book_id WHERE b.retired_at IS NULL
           GROUP BY 1 ORDER BY 1 LIMIT $1"#,
        limit
    );
    let rows = rows.fetch_all(pg).await?.into_iter();
    Ok(rows.map(|row| Place { slug: row.slug, changed: from_timestamp(row.changed) }).collect())
}
