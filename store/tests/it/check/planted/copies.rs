//! Promise 1: copies that were sold twice, or that are nowhere.

use super::{Bug, Scene};
use redis::{Cmd, cmd};

pub(super) const BUGS: &[Bug] = &[
    Bug::in_postgres(
        "more is promised than is there",
        "ALTER TABLE stock DROP CONSTRAINT stock_available_check;
         UPDATE stock SET on_hand = 1 WHERE book_id = (SELECT min(book_id) FROM stock);
         INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, operation_id, at)
         SELECT min(book_id), 'adjustment', -37, -37, 0, 'oversold', now() FROM stock",
        "1",
        "1 on hand, 2 reserved, -1 available",
    ),
    Bug::in_postgres(
        "a copy is lost without a movement",
        "UPDATE stock SET on_hand = on_hand - 1 WHERE book_id = (SELECT max(book_id) FROM stock)",
        "1",
        "39 on hand and 0 reserved, but its movements add up to 40 and 0",
    ),
    Bug::in_postgres(
        "a copy came that no movement brought",
        "UPDATE stock SET on_hand = on_hand + 1 WHERE book_id = (SELECT max(book_id) FROM stock)",
        "1",
        "41 on hand and 0 reserved, but its movements add up to 40 and 0",
    ),
    Bug {
        name: "a book's row is gone on both sides",
        sql: "DELETE FROM stock WHERE book_id = (SELECT max(book_id) FROM stock)",
        redis: |scene| vec![cmd("HDEL").arg(scene.shop.keys.stock()).arg(scene.shop.books[2].get()).take()],
        breaks: "1",
        says: "0 on hand and 0 reserved, but its movements add up to 40 and 0",
    },
    Bug::in_redis("the gate sells one too many", |scene| count(scene, 1), "1", "the gate has 41, the ledger 40 less 0"),
    Bug::in_redis("the gate sells one too few", |scene| count(scene, -1), "1", "the gate has 39, the ledger 40 less 0"),
    Bug::in_redis(
        "the gate sells a book that nobody has",
        |scene| vec![cmd("HSET").arg(scene.shop.keys.stock()).arg(999).arg(1).take()],
        "1",
        "book 999: the gate has 1",
    ),
    Bug::in_postgres(
        "an order waits for its payment without a claim",
        "UPDATE stock SET reserved = reserved - 2 WHERE reserved > 0;
         DELETE FROM stock_movements WHERE kind = 'reserve'
             AND order_id = (SELECT id FROM orders WHERE status = 'PAYMENT_PENDING')",
        "15",
        "orders waiting for payment want 2",
    ),
    Bug::in_postgres(
        "a claim ended twice: sold and released",
        "DROP INDEX stock_movements_terminal_idx;
         INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, order_id, claim_no, at)
         SELECT book_id, 'release', quantity, 0, -quantity, order_id, claim_no, at FROM stock_movements WHERE kind = 'sale';
         UPDATE stock SET reserved = 0",
        "15",
        "claimed 2, released 2, sold 2",
    ),
    Bug {
        name: "a claim ended in halves: one copy released, one sold",
        sql: "DROP INDEX stock_movements_terminal_idx;
              UPDATE stock_movements SET quantity = 1, reserved_delta = -1 WHERE kind = 'release';
              INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, order_id, claim_no, at)
              SELECT book_id, 'sale', 1, -1, -1, order_id, claim_no, at FROM stock_movements WHERE kind = 'release';
              UPDATE stock SET on_hand = on_hand - 1 WHERE reserved > 0",
        redis: |scene| {
            let less = |book: usize| {
                let (stock, book) = (scene.shop.keys.stock(), scene.shop.books[book].get());
                cmd("HINCRBY").arg(stock).arg(book).arg(-1).take()
            };
            vec![less(0), less(1)]
        },
        breaks: "5",
        says: "claimed 2, released 1, sold 1",
    },
    Bug {
        name: "copies came back that had never left",
        sql: "INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, order_id, operation_id, at)
              SELECT max(s.book_id), 'return', 2, 2, 0, o.id, 'return:x', now() FROM stock s, orders o
              WHERE o.status = 'CANCELLED' GROUP BY o.id;
              UPDATE stock SET on_hand = 42 WHERE on_hand = 40",
        redis: |scene| count(scene, 2),
        breaks: "5",
        says: "it sold 0 and took 2 back",
    },
    Bug::in_postgres(
        "an order was called off and its copies did not come back",
        "UPDATE payments SET status = 'refunding';
         INSERT INTO refunds (id, payment_id, order_id, amount_minor, currency, reason, status, created_at)
         SELECT id, id, order_id, amount_minor, currency, 'x', 'requested', now() FROM payments;
         INSERT INTO outbox (topic, key) SELECT 'refund.request', id::text FROM refunds;
         INSERT INTO order_history (order_id, version, status, cause, at)
         SELECT id, 3, 'CANCELLED', 'admin_cancelled', now() FROM orders WHERE status = 'PAID';
         UPDATE orders SET status = 'CANCELLED', version = 3 WHERE status = 'PAID'",
        "5",
        "it sold 2 and took 0 back",
    ),
];

/// The third book's count at the gate.
fn count(scene: &Scene, delta: i64) -> Vec<Cmd> {
    let Scene { shop, .. } = scene;
    vec![cmd("HINCRBY").arg(shop.keys.stock()).arg(shop.books[2].get()).arg(delta).take()]
}
