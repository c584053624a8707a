//! Thirty-two tabs of one person.

use super::editor::lines;
use crate::{
    shop::{Shop, eventually},
    visitor::Visitor,
};
use futures::future::join_all;
use serde_json::Value;
use std::collections::BTreeSet;

const TABS: usize = 32;
const EDITS: i64 = 5;

#[tokio::test(flavor = "multi_thread")]
async fn tabs_of_one_person_lose_no_edit() {
    let shop = Shop::start().await;
    let csv = (0..TABS).map(|n| format!("R-{n},Title {n},Asha Rao,100,50\n")).collect::<String>();
    assert!(shop.import(&format!("sku,title,authors,price_inr,stock\n{csv}")).status.success());
    let books = books(&shop).await;
    let shared = shop.book("The First Book").await;
    for person in [shop.shopper("tabs@example.org").await, shop.visitor()] {
        // A guest gets the cookie that all tabs share.
        person.post("/api/cart/clear", &[]).await.ok();
        let tabs: Vec<Visitor> = books.iter().map(|_| person.tab()).collect();
        let edits = tabs.iter().zip(&books).map(|(tab, book)| async {
            let mut versions = Vec::new();
            for _ in 0..EDITS {
                let cart = tab.post("/api/cart/add", &[("book_id", book)]).await.ok();
                versions.push(cart["version"].as_i64().expect("a version"));
            }
            // All of them at the one line that has room for ten.
            tab.post("/api/cart/add", &[("book_id", &shared)]).await.ok();
            tab.post("/api/cart/remove", &[("book_id", book)]).await.ok();
            tab.post("/api/cart/set", &[("book_id", book), ("quantity", "7")]).await.ok();
            versions
        });
        let versions = join_all(edits).await;
        assert!(versions.iter().all(|of_one| of_one.is_sorted()), "{versions:?}");
        let different: BTreeSet<_> = versions.iter().flatten().collect();
        assert_eq!(different.len(), TABS * EDITS as usize, "each edit is a version of its own");

        let cart = lines(&person.get("/api/cart").await.ok());
        let mut expected: super::editor::Lines = books.iter().map(|id| (id.parse().expect("a number"), 7)).collect();
        expected.insert(shared.parse().expect("a number"), 10);
        assert_eq!(cart, expected);
    }
    shop.assert_sound();
}

/// The ids of the books that were brought in for the tabs, once the shop's index has them; the list shows them page by page.
async fn books(shop: &Shop) -> Vec<String> {
    let look = || async {
        let mut found = Vec::new();
        for page in 1.. {
            let list = shop.visitor().get(&format!("/api/books?q=&page={page}")).await.ok();
            let books = list["books"].as_array().filter(|books| !books.is_empty());
            let Some(books) = books else { break };
            let is_ours = |book: &&Value| book["title"].as_str().is_some_and(|title| title.starts_with("Title "));
            found.extend(books.iter().filter(is_ours).map(|book| book["id"].to_string()));
        }
        (found.len() == TABS).then_some(found)
    };
    eventually("the index to have the tabs' books", look).await
}
