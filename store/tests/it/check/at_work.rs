//! What is no bug: a shop at work, work that is a little late, and notes that change nothing.

use super::shop::{Shop, guest};
use redis::AsyncCommands;
use std::time::Duration;
use store::{check, orders, stock, viewer::Viewer};

const NONE: [&str; 0] = [];

#[tokio::test]
async fn a_shop_at_work_is_clean_at_every_step() {
    let shop = Shop::open().await;
    assert_eq!(shop.violations().await, NONE);
    let orders = [shop.place().await, shop.place().await, shop.place().await];
    assert_eq!(shop.violations().await, NONE, "in the stream");
    shop.persist().await;
    assert_eq!(shop.violations().await, NONE, "written down");
    shop.pay(orders[0].id).await;
    orders::cancel(&shop.store, &Viewer::new(orders[1].owner), orders[1].id).await.unwrap();
    let findings = check::run(&shop.store).await.unwrap();
    assert!(findings.iter().all(|finding| finding.violations.is_empty()), "before the gate knows: {findings:#?}");
    let figures = &findings[0].figures;
    assert!(figures.contains(&("books", 3)) && figures.contains(&("gate_ops_waiting", 2)), "{figures:?}");
    assert!(figures.contains(&("on_hand", 116)) && figures.contains(&("reserved", 4)), "{figures:?}");
    shop.apply_gate_ops().await;
    assert_eq!(shop.violations().await, NONE, "the gate knows");
}

#[tokio::test]
async fn a_gate_that_is_not_loaded_is_not_judged() {
    for is_another_run in [false, true] {
        let (shop, [_, open, ..]) = Shop::busy().await;
        match is_another_run {
            false => shop.redis().del::<_, ()>(shop.keys.epoch()).await.unwrap(),
            // Redis was restarted, and nobody has noticed yet.
            true => shop.redis().set::<_, _, ()>(shop.keys.run_id(), "an older one").await.unwrap(),
        }
        // An old file forgets what came after it.
        shop.redis().hincr::<_, _, _, ()>(shop.keys.stock(), shop.books[0].get(), 2).await.unwrap();
        shop.redis().del::<_, ()>(&[shop.keys.reservation(open.id), shop.keys.holds(&open.owner)]).await.unwrap();
        let said = shop.violations().await;
        assert_eq!(said, ["1 the gate is not loaded: not compared"], "what was not seen does not hold");
    }
}

#[tokio::test]
async fn a_gate_that_is_rebuilt_meanwhile_is_not_judged_by_what_it_was() {
    let (shop, _) = Shop::busy().await;
    let rebuild = async {
        for _ in 0..40 {
            shop.redis().del::<_, ()>(shop.keys.epoch()).await.unwrap();
            stock::ensure_loaded(&shop.store).await.unwrap();
        }
    };
    let watch = async {
        for _ in 0..6 {
            let wrong = shop.violations().await.into_iter().filter(|line| !line.ends_with("not compared"));
            assert_eq!(wrong.collect::<Vec<_>>(), NONE);
        }
    };
    tokio::join!(rebuild, watch);
    assert_eq!(shop.violations().await, NONE);
}

#[tokio::test]
async fn a_rebuild_does_what_was_parked() {
    let (shop, _) = Shop::busy().await;
    shop.spoil(
        "WITH parked AS (INSERT INTO gate_ops (kind, lines, due_at, attempts)
             VALUES ('adjust', '[]', now() + interval '9 years', 10) RETURNING id)
         INSERT INTO dead_letters (source, key, payload, error, attempts)
         SELECT 'gate_ops', id::text, '{}', 'x', 10 FROM parked",
    )
    .await;
    shop.redis().del::<_, ()>(shop.keys.epoch()).await.unwrap();
    stock::ensure_loaded(&shop.store).await.unwrap();
    assert_eq!(shop.violations().await, NONE, "and its letter says so");
}

/// Twelve orders are late by an hour: as long as some of them end, it is an outage that is over.
#[tokio::test]
async fn what_is_being_caught_up_with_is_no_violation() {
    let (shop, [_, open, _, waiting]) = Shop::busy().await;
    let more = futures::future::join_all((0..12).map(|_| shop.place())).await;
    shop.persist().await;
    shop.spoil("UPDATE orders SET expires_at = now() - interval '1 hour' WHERE status = 'PAYMENT_PENDING'").await;
    let end = async {
        for order in more.into_iter().chain([open, waiting]) {
            orders::cancel(&shop.store, &Viewer::new(order.owner), order.id).await.unwrap();
            shop.apply_gate_ops().await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    let ((), lines) = tokio::join!(end, shop.violations());
    assert_eq!(lines, NONE);
}

#[tokio::test]
async fn a_rush_is_no_violation() {
    let shop = Shop::open().await;
    let rush = async {
        for _ in 0..8 {
            let orders = futures::future::join_all((0..2).map(|_| shop.place())).await;
            shop.persist().await;
            for order in orders {
                orders::cancel(&shop.store, &Viewer::new(order.owner), order.id).await.unwrap();
            }
            shop.apply_gate_ops().await;
        }
    };
    let watch = async {
        for _ in 0..6 {
            let lines = shop.violations().await;
            assert!(lines.is_empty(), "{lines:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::join!(rush, watch);
}

#[tokio::test]
async fn what_is_a_little_late_or_tells_without_changing_is_none() {
    let (shop, [_, open, ..]) = Shop::busy().await;
    let stranger = shop.keys.holds(&guest());
    shop.redis().zadd::<_, _, _, ()>(&stranger, open.id.to_string(), 1).await.unwrap();
    shop.spoil(
        "UPDATE orders SET expires_at = now() - interval '10 seconds' WHERE status = 'PAYMENT_PENDING';
         UPDATE outbox SET due_at = now() - interval '200 seconds';
         INSERT INTO order_history SELECT id, 3, 'PAID', 'money_goes_back', NULL, now() FROM orders WHERE status = 'PAID';
         UPDATE orders SET version = 3 WHERE status = 'PAID';
         WITH parked AS (
             INSERT INTO gate_ops (kind, lines, due_at) VALUES ('adjust', '[]', now() + interval '9 years') RETURNING id)
         INSERT INTO dead_letters (source, key, payload, error, attempts)
         SELECT 'gate_ops', id::text, '{}', 'x', 10 FROM parked",
    )
    .await;
    assert_eq!(shop.violations().await, NONE);
}
