//! Promise 4: money that is too much, too little, or nobody's business. The order that is paid costs 44900.

use super::Bug;

pub(super) const BUGS: &[Bug] = &[
    Bug::in_postgres(
        "paid without a captured payment",
        "UPDATE payments SET status = 'declined'",
        "4",
        "is PAID (44900 INR) with 0 captured payments, 0 of another amount",
    ),
    Bug::in_postgres(
        "a captured payment of an order that is not paid",
        "INSERT INTO payments (id, order_id, provider, status, amount_minor, currency, created_at, captured_at)
         SELECT id, id, 'sandbox', 'captured', 44900, 'INR', now(), now() FROM orders WHERE status = 'CANCELLED'",
        "4",
        "is CANCELLED (44900 INR) with 1 captured payments",
    ),
    Bug::in_postgres("too little was captured", "UPDATE payments SET amount_minor = 44899", "4", "1 of another amount"),
    Bug::in_postgres("too much was captured", "UPDATE payments SET amount_minor = 44901", "4", "1 of another amount"),
    Bug::in_postgres("another currency", "UPDATE payments SET currency = 'USD'", "4", "1 of another amount"),
    Bug::in_postgres(
        "paid twice",
        "DROP INDEX payments_one_captured_idx;
         INSERT INTO payments (id, order_id, provider, status, amount_minor, currency, created_at, captured_at)
         SELECT gen_random_uuid(), id, 'sandbox', 'captured', 44900, 'INR', now(), now() FROM orders WHERE status = 'PAID'",
        "4",
        "with 2 captured payments",
    ),
    Bug::in_postgres(
        "more goes back than came",
        "INSERT INTO refunds (id, payment_id, order_id, amount_minor, currency, reason, status, created_at)
         SELECT gen_random_uuid(), id, order_id, 22451, 'INR', 'x', 'confirmed', now()
         FROM payments, generate_series(1, 2)",
        "4",
        "of 44900 has refunds of 44902",
    ),
    Bug::in_postgres(
        "money goes back that never came",
        "INSERT INTO payments (id, order_id, provider, status, amount_minor, currency, created_at)
         SELECT id, id, 'sandbox', 'closed', 44900, 'INR', now() FROM orders WHERE status = 'CANCELLED';
         INSERT INTO refunds (id, payment_id, order_id, amount_minor, currency, reason, status, created_at)
         SELECT id, id, order_id, 100, 'INR', 'x', 'confirmed', now() FROM payments WHERE status = 'closed'",
        "4",
        "of 0 has refunds of 100",
    ),
    Bug::in_postgres(
        "late money, and the work that decides about it is lost",
        "INSERT INTO payments (id, order_id, provider, status, amount_minor, currency, created_at, captured_at)
         SELECT id, id, 'sandbox', 'late', 44900, 'INR', now(), now() FROM orders WHERE status = 'CANCELLED'",
        "4",
        "came late, and nobody decides about it",
    ),
    Bug::in_postgres(
        "on its way back without a refund",
        "UPDATE payments SET status = 'refunding'",
        "4",
        "of 44900 is on its way back, and only 0 of it is asked for",
    ),
    Bug::in_postgres(
        "on its way back with a refund that failed",
        "UPDATE payments SET status = 'refunding';
         INSERT INTO refunds (id, payment_id, order_id, amount_minor, currency, reason, status, created_at)
         SELECT gen_random_uuid(), id, order_id, 40000, 'INR', 'x', 'failed', now() FROM payments;
         INSERT INTO refunds (id, payment_id, order_id, amount_minor, currency, reason, status, created_at)
         SELECT gen_random_uuid(), id, order_id, 4900, 'INR', 'x', 'confirmed', now() FROM payments",
        "4",
        "of 44900 is on its way back, and only 4900 of it is asked for",
    ),
    Bug::in_postgres(
        "all of it goes back, and the order can be sent",
        "INSERT INTO refunds (id, payment_id, order_id, amount_minor, currency, reason, status, created_at)
         SELECT gen_random_uuid(), id, order_id, 22450, 'INR', 'x', 'confirmed', now()
         FROM payments, generate_series(1, 2)",
        "4",
        "pays its order, and all of it goes back",
    ),
    Bug::in_postgres(
        "refunded before the money is back",
        "UPDATE payments SET status = 'refunding';
         INSERT INTO refunds (id, payment_id, order_id, amount_minor, currency, reason, status, provider_ref, created_at)
         SELECT gen_random_uuid(), id, order_id, amount_minor, 'INR', 'x', 'requested', 'r', now() FROM payments;
         INSERT INTO order_history SELECT id, version + 1, 'REFUNDED', 'refund_confirmed', NULL, now() FROM orders
         WHERE status = 'PAID';
         UPDATE orders SET status = 'REFUNDED', version = version + 1 WHERE status = 'PAID'",
        "4",
        "is REFUNDED, and the money of payment",
    ),
    Bug::in_postgres(
        "its copies are back on the shelf, and it can be sent",
        "INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, order_id, operation_id, at)
         SELECT i.book_id, 'return', i.quantity, i.quantity, 0, o.id, 'return:' || o.id || ':' || o.claim_no, now()
         FROM orders o JOIN order_items i ON i.order_id = o.id WHERE o.status = 'PAID';
         UPDATE stock SET on_hand = on_hand + m.quantity FROM stock_movements m
         WHERE m.book_id = stock.book_id AND m.kind = 'return';
         INSERT INTO gate_ops (kind, lines, due_at)
         SELECT 'adjust', jsonb_agg(jsonb_build_array(book_id, quantity)), now() FROM stock_movements WHERE kind = 'return'",
        "4",
        "and keeps its money, and its copies are back on the shelf",
    ),
    Bug::in_postgres(
        "money that fits nothing, and nobody has seen to it",
        "INSERT INTO webhook_inbox (provider, event_id, kind, payload, outcome, note, received_at, order_id,
           brings_money)
         SELECT 'sandbox', 'evt_7', 'payment.captured', '{}', 'quarantined', 'another amount', now(), id, true
         FROM orders WHERE status = 'CANCELLED'",
        "4",
        "told of by evt_7 for",
    ),
    Bug::in_postgres(
        "a refund, and the work that asks for it is lost",
        "UPDATE payments SET status = 'refunding';
         INSERT INTO refunds (id, payment_id, order_id, amount_minor, currency, reason, status, created_at)
         SELECT id, id, order_id, amount_minor, 'INR', 'x', 'requested', now() FROM payments",
        "4",
        "is wanted, and nobody asks for it",
    ),
    Bug::in_postgres(
        "a total that its lines do not make",
        "UPDATE orders SET subtotal_minor = subtotal_minor + 1, total_minor = total_minor + 1 WHERE status = 'CANCELLED'",
        "4",
        "has lines of 40000 and delivery of 4900, a subtotal of 40001 and a total of 44901",
    ),
    Bug::in_postgres(
        "a line that its copies do not make",
        "ALTER TABLE order_items DROP CONSTRAINT order_items_check;
         UPDATE order_items SET line_total_minor = line_total_minor + CASE line_no WHEN 1 THEN 1 ELSE -1 END",
        "4",
        "has lines of 40000",
    ),
];
