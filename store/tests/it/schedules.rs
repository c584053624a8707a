//! Turns by the clock: one worker of all does each, and a dead one is replaced.

use async_trait::async_trait;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Row};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use store::{
    Store,
    error::Error,
    jobs::{
        Job,
        schedule::{self, Every, Schedule, Scheduled, Turns},
    },
    testkit,
};

/// Counts its turns, and ends as it is told.
#[derive(Default)]
struct Bell {
    rings: AtomicUsize,
    fails: bool,
    panics: bool,
}

#[async_trait]
impl Scheduled for Bell {
    fn schedule(&self) -> Schedule {
        Schedule { name: "test.bell", every: Every::Seconds(3600) }
    }

    async fn run(&self, _: &Store) -> Result<Value, Error> {
        let rings = self.rings.fetch_add(1, SeqCst) + 1;
        assert!(!self.panics, "the bell has cracked");
        tokio::time::sleep(Duration::from_millis(100)).await;
        if self.fails { Err(Error::unexpected("bell", "no clapper")) } else { Ok(json!({ "rings": rings })) }
    }
}

struct Tower {
    store: Store,
    pg: PgConnection,
}

impl Tower {
    async fn build() -> Self {
        let url = testkit::fresh_database().await;
        let world = Arc::new(store::world::SystemWorld);
        let store = Store::connect(testkit::config(&url), world).await.expect("the test servers");
        Self { store, pg: PgConnection::connect(&url).await.expect("the test servers") }
    }

    async fn sql(&mut self, sql: &'static str) {
        sqlx::query(sql).execute(&mut self.pg).await.expect("the test servers");
    }

    /// Makes it due, known before or not.
    async fn due(&mut self) {
        self.sql("INSERT INTO schedules (name, next_at) VALUES ('test.bell', '-infinity') ON CONFLICT (name) DO UPDATE SET next_at = '-infinity'")
            .await;
    }

    /// Last error, last report, and in how many seconds it comes round; the lease must have ended.
    async fn row(&mut self) -> (Option<String>, Option<Value>, f64) {
        let sql = "SELECT last_error, last_report, leased_until, extract(epoch FROM next_at - now())::float8 AS wait FROM schedules";
        let row = sqlx::query(sql).fetch_one(&mut self.pg).await.expect("the test servers");
        assert_eq!(row.get::<Option<time::OffsetDateTime>, _>("leased_until"), None);
        (row.get("last_error"), row.get("last_report"), row.get("wait"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_turn_is_done_by_one_worker_of_all() {
    let mut tower = Tower::build().await;
    let bell = Arc::new(Bell::default());
    // Nobody knows it yet: the first look only plans it.
    assert!(Turns::new(bell.clone()).fetch(&tower.store).await.unwrap().is_none());
    let (.., wait) = tower.row().await;
    assert!((3500.0..3800.0).contains(&wait), "{wait}");
    tower.due().await;
    let workers = (0..8).map(|_| {
        let (store, turns) = (tower.store.clone(), Turns::new(bell.clone()));
        tokio::spawn(async move {
            let turn = turns.fetch(&store).await.unwrap()?;
            turns.handle(&store, turn).await.unwrap();
            Some(())
        })
    });
    let turns = futures::future::join_all(workers).await;
    assert_eq!(turns.into_iter().filter_map(Result::unwrap).count(), 1);
    assert_eq!(bell.rings.load(SeqCst), 1);
    let (error, report, wait) = tower.row().await;
    assert_eq!((error, report), (None, Some(json!({ "rings": 1 }))));
    assert!((3500.0..3800.0).contains(&wait), "{wait}");
}

#[tokio::test]
async fn a_failed_turn_comes_again_soon_and_says_why() {
    let mut tower = Tower::build().await;
    for (bell, why) in [
        (Bell { fails: true, ..Bell::default() }, "bell: no clapper"),
        (Bell { panics: true, ..Bell::default() }, "schedule.run: panicked"),
    ] {
        tower.due().await;
        let turns = Turns::new(Arc::new(bell));
        let turn = turns.fetch(&tower.store).await.unwrap().expect("due");
        assert!(turns.handle(&tower.store, turn).await.is_err());
        let (error, _, wait) = tower.row().await;
        assert_eq!(error.as_deref(), Some(why));
        assert!((200.0..301.0).contains(&wait), "{wait}");
    }
    tower.due().await;
    let turns = Turns::new(Arc::new(Bell::default()));
    let turn = turns.fetch(&tower.store).await.unwrap().expect("due");
    turns.handle(&tower.store, turn).await.unwrap();
    assert_eq!(tower.row().await.0, None, "a good turn takes the error away");
}

#[tokio::test]
async fn a_dead_workers_turn_is_taken_over_and_the_late_one_changes_nothing() {
    let mut tower = Tower::build().await;
    let bell = Arc::new(Bell::default());
    tower.due().await;
    let (frozen, other) = (Turns::new(bell.clone()), Turns::new(bell.clone()));
    let stale = frozen.fetch(&tower.store).await.unwrap().expect("due");
    assert!(other.fetch(&tower.store).await.unwrap().is_none(), "somebody is at it");
    tower.sql("UPDATE schedules SET leased_until = now() - interval '1 second'").await;
    let other = Turns::new(bell.clone());
    let turn = other.fetch(&tower.store).await.unwrap().expect("taken over");
    frozen.handle(&tower.store, stale).await.unwrap();
    let held = "SELECT leased_until IS NOT NULL AND last_finished_at IS NULL FROM schedules";
    let held: bool = sqlx::query_scalar(held).fetch_one(&mut tower.pg).await.unwrap();
    assert!(held, "the one that woke up late does not end the other's lease");
    other.handle(&tower.store, turn).await.unwrap();
    assert_eq!(tower.row().await.1, Some(json!({ "rings": 2 })));
}

#[tokio::test]
async fn nobody_can_ask_for_a_turn_that_is_not_listed() {
    let tower = Tower::build().await;
    assert!(!schedule::run_now(&tower.store, "test.bell").await.unwrap());
}
