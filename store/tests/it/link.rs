//! The connection to Redis, against a server that is killed, frozen and started again.

use crate::servers::PrivateRedis;
use futures::StreamExt;
use redis::AsyncCommands;
use std::{
    future::Future,
    time::{Duration, Instant},
};
use store::{Store, testkit};

async fn store_on(redis: &PrivateRedis) -> Store {
    testkit::store_with(|config| config.redis_url = redis.url()).await
}

/// Polls until it holds.
async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(20), "still not: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn after_a_restart_the_first_command_works_and_the_run_is_another() {
    let mut server = PrivateRedis::start().await;
    let store = store_on(&server).await;
    let (before, mut old) = testkit::redis_run(&store).await.unwrap();
    old.set::<_, _, ()>("k", "v").await.unwrap();
    server.kill();
    // Less than a restart takes, enough to hear of the end.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (mut link, begun) = (testkit::redis(&store), Instant::now());
    let (value, ()) = tokio::join!(link.get::<_, String>("k"), server.start_again());
    assert_eq!(value.expect("the first command after a restart"), "v");
    assert!(begun.elapsed() < Duration::from_secs(5));
    let (after, mut new) = testkit::redis_run(&store).await.unwrap();
    assert_ne!(before, after);
    assert_eq!(new.get::<_, String>("k").await.unwrap(), "v");
    assert!(old.get::<_, String>("k").await.is_err(), "the old run's connection never reaches the new one");
    // Long after: nobody used the link meanwhile, and it is up all the same.
    server.restart().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(testkit::redis(&store).get::<_, String>("k").await.unwrap(), "v");
    assert_ne!(testkit::redis_run(&store).await.unwrap().0, after);
}

#[tokio::test]
async fn nobody_waits_long_for_a_server_that_stays_away() {
    let mut server = PrivateRedis::start().await;
    let store = store_on(&server).await;
    server.kill();
    until("the loss is noticed", async || testkit::redis(&store).get::<_, Option<String>>("k").await.is_err()).await;
    let begun = Instant::now();
    let link = testkit::redis(&store);
    let commands = (0..200).map(|_| {
        let mut link = link.clone();
        async move { link.get::<_, Option<String>>("k").await }
    });
    let answers = futures::future::join_all(commands).await;
    assert!(answers.iter().all(Result::is_err));
    assert!(testkit::redis_run(&store).await.is_err());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    server.start_again().await;
    assert_eq!(testkit::redis(&store).get::<_, Option<String>>("k").await.unwrap(), None);
    server.kill();
    let lost = Store::connect(store.config().clone(), std::sync::Arc::new(store::world::SystemWorld)).await;
    assert!(lost.is_err(), "starting without Redis fails");
}

#[tokio::test]
async fn a_command_that_may_have_arrived_is_not_repeated() {
    let mut server = PrivateRedis::start().await;
    let store = store_on(&server).await;
    server.freeze();
    let mut link = testkit::redis(&store);
    let increment = tokio::spawn(async move { link.incr::<_, _, i64>("n", 1).await });
    // In the frozen server's socket, not in its hands.
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.restart().await;
    assert!(increment.await.unwrap().is_err());
    assert_eq!(testkit::redis(&store).get::<_, Option<i64>>("n").await.unwrap(), None);
}

#[tokio::test]
async fn a_silent_server_is_given_up_and_found_again() {
    let server = PrivateRedis::start().await;
    let store = store_on(&server).await;
    let (before, _) = testkit::redis_run(&store).await.unwrap();
    server.freeze();
    // Nobody asks anything: only the heartbeat can find out.
    until("it is given up", async || testkit::redis_run(&store).await.is_err()).await;
    server.thaw();
    until("it is back", async || testkit::redis_run(&store).await.is_ok()).await;
    testkit::redis(&store).set::<_, _, ()>("k", "v").await.unwrap();
    assert_eq!(testkit::redis_run(&store).await.unwrap().0, before, "frozen, but the same run");
}

#[tokio::test]
async fn a_lost_connection_leaves_the_subscriptions_of_others_alone() {
    let server = PrivateRedis::start().await;
    let store = store_on(&server).await;
    let mut listener = server.client().get_async_pubsub().await.unwrap();
    listener.subscribe("channel").await.unwrap();
    let (run, _) = testkit::redis_run(&store).await.unwrap();
    let mut link = testkit::redis(&store);
    let id: i64 = redis::cmd("CLIENT").arg("ID").query_async(&mut link).await.unwrap();
    let mut killer = server.connection().await;
    let killed: i64 = redis::cmd("CLIENT").arg("KILL").arg("ID").arg(id).query_async(&mut killer).await.unwrap();
    assert_eq!(killed, 1);
    let again = || async { redis::cmd("CLIENT").arg("ID").query_async::<i64>(&mut testkit::redis(&store)).await };
    until("another connection", async || again().await.is_ok_and(|now| now != id)).await;
    testkit::redis(&store).publish::<_, _, ()>("channel", "still there").await.unwrap();
    let message = tokio::time::timeout(Duration::from_secs(10), listener.on_message().next()).await;
    assert_eq!(message.unwrap().unwrap().get_payload::<String>().unwrap(), "still there");
    assert_eq!(testkit::redis_run(&store).await.unwrap().0, run, "another connection to the same run");
}

#[tokio::test]
async fn the_connection_ends_with_the_store() {
    let server = PrivateRedis::start().await;
    let stores = futures::future::join_all((0..5).map(|_| store_on(&server))).await;
    let mut observer = server.connection().await;
    assert_eq!(clients(&mut observer).await, 6);
    drop(stores);
    until("only the observer is left", async || clients(&mut observer.clone()).await == 1).await;
}

async fn clients(observer: &mut redis::aio::MultiplexedConnection) -> usize {
    let list: String = redis::cmd("CLIENT").arg("LIST").query_async(observer).await.expect("CLIENT LIST");
    list.lines().count()
}
