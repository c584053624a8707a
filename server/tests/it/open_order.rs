//! The link in a mail about an order, followed by its guest in another browser, by strangers, and by an account's owner.

use crate::{
    orders::{pay, place, wait_for},
    shop::{Shop, eventually},
    visitor::Visitor,
};
use std::path::PathBuf;

struct Mailed {
    shop: Shop,
    order: String,
    /// The path of the mail's link.
    link: String,
}

/// An order of that person that was paid, and the receipt that told of it.
async fn paid_by(name: &str, visitor: impl AsyncFnOnce(&Shop) -> Visitor) -> (Mailed, Visitor) {
    let folder: PathBuf = std::env::temp_dir().join(format!("bazar-open-order-{name}-{}", std::process::id()));
    let shop = Shop::start_with(&[("BAZAR_MAIL_DIR", folder.to_str().expect("a path"))]).await;
    let visitor = visitor(&shop).await;
    let book = shop.book("The First Book").await;
    visitor.post("/api/cart/add", &[("book_id", &book), ("quantity", "1")]).await.ok();
    let order = place(&visitor, "open").await.ok()["order_id"].as_str().expect("an order").to_owned();
    wait_for(&visitor, &order, "PAYMENT_PENDING").await;
    pay(&visitor, &order).await;
    let mail = eventually("the receipt", || async {
        let mut files = std::fs::read_dir(&folder).ok()?.flatten();
        let is_it = |name: &str| name.contains("order.paid") && name.ends_with(".eml");
        let file = files.find(|file| is_it(&file.file_name().to_string_lossy()))?;
        std::fs::read_to_string(file.path()).ok()
    })
    .await;
    std::fs::remove_dir_all(&folder).expect("the folder of mails");
    let mail = mail.replace("=\r\n", "");
    let (_, rest) = mail.split_once(&format!("{}/orders/open/", shop.url)).expect("a link");
    let token: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
    assert!(!shop.log().contains(&token), "no token in the log");
    (Mailed { shop, order, link: format!("/orders/open/{token}") }, visitor)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_opens_the_order_in_any_browser_by_the_link_only() {
    let (Mailed { shop, order, link }, _) = paid_by("guest", async |shop: &Shop| shop.visitor()).await;
    let page = format!("/orders/{order}");
    let stranger = shop.visitor();
    assert_eq!(stranger.page(&page).await.status, 404);
    for forged in [format!("{link}0"), link.replace(['0', '1', '2'], "3"), "/orders/open/x".to_owned()] {
        assert_eq!(stranger.page(&forged).await.status, 404, "{forged}");
    }
    assert!(!stranger.has_cookie("bb_receipts") && !stranger.has_cookie("bb_guest"));

    let elsewhere = shop.visitor();
    for _ in 0..2 {
        let led = elsewhere.page(&link).await;
        assert_eq!((led.status, led.location(), led.header("cache-control")), (303, page.as_str(), "no-store"));
        assert_eq!(led.header("x-robots-tag"), "noindex");
    }
    let shown = elsewhere.page(&page).await;
    assert!(shown.status == 200 && shown.body.contains("The First Book"), "{}", shown.body);
    assert_eq!(elsewhere.get("/api/orders").await.ok()["orders"][0]["order_id"], order.as_str());
    assert_eq!(elsewhere.get("/api/cart").await.ok()["copies"], 0);
    shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_s_order_asks_for_its_login() {
    let (mailed, owner) = paid_by("account", async |shop: &Shop| shop.shopper("asha@example.org").await).await;
    let Mailed { shop, order, link } = mailed;
    let page = format!("/orders/{order}");
    assert_eq!(owner.page(&link).await.location(), page);
    let stranger = shop.visitor();
    assert_eq!(stranger.page(&link).await.location(), format!("/login?next={page}"));
    assert!(!stranger.has_cookie("bb_receipts"));
    assert_eq!(stranger.page(&page).await.status, 404);
    let other = shop.shopper("ravi@example.org").await;
    assert_eq!(other.page(&link).await.location(), format!("/login?next={page}"));
    assert_eq!(other.page(&page).await.status, 404);
}
