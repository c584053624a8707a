//! Pages for strangers: rendered once for all of them, and never somebody's own.

use crate::{
    shop::{Shop, eventually},
    visitor::Reply,
};

const A_MINUTE: (&str, &str) = ("BAZAR_PAGE_CACHE_MS", "60000");

fn policy(page: &Reply) -> &str {
    page.header("content-security-policy")
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_share_a_page_whose_scripts_are_named_by_hash() {
    let shop = Shop::start_with(&[A_MINUTE]).await;
    for path in ["/", "/books", "/authors/asha-rao", "/books/the-first-book"] {
        let [first, second] = [shop.visitor().page(path).await, shop.visitor().page(path).await];
        assert_eq!((first.status, first.header("cache-control")), (200, "no-store"), "{path}");
        assert!(first.body == second.body && policy(&first) == policy(&second), "{path} is rendered once");
        assert!(policy(&first).contains("script-src 'self' 'sha256-"), "{path}: {}", policy(&first));
        assert!(!policy(&first).contains("nonce-"), "a nonce would serve twice: {}", policy(&first));
        assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
    }
    // The price of a minute ago, as for every shop behind a proxy; what is paid is agreed upon later.
    assert!(shop.import("sku,price_inr\nT-1,777\n").status.success());
    assert!(!shop.visitor().page("/books/the-first-book").await.body.contains("777"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_a_cookie_gets_a_page_of_their_own_and_leaves_none_behind() {
    let shop = Shop::start_with(&[A_MINUTE]).await;
    let asha = shop.shopper("asha@shop.example").await;
    for _ in 0..2 {
        let (own, strangers) = (asha.page("/books").await, shop.visitor().page("/books").await);
        assert!(policy(&own).contains("nonce-") && !policy(&own).contains("sha256-"), "{}", policy(&own));
        let is_known = |page: &Reply| !page.body.contains("Log in");
        assert!(is_known(&own) && !is_known(&strangers), "{}", strangers.body);
    }
    // A page that hands a cookie out, or is no page of the shelves, is nobody else's.
    for path in ["/cart", "/login", "/orders", "/books/no-such-book"] {
        let pages = [shop.visitor().page(path).await, shop.visitor().page(path).await];
        assert_ne!(policy(&pages[0]), policy(&pages[1]), "{path} has a nonce each time");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_page_is_soon_the_newest_again() {
    let shop = Shop::start_with(&[("BAZAR_PAGE_CACHE_MS", "3000")]).await;
    let shows = async |what: &str| shop.visitor().page("/books/the-first-book").await.body.contains(what).then_some(());
    assert!(shows("777").await.is_none());
    assert!(policy(&shop.visitor().page("/books/the-first-book").await).contains("'sha256-"), "it is kept");
    assert!(shop.import("sku,price_inr\nT-1,777\n").status.success());
    eventually("the new price", || shows("777")).await;
}
