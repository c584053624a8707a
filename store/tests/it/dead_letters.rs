//! Dead letters of every source: listed, tried again or let go, once.

use crate::orders::shop::Shop;
use store::jobs::{
    DrainOutbox, Job, Prune,
    dead_letters::{self, Ended, Retried},
    schedule::Scheduled,
};

async fn sql(shop: &Shop, sql: &'static str) {
    sqlx::query(sql).execute(&shop.pg).await.expect(sql);
}

async fn only(shop: &Shop) -> dead_letters::DeadLetter {
    let mut letters = dead_letters::list(&shop.store, 0).await.expect("listed");
    assert_eq!(letters.len(), 1);
    letters.remove(0)
}

#[tokio::test]
async fn a_message_goes_back_into_the_outbox_once() {
    let shop = Shop::open().await;
    sql(&shop, "INSERT INTO outbox (topic, key, attempts, due_at, payload) VALUES ('payment.close', 'no uuid', 8, '-infinity', '{\"a\": 1}')").await;
    for _ in 0..2 {
        let batch = DrainOutbox::PAYMENTS.fetch(&shop.store).await.unwrap().expect("due");
        DrainOutbox::PAYMENTS.handle(&shop.store, batch).await.unwrap();
        sql(&shop, "UPDATE outbox SET due_at = '-infinity'").await;
    }
    let letter = only(&shop).await;
    assert_eq!((letter.source.as_str(), letter.attempts), ("outbox", 10));
    assert!(letter.first_failed_at.expect("known") <= letter.last_failed_at.expect("known"));
    let (one, two) =
        tokio::join!(dead_letters::retry(&shop.store, letter.id), dead_letters::retry(&shop.store, letter.id));
    let mut both = [one.unwrap(), two.unwrap()];
    both.sort_by_key(|ended| *ended != Ended::Now);
    assert_eq!(both, [Ended::Now, Ended::Before]);
    let again = "SELECT count(*) FROM outbox WHERE topic = 'payment.close' AND key = 'no uuid' AND attempts = 0
                 AND payload = '{\"a\": 1}' AND due_at <= now()";
    assert_eq!((shop.count(again).await, shop.count("SELECT count(*) FROM outbox").await), (1, 1));
    assert!(dead_letters::list(&shop.store, 0).await.unwrap().is_empty());
    assert_eq!(dead_letters::discard(&shop.store, letter.id, "late").await.unwrap(), Ended::Before);
    assert_eq!(dead_letters::retry(&shop.store, 4711).await.unwrap(), Ended::Never);
}

#[tokio::test]
async fn an_operation_of_the_gate_is_applied_after_all_or_let_go() {
    let shop = Shop::open().await;
    sql(&shop, "INSERT INTO gate_ops (kind, lines, attempts, due_at) VALUES ('adjust', '[[1, 1]]', 10, '2126-01-01'), ('adjust', '[[2, 1]]', 10, '2126-01-01')").await;
    sql(&shop, "INSERT INTO dead_letters (source, key, payload, error, attempts) SELECT 'gate_ops', id::text, '{}', 'x', 10 FROM gate_ops ORDER BY id").await;
    let letters = dead_letters::list(&shop.store, 0).await.unwrap();
    assert_eq!(dead_letters::discard(&shop.store, letters[0].id, "counted by hand").await.unwrap(), Ended::Now);
    assert_eq!(dead_letters::retry_all(&shop.store, "gate_ops").await.unwrap(), Retried { retried: 1, failed: 0 });
    assert_eq!(dead_letters::retry_all(&shop.store, "gate_ops").await.unwrap(), Retried::default());
    let applied = "SELECT count(*) FROM gate_ops WHERE applied_at IS NOT NULL AND lines = '[[1, 1]]'";
    let due = "SELECT count(*) FROM gate_ops WHERE applied_at IS NULL AND due_at <= now() AND attempts = 0 AND lines = '[[2, 1]]'";
    assert_eq!((shop.count(applied).await, shop.count(due).await), (1, 1));
    let told = "SELECT count(*) FROM dead_letters WHERE state = 'discarded' AND reason = 'counted by hand' AND ended_at IS NOT NULL";
    assert_eq!(shop.count(told).await, 1);
}

#[tokio::test]
async fn an_order_that_has_ended_can_only_be_let_go() {
    let shop = Shop::open().await;
    sql(
        &shop,
        "INSERT INTO dead_letters (source, key, payload, error, attempts) VALUES ('placed', '1-1', '{}', 'x', 10)",
    )
    .await;
    let letter = only(&shop).await;
    let refused = dead_letters::retry(&shop.store, letter.id).await.unwrap_err();
    assert!(refused.is_refusal(), "{refused}");
    assert_eq!(only(&shop).await.id, letter.id, "still there");
    assert_eq!(dead_letters::discard(&shop.store, letter.id, "seen").await.unwrap(), Ended::Now);
    assert!(dead_letters::retry_all(&shop.store, "nowhere").await.unwrap_err().is_refusal());
}

#[tokio::test]
async fn pruning_takes_what_is_old_and_over() {
    let shop = Shop::open().await;
    let book = shop.book(5).await;
    let (owner, ended) = shop.payable_order(&[(book, 1)]).await;
    let (_, open) = shop.payable_order(&[(book, 1)]).await;
    for order in [ended, open] {
        let failed = "INSERT INTO expiry_failures VALUES ($1, 10, now(), 'infinity')";
        sqlx::query(failed).bind(order.get()).execute(&shop.pg).await.unwrap();
    }
    shop.cancel(&owner, ended).await.unwrap();
    sql(&shop, "DELETE FROM gate_ops").await;
    sql(&shop, "INSERT INTO gate_ops (kind, lines, applied_at) SELECT 'adjust', '[]', now() - n * interval '10 hours' FROM generate_series(1, 4) n").await;
    sql(&shop, "INSERT INTO gate_ops (kind, lines, created_at) VALUES ('adjust', '[]', now() - interval '9 days')")
        .await;
    sql(&shop, "INSERT INTO dead_letters (source, key, payload, error, attempts, state, parked_at, ended_at)
                SELECT 'outbox', n::text, '{}', 'x', 10, s, now() - interval '200 days', CASE WHEN s <> 'parked' THEN now() - n * interval '60 days' END
                FROM generate_series(1, 2) n, unnest('{parked,retried,discarded}'::text[]) s").await;
    let report = Prune.run(&shop.store).await.unwrap();
    let gone = serde_json::json!({ "gate_ops": 2, "dead_letters": 2, "expiry_failures": 1, "account_links": 0, "account_changes": 0, "book_files": 0 });
    assert_eq!(report, gone);
    assert_eq!(shop.count("SELECT count(*) FROM expiry_failures").await, 1, "of the open one");
    assert_eq!(shop.count("SELECT count(*) FROM gate_ops").await, 3);
    assert_eq!(shop.count("SELECT count(*) FROM dead_letters").await, 4);
    assert_eq!(
        Prune.run(&shop.store).await.unwrap(),
        serde_json::json!({ "gate_ops": 0, "dead_letters": 0, "expiry_failures": 0, "account_links": 0, "account_changes": 0, "book_files": 0 })
    );
}
