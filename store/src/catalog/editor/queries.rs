//! SQL of one book as a whole.

use crate::catalog::{export::joined, import::queries::Changed, import::record::Row};
use domain::{BookId, Minor, catalog::desk::BookForm};
use sqlx::{PgExecutor, PgTransaction};
use time::OffsetDateTime;

/// A book as it stands.
pub(crate) struct Standing {
    pub version: i64,
    pub form: BookForm,
}

pub(super) async fn standing(db: impl PgExecutor<'_>, book: BookId) -> Result<Option<Standing>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT sku, isbn13, title, subtitle, authors, year, language, pages, description, price_minor, popularity,
                  floor(extract(epoch FROM updated_at) * 1000)::bigint AS "version!",
                  ARRAY(SELECT category FROM book_categories WHERE book_id = b.id ORDER BY position, category)
                      AS "categories!"
           FROM books b WHERE id = $1"#,
        book.get()
    );
    let number = |value: Option<i32>| value.map(|value| value.to_string()).unwrap_or_default();
    Ok(row.fetch_optional(db).await?.map(|row| Standing {
        version: row.version,
        form: BookForm {
            sku: row.sku,
            isbn13: row.isbn13.unwrap_or_default(),
            title: row.title,
            subtitle: row.subtitle.unwrap_or_default(),
            authors: joined(&row.authors),
            year: number(row.year),
            language: row.language,
            pages: number(row.pages),
            categories: row.categories.join("; "),
            description: row.description,
            price: Minor::new(row.price_minor).typed(),
            popularity: row.popularity.to_string(),
        },
    }))
}

/// Keeps others from changing the book until the end of the transaction; says whether it is retired.
pub(super) async fn lock(tx: &mut PgTransaction<'_>, book: BookId) -> Result<Option<bool>, sqlx::Error> {
    let is_retired = sqlx::query_scalar!(
        r#"SELECT retired_at IS NOT NULL AS "is_retired!" FROM books WHERE id = $1 FOR NO KEY UPDATE"#,
        book.get()
    );
    is_retired.fetch_optional(&mut **tx).await
}

/// The whole row, also what is empty in it.
pub(super) async fn write(
    tx: &mut PgTransaction<'_>,
    book: BookId,
    row: &Row,
    now: OffsetDateTime,
) -> Result<Changed, sqlx::Error> {
    let small = |number: Option<i64>| number.and_then(|number| i32::try_from(number).ok());
    sqlx::query_as!(
        Changed,
        r#"UPDATE books b SET sku = $2, isbn13 = $3, title = $4, subtitle = $5, authors = $6, year = $7, language = $8,
                pages = $9, description = $10, price_minor = $11, popularity = $12,
                updated_at = greatest($13::timestamptz, b.updated_at + interval '1 millisecond')
           FROM (SELECT id, title, price_minor FROM books WHERE id = $1) o WHERE b.id = o.id
           RETURNING b.id, b.title <> o.title AS "is_retitled!",
               CASE WHEN (b.title, b.price_minor) <> (o.title, o.price_minor)
                   THEN floor(extract(epoch FROM b.updated_at) * 1000)::bigint END AS stamp"#,
        book.get(),
        row.sku,
        row.isbn13.as_ref().map(|isbn| isbn.as_str()),
        row.title,
        row.subtitle,
        row.authors.as_deref(),
        small(row.year),
        row.language,
        small(row.pages),
        row.description,
        row.price.map(Minor::get),
        row.popularity,
        now
    )
    .fetch_one(&mut **tx)
    .await
}

pub(super) async fn clear_shelves(tx: &mut PgTransaction<'_>, book: BookId) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM book_categories WHERE book_id = $1", book.get()).execute(&mut **tx).await?;
    Ok(())
}
