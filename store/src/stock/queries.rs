//! SQL of the ledger, of the gate's operations and of a rebuild.

use crate::error::{During, Error};
use domain::OrderId;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

/// Names the advisory lock that stock transactions share and a rebuild of the gate takes alone.
const GATE_LOCK: i64 = 7_700_200;

/// Copies of one book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    pub book: i64,
    pub copies: i32,
}

impl Line {
    /// As two arrays for UNNEST.
    pub(crate) fn columns(lines: &[Self]) -> (Vec<i64>, Vec<i32>) {
        lines.iter().map(|line| (line.book, line.copies)).unzip()
    }
}

pub(super) async fn lock_gate_shared(db: impl PgExecutor<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(r#"SELECT pg_advisory_xact_lock_shared($1) IS NOT NULL AS "locked!""#, GATE_LOCK)
        .fetch_one(db)
        .await?;
    Ok(())
}

pub(super) async fn claim_lines(
    db: impl PgExecutor<'_>,
    order: OrderId,
    claim_no: i32,
) -> Result<Vec<Line>, sqlx::Error> {
    sqlx::query_as!(
        Line,
        "SELECT book_id AS book, quantity AS copies FROM stock_movements
         WHERE order_id = $1 AND claim_no = $2 AND kind = 'reserve' ORDER BY book_id",
        order.get(),
        claim_no
    )
    .fetch_all(db)
    .await
}

/// Locks these stock rows in book order.
pub(super) async fn lock_rows(db: impl PgExecutor<'_>, books: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT book_id FROM stock WHERE book_id = ANY($1) ORDER BY book_id FOR UPDATE", books)
        .fetch_all(db)
        .await?;
    Ok(())
}

pub(super) async fn ensure_rows(db: impl PgExecutor<'_>, books: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query!("INSERT INTO stock (book_id) SELECT unnest($1::bigint[]) ON CONFLICT (book_id) DO NOTHING", books)
        .execute(db)
        .await?;
    Ok(())
}

/// Claims what fits; returns how many books did.
pub(super) async fn claim(db: impl PgExecutor<'_>, books: &[i64], copies: &[i32]) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE stock SET reserved = reserved + line.copies
         FROM unnest($1::bigint[], $2::int[]) AS line (book, copies)
         WHERE book_id = line.book AND reserved + line.copies <= on_hand",
        books,
        copies
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

pub(super) async fn sell(db: impl PgExecutor<'_>, books: &[i64], copies: &[i32]) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE stock SET on_hand = on_hand - line.copies, reserved = reserved - line.copies
         FROM unnest($1::bigint[], $2::int[]) AS line (book, copies) WHERE book_id = line.book",
        books,
        copies
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

pub(super) async fn unreserve(db: impl PgExecutor<'_>, books: &[i64], copies: &[i32]) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE stock SET reserved = reserved - line.copies
         FROM unnest($1::bigint[], $2::int[]) AS line (book, copies) WHERE book_id = line.book",
        books,
        copies
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

pub(super) async fn add_on_hand(db: impl PgExecutor<'_>, books: &[i64], deltas: &[i32]) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE stock SET on_hand = on_hand + line.copies
         FROM unnest($1::bigint[], $2::int[]) AS line (book, copies) WHERE book_id = line.book",
        books,
        deltas
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// The movements of one order's claim: `sale` or `release`.
pub(super) async fn insert_claim_movements(
    db: impl PgExecutor<'_>,
    kind: &str,
    order: OrderId,
    claim_no: i32,
    books: &[i64],
    copies: &[i32],
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, order_id, claim_no, at)
         SELECT line.book, $1, line.copies, CASE $1 WHEN 'sale' THEN -line.copies ELSE 0 END, -line.copies, $2, $3, $6
         FROM unnest($4::bigint[], $5::int[]) AS line (book, copies)",
        kind,
        order.get(),
        claim_no,
        books,
        copies,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Copies per book that these claims hold, in book order.
pub(super) async fn claimed_copies(
    db: impl PgExecutor<'_>,
    orders: &[Uuid],
    claims: &[i32],
) -> Result<Vec<Line>, sqlx::Error> {
    sqlx::query_as!(
        Line,
        r#"SELECT m.book_id AS book, sum(m.quantity)::int AS "copies!"
           FROM unnest($1::uuid[], $2::int[]) AS c (id, claim_no)
           JOIN stock_movements m ON m.order_id = c.id AND m.claim_no = c.claim_no AND m.kind = 'reserve'
           GROUP BY m.book_id ORDER BY m.book_id"#,
        orders,
        claims
    )
    .fetch_all(db)
    .await
}

/// The `release` movements of whole claims.
pub(super) async fn insert_releases(
    db: impl PgExecutor<'_>,
    orders: &[Uuid],
    claims: &[i32],
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, order_id, claim_no, at)
         SELECT m.book_id, 'release', m.quantity, 0, -m.quantity, m.order_id, m.claim_no, $3
         FROM unnest($1::uuid[], $2::int[]) AS c (id, claim_no)
         JOIN stock_movements m ON m.order_id = c.id AND m.claim_no = c.claim_no AND m.kind = 'reserve'",
        orders,
        claims,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The gate's share of [`insert_releases`], one operation per order; returns how many.
pub(super) async fn insert_release_operations(
    db: impl PgExecutor<'_>,
    orders: &[Uuid],
    claims: &[i32],
    at: OffsetDateTime,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "INSERT INTO gate_ops (kind, order_id, lines, created_at, due_at)
         SELECT 'release', m.order_id, jsonb_agg(jsonb_build_array(m.book_id, m.quantity) ORDER BY m.book_id), $3, $3
         FROM unnest($1::uuid[], $2::int[]) AS c (id, claim_no)
         JOIN stock_movements m ON m.order_id = c.id AND m.claim_no = c.claim_no AND m.kind = 'reserve'
         GROUP BY m.order_id",
        orders,
        claims,
        at
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// The movements that bring locked stock rows to these counts, and what really moved: a book whose part of this
/// operation was written before, or whose count is right already, does not move.
pub(super) async fn insert_counts(
    db: impl PgExecutor<'_>,
    operation: &str,
    books: &[i64],
    counts: &[i32],
    at: OffsetDateTime,
) -> Result<Vec<Line>, sqlx::Error> {
    sqlx::query_as!(
        Line,
        "INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, operation_id, at)
         SELECT book_id, CASE WHEN delta > 0 THEN 'receipt' ELSE 'adjustment' END, delta, delta, 0, $1, $4
         FROM (SELECT s.book_id, greatest(c.on_hand, s.reserved) - s.on_hand AS delta
               FROM unnest($2::bigint[], $3::int[]) AS c (book_id, on_hand) JOIN stock s USING (book_id)) AS change
         WHERE delta <> 0
         ON CONFLICT (operation_id, book_id) DO NOTHING
         RETURNING book_id AS book, quantity AS copies",
        operation,
        books,
        counts,
        at
    )
    .fetch_all(db)
    .await
}

/// Work for the gate, committed with the change that causes it.
pub(super) async fn insert_operation(
    db: impl PgExecutor<'_>,
    kind: &str,
    order: Option<OrderId>,
    lines: &[Line],
    at: OffsetDateTime,
) -> Result<i64, sqlx::Error> {
    let lines = lines.iter().map(|line| serde_json::json!([line.book, line.copies])).collect::<serde_json::Value>();
    sqlx::query_scalar!(
        "INSERT INTO gate_ops (kind, order_id, lines, created_at, due_at) VALUES ($1, $2, $3, $4, $4) RETURNING id",
        kind,
        order.map(OrderId::get),
        lines,
        at
    )
    .fetch_one(db)
    .await
}

/// `false`: there is no such book.
pub(super) async fn ensure_row(db: &mut PgConnection, book: i64) -> Result<bool, sqlx::Error> {
    sqlx::query!("INSERT INTO stock (book_id) SELECT id FROM books WHERE id = $1 ON CONFLICT DO NOTHING", book)
        .execute(&mut *db)
        .await?;
    sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM stock WHERE book_id = $1) AS "is_there!""#, book)
        .fetch_one(db)
        .await
}

pub(super) struct Count {
    pub on_hand: i32,
    pub reserved: i32,
}

pub(super) async fn lock_count(db: impl PgExecutor<'_>, book: i64) -> Result<Count, sqlx::Error> {
    sqlx::query_as!(Count, "SELECT on_hand, reserved FROM stock WHERE book_id = $1 FOR UPDATE", book)
        .fetch_one(db)
        .await
}

/// What an operation did to this book before.
pub(super) async fn known_delta(
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

pub(super) async fn insert_correction(
    db: impl PgExecutor<'_>,
    book: i64,
    kind: &str,
    delta: i32,
    operation: &str,
    note: Option<&str>,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, operation_id, note, at)
         VALUES ($1, $2, $3, $3, 0, $4, $5, $6)",
        book,
        kind,
        delta,
        operation,
        note,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) struct HistoryRow {
    pub id: i64,
    pub kind: String,
    pub quantity: i32,
    pub on_hand: i64,
    pub reserved: i64,
    pub order_id: Option<Uuid>,
    pub number: Option<String>,
    pub operation_id: Option<String>,
    pub note: Option<String>,
    pub at: OffsetDateTime,
}

pub(super) async fn history(
    db: impl PgExecutor<'_>,
    book: i64,
    before: i64,
    most: i64,
) -> Result<Vec<HistoryRow>, sqlx::Error> {
    sqlx::query_as!(
        HistoryRow,
        r#"SELECT m.id, m.kind, m.quantity, m.on_hand AS "on_hand!", m.reserved AS "reserved!", m.order_id,
                  o.number AS "number?", m.operation_id, m.note, m.at
           FROM (SELECT *, sum(on_hand_delta) OVER w AS on_hand, sum(reserved_delta) OVER w AS reserved
                 FROM stock_movements WHERE book_id = $1 AND id < $2 WINDOW w AS (ORDER BY id)) m
           LEFT JOIN orders o ON o.id = m.order_id ORDER BY m.id DESC LIMIT $3"#,
        book,
        before,
        most
    )
    .fetch_all(db)
    .await
}

/// A row of `gate_ops`, with the owner of its order.
pub(super) struct Operation {
    pub id: i64,
    pub kind: String,
    pub order_id: Option<Uuid>,
    pub lines: serde_json::Value,
    pub attempts: i32,
    pub first_failed_at: Option<OffsetDateTime>,
    pub owner: Option<String>,
}

impl Operation {
    pub(super) fn lines(&self) -> Result<Vec<Line>, Error> {
        parse_lines(&self.lines)
    }
}

fn parse_lines(lines: &serde_json::Value) -> Result<Vec<Line>, Error> {
    let pairs: Vec<(i64, i32)> = serde_json::from_value(lines.clone()).during("stock.operation_lines")?;
    Ok(pairs.into_iter().map(|(book, copies)| Line { book, copies }).collect())
}

pub(super) async fn has_due_operations(db: impl PgExecutor<'_>, now: OffsetDateTime) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM gate_ops WHERE applied_at IS NULL AND due_at <= $1) AS "due!""#,
        now
    )
    .fetch_one(db)
    .await
}

pub(super) async fn lock_due_operations(
    db: impl PgExecutor<'_>,
    now: OffsetDateTime,
    most: i64,
) -> Result<Vec<Operation>, sqlx::Error> {
    sqlx::query_as!(
        Operation,
        r#"SELECT g.id, g.kind, g.order_id, g.lines, g.attempts, g.first_failed_at, o.owner AS "owner?"
           FROM gate_ops g LEFT JOIN orders o ON o.id = g.order_id
           WHERE g.applied_at IS NULL AND g.due_at <= $1 ORDER BY g.id LIMIT $2 FOR UPDATE OF g SKIP LOCKED"#,
        now,
        most
    )
    .fetch_all(db)
    .await
}

pub(super) async fn mark_applied(db: impl PgExecutor<'_>, ids: &[i64], at: OffsetDateTime) -> Result<(), sqlx::Error> {
    sqlx::query!("UPDATE gate_ops SET applied_at = $2, attempts = attempts + 1 WHERE id = ANY($1)", ids, at)
        .execute(db)
        .await?;
    Ok(())
}

/// Tries an operation again at `due`.
pub(super) async fn put_off(
    db: impl PgExecutor<'_>,
    id: i64,
    due: OffsetDateTime,
    error: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE gate_ops SET due_at = $2, attempts = attempts + 1, last_error = $3,
                first_failed_at = coalesce(first_failed_at, now()) WHERE id = $1",
        id,
        due,
        error
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Opens a transaction all of whose statements see the same moment.
pub(super) const BEGIN_SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// For a transaction that waits for Redis: ten minutes, where a request has 15 s. As long as staged counts live.
pub(super) const ALLOW_PAUSES: &str = "SET LOCAL idle_in_transaction_session_timeout = '600s'";

/// Keeps everybody else's stock transactions away until this one ends.
pub(super) async fn lock_gate(db: impl PgExecutor<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(r#"SELECT pg_advisory_xact_lock($1) IS NOT NULL AS "locked!""#, GATE_LOCK).fetch_one(db).await?;
    Ok(())
}

/// Copies on sale per book, in pages: the books after `after`.
pub(super) async fn available_page(db: impl PgExecutor<'_>, after: i64, most: i64) -> Result<Vec<Line>, sqlx::Error> {
    sqlx::query_as!(
        Line,
        r#"SELECT book_id AS book, available AS "copies!" FROM stock WHERE book_id > $1 ORDER BY book_id LIMIT $2"#,
        after,
        most
    )
    .fetch_all(db)
    .await
}

/// An operation that Postgres does not know as applied.
pub(super) struct Waiting {
    pub id: i64,
    pub kind: String,
    lines: serde_json::Value,
}

impl Waiting {
    /// What it will add at the gate. One that nobody can read will never add anything.
    pub(super) fn copies(&self) -> Vec<Line> {
        match self.kind.as_str() {
            "settle" => Vec::new(),
            _ => parse_lines(&self.lines).unwrap_or_default(),
        }
    }
}

pub(super) async fn waiting(db: impl PgExecutor<'_>) -> Result<Vec<Waiting>, sqlx::Error> {
    sqlx::query_as!(Waiting, "SELECT id, kind, lines FROM gate_ops WHERE applied_at IS NULL ORDER BY id LIMIT 100000")
        .fetch_all(db)
        .await
}

/// The operations that the gate has not confirmed.
pub(super) async fn unapplied(db: impl PgExecutor<'_>) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!("SELECT id FROM gate_ops WHERE applied_at IS NULL ORDER BY id").fetch_all(db).await
}
