//! Browsers that stop reading, over the real server: what is made for them stays bounded, nobody else waits for them, and
//! when they read again they are told what is.

use crate::{
    live::Tab,
    shop::{Shop, eventually},
    visitor::Visitor,
};
use serde_json::{Value, json};
use std::{
    fmt::Write,
    time::{Duration, Instant},
};

/// Titles in the cart, each as long as a title may be: every edit is a frame of some 25 KB.
const TITLES: usize = 45;
/// Tabs that do not read.
const SLOW: usize = 8;
const EDITS: usize = 400;
/// Within this time the others hear of an edit: sooner than a socket that does not read is given up, after ten seconds.
const IN_TIME: Duration = Duration::from_secs(8);
/// Held for all slow tabs together, in KiB; all that was made for them is twice that, and more in memory.
const MOST_HELD: u64 = 40 * 1024;

fn long_titles() -> String {
    (0..TITLES).fold("sku,title,authors,price_inr,stock,categories,popularity\n".to_owned(), |mut csv, n| {
        let _ = writeln!(csv, "L-{n},Volume {n} of {},Asha Rao,100,50,fiction,90", "a long title ".repeat(21));
        csv
    })
}

/// The ids of those books, all of them in this shopper's cart.
async fn fill_cart(shop: &Shop, visitor: &Visitor) -> Vec<String> {
    assert!(shop.import(&long_titles()).status.success());
    let mut books = Vec::new();
    for page in 1.. {
        let list = visitor.get(&format!("/api/books?q=volume&page={page}")).await.ok();
        let found = list["books"].as_array().expect("books");
        if found.is_empty() {
            break;
        }
        books.extend(found.iter().map(|book| book["id"].to_string()));
    }
    assert_eq!(books.len(), TITLES);
    for book in &books {
        visitor.post("/api/cart/add", &[("book_id", book), ("quantity", "1")]).await.ok();
    }
    books
}

async fn edit(visitor: &Visitor, book: &str, n: usize) -> Value {
    let copies = (n % 2 + 1).to_string();
    visitor.post("/api/cart/set", &[("book_id", book), ("quantity", &copies)]).await.ok()["version"].clone()
}

fn is_cart_at(version: Value) -> impl Fn(&Value) -> bool {
    move |frame| frame["type"] == "cart" && frame["cart"]["version"] == version
}

/// What the shop does for its sockets, by its own count.
async fn sockets(shop: &Shop) -> usize {
    let metrics = shop.visitor().get(&shop.metrics).await.body;
    let count = metrics.lines().find_map(|line| line.strip_prefix("bazar_live_sockets "));
    count.and_then(|count| count.parse().ok()).expect("a gauge")
}

/// Reads what is left; told that it fell behind, or cut off, the tab asks anew, as the browser does.
async fn catch_up(mut tab: Tab, visitor: &Visitor) -> Tab {
    if tab.try_frame(|frame| frame["type"] == "resync").await.is_none() {
        tab = Tab::open(visitor).await;
    }
    tab.ask(json!({ "type": "snapshot" })).await;
    tab
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_holds_nobody_up_and_catches_up() {
    let shop = Shop::start().await;
    let (visitor, stranger) = (shop.shopper("asha@example.org").await, shop.shopper("ravi@example.org").await);
    let books = fill_cart(&shop, &visitor).await;
    let (mut quick, mut other) = (Tab::open(&visitor).await, Tab::open(&stranger).await);
    // What the process needs once is no slow reader's.
    for n in 0..50 {
        let version = edit(&visitor, &books[0], n + 1).await;
        quick.frame(is_cart_at(version)).await;
    }
    let before = shop.resident();
    let mut slow = Vec::new();
    for _ in 0..SLOW {
        slow.push(Tab::narrow(&visitor).await);
    }
    let mut held = 0;
    for n in 0..EDITS {
        let started = Instant::now();
        let version = edit(&visitor, &books[n % TITLES], n / TITLES + 1).await;
        quick.frame(is_cart_at(version)).await;
        if n % 10 == 0 {
            let version = edit(&stranger, &books[0], n / 10).await;
            other.frame(is_cart_at(version)).await;
        }
        assert!(started.elapsed() < IN_TIME, "edit {n} was heard of after {:?}", started.elapsed());
        held = held.max(shop.resident().saturating_sub(before));
    }
    assert!(held < MOST_HELD, "{held} KiB for {SLOW} slow tabs");

    let latest = edit(&visitor, &books[1], 10).await;
    let mut tab = catch_up(slow.remove(0), &visitor).await;
    tab.frame(is_cart_at(latest)).await;
    let next = edit(&visitor, &books[1], 11).await;
    tab.frame(is_cart_at(next.clone())).await;

    // The others read nothing at all, and are let go.
    eventually("three sockets", || async { (sockets(&shop).await == 3).then_some(()) }).await;
    let mut tab = catch_up(slow.remove(0), &visitor).await;
    tab.frame(is_cart_at(next)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_holds_no_restart_up() {
    let mut shop = Shop::start().await;
    let visitor = shop.shopper("asha@example.org").await;
    let books = fill_cart(&shop, &visitor).await;
    let mut quick = Tab::open(&visitor).await;
    let _slow = Tab::narrow(&visitor).await;
    for n in 0..EDITS / 2 {
        let version = edit(&visitor, &books[0], n + 1).await;
        quick.frame(is_cart_at(version)).await;
    }
    let (took, code) = shop.stop("TERM");
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(9), "{took:?}");
    assert_eq!(quick.close_code().await, Some(1001));
}
