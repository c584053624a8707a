//! Workers die and freeze at any moment.

use super::{Scene, editor, worker};
use crate::{dice::Dice, servers::Postgres};
use std::{collections::HashMap, time::Duration};

/// Deaths of one run; each at another moment of the worker's life.
const DEATHS: usize = 30;
/// Longer than a lease on a cart.
const FROZEN: Duration = Duration::from_secs(12);

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_may_be_killed_at_any_moment() {
    let mut scene = Scene::open_without_worker(8).await;
    let mut dice = Dice(0x2545_F491);
    for _ in 0..DEATHS {
        let mut worker = worker(&scene.shop);
        // It takes about half a second to begin.
        let life = Duration::from_millis(300 + dice.below(700) as u64);
        scene.edit_for(life).await.assert_all_accepted("while workers die");
        worker.kill();
    }
    let _worker = worker(&scene.shop);
    scene.assert_drained().await;
    scene.assert_nothing_to_reconcile();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_wakes_after_its_lease_changes_nothing_back() {
    let mut scene = Scene::open_without_worker(8).await;
    // Three, so that one of them surely holds what it has not written yet.
    let sleepers: Vec<_> = (0..3).map(|_| worker(&scene.shop)).collect();
    scene.edit_for(Duration::from_secs(3)).await.assert_all_accepted("before");
    for sleeper in &sleepers {
        sleeper.signal("STOP");
        tokio::time::sleep(Duration::from_millis(37)).await;
    }
    let _awake = worker(&scene.shop);
    let Scene { editors, servers, .. } = &mut scene;
    let wake = async {
        let watched = watch(&servers.postgres, FROZEN).await;
        sleepers.iter().for_each(|sleeper| sleeper.signal("CONT"));
        watch_on(watched, &servers.postgres, Duration::from_secs(3)).await;
    };
    let (times, ()) = tokio::join!(editor::edit_for(editors, FROZEN + Duration::from_secs(2)), wake);
    times.assert_all_accepted("while workers sleep");
    scene.assert_drained().await;
}

type Ages = HashMap<String, i64>;

async fn watch(postgres: &Postgres, time: Duration) -> Ages {
    watch_on(Ages::new(), postgres, time).await
}

/// No cart in Postgres ever becomes an older one.
async fn watch_on(mut ages: Ages, postgres: &Postgres, time: Duration) -> Ages {
    let end = std::time::Instant::now() + time;
    while std::time::Instant::now() < end {
        for row in postgres.ask("SELECT owner, t FROM carts") {
            let (owner, t) = row.split_once('|').expect("two columns");
            let t = t.parse().expect("a number");
            let before = ages.insert(owner.to_owned(), t).unwrap_or_default();
            assert!(before <= t, "{owner} went back from {before} to {t}");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ages
}
