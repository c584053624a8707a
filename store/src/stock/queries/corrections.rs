//! SQL of one book's stock as people see and mend it: corrections by delta, counts, and its history.

use crate::stock::adjust::Correction;
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

/// A row for the book, if there is such a book.
pub(in crate::stock) async fn ensure_row(db: impl PgExecutor<'_>, book: i64) -> Result<(), sqlx::Error> {
    sqlx::query!("INSERT INTO stock (book_id) SELECT id FROM books WHERE id = $1 ON CONFLICT DO NOTHING", book)
        .execute(db)
        .await?;
    Ok(())
}

pub(in crate::stock) struct Count {
    pub book: i64,
    pub on_hand: i32,
    pub reserved: i32,
}

/// Locks these stock rows in book order, which is the order of the answer.
pub(in crate::stock) async fn lock_counts(db: impl PgExecutor<'_>, books: &[i64]) -> Result<Vec<Count>, sqlx::Error> {
    sqlx::query_as!(
        Count,
        "SELECT book_id AS book, on_hand, reserved FROM stock WHERE book_id = ANY($1) ORDER BY book_id FOR UPDATE",
        books
    )
    .fetch_all(db)
    .await
}

/// Whether one of these books has more copies on hand than this.
pub(in crate::stock) async fn is_any_lowered(
    db: impl PgExecutor<'_>,
    books: &[i64],
    counts: &[i32],
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM unnest($1::bigint[], $2::int[]) AS c (book_id, on_hand)
                          JOIN stock s USING (book_id) WHERE s.on_hand > c.on_hand) AS "is_lowered!""#,
        books,
        counts
    )
    .fetch_one(db)
    .await
}

/// The movements of many counts that are set as one operation.
pub(in crate::stock) async fn insert_counts(
    db: impl PgExecutor<'_>,
    operation: &str,
    books: &[i64],
    deltas: &[i32],
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, operation_id, at)
         SELECT line.book, CASE WHEN line.copies > 0 THEN 'receipt' ELSE 'adjustment' END, line.copies, line.copies,
                0, $1, $4
         FROM unnest($2::bigint[], $3::int[]) AS line (book, copies)",
        operation,
        books,
        deltas,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What an operation did to this book before.
pub(in crate::stock) async fn known_delta(
    db: impl PgExecutor<'_>,
    operation: &str,
    book: i64,
) -> Result<Option<i32>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT on_hand_delta FROM stock_movements WHERE operation_id = $1 AND book_id = $2",
        operation,
        book
    )
    .fetch_optional(db)
    .await
}

pub(in crate::stock) async fn insert_correction(
    db: impl PgExecutor<'_>,
    correction: &Correction<'_>,
    actor: Option<i64>,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, operation_id, note, at,
             actor_id)
         VALUES ($1, $2, $3, $3, 0, $4, $5, $6, $7)",
        correction.book.get(),
        correction.kind.as_str(),
        correction.delta,
        correction.operation,
        correction.note,
        at,
        actor
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(in crate::stock) struct HistoryRow {
    pub id: i64,
    pub kind: String,
    pub quantity: i32,
    pub on_hand: i64,
    pub reserved: i64,
    pub order_id: Option<Uuid>,
    pub number: Option<String>,
    pub operation_id: Option<String>,
    pub note: Option<String>,
    pub by: Option<String>,
    pub at: OffsetDateTime,
}

pub(in crate::stock) async fn history(
    db: impl PgExecutor<'_>,
    book: i64,
    before: i64,
    most: i64,
) -> Result<Vec<HistoryRow>, sqlx::Error> {
    sqlx::query_as!(
        HistoryRow,
        r#"SELECT m.id, m.kind, m.quantity, m.on_hand AS "on_hand!", m.reserved AS "reserved!", m.order_id,
                  o.number AS "number?", m.operation_id, m.note, a.name AS "by?", m.at
           FROM (SELECT *, sum(on_hand_delta) OVER w AS on_hand, sum(reserved_delta) OVER w AS reserved
                 FROM stock_movements WHERE book_id = $1 AND id < $2 WINDOW w AS (ORDER BY id)) m
           LEFT JOIN orders o ON o.id = m.order_id LEFT JOIN accounts a ON a.id = m.actor_id
           ORDER BY m.id DESC LIMIT $3"#,
        book,
        before,
        most
    )
    .fetch_all(db)
    .await
}
