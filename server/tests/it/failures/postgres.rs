//! Postgres goes away while people edit.

use super::{Editor, Scene, writes};
use std::time::{Duration, Instant};

/// Long enough for every timeout and every retry of a job to come round.
const AWAY: Duration = Duration::from_secs(5);
/// Nobody waits longer for an answer, with other tests on the same two cores.
const PATIENCE: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn edits_go_on_while_postgres_is_away() {
    let mut scene = Scene::open(6).await;
    let before = scene.edit_for(Duration::from_secs(2)).await;
    before.assert_all_accepted("with Postgres");
    scene.assert_drained().await;
    let usual = before.median();

    for (how, is_killed) in [("killed", true), ("frozen", false)] {
        let written = writes(&scene.servers.postgres).await;
        if is_killed {
            scene.servers.postgres.kill()
        } else {
            scene.servers.postgres.freeze()
        }
        // Nobody has heard of this one: neither Redis nor the process.
        let newcomer = Editor::guest(&scene.shop, scene.editors.len()).await;
        scene.editors.push(newcomer);
        let away = scene.edit_for(AWAY).await;
        away.assert_all_accepted(how);
        assert!(away.slowest() < PATIENCE, "{how}: the slowest edit took {:?}", away.slowest());
        assert!(away.median() < 2 * usual + Duration::from_millis(20), "{how}: {:?}, not {usual:?}", away.median());
        scene.assert_carts().await;

        if is_killed {
            scene.servers.postgres.up()
        } else {
            scene.servers.postgres.thaw()
        }
        scene.assert_drained().await;
        let (carts, written) = (scene.editors.len() as i64, written_since(&scene, how, written).await);
        assert!(written <= 4 * carts, "{how}: {written} writes for {carts} carts after {} edits", away.accepted());
    }
}

/// A Postgres that was killed counts from 0.
async fn written_since(scene: &Scene, how: &str, before: i64) -> i64 {
    writes(&scene.servers.postgres).await - if how == "killed" { 0 } else { before }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_edits_is_a_handful_of_writes() {
    let mut scene = Scene::open(2).await;
    scene.assert_drained().await;
    let before = writes(&scene.servers.postgres).await;
    let started = Instant::now();
    let editor = &mut scene.editors[0];
    for number in 0..100 {
        editor.set(number % 3, 1 + number as i64 % 7).await;
    }
    scene.assert_drained().await;
    // One a second, on a machine of whatever speed.
    let most = 3 + 2 * started.elapsed().as_secs() as i64;
    let written = writes(&scene.servers.postgres).await - before;
    assert!((1..=most.min(50)).contains(&written), "{written} writes for a hundred edits, at most {most} expected");
}
