//! SQL of the ledger and of a rebuild; of the gate's operations and of corrections in files of their own.

mod corrections;
mod operations;

pub(super) use corrections::{
    HistoryRow, ensure_row, history, insert_correction, insert_counts, is_any_lowered, known_delta, lock_counts,
};
pub(super) use operations::{
    MOST_WAITING, Operation, OperationId, TakenUp, hand_back, has_due_operations, insert_operation, lock_operations,
    mark_applied, put_off, set_aside, set_lines, take_up, unapplied, waiting,
};

use domain::OrderId;
use sqlx::PgExecutor;
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

/// The copies that the order's lines want, in book order.
pub(super) async fn wanted(db: impl PgExecutor<'_>, order: OrderId) -> Result<Vec<Line>, sqlx::Error> {
    sqlx::query_as!(
        Line,
        r#"SELECT book_id AS book, sum(quantity)::int AS "copies!" FROM order_items WHERE order_id = $1
           GROUP BY book_id ORDER BY book_id"#,
        order.get()
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

/// Returns the books that had no row.
pub(super) async fn ensure_rows(db: impl PgExecutor<'_>, books: &[i64]) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "INSERT INTO stock (book_id) SELECT unnest($1::bigint[]) ON CONFLICT (book_id) DO NOTHING RETURNING book_id",
        books
    )
    .fetch_all(db)
    .await
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

/// Copies that were claimed are so no longer; those sold leave the house.
pub(super) async fn unreserve(
    db: impl PgExecutor<'_>,
    books: &[i64],
    copies: &[i32],
    are_sold: bool,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE stock SET reserved = reserved - line.copies, on_hand = on_hand - CASE WHEN $3 THEN line.copies ELSE 0 END
         FROM unnest($1::bigint[], $2::int[]) AS line (book, copies) WHERE book_id = line.book",
        books,
        copies,
        are_sold
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

/// The movements of one order's claim: `reserve`, `sale` or `release`.
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
         SELECT line.book, $1, line.copies, CASE $1 WHEN 'sale' THEN -line.copies ELSE 0 END,
           CASE $1 WHEN 'reserve' THEN line.copies ELSE -line.copies END, $2, $3, $6
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

/// Sold under this claim, less what has come back since.
pub(super) async fn copies_out(db: impl PgExecutor<'_>, order: OrderId, claim_no: i32) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT coalesce(sum(CASE kind WHEN 'sale' THEN quantity ELSE -quantity END), 0)::bigint AS "copies!"
           FROM stock_movements WHERE order_id = $1 AND (kind = 'sale' AND claim_no = $2 OR kind = 'return')"#,
        order.get(),
        claim_no
    )
    .fetch_one(db)
    .await
}

/// The `return` movements of a claim's sold copies, but for those that came back before.
pub(super) async fn insert_returns(
    db: impl PgExecutor<'_>,
    order: OrderId,
    claim_no: i32,
    operation: &str,
    at: OffsetDateTime,
) -> Result<Vec<Line>, sqlx::Error> {
    sqlx::query_as!(
        Line,
        "INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, order_id, operation_id, at)
         SELECT book_id, 'return', copies, copies, 0, $1, $3, $4
         FROM (SELECT s.book_id, (s.quantity - coalesce((SELECT sum(r.quantity) FROM stock_movements r
                   WHERE r.order_id = $1 AND r.book_id = s.book_id AND r.kind = 'return'), 0))::int AS copies
               FROM stock_movements s WHERE s.order_id = $1 AND s.claim_no = $2 AND s.kind = 'sale'
               ORDER BY s.book_id) AS sold
         WHERE copies > 0
         RETURNING book_id AS book, quantity AS copies",
        order.get(),
        claim_no,
        operation,
        at
    )
    .fetch_all(db)
    .await
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

/// Opens a transaction all of whose statements see the same moment.
pub(super) const BEGIN_SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// For a transaction that waits for Redis and holds no lock: ten minutes, where others have 15 s. As long as staged counts
/// live.
pub(super) const ALLOW_PAUSES: &str = "SET LOCAL idle_in_transaction_session_timeout = '600s'";
/// What the connection began with.
pub(super) const END_PAUSES: &str = "SET LOCAL idle_in_transaction_session_timeout TO DEFAULT";

/// Keeps everybody else's stock transactions away until this one ends.
pub(super) async fn lock_gate(db: impl PgExecutor<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(r#"SELECT pg_advisory_xact_lock($1) IS NOT NULL AS "locked!""#, GATE_LOCK).fetch_one(db).await?;
    Ok(())
}

/// The epoch of a rebuild: later than every one before, and the time of day unless a clock went back.
pub(super) async fn next_epoch(db: impl PgExecutor<'_>, now: i64) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        "INSERT INTO gate_epoch AS g (epoch) VALUES ($1)
         ON CONFLICT (is_only) DO UPDATE SET epoch = greatest(g.epoch + 1, excluded.epoch) RETURNING epoch",
        now
    )
    .fetch_one(db)
    .await
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
