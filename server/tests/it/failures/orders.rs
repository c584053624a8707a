//! Orders while Postgres is away, orders that wait for their worker, and orders that Redis lost.

use super::worker;
use crate::{
    admin_people::log_in,
    live::Tab,
    orders::{order, place, wait_for},
    servers::Servers,
    shop::{Shop, eventually},
    visitor::Visitor,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Nobody waits longer for a page, with other tests on the same two cores.
const PATIENCE: Duration = Duration::from_secs(3);
const BOSS: &str = "boss@example.org";
const PASSWORD: &str = "the password of an admin";
/// From a cancellation until the copies are on sale.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A guest with two copies in the cart.
async fn guest(shop: &Shop, title: &str) -> (Visitor, String) {
    let (visitor, book) = (shop.visitor(), shop.book(title).await);
    visitor.post("/api/cart/add", &[("book_id", &book), ("quantity", "2")]).await.ok();
    (visitor, book)
}

async fn place_one(visitor: &Visitor, key: &str) -> String {
    place(visitor, key).await.ok()["order_id"].as_str().expect("an order").to_owned()
}

/// API, order page and list all show the order as being reserved, soon.
async fn assert_pending(visitor: &Visitor, id: &str) {
    let started = Instant::now();
    assert_eq!(order(visitor, id).await["status"], "PENDING");
    let list = visitor.get("/api/orders").await.ok();
    let row = list["orders"].as_array().and_then(|rows| rows.iter().find(|row| row["order_id"] == id).cloned());
    assert_eq!(row.expect("a row")["status"], "PENDING", "{list}");
    let page = visitor.page(&format!("/orders/{id}")).await;
    assert!(page.status == 200 && page.body.contains("being reserved"), "{} {}", page.status, page.body);
    let page = visitor.page("/orders").await;
    assert!(page.status == 200 && page.body.contains(&format!("/orders/{id}")), "{} {}", page.status, page.body);
    assert!(started.elapsed() < 4 * PATIENCE, "{:?}", started.elapsed());
}

/// The people of the shop see it, too, with what the gate knows.
async fn assert_pending_at_the_desk(boss: &Visitor, id: &str) {
    const WHY: &str = "Its copies are held at the gate";
    let desk = boss.get(&format!("/api/admin/orders/desk?id={id}")).await.ok();
    assert_eq!(desk["order"]["status"], "PENDING");
    assert!(desk["why"].as_str().is_some_and(|why| why.starts_with(WHY)), "{desk}");
    let page = boss.page(&format!("/admin/orders/{id}")).await;
    assert!(page.status == 200 && page.body.contains(WHY), "{} {}", page.status, page.body);
    let board = boss.get("/api/admin/orders").await.ok();
    assert!(board["orders"] == json!([]) && board["waiting"]["count"].as_u64() > Some(0), "{board}");
    let named =
        board["waiting"]["orders"].as_array().is_some_and(|orders| orders.iter().any(|one| one["order_id"] == id));
    assert!(named, "{board}");
    let page = boss.page("/admin/orders").await;
    assert!(page.status == 200 && page.body.contains("Postgres is away."), "{} {}", page.status, page.body);
    assert!(
        page.body.contains(&format!("/admin/orders/{id}")) && !page.body.contains("Back in a moment"),
        "{}",
        page.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_placed_and_seen_while_postgres_is_away() {
    let mut servers = Servers::start().await;
    let mut shop = Shop::on_with(&servers, &[("BAZAR_ADMIN_PASSWORD", PASSWORD)]);
    assert!(shop.run(&["admin", "create", BOSS, "--name", "Boss"]).status.success());
    shop.spawn("all");
    shop.wait_until_ready().await;
    let boss = shop.visitor();
    log_in(&boss, BOSS, PASSWORD).await;
    // A machine with much to do may doubt its Postgres at first.
    let has_books = || async { (shop.visitor().get("/api/books?q=").await.status == 200).then_some(()) };
    eventually("the books", has_books).await;
    let (before, _) = guest(&shop, "The Second Book").await;
    let paying = place_one(&before, "before").await;
    wait_for(&before, &paying, "PAYMENT_PENDING").await;
    for is_killed in [false, true] {
        let (visitor, _) = guest(&shop, "The First Book").await;
        // Its book is known to the process, as those on screen are.
        visitor.page("/checkout").await;
        if is_killed {
            servers.postgres.kill()
        } else {
            servers.postgres.freeze()
        }
        let id = place_one(&visitor, "away").await;
        assert_pending(&visitor, &id).await;
        assert_pending_at_the_desk(&boss, &id).await;
        // After a login elsewhere this browser would still know it; a stranger does not.
        assert_ne!(shop.visitor().page(&format!("/orders/{id}")).await.status, 200);
        // Of what is in Postgres nothing is claimed, least of all that it is not there.
        assert_eq!(before.get("/api/orders").await.ok(), json!({ "orders": [], "is_whole": false }));
        let page = before.page("/orders").await.body;
        assert!(page.contains("Nothing happened to the others") && !page.contains("No orders yet"), "{page}");
        assert_eq!(before.page(&format!("/orders/{paying}")).await.status, 503);
        if is_killed {
            servers.postgres.up()
        } else {
            servers.postgres.thaw()
        }
        // Until the process trusts Postgres again, what is written down already is not to be seen: 503.
        let get = async |visitor: &Visitor, path: &str| {
            let reply = visitor.get(path).await;
            if reply.status == 200 { reply.json() } else { Value::Null }
        };
        let path = format!("/api/orders/get?id={id}");
        let is_payable = || async { (get(&visitor, &path).await["status"] == "PAYMENT_PENDING").then_some(()) };
        eventually("the order to be payable", is_payable).await;
        let is_whole = || async { (get(&before, "/api/orders").await["is_whole"] == true).then_some(()) };
        eventually("the whole list", is_whole).await;
        assert_eq!(before.get("/api/orders").await.ok()["orders"][0]["order_id"], paying.as_str());
    }
    shop.assert_sound();
}

/// A shop that serves, with a gate that is loaded and nobody who writes orders down.
async fn without_worker(servers: &Servers) -> Shop {
    let mut shop = Shop::on(servers);
    shop.spawn("web");
    let mut first = worker(&shop);
    shop.wait_until_ready().await;
    first.kill();
    shop
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_redis_lost_is_explained() {
    let servers = Servers::start().await;
    let shop = without_worker(&servers).await;
    let (visitor, book) = guest(&shop, "Only Ten Copies").await;
    let id = place_one(&visitor, "lost").await;
    assert_pending(&visitor, &id).await;
    assert_eq!(shop.on_sale(&book).await, 8);

    servers.redis.ask(&["flushall"]);
    let path = format!("/orders/{id}");
    let unknown = visitor.get(&format!("/api/orders/get?id={id}")).await;
    assert_eq!(unknown.refusal(), (503, "not_ready".into()), "the gate may still find it");
    let _worker = worker(&shop);
    eventually("the gate", || async { (visitor.get("/readyz").await.status == 200).then_some(()) }).await;
    eventually("the verdict", || async { (visitor.page(&path).await.status == 404).then_some(()) }).await;
    let page = visitor.page(&path).await;
    for text in
        ["We lost this order, and you paid nothing", "Order BB-", "back on sale", "href=\"/cart\"", "href=\"/books\""]
    {
        assert!(page.body.contains(text), "no “{text}” in {}", page.body);
    }
    assert_eq!(visitor.get(&format!("/api/orders/get?id={id}")).await.refusal(), (404, "order_lost".into()));
    let stranger = shop.visitor().page(&path).await;
    assert!(stranger.status == 404 && !stranger.body.contains("We lost"), "{}", stranger.body);
    let pay = visitor.post("/api/payments/init", &[("order_id", &id), ("provider", "sandbox")]).await;
    assert_eq!(pay.status, 404, "never payable");
    assert_eq!(shop.on_sale(&book).await, 10);

    // A fresh click is a fresh order.
    visitor.post("/api/cart/set", &[("book_id", &book), ("quantity", "2")]).await.ok();
    let again = place_one(&visitor, "again").await;
    wait_for(&visitor, &again, "PAYMENT_PENDING").await;
    shop.assert_sound();
}

/// Redis came back with what its file knew, and nobody has counted the gate yet.
#[tokio::test(flavor = "multi_thread")]
async fn until_the_gate_is_counted_anew_placing_says_when_to_come_again() {
    let mut servers = Servers::start().await;
    let shop = without_worker(&servers).await;
    let (visitor, book) = guest(&shop, "Only Ten Copies").await;
    servers.redis.kill();
    servers.redis.up();
    eventually("the cart", || async { (visitor.get("/api/cart").await.status == 200).then_some(()) }).await;
    let refused = place(&visitor, "k").await;
    assert_eq!(refused.refusal(), (503, "not_ready".into()));
    assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
    assert_eq!(visitor.get("/readyz").await.status, 503);
    let _worker = worker(&shop);
    eventually("the gate", || async { (visitor.get("/readyz").await.status == 200).then_some(()) }).await;
    let id = place_one(&visitor, "k").await;
    wait_for(&visitor, &id, "PAYMENT_PENDING").await;
    assert_eq!(shop.on_sale(&book).await, 8);
    shop.assert_sound();
}

/// Cancels, and says that the other tab follows and the copies are back.
async fn cancel(visitor: &Visitor, id: &str, watchers: &mut [Tab; 2], copies: i64, wake: impl FnOnce()) {
    let answer = visitor.post("/api/orders/cancel", &[("order_id", id)]).await.ok();
    assert!(answer["status"] == "CANCELLED" || answer["cancel_asked"] == true, "{answer}");
    let started = Instant::now();
    wake();
    let [tab, shelf] = watchers;
    let is_it = |frame: &Value| frame["order"]["order_id"] == id && frame["order"]["status"] == "CANCELLED";
    tab.frame(is_it).await;
    shelf.frame(|frame| frame["type"] == "stock" && frame["available"] == copies).await;
    assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
}

/// The visitor's second tab on the order, and a stranger's on the book.
async fn watch(shop: &Shop, visitor: &Visitor, id: &str, book: &str) -> [Tab; 2] {
    let mut tab = Tab::open(visitor).await;
    tab.ask(json!({ "type": "order", "order_id": id })).await;
    let mut shelf = Tab::open(&shop.visitor()).await;
    shelf.ask(json!({ "type": "watch", "books": [book.parse::<i64>().expect("a number")] })).await;
    shelf.frame(|frame| frame["type"] == "stock" && frame["available"] == 8).await;
    [tab, shelf]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shopper_cancels_in_every_state_until_paid() {
    let servers = Servers::start().await;
    let shop = without_worker(&servers).await;
    let (visitor, book) = guest(&shop, "Only Ten Copies").await;
    let awake = worker(&shop);
    let writes = async |visitor: &Visitor, id: &str| wait_for(visitor, id, "PAYMENT_PENDING").await;
    let warm = place_one(&visitor, "warm").await;
    writes(&visitor, &warm).await;

    // Written down, with and without a session at the provider.
    for (key, has_session) in [("warm", false), ("session", true)] {
        visitor.post("/api/cart/set", &[("book_id", &book), ("quantity", "2")]).await;
        let id = place_one(&visitor, key).await;
        writes(&visitor, &id).await;
        let mut watchers = watch(&shop, &visitor, &id, &book).await;
        if has_session {
            let pay = [("order_id", id.as_str()), ("provider", "sandbox")];
            visitor.post("/api/payments/init", &pay).await.ok();
        }
        cancel(&visitor, &id, &mut watchers, 10, || ()).await;
        visitor.post("/api/orders/cancel", &[("order_id", &id)]).await.ok();
    }

    // Still in the stream: the worker that has it carries it out.
    awake.signal("STOP");
    visitor.post("/api/cart/set", &[("book_id", &book), ("quantity", "2")]).await.ok();
    let waiting = place_one(&visitor, "waiting").await;
    assert_eq!(order(&visitor, &waiting).await["status"], "PENDING");
    let mut watchers = watch(&shop, &visitor, &waiting, &book).await;
    cancel(&visitor, &waiting, &mut watchers, 10, || awake.signal("CONT")).await;

    // Paid is paid.
    visitor.post("/api/cart/set", &[("book_id", &book), ("quantity", "2")]).await.ok();
    let paid = place_one(&visitor, "paid").await;
    writes(&visitor, &paid).await;
    let session = visitor.post("/api/payments/init", &[("order_id", &paid), ("provider", "sandbox")]).await.ok();
    let page = session["redirect_url"].as_str().expect("an address").to_owned();
    visitor.submit(&page, &page, &[("outcome", "pay")]).await;
    wait_for(&visitor, &paid, "PAID").await;
    let refused = visitor.post("/api/orders/cancel", &[("order_id", &paid)]).await;
    assert_eq!(refused.refusal(), (409, "not_cancellable".into()));
    assert_eq!(order(&visitor, &paid).await["status"], "PAID");
    assert_eq!(shop.on_sale(&book).await, 8);
    shop.assert_sound();
}
