//! SQL of the desk's books. A book without a stock row has no copies.

use domain::{
    BookId, Currency, Minor,
    catalog::desk::{Place, ShelfRow, ShelfSort, Show},
};
use sqlx::{PgExecutor, PgPool};

/// What was searched for; an absent part lets everything through.
pub(super) struct Filter {
    /// A LIKE pattern.
    pub text: Option<String>,
    pub isbn: Option<String>,
    pub category: Option<String>,
}

/// Books that fit the search, for each [`Show`] in its order.
pub(super) async fn counts(pg: &PgPool, filter: &Filter) -> Result<Vec<i64>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "all!", count(*) FILTER (WHERE retired_at IS NULL) AS "on_sale!",
                  count(*) FILTER (WHERE retired_at IS NULL AND coalesce(s.available, 0) <= coalesce(s.low_from, t.low_from))
                      AS "low!",
                  count(*) FILTER (WHERE retired_at IS NULL AND coalesce(s.available, 0) = 0) AS "sold_out!",
                  count(*) FILTER (WHERE retired_at IS NOT NULL) AS "retired!"
           FROM books b CROSS JOIN stock_settings t LEFT JOIN stock s ON s.book_id = b.id
           WHERE ($1::text IS NULL OR title ILIKE $1 OR authors_text ILIKE $1 OR sku ILIKE $1 OR isbn13 LIKE $1 OR isbn13 = $2)
             AND ($3::text IS NULL OR EXISTS (SELECT FROM book_categories c WHERE c.book_id = b.id AND c.category = $3))"#,
        filter.text,
        filter.isbn,
        filter.category
    )
    .fetch_one(pg)
    .await?;
    Ok(vec![row.all, row.on_sale, row.low, row.sold_out, row.retired])
}

/// Books behind a place in the list, and the place of each.
pub(super) async fn books(
    pg: &PgPool,
    filter: &Filter,
    show: Show,
    order: ShelfSort,
    after: Option<&Place>,
    most: i64,
) -> Result<Vec<(ShelfRow, Place)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT id AS "id!", sku AS "sku!", isbn13, title AS "title!", authors_text AS "authors!",
                  price_minor AS "price!", currency AS "currency!", on_hand AS "on_hand!", reserved AS "reserved!",
                  low_from AS "low_from!", is_retired AS "is_retired!", number AS "number!", text AS "text!"
           FROM (
               SELECT b.id, sku, isbn13, title, authors_text, price_minor, currency, coalesce(s.on_hand, 0) AS on_hand,
                      coalesce(s.reserved, 0) AS reserved, coalesce(s.low_from, t.low_from) AS low_from,
                      retired_at IS NOT NULL AS is_retired, coalesce(s.available, 0) AS available,
                      CASE $4 WHEN 'changed' THEN -floor(extract(epoch FROM updated_at) * 1000)::bigint
                              WHEN 'copies' THEN coalesce(s.available, 0)::bigint
                              WHEN 'price_low' THEN price_minor WHEN 'price_high' THEN -price_minor ELSE 0 END AS number,
                      CASE $4 WHEN 'title' THEN title ELSE '' END AS text
               FROM books b CROSS JOIN stock_settings t LEFT JOIN stock s ON s.book_id = b.id
               WHERE ($1::text IS NULL OR title ILIKE $1 OR authors_text ILIKE $1 OR sku ILIKE $1 OR isbn13 LIKE $1 OR isbn13 = $2)
                 AND ($3::text IS NULL OR EXISTS (SELECT FROM book_categories c WHERE c.book_id = b.id AND c.category = $3))
           ) b
           WHERE CASE $5 WHEN 'on_sale' THEN NOT is_retired WHEN 'low' THEN NOT is_retired AND available <= low_from
                         WHEN 'sold_out' THEN NOT is_retired AND available = 0 WHEN 'retired' THEN is_retired ELSE true END
             AND ($6::bigint IS NULL OR (number, text, id) > ($7::bigint, $8::text, $6))
           ORDER BY number, text, id LIMIT $9"#,
        filter.text,
        filter.isbn,
        filter.category,
        order.as_str(),
        show.as_str(),
        after.map(|place| place.id),
        after.map(|place| place.number),
        after.map(|place| place.text.as_str()),
        most
    )
    .fetch_all(pg)
    .await?;
    let book = rows.into_iter().map(|row| {
        let book = ShelfRow {
            id: BookId::new(row.id).map_err(unreadable)?,
            sku: row.sku,
            isbn: row.isbn13,
            title: row.title,
            authors: row.authors,
            price: Minor::new(row.price),
            currency: Currency::parse(&row.currency).map_err(unreadable)?,
            on_hand: row.on_hand.into(),
            reserved: row.reserved.into(),
            low_from: row.low_from.into(),
            is_retired: row.is_retired,
        };
        Ok((book, Place { number: row.number, id: row.id, text: row.text }))
    });
    book.collect()
}

/// What the form of a book does not say.
pub(super) struct Facts {
    pub slug: String,
    pub is_retired: bool,
    pub on_hand: i32,
    pub reserved: i32,
    pub low_from: Option<i32>,
    pub carts: i64,
}

pub(super) async fn facts(pg: &PgPool, book: BookId) -> Result<Option<Facts>, sqlx::Error> {
    sqlx::query_as!(
        Facts,
        r#"SELECT slug, retired_at IS NOT NULL AS "is_retired!", coalesce(s.on_hand, 0) AS "on_hand!",
                  coalesce(s.reserved, 0) AS "reserved!", s.low_from AS "low_from?",
                  (SELECT count(*) FROM cart_lines l WHERE l.book_id = b.id) AS "carts!"
           FROM books b LEFT JOIN stock s ON s.book_id = b.id WHERE b.id = $1"#,
        book.get()
    )
    .fetch_optional(pg)
    .await
}

pub(super) async fn shop_low_from(db: impl PgExecutor<'_>) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!("SELECT low_from FROM stock_settings").fetch_one(db).await.map(i64::from)
}

pub(super) async fn low_from(db: impl PgExecutor<'_>, book: BookId) -> Result<Option<i32>, sqlx::Error> {
    let own = sqlx::query_scalar!("SELECT low_from FROM stock WHERE book_id = $1", book.get());
    Ok(own.fetch_optional(db).await?.flatten())
}

/// Returns how many books there are of that id.
pub(super) async fn set_low_from(
    db: impl PgExecutor<'_>,
    book: BookId,
    low_from: Option<i32>,
) -> Result<u64, sqlx::Error> {
    let set = sqlx::query!(
        "INSERT INTO stock (book_id, low_from) SELECT id, $2 FROM books WHERE id = $1
         ON CONFLICT (book_id) DO UPDATE SET low_from = excluded.low_from",
        book.get(),
        low_from
    );
    Ok(set.execute(db).await?.rows_affected())
}

pub(super) async fn set_shop_low_from(db: impl PgExecutor<'_>, low_from: i32) -> Result<(), sqlx::Error> {
    sqlx::query!("UPDATE stock_settings SET low_from = $1", low_from).execute(db).await?;
    Ok(())
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
