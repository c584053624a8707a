//! The admins' desk over HTTP: who may take an order on, which steps there are, and what the shopper sees of them.

use crate::{
    orders::{order, place, wait_for},
    shop::{Shop, eventually},
    visitor::Visitor,
};
use serde_json::{Value, json};

const PASSWORD: &str = "the password of an admin";
const STEPS: [&str; 4] = ["fulfil", "ship", "deliver", "cancel"];

/// A shop with an admin logged in, and a shopper who has paid for two of ten copies.
pub struct Scene {
    pub shop: Shop,
    pub admin: Visitor,
    pub shopper: Visitor,
    book: String,
    pub order: String,
    /// Of the order's payment, at the provider.
    pub page: String,
}

impl Scene {
    pub async fn set() -> Self {
        Self::set_with(&[]).await
    }

    pub async fn set_with(settings: &[(&str, &str)]) -> Self {
        let shop = Shop::start_with(&[settings, &[("BAZAR_ADMIN_PASSWORD", PASSWORD)]].concat()).await;
        assert!(shop.run(&["admin", "create", "boss@example.org", "--name", "Boss"]).status.success());
        let admin = shop.visitor();
        admin.post("/api/account/login", &[("email", "boss@example.org"), ("password", PASSWORD)]).await.ok();
        let (book, shopper) = (shop.book("Only Ten Copies").await, shop.shopper("asha@example.org").await);
        let mut scene = Self { shop, admin, shopper, book, order: String::new(), page: String::new() };
        scene.order = scene.placed("first").await;
        let form = [("order_id", scene.order.as_str()), ("provider", "sandbox")];
        let started = scene.shopper.post("/api/payments/init", &form).await.ok();
        scene.page = started["redirect_url"].as_str().expect("an address").to_owned();
        scene.shopper.submit(&scene.page, &scene.page, &[("outcome", "pay")]).await;
        wait_for(&scene.shopper, &scene.order, "PAID").await;
        scene
    }

    async fn placed(&self, key: &str) -> String {
        self.shopper.post("/api/cart/add", &[("book_id", &self.book), ("quantity", "2")]).await.ok();
        let placed = place(&self.shopper, key).await.ok();
        let order = placed["order_id"].as_str().expect("an order").to_owned();
        wait_for(&self.shopper, &order, "PAYMENT_PENDING").await;
        order
    }

    pub async fn take(&self, who: &Visitor, step: &str, order: &str) -> crate::visitor::Reply {
        let form = [("order_id", order), ("carrier", "Blue Dart"), ("tracking", "BD 42"), ("reason", "Out of print")];
        who.post(&format!("/api/admin/orders/{step}"), &form).await
    }

    pub async fn on_sale(&self, copies: i64) {
        eventually("the copies", || async { (self.shop.on_sale(&self.book).await == copies).then_some(()) }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_packed_sent_and_arrives() {
    let scene = Scene::set().await;
    let Scene { shop, admin, shopper, order: id, .. } = &scene;
    for step in STEPS {
        assert_eq!(scene.take(shopper, step, id).await.refusal(), (403, "forbidden".into()), "{step}");
        assert_eq!(scene.take(&shop.visitor(), step, id).await.refusal(), (401, "unauthorised".into()), "{step}");
        let nowhere = scene.take(admin, step, "11111111-1111-4111-8111-111111111111").await;
        assert_eq!(nowhere.refusal(), (404, "not_found".into()), "{step}");
    }
    assert_eq!(scene.take(admin, "ship", id).await.refusal(), (409, "conflict".into()));
    let page = admin.page(&format!("/admin/orders/{id}")).await.body;
    assert!(page.contains("/api/admin/orders/fulfil") && page.contains("/api/admin/orders/cancel"), "{page}");
    assert!(!page.contains("/api/admin/orders/ship") && !page.contains("/api/admin/orders/deliver"), "{page}");

    // Without JavaScript the button leads back to the page.
    let path = format!("/admin/orders/{id}");
    let pressed = admin.submit(&path, "/api/admin/orders/fulfil", &[("order_id", id)]).await;
    assert_eq!((pressed.status / 100, pressed.location()), (3, path.as_str()));
    let refused = admin.submit(&path, "/api/admin/orders/ship", &[("order_id", id), ("tracking", "BD 42")]).await;
    assert_eq!(refused.location(), path);
    let page = admin.page(&path).await.body;
    assert!(page.contains("This is needed.") && page.contains("value=\"BD 42\""), "{page}");

    let shipped = scene.take(admin, "ship", id).await.ok();
    assert_eq!(
        shipped["events"].as_array().and_then(|events| events.last()).map(|event| &event["by"]),
        Some(&json!("Boss"))
    );
    assert_eq!(scene.take(admin, "cancel", id).await.refusal(), (409, "conflict".into()));
    scene.take(admin, "deliver", id).await.ok();
    let seen = order(shopper, id).await;
    let story: Vec<&Value> = seen["events"].as_array().expect("events").iter().map(|event| &event["status"]).collect();
    assert_eq!(story, ["PAYMENT_PENDING", "PAID", "FULFILLING", "SHIPPED", "DELIVERED"]);
    assert_eq!((&seen["shipment"]["tracking"], &seen["events"][3]["by"]), (&json!("BD 42"), &Value::Null));
    let page = shopper.page(&format!("/orders/{id}")).await.body;
    for word in ["Blue Dart", "BD 42", "Your parcel has arrived."] {
        assert!(page.contains(word), "{word}: {page}");
    }
    let page = admin.page(&path).await.body;
    let steps = STEPS.map(|step| page.contains(&format!("/api/admin/orders/{step}\"")));
    assert!(page.contains("By Boss") && steps == [false; 4], "nothing is left to do: {page}");
    shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_called_off_gives_money_and_copies_back() {
    let scene = Scene::set().await;
    let unpaid = scene.placed("second").await;
    scene.on_sale(6).await;
    scene.take(&scene.admin, "cancel", &unpaid).await.ok();
    assert_eq!(order(&scene.shopper, &unpaid).await["status"], "CANCELLED");
    scene.on_sale(8).await;
    scene.take(&scene.admin, "cancel", &scene.order).await.ok();
    scene.on_sale(10).await;
    // The provider confirms by itself.
    let seen = wait_for(&scene.shopper, &scene.order, "REFUNDED").await;
    assert_eq!(seen["payments"][0]["status"], "refunded", "{seen}");
    let off = seen["events"].as_array().and_then(|events| events.iter().find(|event| event["status"] == "CANCELLED"));
    assert_eq!(off.map(|event| &event["note"]), Some(&json!("Out of print")), "{seen}");
    scene.shop.assert_sound();
}
