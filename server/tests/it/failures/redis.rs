//! Redis forgets, dies, comes back with old data, or stands still.

use super::{Scene, editor};
use crate::shop::eventually;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn carts_come_back_when_redis_forgets_everything() {
    let mut scene = Scene::open(4).await;
    scene.edit_for(Duration::from_secs(1)).await.assert_all_accepted("before");
    scene.assert_drained().await;
    // By looking …
    scene.servers.redis.ask(&["FLUSHALL"]);
    scene.assert_carts().await;
    // … and by editing, all at once.
    scene.servers.redis.ask(&["FLUSHALL"]);
    scene.edit_for(Duration::from_secs(1)).await.assert_all_accepted("after the loss");
    wait_until_loaded(&scene).await;
    scene.assert_drained().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_redis_loses_no_edit_that_was_answered() {
    let mut scene = Scene::open(4).await;
    for _ in 0..3 {
        let Scene { editors, servers, .. } = &mut scene;
        let redis = &mut servers.redis;
        let restart = async {
            tokio::time::sleep(Duration::from_millis(400)).await;
            redis.kill();
            tokio::time::sleep(Duration::from_millis(300)).await;
            redis.up();
        };
        let (times, ()) = tokio::join!(editor::edit_for(editors, Duration::from_secs(2)), restart);
        assert!(times.accepted() > 0 && times.slowest() < Duration::from_secs(5), "{:?}", times.slowest());
    }
    wait_until_loaded(&scene).await;
    scene.edit_for(Duration::from_millis(500)).await.assert_all_accepted("afterwards");
    scene.assert_drained().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_redis_does_not_bring_old_carts_back() {
    let mut scene = Scene::open(4).await;
    scene.edit_for(Duration::from_secs(1)).await.assert_all_accepted("old");
    scene.assert_drained().await;
    scene.servers.redis.remember();
    scene.edit_for(Duration::from_secs(1)).await.assert_all_accepted("new");
    scene.assert_drained().await;
    scene.servers.redis.turn_back();
    let looked = scene.editors.len() / 2;
    for editor in &mut scene.editors[..looked] {
        editor.assert_cart().await;
    }
    // The others edit at once what Redis holds an old state of.
    scene.edit_for(Duration::from_secs(1)).await.assert_all_accepted("after the turn back");
    wait_until_loaded(&scene).await;
    scene.assert_drained().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_of_an_old_cart_without_postgres_join_the_newer_one() {
    let mut scene = Scene::open(2).await;
    for editor in &mut scene.editors {
        editor.set(0, 1).await;
    }
    scene.assert_drained().await;
    scene.servers.redis.remember();
    for editor in &mut scene.editors {
        editor.set(1, 2).await;
    }
    scene.assert_drained().await;
    scene.servers.postgres.kill();
    scene.servers.redis.turn_back();
    // Nobody can know of the second title now; the third one must join it later.
    for editor in &mut scene.editors {
        editor.set_unseen(2, 3).await;
    }
    scene.servers.postgres.up();
    for editor in &mut scene.editors {
        eventually("both edits in one cart", async || editor.is_as_expected().await.then_some(())).await;
    }
    wait_until_loaded(&scene).await;
    scene.assert_drained().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_redis_answers_late_or_not_at_all_but_never_wrong() {
    let mut scene = Scene::open(4).await;
    scene.edit_for(Duration::from_millis(500)).await.assert_all_accepted("before");
    let Scene { editors, servers, .. } = &mut scene;
    let redis = &servers.redis;
    let freeze = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        redis.freeze();
        tokio::time::sleep(Duration::from_secs(3)).await;
        redis.thaw();
    };
    let (times, ()) = tokio::join!(editor::edit_for(editors, Duration::from_secs(5)), freeze);
    assert!(times.slowest() < Duration::from_secs(8), "{:?}", times.slowest());
    scene.assert_drained().await;
}

/// The gate is filled again, so that nothing else is under way.
async fn wait_until_loaded(scene: &Scene) {
    let visitor = scene.shop.visitor();
    eventually("the gate to be loaded", || async {
        visitor.try_get("/readyz").await.filter(|reply| reply.status == 200).map(|_| ())
    })
    .await;
}
