//! Promise 5: orders that do not end, end wrongly, or leave something behind.

use super::{Bug, Scene};
use domain::OrderId;
use redis::cmd;

const STRANGER: OrderId = OrderId::new(uuid::Uuid::from_u128(7));

pub(super) const BUGS: &[Bug] = &[
    Bug::in_postgres(
        "open half a minute past its deadline",
        "UPDATE orders SET expires_at = now() - interval '31 seconds' WHERE status = 'PAYMENT_PENDING'",
        "5",
        "is still PAYMENT_PENDING, its deadline was",
    ),
    Bug::in_postgres(
        "expired without giving its copies back",
        "INSERT INTO order_history (order_id, version, status, cause, at)
         SELECT id, 2, 'EXPIRED', 'deadline_passed', now() FROM orders WHERE status = 'PAYMENT_PENDING';
         UPDATE orders SET status = 'EXPIRED', version = 2 WHERE status = 'PAYMENT_PENDING'",
        "15",
        "is EXPIRED: of book",
    ),
    Bug::in_postgres(
        "cancelled, and movement and row forgot the copies together",
        "UPDATE stock SET reserved = reserved + 2 WHERE book_id IN (SELECT book_id FROM stock_movements WHERE kind = 'release');
         DELETE FROM stock_movements WHERE kind = 'release'",
        "15",
        "is CANCELLED: of book",
    ),
    Bug::in_postgres(
        "sold, and expired",
        "INSERT INTO order_history (order_id, version, status, cause, at)
         SELECT id, 2, 'EXPIRED', 'deadline_passed', now() FROM orders WHERE status = 'PAID' ON CONFLICT (order_id, version)
             DO UPDATE SET status = 'EXPIRED', cause = 'deadline_passed';
         UPDATE orders SET status = 'EXPIRED' WHERE status = 'PAID';
         UPDATE payments SET status = 'refunded'",
        "5",
        "released 0, sold 2",
    ),
    Bug::in_postgres(
        "paid, and its copies are still only promised",
        "UPDATE stock SET on_hand = on_hand + 2, reserved = reserved + 2
             WHERE book_id IN (SELECT book_id FROM stock_movements WHERE kind = 'sale');
         DELETE FROM stock_movements WHERE kind = 'sale'",
        "15",
        "is PAID: of book",
    ),
    Bug::in_postgres(
        "an edge that the table does not know",
        "UPDATE order_history SET cause = 'arrived' WHERE status = 'PAID'",
        "5",
        "from PAYMENT_PENDING to PAID by arrived is no legal change",
    ),
    Bug::in_postgres(
        "packed without a shipment",
        "INSERT INTO order_history (order_id, version, status, cause, at)
         SELECT id, 3, 'FULFILLING', 'fulfilment_started', now() FROM orders WHERE status = 'PAID';
         UPDATE orders SET status = 'FULFILLING', version = 3 WHERE status = 'PAID'",
        "5",
        "is FULFILLING and has no shipment",
    ),
    Bug::in_postgres(
        "delivered, says the order, and not its shipment",
        "INSERT INTO order_history (order_id, version, status, cause, at)
         SELECT o.id, v, s, c, now() FROM orders o, (VALUES (3, 'FULFILLING', 'fulfilment_started'),
             (4, 'SHIPPED', 'handed_to_carrier'), (5, 'DELIVERED', 'arrived')) AS step (v, s, c) WHERE o.status = 'PAID';
         INSERT INTO shipments (order_id, address, created_at, shipped_at) SELECT id, '{}', now(), now() FROM orders WHERE status = 'PAID';
         UPDATE orders SET status = 'DELIVERED', version = 5 WHERE status = 'PAID'",
        "5",
        "is DELIVERED, and its shipment does not say so",
    ),
    Bug::in_postgres(
        "a gap in a history",
        "UPDATE order_history SET version = 7 WHERE status = 'PAID'; UPDATE orders SET version = 7 WHERE status = 'PAID'",
        "5",
        "step 7 follows step 1",
    ),
    Bug::in_postgres(
        "a step that nobody wrote down",
        "DELETE FROM order_history WHERE status = 'PAID'",
        "5",
        "is PAID in version 2, its history ends with PAYMENT_PENDING in version 1",
    ),
    Bug::in_postgres(
        "an order without a history",
        "DELETE FROM order_history WHERE order_id = (SELECT id FROM orders WHERE status = 'CANCELLED')",
        "5",
        "no history",
    ),
    Bug::in_postgres(
        "claimed copies that are on no line",
        "DELETE FROM order_items WHERE line_no = 1 AND order_id = (SELECT id FROM orders WHERE status = 'CANCELLED')",
        "45",
        "or an earlier one of",
    ),
    Bug::in_redis(
        "an orphaned reservation",
        |scene| vec![cmd("HSET").arg(scene.shop.keys.reservation(STRANGER)).arg("owner").arg("g:x").take()],
        "5",
        "which is nowhere",
    ),
    Bug::in_redis(
        "a reservation of an order that has ended",
        |scene| vec![cmd("HSET").arg(scene.shop.keys.reservation(scene.cancelled.id)).arg("owner").arg("g:x").take()],
        "5",
        "which has ended",
    ),
    Bug::in_redis(
        "an open order lost its reservation",
        |scene| {
            let Scene { shop, open, .. } = scene;
            vec![
                cmd("DEL").arg(shop.keys.reservation(open.id)).take(),
                cmd("ZREM").arg(shop.keys.holds(&open.owner)).arg(open.id.to_string()).take(),
            ]
        },
        "5",
        "the gate holds nothing for it",
    ),
    Bug::in_redis(
        "an open order does not count against its owner",
        |scene| vec![cmd("DEL").arg(scene.shop.keys.holds(&scene.open.owner)).take()],
        "5",
        "the gate holds nothing for it",
    ),
    Bug::in_redis(
        "an order that is not there counts against its owner",
        |scene| vec![cmd("ZADD").arg(scene.shop.keys.holds(&scene.open.owner)).arg(1).arg(STRANGER.to_string()).take()],
        "5",
        "and is not there",
    ),
    Bug::in_postgres(
        "a stuck gate operation",
        "INSERT INTO gate_ops (kind, order_id, lines, created_at) SELECT kind, order_id, '[]', now() - interval '31 seconds'
         FROM gate_ops WHERE kind = 'release' LIMIT 1",
        "5",
        "waits since",
    ),
    Bug::in_redis(
        "an entry that nobody takes out of the stream",
        |scene| {
            let Scene { shop, waiting, .. } = scene;
            let answer = serde_json::json!({"order_id": waiting.id, "number": "BB-0000-0000", "status": "PENDING",
                "total": 44900, "currency": "INR", "expires_at": shop.store.now().get() - 31_000});
            vec![cmd("HSET").arg(shop.keys.reservation(waiting.id)).arg("answer").arg(answer.to_string()).take()]
        },
        "5",
        "waits in the stream",
    ),
    Bug::in_redis(
        "an entry that nobody can read",
        |scene| vec![cmd("XADD").arg(scene.shop.keys.placed()).arg("*").arg("order").arg("nonsense").take()],
        "5",
        "is unreadable",
    ),
];
