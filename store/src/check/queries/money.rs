//! SQL of the check over money: payments and refunds beside the orders that they are for.

use sqlx::PgConnection;

/// Orders that are paid without exactly one payment of their amount, or hold money without being paid. Money that is
/// on its way back still counts for an order that is paid, and does not for one that is not.
pub(in crate::check) async fn wrong_money(db: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"WITH money AS (
               SELECT o.id, o.number, o.status, o.total_minor, o.currency,
                      count(p.id) FILTER (WHERE p.status = 'captured') AS captured,
                      count(p.id) FILTER (WHERE p.status IN ('captured', 'refunding')
                          AND p.amount_minor = o.total_minor AND p.currency = o.currency) AS fitting,
                      count(p.id) FILTER (WHERE p.status = 'captured'
                          AND (p.amount_minor <> o.total_minor OR p.currency <> o.currency)) AS misfits
               FROM orders o LEFT JOIN payments p ON p.order_id = o.id GROUP BY o.id)
           SELECT number || ' is ' || status || ' (' || total_minor || ' ' || currency || ') with ' || captured
                  || ' captured payments, ' || misfits || ' of another amount' AS "line!"
           FROM money
           WHERE misfits > 0 OR CASE WHEN status IN ('PAID', 'FULFILLING', 'SHIPPED', 'DELIVERED')
                     THEN captured > 1 OR fitting = 0 ELSE captured > 0 END
           ORDER BY id LIMIT 1000"#
    )
    .fetch_all(db)
    .await
}

/// Refunds that give more back than came in.
pub(in crate::check) async fn excess_refunds(db: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"WITH money AS (SELECT id, CASE WHEN captured_at IS NULL THEN 0 ELSE amount_minor END AS captured FROM payments)
           SELECT 'payment ' || p.id || ' of ' || captured || ' has refunds of ' || sum(r.amount_minor) AS "line!"
           FROM money p JOIN refunds r ON r.payment_id = p.id
           WHERE r.status <> 'failed' GROUP BY p.id, captured HAVING sum(r.amount_minor) > captured LIMIT 1000"#
    )
    .fetch_all(db)
    .await
}

/// Money whose way nobody sees to: late and undecided, or going back, without work or a letter about it.
pub(in crate::check) async fn idle_money(db: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"WITH work AS (SELECT topic || ':' || key AS name FROM outbox
                         UNION ALL SELECT key FROM dead_letters WHERE source = 'outbox' AND state = 'parked'),
           asked AS (SELECT id, status, amount_minor, (SELECT coalesce(sum(r.amount_minor), 0) FROM refunds r
                       WHERE r.payment_id = p.id AND r.status <> 'failed') AS asked
                     FROM payments p WHERE status IN ('captured', 'refunding'))
           SELECT 'payment ' || id || ' came late, and nobody decides about it' AS "line!" FROM payments
           WHERE status = 'late' AND 'payment.late:' || id NOT IN (SELECT name FROM work)
           UNION ALL
           SELECT 'payment ' || id || ' of ' || amount_minor || ' is on its way back, and only ' || asked || ' of it is asked for'
           FROM asked WHERE status = 'refunding' AND asked < amount_minor
           UNION ALL
           SELECT 'payment ' || id || ' pays its order, and all of it goes back' FROM asked
           WHERE status = 'captured' AND asked >= amount_minor
           UNION ALL
           SELECT 'refund ' || id || ' is wanted, and nobody asks for it' FROM refunds
           WHERE status = 'requested' AND provider_ref IS NULL AND 'refund.request:' || id NOT IN (SELECT name FROM work)
           LIMIT 1000"#
    )
    .fetch_all(db)
    .await
}

/// Orders whose lines and delivery do not make their total.
pub(in crate::check) async fn wrong_totals(db: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"WITH lines AS (
               SELECT order_id, sum(line_total_minor) AS sum, bool_or(line_total_minor <> unit_price_minor * quantity) AS odd
               FROM order_items GROUP BY order_id)
           SELECT number || ' has lines of ' || coalesce(l.sum, 0) || ' and delivery of ' || delivery_minor
                  || ', a subtotal of ' || subtotal_minor || ' and a total of ' || total_minor AS "line!"
           FROM orders o LEFT JOIN lines l ON l.order_id = o.id
           WHERE l.sum IS DISTINCT FROM subtotal_minor OR subtotal_minor + delivery_minor <> total_minor OR l.odd
           ORDER BY o.id LIMIT 1000"#
    )
    .fetch_all(db)
    .await
}

/// REFUNDED says that all money is back: of these orders some is still with the shop. Not money that came to the shop
/// again, or for the first time, after that.
pub(in crate::check) async fn kept_money(db: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT o.number || ' is REFUNDED, and the money of payment ' || p.id || ' is not back' AS "line!"
           FROM orders o JOIN payments p ON p.order_id = o.id
           WHERE o.status = 'REFUNDED' AND p.status IN ('late', 'refunding')
             AND NOT EXISTS (SELECT FROM refunds r WHERE r.payment_id = p.id AND r.status = 'failed')
             AND NOT EXISTS (SELECT FROM order_history h WHERE h.order_id = o.id AND h.status = 'REFUNDED'
                               AND h.cause = 'money_goes_back')
           ORDER BY o.id LIMIT 1000"#
    )
    .fetch_all(db)
    .await
}

/// Orders that can be packed and sent although their copies are on sale again.
pub(in crate::check) async fn money_for_nothing(db: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT number || ' is ' || status || ' and keeps its money, and its copies are back on the shelf' AS "line!"
           FROM orders o WHERE status IN ('PAID', 'FULFILLING')
             AND EXISTS (SELECT FROM payments p WHERE p.order_id = o.id AND p.status = 'captured')
             AND EXISTS (SELECT FROM stock_movements m WHERE m.order_id = o.id AND m.kind = 'return'
                           AND m.operation_id = 'return:' || o.id || ':' || o.claim_no)
           ORDER BY id LIMIT 1000"#
    )
    .fetch_all(db)
    .await
}

/// Money that a provider has for this shop, that fits nothing, and that nobody has seen to.
pub(in crate::check) async fn money_apart(db: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT 'money that ' || i.provider || ' told of by ' || i.event_id || coalesce(' for ' || o.number, '')
                  || ' is kept apart (' || coalesce(i.note, '') || '), and nobody has seen to it' AS "line!"
           FROM webhook_inbox i LEFT JOIN orders o ON o.id = i.order_id
           WHERE i.outcome = 'quarantined' AND i.brings_money AND NOT EXISTS (
             SELECT FROM dead_letters d WHERE d.source = 'webhook_inbox' AND d.key = i.id::text AND d.state = 'discarded')
           ORDER BY i.id LIMIT 1000"#
    )
    .fetch_all(db)
    .await
}
