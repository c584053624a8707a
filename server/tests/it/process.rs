//! Starting and stopping: what must be in place, and that a signal ends everything in time.

use crate::{
    orders,
    servers::Servers,
    shop::{Shop, eventually},
};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_stops_the_shop_within_ten_seconds() {
    for signal in ["TERM", "INT"] {
        let mut shop = Shop::start().await;
        let book = shop.book("The First Book").await;
        let visitor = shop.visitor();
        visitor.post("/api/cart/add", &[("book_id", &book)]).await.ok();
        orders::place(&visitor, "last").await.ok();
        let (took, code) = shop.stop(signal);
        assert!(took < Duration::from_secs(10), "{signal}: {took:?}");
        assert_eq!(code, Some(0), "{signal}\n{}", shop.log());
        assert!(visitor.try_get("/healthz").await.is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_start_that_waits_for_a_server() {
    // Takes connections and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("listen");
    let url = format!("postgres://{}/shop", silent.local_addr().expect("its address"));
    let mut shop = Shop::prepare(&[("DATABASE_URL", &url)]).await;
    shop.spawn("all");
    let (_connected, _) = silent.accept().expect("the shop asks");
    let (took, code) = shop.stop("TERM");
    assert!(took < Duration::from_secs(2) && code == Some(0), "{took:?} {code:?}\n{}", shop.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_waits_for_its_servers_and_says_so() {
    let mut servers = Servers::start().await;
    let mut shop = Shop::on(&servers);
    servers.postgres.kill();
    servers.redis.kill();
    shop.spawn("all");
    let says = async |shop: &Shop, operation: &str| {
        eventually(operation, || async { shop.log().contains(operation).then_some(()) }).await;
    };
    says(&shop, "postgres.connect").await;
    servers.postgres.up();
    says(&shop, "redis.connect").await;
    servers.redis.up();
    shop.wait_until_ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_survives_the_death_of_the_process() {
    let mut shop = Shop::start().await;
    let book = shop.book("Only Ten Copies").await;
    let visitor = shop.visitor();
    visitor.post("/api/cart/add", &[("book_id", &book), ("quantity", "2")]).await.ok();
    let placed = orders::place(&visitor, "crash").await.ok();
    shop.kill();
    shop.spawn("all");
    shop.wait_until_ready().await;
    let id = placed["order_id"].as_str().expect("an order");
    orders::wait_for(&visitor, id, "PAYMENT_PENDING").await;
    assert_eq!(orders::place(&visitor, "crash").await.ok()["order_id"], placed["order_id"]);
    assert_eq!(shop.on_sale(&book).await, 8);
    shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn web_and_worker_may_run_apart() {
    let mut web = Shop::start_with(&[("BAZAR_METRICS_ADDR", "off")]).await;
    web.stop("TERM");
    web.spawn("web");
    let mut worker = web.sibling();
    worker.spawn("worker");
    web.wait_until_ready().await;
    let book = web.book("The First Book").await;
    let visitor = web.visitor();
    visitor.post("/api/cart/add", &[("book_id", &book)]).await.ok();
    let placed = orders::place(&visitor, "apart").await.ok();
    orders::wait_for(&visitor, placed["order_id"].as_str().expect("an order"), "PAYMENT_PENDING").await;
    for shop in [&mut web, &mut worker] {
        let (took, code) = shop.stop("TERM");
        assert!(took < Duration::from_secs(10) && code == Some(0), "{took:?} {code:?}");
    }
}
