//! Checks and repairs that somebody asks for: one at a time, done by a worker, and drift that is seen and mended.

use crate::orders::shop::Shop;
use domain::{
    ErrorCode,
    health::{HealthView, RunKind, RunView},
};
use redis::AsyncCommands;
use store::{
    admin::health::{self, DoRuns},
    error::Error,
    jobs::Job,
};

async fn overview(shop: &Shop) -> HealthView {
    health::overview(&shop.store).await.expect("looked at")
}

/// What a worker makes of the run that waits.
async fn done(shop: &Shop, kind: RunKind) -> RunView {
    let admin = shop.admin().await;
    health::ask(&shop.store, &admin, kind).await.expect("asked for");
    let run = DoRuns.fetch(&shop.store).await.expect("asked").expect("one waits");
    DoRuns.handle(&shop.store, run).await.expect("done");
    overview(shop).await.runs.into_iter().find(|run| run.kind == kind).expect("it ran")
}

/// The gate says something that the ledger does not.
async fn plant_drift(shop: &Shop, book: domain::BookId, copies: i64) {
    let _: i64 = shop.redis.clone().hincr(shop.keys.stock(), book.get(), copies).await.expect("drifts");
}

#[tokio::test]
async fn drift_is_found_shown_and_mended_book_by_book() {
    let shop = Shop::open().await;
    let (one, other) = (shop.book(5).await, shop.book(7).await);
    assert!(done(&shop, RunKind::Check).await.report.is_some_and(|report| report.is_good()));
    plant_drift(&shop, one, 3).await;
    plant_drift(&shop, other, -2).await;
    let run = done(&shop, RunKind::Check).await;
    let report = run.report.expect("a report");
    assert!(!report.is_good() && run.by.as_deref() == Some("Boss"));
    assert_eq!(report.drift.len(), 2);
    let drift = overview(&shop).await.drift;
    let seen: Vec<_> = drift.iter().map(|one| (one.book_id, one.at_gate, one.expected())).collect();
    assert_eq!(seen, [(one.get(), 8, 5), (other.get(), 5, 7)]);
    let admin = shop.admin().await;
    health::repair(&shop.store, &admin, one).await.expect("mended");
    assert_eq!(shop.at_gate(one).await, 5);
    assert_eq!(overview(&shop).await.drift.len(), 1, "the other one is left");
    let run = done(&shop, RunKind::Stock).await;
    assert!(run.report.is_some_and(|report| report.sections[0].lines == ["drift: 1 found, 1 mended"]));
    assert!(overview(&shop).await.drift.is_empty());
    assert_eq!(shop.count("SELECT count(*) FROM admin_audit WHERE action IN ('health.run', 'stock.repair')").await, 4);
    let told = "SELECT count(*) FROM admin_audit WHERE action = 'stock.repaired' AND before ->> 'at_gate' = '8' AND after ->> 'at_gate' = '5'";
    assert_eq!(shop.count(told).await, 1);
    shop.assert_sound().await;
}

#[tokio::test]
async fn there_is_one_run_at_a_time_and_a_dead_workers_is_taken_over() {
    let shop = Shop::open().await;
    let admin = shop.admin().await;
    health::ask(&shop.store, &admin, RunKind::Carts).await.unwrap();
    let Err(Error::Refused(refusal)) = health::ask(&shop.store, &admin, RunKind::Check).await else { panic!("two") };
    assert_eq!(refusal.code, ErrorCode::Conflict);
    let lost = DoRuns.fetch(&shop.store).await.expect("asked").expect("one waits");
    assert!(DoRuns.fetch(&shop.store).await.unwrap().is_none(), "somebody is at it");
    let die = "UPDATE health_runs SET leased_until = now() - interval '1 second'";
    sqlx::query(die).execute(&shop.pg).await.unwrap();
    let run = DoRuns.fetch(&shop.store).await.unwrap().expect("taken over");
    // The one that wakes up late says nothing.
    DoRuns.handle(&shop.store, lost).await.unwrap();
    assert_eq!(shop.count("SELECT count(*) FROM health_runs WHERE finished_at IS NOT NULL").await, 0);
    DoRuns.handle(&shop.store, run).await.expect("done");
    assert_eq!(shop.count("SELECT count(*) FROM health_runs WHERE report IS NOT NULL").await, 1);
    // A run that nobody survives ends as failed.
    health::ask(&shop.store, &admin, RunKind::Check).await.unwrap();
    sqlx::query("UPDATE health_runs SET attempts = 3 WHERE finished_at IS NULL").execute(&shop.pg).await.unwrap();
    let run = DoRuns.fetch(&shop.store).await.expect("asked").expect("one waits");
    DoRuns.handle(&shop.store, run).await.expect("done");
    let failed = overview(&shop).await.runs.into_iter().find(|run| run.kind == RunKind::Check).expect("it ran");
    assert!(failed.error.is_some_and(|error| error.contains("its workers died")), "told");
}

#[tokio::test]
async fn the_parts_say_how_they_are() {
    let shop = Shop::open().await;
    let parts = overview(&shop).await.parts;
    let part = |title: &str| parts.iter().find(|part| part.title == title).unwrap_or_else(|| panic!("{title}"));
    assert!(part("Postgres").problems.is_empty(), "{:?}", part("Postgres"));
    for (title, fact) in [
        ("Postgres", "Migrations"),
        ("Redis", "Version"),
        ("Sandbox Pay", "Circuit, seen from here"),
        ("Mail", "Waiting"),
        ("Book Bazar", "Version"),
    ] {
        assert!(part(title).facts.iter().any(|(name, _)| name == fact), "{title}: {fact}");
    }
    let _: () = shop.redis.clone().del(shop.keys.epoch()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(850)).await;
    let parts = overview(&shop).await.parts;
    let redis = parts.iter().find(|part| part.title == "Redis").expect("Redis");
    assert!(redis.problems.iter().any(|problem| problem.contains("gate is not loaded")), "{redis:?}");
}
