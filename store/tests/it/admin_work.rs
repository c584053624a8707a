//! The page about work: what waits is counted, what is stuck is freed, dead letters are tried again or let go by somebody
//! who read what comes of it.

use crate::orders::shop::Shop;
use domain::{
    ErrorCode,
    work::{Pace, SourceView, StuckView},
};
use redis::AsyncCommands;
use store::{
    admin::work::{self, letters},
    error::Error,
    jobs::{DrainOutbox, Job},
};
use tokio_util::sync::CancellationToken;

async fn sql(shop: &Shop, sql: &'static str) {
    sqlx::query(sql).execute(&shop.pg).await.expect(sql);
}

async fn source(shop: &Shop, name: &str) -> SourceView {
    let overview = work::overview(&shop.store).await.expect("counted");
    overview.sources.into_iter().find(|source| source.name == name).expect("listed")
}

async fn stuck(shop: &Shop) -> Vec<StuckView> {
    // Past the moment for which everybody sees the same.
    tokio::time::sleep(std::time::Duration::from_millis(850)).await;
    work::overview(&shop.store).await.expect("counted").stuck
}

/// A worker reads an accepted order, and is not heard of again.
pub async fn read_and_die(shop: &Shop) {
    while shop.persist.fetch(&shop.store).await.expect("read the stream").is_none() {}
    let (placed, mut redis) = (shop.keys.placed(), shop.redis.clone());
    let held: redis::streams::StreamPendingCountReply =
        redis.xpending_count(&placed, "persist", "-", "+", 10).await.expect("in hand");
    for entry in held.ids {
        let mut age = redis::cmd("XCLAIM");
        age.arg(&placed)
            .arg("persist")
            .arg(&entry.consumer)
            .arg(0)
            .arg(&entry.id)
            .arg("IDLE")
            .arg(60_000)
            .arg("JUSTID");
        age.exec_async(&mut redis).await.expect("make it look old");
    }
}

fn refused(error: Error) -> domain::ApiError {
    match error {
        Error::Refused(refusal) => refusal,
        other => panic!("{other}"),
    }
}

const LETTERS: &str = "INSERT INTO dead_letters (source, key, payload, error, attempts)
    SELECT CASE WHEN n % 2 = 0 THEN 'outbox' ELSE 'cart' END, n::text, '{\"topic\": \"mail.send\"}', 'no such server', 10
    FROM generate_series(1, 61) n";

