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
