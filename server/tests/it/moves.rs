//! The catalogue moves under open carts: what the tabs hear of it, and what can be ordered meanwhile.

use crate::{live::Tab, orders, shop::Shop, visitor::Visitor};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A shop, somebody with two copies of the first book in the cart, and two open tabs of theirs.
struct Scene {
    shop: Shop,
    book: String,
    shopper: Visitor,
    tabs: [Tab; 2],
}

impl Scene {
    async fn set() -> Self {
        let shop = Shop::start().await;
        let (book, shopper) = (shop.book("The First Book").await, shop.shopper("asha@example.org").await);
        shopper.post("/api/cart/add", &[("book_id", &book), ("quantity", "2")]).await.ok();
        let mut tabs = [Tab::open(&shopper).await, Tab::open(&shopper).await];
        for tab in &mut tabs {
            tab.frame(|frame| frame["cart"]["copies"] == 2).await;
        }
        Self { shop, book, shopper, tabs }
    }

    fn import(&self, csv: &str) -> Instant {
        let output = self.shop.import(csv);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Instant::now()
    }

    /// Both tabs hear of a cart whose line fits.
    async fn both_hear(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        let mut line = Value::Null;
        for tab in &mut self.tabs {
            line = tab.frame(|frame| fits(&frame["cart"]["lines"][0])).await["cart"]["lines"][0].take();
        }
        line
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_price_is_said_in_every_tab_until_it_was_seen() {
    let mut scene = Scene::set().await;
    let imported = scene.import("sku,price_inr\nT-1,349\n");
    let line = scene.both_hear(|line| line["notice"]["kind"] == "price_changed").await;
    let after = imported.elapsed();
    println!("both tabs knew the new price {after:?} after the import");
    assert!(after < Duration::from_secs(5), "{after:?}: by the first round of telling, not by the second");
    assert_eq!((&line["unit_price"], &line["line_total"]), (&json!(34_900), &json!(69_800)), "{line}");
    assert_eq!(line["notice"], json!({ "kind": "price_changed", "was": 40_000 }));
    // What was never seen is not simply ordered.
    let mut order = orders::ADDRESS.to_vec();
    order.push(("expected_total", "84900"));
    let refused = scene.shopper.post_with("/api/orders/place", &order, &[("idempotency-key", "old-price")]).await;
    assert_eq!(refused.refusal(), (409, "cart_changed".into()));

    let seen = scene.shopper.post("/api/cart/seen", &[("book_id", &scene.book)]).await.ok();
    assert_eq!(seen["lines"][0]["notice"], Value::Null, "{seen}");
    let line = scene.both_hear(|line| line["notice"].is_null() && line["unit_price"] == 34_900).await;
    assert_eq!(line["quantity"], 2);

    scene.import("sku,title\nT-1,The First Book Indeed\n");
    scene.both_hear(|line| line["title"] == "The First Book Indeed" && line["notice"].is_null()).await;
    scene.shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retired_book_stays_in_the_cart_and_cannot_be_ordered() {
    let mut scene = Scene::set().await;
    scene.import("sku,retired\nT-1,yes\n");
    let line = scene.both_hear(|line| line["notice"]["kind"] == "retired").await;
    assert_eq!(line["quantity"], 2);
    assert_eq!(orders::place(&scene.shopper, "retired").await.refusal(), (409, "not_orderable".into()));
    let add = scene.shopper.post("/api/cart/add", &[("book_id", &scene.book)]).await;
    assert_eq!(add.refusal(), (409, "not_orderable".into()));
    scene.import("sku,retired\nT-1,no\n");
    scene.both_hear(|line| line["notice"].is_null() && line["quantity"] == 2).await;
    orders::place(&scene.shopper, "sold-again").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_is_followed_down_and_up_again() {
    let mut scene = Scene::set().await;
    let [tab, _] = &mut scene.tabs;
    tab.ask(json!({ "type": "watch", "books": [scene.book.parse::<i64>().expect("a number")] })).await;
    tab.frame(|frame| frame["type"] == "stock" && frame["available"] == 50).await;
    for (copies, notice) in [(2, json!({ "kind": "only_left", "left": 2 })), (0, json!({ "kind": "sold_out" }))] {
        scene.import(&format!("sku,stock\nT-1,{copies}\n"));
        scene.tabs[0].frame(|frame| frame["type"] == "stock" && frame["available"] == copies).await;
        let cart = scene.shopper.get("/api/cart").await.ok();
        assert_eq!(cart["lines"][0]["notice"], notice, "{cart}");
    }
    assert_eq!(orders::place(&scene.shopper, "sold-out").await.refusal(), (409, "insufficient_stock".into()));
    scene.import("sku,stock\nT-1,50\n");
    scene.tabs[0].frame(|frame| frame["type"] == "stock" && frame["available"] == 50).await;
    let cart = scene.shopper.get("/api/cart").await.ok();
    assert_eq!((&cart["lines"][0]["notice"], &cart["copies"]), (&Value::Null, &json!(2)), "{cart}");
    scene.shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guests_cart_that_is_in_redis_only_hears_it_too() {
    let shop = Shop::start().await;
    let (book, guest) = (shop.book("The Second Book").await, shop.visitor());
    guest.post("/api/cart/add", &[("book_id", &book)]).await.ok();
    let mut tab = Tab::open(&guest).await;
    let before = tab.frame(|frame| frame["cart"]["copies"] == 1).await;
    assert!(shop.import("sku,price_inr\nT-2,199\n").status.success());
    let after = tab.frame(|frame| frame["cart"]["lines"][0]["unit_price"] == 19_900).await;
    assert!(after["cart"]["version"].as_i64() > before["cart"]["version"].as_i64(), "older ones are ignored: {after}");
}