#[tokio::test]
async fn what_waits_is_counted_with_its_age_and_its_error() {
    let shop = Shop::open().await;
    sql(
        &shop,
        "INSERT INTO outbox (topic, key, due_at, attempts, last_error) VALUES
        ('mail.send', 'a', now() - interval '90 seconds', 3, 'connection refused'), ('mail.send', 'b', now(), 0, NULL),
        ('payment.close', 'c', now() + interval '1 hour', 0, NULL)",
    )
    .await;
    let mail = source(&shop, "outbox.mail").await;
    assert_eq!((mail.waiting, mail.pace), (Some(2), Pace::Silent), "nobody works here");
    assert!((90_000..120_000).contains(&mail.late_ms), "{}", mail.late_ms);
    assert_eq!(mail.error.map(|error| error.text).as_deref(), Some("connection refused"));
    let payments = source(&shop, "outbox.payments").await;
    assert_eq!((payments.waiting, payments.late_ms), (Some(1), 0), "not due yet");
    assert_eq!(source(&shop, "stock.load").await.waiting, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_are_heard_of_with_what_they_do() {
    let shop = Shop::open().await;
    let stop = CancellationToken::new();
    let jobs = tokio::spawn(store::jobs::run(shop.store.clone(), stop.clone()));
    sql(
        &shop,
        "INSERT INTO gate_ops (kind, lines, due_at) SELECT 'adjust', '[]', '-infinity' FROM generate_series(1, 7)",
    )
    .await;
    let end = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        let overview = work::overview(&shop.store).await.unwrap();
        let ops = overview.sources.iter().find(|source| source.name == "stock.gate_ops").expect("listed");
        if overview.processes == 1 && ops.pace == Pace::Well && ops.per_minute >= 7 && ops.waiting == Some(0) {
            let silent: Vec<_> = overview.sources.iter().filter(|source| source.pace == Pace::Silent).collect();
            if silent.is_empty() {
                break;
            }
        }
        assert!(tokio::time::Instant::now() < end, "{:?}", overview.sources);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    stop.cancel();
    jobs.await.unwrap().unwrap();
}

#[tokio::test]
async fn stuck_work_is_seen_and_freed() {
    let shop = Shop::open().await;
    let (admin, book) = (shop.admin().await, shop.book(3).await);
    let owner = shop.shopper(&[(book, 1)]).await;
    let bucket = owner.cart_bucket();
    let mut redis = shop.redis.clone();
    let later = shop.store.now().plus(3_600_000).get();
    let _: () = redis.hset(shop.keys.carts_attempts(bucket), owner.to_string(), "4:1").await.unwrap();
    let _: () = redis.zadd(shop.keys.carts_dirty(bucket), owner.to_string(), later).await.unwrap();
    shop.waiting_order(&[(book, 1)]).await;
    read_and_die(&shop).await;
    sql(&shop, "INSERT INTO outbox (topic, key, due_at, leases) VALUES ('payment.close', 'x', now() + interval '50 seconds', 4)").await;
    sql(&shop, "INSERT INTO gate_ops (kind, lines, due_at, attempts, last_error) VALUES ('adjust', '[]', now() + interval '5 minutes', 2, 'no script')").await;
    sql(
        &shop,
        "INSERT INTO schedules (name, next_at, leased_until) VALUES ('prune', now(), now() - interval '10 minutes')",
    )
    .await;
    let found = stuck(&shop).await;
    let mut names: Vec<&str> = found.iter().map(|piece| piece.source.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["cart", "gate_ops", "outbox", "placed", "schedule"], "{found:?}");
    for piece in &found {
        work::free(&shop.store, &admin, &piece.source, &piece.key).await.expect("freed");
    }
    let due = "SELECT (SELECT count(*) FROM outbox WHERE due_at <= now() AND leases = 0)
        + (SELECT count(*) FROM gate_ops WHERE applied_at IS NULL AND due_at <= now())
        + (SELECT count(*) FROM schedules WHERE leased_until IS NULL AND next_at <= now())";
    assert_eq!(shop.count(due).await, 3);
    let due: i64 = redis.zscore(shop.keys.carts_dirty(bucket), owner.to_string()).await.unwrap();
    assert!(due <= shop.store.now().get());
    shop.persist_all().await;
    let again =
        work::free(&shop.store, &admin, "placed", &found.iter().find(|p| p.source == "placed").unwrap().key).await;
    assert_eq!(refused(again.unwrap_err()).code, ErrorCode::Conflict, "it is done");
    assert_eq!(refused(work::free(&shop.store, &admin, "nowhere", "1").await.unwrap_err()).code, ErrorCode::NotFound);
    assert_eq!(shop.count("SELECT count(*) FROM admin_audit WHERE action = 'work.free'").await, 6);
}

#[tokio::test]
async fn letters_are_read_page_by_page_the_newest_first() {
    let shop = Shop::open().await;
    sql(&shop, LETTERS).await;
    let first = letters::page(&shop.store, "", None).await.unwrap();
    assert_eq!((first.letters.len(), first.letters[0].key.as_str()), (25, "61"));
    assert_eq!(first.counts, [("cart".to_owned(), 31), ("outbox".to_owned(), 30)]);
    let mut keys: Vec<String> = first.letters.into_iter().map(|letter| letter.key).collect();
    let mut next = first.next;
    while next.is_some() {
        let page = letters::page(&shop.store, "", next).await.unwrap();
        keys.extend(page.letters.into_iter().map(|letter| letter.key));
        next = page.next;
    }
    assert_eq!(keys, (1..=61).rev().map(|n| n.to_string()).collect::<Vec<_>>());
    let carts = letters::page(&shop.store, "cart", None).await.unwrap();
    assert!(carts.letters.iter().all(|letter| letter.source == "cart") && carts.next.is_some());
    assert!(letters::page(&shop.store, "nowhere", None).await.unwrap_err().is_refusal());
}

#[tokio::test]
async fn nothing_is_let_go_before_its_consequence_is_read() {
    let shop = Shop::open().await;
    let admin = shop.admin().await;
    sql(&shop, LETTERS).await;
    let id = letters::page(&shop.store, "outbox", None).await.unwrap().letters[0].id;
    let discard = |reason: &'static str, agreed: Option<String>| {
        let (store, admin) = (shop.store.clone(), admin.clone());
        async move { letters::discard(&store, &admin, id, reason, agreed.as_deref()).await }
    };
    let wrong = refused(discard(" ", Some(String::new())).await.unwrap_err());
    assert!(wrong.fields.contains_key("reason"), "{wrong:?}");
    let asked = refused(discard("The server is gone", Some(String::new())).await.unwrap_err());
    assert_eq!(asked.code, ErrorCode::NeedsConfirmation);
    assert!(asked.message.contains("This mail is never sent."), "{}", asked.message);
    // Parked anew meanwhile: another failure, another question.
    sqlx::query("UPDATE dead_letters SET last_failed_at = now() WHERE id = $1")
        .bind(id)
        .execute(&shop.pg)
        .await
        .unwrap();
    let mark = asked.fields["agreed"].clone();
    let asked = refused(discard("The server is gone", Some(mark)).await.unwrap_err());
    discard("The server is gone", asked.fields.get("agreed").cloned()).await.expect("let go");
    let letter = letters::get(&shop.store, id).await.unwrap().expect("kept");
    assert_eq!((letter.state.as_str(), letter.reason.as_deref()), ("discarded", Some("The server is gone")));
    assert_eq!(refused(discard("again", None).await.unwrap_err()).code, ErrorCode::Conflict);
    let told = "SELECT count(*) FROM admin_audit WHERE action = 'letter.discard' AND after ->> 'reason' = 'The server is gone'";
    assert_eq!(shop.count(told).await, 1);
}

#[tokio::test]
async fn a_letter_that_is_tried_again_is_done() {
    let shop = Shop::open().await;
    let admin = shop.admin().await;
    let book = shop.book(1).await;
    let (_, order) = shop.payable_order(&[(book, 1)]).await;
    sqlx::query(
        "INSERT INTO dead_letters (source, key, payload, error, attempts) VALUES ('outbox', 'order.changed:' || $1,
        jsonb_build_object('topic', 'order.changed', 'key', $1, 'payload', '{}'::jsonb), 'x', 10)",
    )
    .bind(order.to_string())
    .execute(&shop.pg)
    .await
    .unwrap();
    sql(&shop, "DELETE FROM outbox").await;
    let id = letters::page(&shop.store, "", None).await.unwrap().letters[0].id;
    letters::retry(&shop.store, &admin, id).await.unwrap();
    assert_eq!(refused(letters::retry(&shop.store, &admin, id).await.unwrap_err()).code, ErrorCode::Conflict);
    let batch = DrainOutbox::NOTICES.fetch(&shop.store).await.unwrap().expect("due");
    DrainOutbox::NOTICES.handle(&shop.store, batch).await.unwrap();
    assert_eq!(shop.count("SELECT count(*) FROM outbox").await, 0);
    assert_eq!(shop.count("SELECT count(*) FROM admin_audit WHERE action = 'letter.retry'").await, 1);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_schedule_runs_when_somebody_wants_it() {
    let shop = Shop::open().await;
    let admin = shop.admin().await;
    work::run_now(&shop.store, &admin, "stock.reconcile_all").await.unwrap();
    let overview = work::overview(&shop.store).await.unwrap();
    let schedule = overview.schedules.iter().find(|one| one.name == "stock.reconcile_all").expect("listed");
    assert!(schedule.next_at.expect("planned") <= shop.store.now());
    assert_eq!(schedule.every, "every day at 8:30");
    assert!(refused(work::run_now(&shop.store, &admin, "nothing").await.unwrap_err()).code == ErrorCode::NotFound);
    assert_eq!(shop.count("SELECT count(*) FROM admin_audit WHERE action = 'schedule.run'").await, 1);
}
