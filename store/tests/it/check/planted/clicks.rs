//! Promise 3: clicks that made two orders, or none.

use super::{Accepted, Bug, Scene};
use domain::ids::IdempotencyKey;
use redis::cmd;

pub(super) const BUGS: &[Bug] = &[
    Bug::in_postgres(
        "two orders of one key",
        "ALTER TABLE orders DROP CONSTRAINT orders_owner_key_key;
         UPDATE orders SET (owner, guest_id) = (SELECT owner, guest_id FROM orders WHERE status = 'PAID')
         WHERE status = 'CANCELLED'",
        "3",
        "used click for 2 orders",
    ),
    Bug::in_postgres(
        "an order under another key than its own",
        "UPDATE orders SET idempotency_key = 'other' WHERE status = 'PAYMENT_PENDING'",
        "3",
        "is not the one that",
    ),
    Bug::in_redis(
        "gate and ledger differ about the request",
        |scene| vec![cmd("HSET").arg(record(scene, &scene.paid, "click")).arg("fingerprint").arg("another").take()],
        "3",
        "differ about the request",
    ),
    Bug::in_redis(
        "the gate answers with somebody else's order",
        |scene| {
            let (own, other) = (record(scene, &scene.paid, "click"), record(scene, &scene.open, "clack"));
            vec![cmd("COPY").arg(own).arg(other).take()]
        },
        "3",
        "which it does not name",
    ),
    Bug::in_redis(
        "a record that nobody can read",
        |scene| vec![cmd("HDEL").arg(record(scene, &scene.paid, "click")).arg("fingerprint").take()],
        "3",
        "is unreadable",
    ),
    Bug::in_redis(
        "an accepted order vanished",
        |scene| {
            let Scene { shop, waiting, .. } = scene;
            vec![cmd("DEL").arg(shop.keys.placed()).arg(shop.keys.reservation(waiting.id)).take()]
        },
        "135",
        "was accepted and is nowhere",
    ),
    Bug::in_redis(
        "a PENDING order lost its reservation",
        |scene| vec![cmd("DEL").arg(scene.shop.keys.reservation(scene.waiting.id)).take()],
        "35",
        "was accepted and is nowhere",
    ),
];

/// The gate's record of that owner's key.
fn record(scene: &Scene, order: &Accepted, key: &str) -> String {
    scene.shop.keys.idempotency(&order.owner, &IdempotencyKey::parse(key).unwrap())
}
