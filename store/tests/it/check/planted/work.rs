//! Promise 6, and the carts: work that nobody does, and carts that Postgres does not have.

use super::{Bug, Scene};
use domain::Owner;
use redis::{Cmd, cmd};

pub(super) const BUGS: &[Bug] = &[
    Bug::in_postgres(
        "work that is due and that nobody takes up",
        "UPDATE outbox SET due_at = now() - interval '301 seconds' WHERE id = (SELECT min(id) FROM outbox)",
        "6",
        "is due since",
    ),
    Bug::in_postgres(
        "a webhook that came early and that nobody looks at again",
        "INSERT INTO webhook_inbox (provider, event_id, kind, payload, outcome, received_at, due_at)
         VALUES ('sandbox', 'early', 'payment.captured', '{}', 'waiting', now(), now() - interval '301 seconds')",
        "6",
        "webhook early of sandbox is due since",
    ),
    Bug::in_postgres(
        "a webhook that waits for no moment",
        "INSERT INTO webhook_inbox (provider, event_id, kind, payload, outcome, received_at)
         VALUES ('sandbox', 'early', 'payment.captured', '{}', 'waiting', now() - interval '301 seconds')",
        "6",
        "webhook early of sandbox is due since",
    ),
    Bug::in_postgres(
        "work about nothing",
        "INSERT INTO outbox (topic, key) VALUES ('refund.request', 'nothing')",
        "6",
        "refund.request is about nothing",
    ),
    Bug::in_postgres(
        "a parked gate operation without a letter",
        "INSERT INTO gate_ops (kind, lines, due_at) VALUES ('adjust', '[]', now() + interval '9 years')",
        "6",
        "no dead letter says so",
    ),
    Bug::in_postgres(
        "a letter of a gate operation that is done",
        "INSERT INTO dead_letters (source, key, payload, error, attempts) VALUES ('gate_ops', '1', '{}', 'x', 10)",
        "6",
        "is about nothing that waits",
    ),
    Bug {
        name: "an entry that was parked and is still in the stream",
        sql: "INSERT INTO dead_letters (source, key, payload, error, attempts, parked_at)
              VALUES ('placed', '9999999999999-0', '{}', 'x', 10, now() - interval '301 seconds')",
        redis: |scene| {
            let Scene { shop, paid, .. } = scene;
            let (order, now) = (paid.id.to_string(), shop.store.now().get());
            let fields =
                [("order", order), ("placed_at", now.to_string()), ("lines", format!("{}:1", shop.books[0].get()))];
            vec![cmd("XADD").arg(shop.keys.placed()).arg("9999999999999-0").arg(&fields).take()]
        },
        breaks: "6",
        says: "is parked and still in the stream",
    },
    Bug::in_redis(
        "a cart that Postgres never got",
        |scene| vec![unmarked(scene, &scene.waiting.owner)],
        "c",
        "redis_newer",
    ),
    Bug {
        name: "a cart that is another one in Postgres",
        sql: "INSERT INTO carts (owner, guest_id, v, t) SELECT owner, guest_id, 1, 9999999999999 FROM orders
              WHERE status = 'PAYMENT_PENDING'",
        redis: |scene| {
            let cart = scene.shop.keys.cart(&scene.open.owner);
            vec![unmarked(scene, &scene.open.owner), cmd("HSET").arg(cart).arg("t").arg(9_999_999_999_999_i64).take()]
        },
        breaks: "c",
        says: "differs",
    },
    Bug {
        name: "a cart that Postgres has in a newer state",
        sql: "INSERT INTO carts (owner, guest_id, v, t) SELECT owner, guest_id, 1, 9999999999999 FROM orders
              WHERE status = 'PAYMENT_PENDING'",
        redis: |scene| vec![unmarked(scene, &scene.open.owner)],
        breaks: "c",
        says: "postgres_newer",
    },
    Bug::in_redis(
        "a mark without a cart",
        |scene| {
            let Scene { shop, open, .. } = scene;
            let marks = shop.keys.carts_dirty(open.owner.cart_bucket());
            vec![
                cmd("DEL").arg(shop.keys.cart(&open.owner)).take(),
                cmd("ZADD").arg(marks).arg(1).arg(open.owner.to_string()).take(),
            ]
        },
        "c",
        "is marked and has no cart",
    ),
];

/// The cart is not dirty any more, and nobody wrote it down.
fn unmarked(scene: &Scene, owner: &Owner) -> Cmd {
    cmd("ZREM").arg(scene.shop.keys.carts_dirty(owner.cart_bucket())).arg(owner.to_string()).take()
}
