//! Work, health and figures behind the counter, over HTTP and without JavaScript.

use crate::{
    orders::{place, wait_for},
    shop::{Shop, eventually},
    visitor::Visitor,
};
use serde_json::Value;

const PASSWORD: &str = "the password of an admin";

async fn shop() -> (Shop, Visitor) {
    let shop = Shop::start_with(&[("BAZAR_ADMIN_PASSWORD", PASSWORD)]).await;
    assert!(shop.run(&["admin", "create", "boss@example.org", "--name", "Boss"]).status.success());
    let admin = shop.visitor();
    admin.post("/api/account/login", &[("email", "boss@example.org"), ("password", PASSWORD)]).await.ok();
    (shop, admin)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_are_whole_without_javascript() {
    let (_shop, admin) = shop().await;
    for (path, words) in [
        ("/admin", ["Dashboard", "Running out", "As a table"]),
        ("/admin/work", ["Queues and workers", "By the clock", "Nothing was given up."]),
        ("/admin/health", ["Check all promises", "Migrations", "Circuit, seen from here"]),
    ] {
        let page = admin.page(path).await.body;
        for word in words {
            assert!(page.contains(word), "{path}: {word}: {page}");
        }
    }
    assert_eq!(admin.get("/api/admin/work/letter?id=7").await.refusal(), (404, "not_found".into()));
    assert_eq!(admin.get("/api/admin/work?source=nowhere").await.refusal(), (404, "not_found".into()));
    let wrong = admin.get("/api/admin/figures?from=2026-02-02&to=2026-01-01").await.ok();
    assert_eq!(wrong["wrong"], "The first day comes after the last one.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_is_asked_for_by_a_plain_form_and_the_figures_follow_a_sale() {
    let (shop, admin) = shop().await;
    let pressed = admin.submit("/admin/health", "/api/admin/health/run", &[("kind", "check")]).await;
    assert_eq!((pressed.status / 100, pressed.location()), (3, "/admin/health"));
    eventually("the check", || async {
        let health = admin.get("/api/admin/health").await.ok();
        let run = health["runs"].as_array()?.iter().find(|run| run["kind"] == "check")?;
        let sections = run["report"]["sections"].as_array()?;
        assert!(sections.iter().all(|section| section["is_good"] == true), "{run}");
        (run["by"] == "Boss").then_some(())
    })
    .await;
    let (book, shopper) = (shop.book("Only Ten Copies").await, shop.shopper("asha@example.org").await);
    shopper.post("/api/cart/add", &[("book_id", &book), ("quantity", "2")]).await.ok();
    let placed = place(&shopper, "first").await.ok();
    let order = placed["order_id"].as_str().expect("an order");
    wait_for(&shopper, order, "PAYMENT_PENDING").await;
    let started = shopper.post("/api/payments/init", &[("order_id", order), ("provider", "sandbox")]).await.ok();
    let page = started["redirect_url"].as_str().expect("an address");
    shopper.submit(page, page, &[("outcome", "pay")]).await;
    wait_for(&shopper, order, "PAID").await;
    let figures: Value = admin.get("/api/admin/figures?period=today").await.ok();
    assert_eq!((&figures["now"]["captured"], &figures["now"]["orders"]), (&placed["total"], &1.into()));
    assert_eq!((&figures["top"][0]["title"], &figures["top"][0]["copies"]), (&"Only Ten Copies".into(), &2.into()));
    shop.assert_sound();
}
