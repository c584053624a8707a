//! Postgres goes away: shoppers do not notice, and nothing is lost when it comes back.

use super::*;
use std::time::{Duration, Instant};

#[tokio::test]
async fn edits_go_on_without_postgres_and_arrive_when_it_is_back() {
    let (shop, wire) = Shop::on_a_wire().await;
    let (one, two, owner) = (shop.book(9).await, shop.book(9).await, shop.shopper().await);
    shop.add(&owner, one, 1).await;
    shop.add(&owner, two, 1).await;
    shop.drain().await;
    wire.cut();
    let started = Instant::now();
    for _ in 0..20 {
        carts::remove(&shop.store, &owner, two).await.expect("removed");
        shop.add(&owner, two, 2).await;
    }
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert!(PersistCarts.fetch(&shop.store).await.is_err(), "nothing is claimed");
    wire.mend();
    back(&shop).await;
    shop.drain().await;
    let cart = shop.view(&owner).await;
    assert_eq!(shop.written(&owner).await, Some((cart.version, vec![(one.get(), 1), (two.get(), 2)])));
    let attempts: i64 = shop.redis.clone().hlen(shop.keys.carts_attempts(owner.cart_bucket())).await.expect("attempts");
    assert_eq!(attempts, 0, "an outage is nobody's failure");
}

#[tokio::test]
async fn an_edit_while_both_are_in_doubt_is_merged() {
    let (shop, wire) = Shop::on_a_wire().await;
    let (books, owner, cleared) = (shop.books(4, 20).await, shop.shopper().await, shop.shopper().await);
    let [one, two, three, four] = books[..] else { panic!("four books") };
    for book in [one, two, three] {
        shop.add(&owner, book, 2).await;
        shop.add(&cleared, book, 2).await;
    }
    shop.add(&guest(), four, 1).await;
    shop.drain().await;
    let known = shop.view(&owner).await.version;
    shop.lose(&owner).await;
    shop.lose(&cleared).await;
    wire.cut();
    assert!(carts::view(&shop.store, &owner).await.is_err(), "better no answer than an empty cart");
    shop.add(&owner, one, 1).await;
    carts::set(&shop.store, &owner, two, quantity(1)).await.expect("set");
    carts::remove(&shop.store, &owner, three).await.expect("removed");
    let cart = shop.add(&owner, four, 1).await;
    assert_eq!(held(&cart), [(one.get(), 1), (two.get(), 1), (four.get(), 1)]);
    carts::clear(&shop.store, &cleared).await.expect("cleared");
    shop.add(&cleared, four, 1).await;
    wire.mend();
    back(&shop).await;
    shop.drain().await;
    // Added to what was there, set instead of it, removed from it.
    let cart = shop.view(&owner).await;
    assert_eq!(held(&cart), [(one.get(), 3), (two.get(), 1), (four.get(), 1)]);
    assert!(cart.version > known);
    assert_eq!(shop.written(&owner).await, Some((cart.version, held(&cart))));
    assert_eq!(held(&shop.view(&cleared).await), [(four.get(), 1)]);
}

/// Waits until the shop's pool reaches Postgres again.
pub async fn back(shop: &Shop) {
    for _ in 0..50 {
        if PersistCarts.fetch(&shop.store).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("Postgres did not come back");
}
