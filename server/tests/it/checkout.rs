//! The checkout without JavaScript: what is short, what changed, and one button on.

use crate::{
    orders::{ADDRESS, place, wait_for},
    shop::{Shop, eventually},
    visitor::Visitor,
};

/// The checkout page and its form as a browser would send it: what is typed, and what the page put in.
struct Form {
    page: String,
    fields: Vec<(&'static str, String)>,
}

impl Form {
    async fn of(visitor: &Visitor) -> Self {
        let page = visitor.page("/checkout").await.body;
        let hidden = ["idempotency_key", "expected_total", "seen"].map(|name| (name, value(&page, name)));
        let typed = ADDRESS.iter().map(|(name, text)| (*name, (*text).to_owned()));
        let fields = typed.chain(hidden).collect();
        Self { page, fields }
    }

    async fn send(&self, visitor: &Visitor, to: &str) -> String {
        let fields: Vec<_> = self.fields.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let sent = visitor.submit("/checkout", to, &fields).await;
        assert_eq!(sent.status, 303, "{}", sent.body);
        sent.location().to_owned()
    }

    fn field(&self, name: &str) -> &str {
        &self.fields.iter().find(|(known, _)| *known == name).expect("a field").1
    }

    fn says(&self, text: &str) {
        assert!(self.page.contains(text), "no “{text}” in {}", self.page);
    }
}

/// What stands in a field of the page.
fn value(page: &str, name: &str) -> String {
    let at = page.find(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("no {name} in {page}"));
    let (_, rest) = page[at..].split_once("value=\"").expect("a value");
    rest.split('"').next().unwrap_or_default().to_owned()
}

async fn add(shop: &Shop, visitor: &Visitor, title: &str, copies: &str) -> String {
    let book = shop.book(title).await;
    visitor.post("/api/cart/add", &[("book_id", &book), ("quantity", copies)]).await.ok();
    book
}

async fn guest(shop: &Shop, books: &[(&str, &str)]) -> Visitor {
    let visitor = shop.visitor();
    for (title, copies) in books {
        add(shop, &visitor, title, copies).await;
    }
    visitor
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_was_quicker_and_the_rest_is_one_button_away() {
    let shop = Shop::start().await;
    let visitor = guest(&shop, &[("The First Book", "1"), ("Only Ten Copies", "9"), ("Only Two Copies", "1")]).await;
    let before = Form::of(&visitor).await;
    assert!(!before.page.contains("Take what is left"));
    let quicker = guest(&shop, &[("Only Ten Copies", "3"), ("Only Two Copies", "2")]).await;
    place(&quicker, "quicker").await.ok();

    assert_eq!(before.send(&visitor, "/api/orders/place").await, "/checkout");
    let refused = Form::of(&visitor).await;
    for text in ["Somebody was quicker", "sold out", "Take what is left", "form=\"checkout\"", "12 MG Road"] {
        refused.says(text);
    }
    assert_eq!(refused.send(&visitor, "/api/cart/take_what_is_left").await, "/checkout");
    let fresh = Form::of(&visitor).await;
    for text in ["now; it was", "9 × ₹300", "7 × ₹300", "not in the cart", "Only Two Copies", "12 MG Road"] {
        fresh.says(text);
    }
    assert!(!fresh.page.contains("Take what is left"));
    assert_ne!(fresh.field("idempotency_key"), refused.field("idempotency_key"));
    assert_eq!(fresh.field("expected_total"), (40_000 + 7 * 30_000).to_string());
    let order = fresh.send(&visitor, "/api/orders/place").await;
    let order = wait_for(&visitor, order.trim_start_matches("/orders/"), "PAYMENT_PENDING").await;
    assert_eq!(order["total"].to_string(), fresh.field("expected_total"));
    shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_left_of_anything_leaves_an_empty_cart() {
    let shop = Shop::start().await;
    let visitor = guest(&shop, &[("Only Two Copies", "2")]).await;
    place(&guest(&shop, &[("Only Two Copies", "2")]).await, "quicker").await.ok();
    Form::of(&visitor).await.says("Take them out of the cart");
    let cart = visitor.page("/cart").await.body;
    assert!(cart.contains("cannot be ordered now") && cart.contains("Take what is left"), "{cart}");
    let sent = visitor.submit("/cart", "/api/cart/take_what_is_left", &[("next", "/cart")]).await;
    assert_eq!((sent.status, sent.location()), (303, "/cart"));
    assert_eq!(visitor.get("/api/cart").await.ok()["copies"], 0);
    let program = shop.visitor();
    assert_eq!(program.post("/api/cart/take_what_is_left", &[]).await.ok()["lines"].as_array().map(Vec::len), Some(0));
    assert!(!program.has_cookie("bb_guest"), "nobody becomes a guest by it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_total_is_said_before_it_is_paid() {
    let shop = Shop::start().await;
    let visitor = guest(&shop, &[("The First Book", "2"), ("The Second Book", "1")]).await;
    let before = Form::of(&visitor).await;
    assert_eq!(before.field("expected_total"), "105000");
    shop.import("sku,price_inr\nT-1,300\n");
    eventually("the new price", || async { (visitor.get("/api/cart").await.ok()["total"] != 105_000).then_some(()) })
        .await;

    assert_eq!(before.send(&visitor, "/api/orders/place").await, "/checkout");
    let changed = Form::of(&visitor).await;
    for text in
        ["Your order comes to ₹899 now; it was ₹1,050", "2 × ₹400", "2 × ₹300", "Free", "₹49", "Place order · ₹899"]
    {
        changed.says(text);
    }
    assert!(!changed.page.contains("1 × ₹250</td>"), "what is as it was is not in the table");
    // Whatever a page claims to have shown, nothing but the shop's prices is charged.
    let mut forged = Form { page: String::new(), fields: changed.fields.clone() };
    forged.fields.retain(|(name, _)| *name != "seen");
    forged.fields.push(("seen", "1:2:1;0".to_owned()));
    let order = forged.send(&visitor, "/api/orders/place").await;
    let order = wait_for(&visitor, order.trim_start_matches("/orders/"), "PAYMENT_PENDING").await;
    assert_eq!(order["total"], 89_900);
    shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_cart_fits_into_the_refused_form() {
    let shop = Shop::prepare(&[]).await;
    let mut books = String::from("sku,title,authors,price_inr,stock\n");
    (0..50).for_each(|book| books += &format!("F-{book},A Rather Long Title Number {book},Asha Rao,1000,10\n"));
    assert!(shop.import(&books).status.success());
    let mut shop = shop;
    shop.spawn("all");
    shop.wait_until_ready().await;
    let visitor = shop.visitor();
    for book in 1..=50 {
        visitor.post("/api/cart/add", &[("book_id", &book.to_string()), ("quantity", "10")]).await.ok();
    }
    let form = Form::of(&visitor).await;
    let mut raised = String::from("sku,price_inr\n");
    (0..50).for_each(|book| raised += &format!("F-{book},1001\n"));
    shop.import(&raised);
    eventually("the new prices", || async {
        (visitor.get("/api/cart").await.ok()["total"] == 50_050_000).then_some(())
    })
    .await;
    assert_eq!(form.send(&visitor, "/api/orders/place").await, "/checkout");
    let changed = Form::of(&visitor).await;
    for text in ["Your order comes to ₹5,00,500 now; it was ₹5,00,000", "12 MG Road", "Asha Rao"] {
        changed.says(text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_holds_only_so_many_copies() {
    let settings = [("BAZAR_HELD_COPIES_PER_ADDRESS", "3"), ("BAZAR_TRUSTED_PROXIES", "127.0.0.1")];
    let shop = Shop::start_with(&settings).await;
    let place_from = async |visitor: &Visitor, from: &str| {
        let headers = [("idempotency-key", "k"), ("x-forwarded-for", from)];
        visitor.post_with("/api/orders/place", &ADDRESS, &headers).await
    };
    let first = guest(&shop, &[("The First Book", "2")]).await;
    let order = place_from(&first, "2001:db8::1").await.ok();
    let second = guest(&shop, &[("The Second Book", "2")]).await;
    let refused = place_from(&second, "6.6.6.6, 2001:db8::2").await;
    assert_eq!(refused.refusal(), (409, "too_many_holds".into()));
    assert!(refused.body.contains("pay or cancel"), "{}", refused.body);
    place_from(&guest(&shop, &[("The Second Book", "2")]).await, "1.2.3.4").await.ok();

    first.post("/api/orders/cancel", &[("order_id", order["order_id"].as_str().expect("an id"))]).await.ok();
    eventually("room", || async { (place_from(&second, "2001:db8::2").await.status == 200).then_some(()) }).await;
    shop.assert_sound();
}
