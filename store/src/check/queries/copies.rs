//! SQL of the check over copies: stock rows beside their movements, and movements beside the orders that cause them.

use sqlx::{PgConnection, PgExecutor};

pub(in crate::check) struct StockRow {
    pub book_id: i64,
    pub on_hand: i64,
    pub reserved: i64,
    pub available: i64,
    /// Sums of the ledger's movements.
    pub moved_on_hand: i64,
    pub moved_reserved: i64,
    /// Copies in the lines of orders that wait for payment.
    pub claimed: i64,
}

/// Stock rows beside what the ledger and the open orders say of them; all books, or these.
pub(in crate::check) async fn stock(db: &mut PgConnection, books: Option<&[i64]>) -> sqlx::Result<Vec<StockRow>> {
    sqlx::query_as!(
        StockRow,
        r#"SELECT coalesce(s.book_id, m.book_id) AS "book_id!", coalesce(s.on_hand, 0)::bigint AS "on_hand!",
                  coalesce(s.reserved, 0)::bigint AS "reserved!", coalesce(s.available, 0)::bigint AS "available!",
                  coalesce(m.on_hand, 0)::bigint AS "moved_on_hand!", coalesce(m.reserved, 0)::bigint AS "moved_reserved!",
                  coalesce(c.copies, 0)::bigint AS "claimed!"
           FROM (SELECT * FROM stock WHERE $1::bigint[] IS NULL OR book_id = ANY($1)) s
           FULL JOIN (SELECT book_id, sum(on_hand_delta) AS on_hand, sum(reserved_delta) AS reserved
                      FROM stock_movements WHERE $1::bigint[] IS NULL OR book_id = ANY($1) GROUP BY book_id) m
                  ON m.book_id = s.book_id
           LEFT JOIN (SELECT i.book_id, sum(i.quantity) AS copies FROM order_items i JOIN orders o ON o.id = i.order_id
                      WHERE o.status = 'PAYMENT_PENDING' GROUP BY i.book_id) c
                  ON c.book_id = coalesce(s.book_id, m.book_id)
           ORDER BY 1"#,
        books
    )
    .fetch_all(db)
    .await
}

/// Claims whose end does not fit their order: an open order's claim that ended, an ended order's claim that did not, or
/// twice, copies sold that should be back, or other copies than the order's lines.
pub(in crate::check) async fn wrong_claims(db: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"WITH claims AS (
               SELECT order_id, claim_no, book_id,
                      coalesce(sum(quantity) FILTER (WHERE kind = 'reserve'), 0) AS reserved,
                      coalesce(sum(quantity) FILTER (WHERE kind = 'release'), 0) AS released,
                      coalesce(sum(quantity) FILTER (WHERE kind = 'sale'), 0) AS sold,
                      count(*) FILTER (WHERE kind <> 'reserve') AS ends
               FROM stock_movements WHERE order_id IS NOT NULL AND kind IN ('reserve', 'release', 'sale')
               GROUP BY order_id, claim_no, book_id),
           wanted AS (SELECT order_id, book_id, sum(quantity) AS copies FROM order_items GROUP BY order_id, book_id),
           lines AS (
               SELECT o.id, o.number, o.status, w.book_id, w.copies, c.claim_no, c.claim_no = o.claim_no AS latest,
                      coalesce(c.reserved, 0) AS reserved, coalesce(c.released, 0) AS released, coalesce(c.sold, 0) AS sold,
                      coalesce(c.ends, 0) AS ends
               FROM orders o JOIN wanted w ON w.order_id = o.id
               LEFT JOIN claims c ON c.order_id = o.id AND c.book_id = w.book_id)
           SELECT number || ' is ' || status || ': of book ' || book_id || ' it wants ' || copies || ', claimed ' || reserved
                  || ', released ' || released || ', sold ' || sold AS "line!"
           FROM lines
           WHERE CASE
               WHEN claim_no IS NULL THEN status NOT IN ('PENDING', 'FAILED', 'EXPIRED', 'CANCELLED')
               WHEN reserved <> copies OR ends > 1 THEN true
               WHEN NOT latest THEN released + sold <> reserved
               WHEN status = 'PAYMENT_PENDING' THEN released + sold <> 0
               WHEN status IN ('PAID', 'FULFILLING', 'SHIPPED', 'DELIVERED') THEN sold <> reserved OR released <> 0
               WHEN status IN ('EXPIRED', 'FAILED') THEN released <> reserved OR sold <> 0
               ELSE released + sold <> reserved END
           ORDER BY id, book_id LIMIT 1000"#
    )
    .fetch_all(db)
    .await
}

/// Orders of which more came back than was sold, and sold ones that were called off without all of it coming back.
pub(in crate::check) async fn wrong_returns(db: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"WITH moved AS (
               SELECT order_id, book_id, coalesce(sum(quantity) FILTER (WHERE kind = 'sale'), 0) AS sold,
                      coalesce(sum(quantity) FILTER (WHERE kind = 'return'), 0) AS returned
               FROM stock_movements WHERE order_id IS NOT NULL AND kind IN ('sale', 'return')
               GROUP BY order_id, book_id)
           SELECT number || ' is ' || status || ': of book ' || book_id || ' it sold ' || sold || ' and took ' || returned
                  || ' back' AS "line!"
           FROM orders o JOIN moved m ON m.order_id = o.id
           WHERE returned > sold OR (status = 'CANCELLED' AND returned <> sold)
           ORDER BY o.id, book_id LIMIT 1000"#
    )
    .fetch_all(db)
    .await
}

/// Orders that are packed, sent or delivered, and whose shipment does not say so.
pub(in crate::check) async fn wrong_shipments(db: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT o.number || ' is ' || o.status || CASE WHEN s.id IS NULL THEN ' and has no shipment'
                  ELSE ', and its shipment does not say so' END AS "line!"
           FROM orders o LEFT JOIN shipments s ON s.order_id = o.id
           WHERE CASE o.status WHEN 'FULFILLING' THEN s.id IS NULL WHEN 'SHIPPED' THEN s.shipped_at IS NULL
                 WHEN 'DELIVERED' THEN s.shipped_at IS NULL OR s.delivered_at IS NULL ELSE false END
           ORDER BY o.id LIMIT 1000"#
    )
    .fetch_all(db)
    .await
}

/// Which of these books' stock rows somebody keeps locked: perhaps copies are taken at the gate and not written down yet.
pub(in crate::check) async fn locked(db: impl PgExecutor<'_>, books: &[i64]) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!(
        "WITH free AS (SELECT book_id FROM stock WHERE book_id = ANY($1) FOR SHARE SKIP LOCKED)
         SELECT book_id FROM stock WHERE book_id = ANY($1) AND book_id NOT IN (SELECT book_id FROM free)",
        books
    )
    .fetch_all(db)
    .await
}

/// Claims on copies that their order does not want, or that it never made.
pub(in crate::check) async fn strange_claims(db: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT 'movement ' || m.id || ' (' || m.kind || ' of ' || m.quantity || ' of book ' || m.book_id
                  || ') is not of claim ' || o.claim_no || ' or an earlier one of ' || o.number AS "line!"
           FROM stock_movements m JOIN orders o ON o.id = m.order_id
           WHERE m.kind IN ('reserve', 'release', 'sale') AND (m.claim_no NOT BETWEEN 1 AND o.claim_no
              OR NOT EXISTS (SELECT FROM order_items i WHERE i.order_id = m.order_id AND i.book_id = m.book_id))
           ORDER BY m.id LIMIT 1000"#
    )
    .fetch_all(db)
    .await
}
