//! What one network may hold, and a cart that takes what is left.

use super::shop::{Shop, request};
use domain::{ErrorCode, IdempotencyKey, Network, Owner, order::Placed};
use store::{carts, error::Error, orders};

const MOST: u32 = 10;

async fn shop() -> Shop {
    Shop::open_with(|config| config.held_copies_per_address = MOST).await
}

fn network(address: &str) -> Option<Network> {
    Some(Network::of(address.parse().expect("an address")))
}

async fn place_from(shop: &Shop, owner: &Owner, from: Option<Network>) -> Result<Placed, Error> {
    orders::place(&shop.store, owner, request(), IdempotencyKey::parse("k").expect("a key"), from).await
}

fn code(result: Result<Placed, Error>) -> ErrorCode {
    result.expect_err("a refusal").to_api().code
}

#[tokio::test(flavor = "multi_thread")]
async fn the_orders_of_one_network_hold_only_so_many_copies() {
    let shop = shop().await;
    let book = shop.book(100).await;
    let mut crowd = Vec::new();
    for _ in 0..40 {
        crowd.push(shop.shopper(&[(book, 2)]).await);
    }
    let here = network("2001:db8::1");
    let answers = futures::future::join_all(crowd.iter().map(|owner| place_from(&shop, owner, here))).await;
    let (placed, refused): (Vec<_>, Vec<_>) = crowd.iter().zip(answers).partition(|(_, answer)| answer.is_ok());
    assert_eq!((placed.len(), refused.len(), shop.at_gate(book).await), (5, 35, 90));
    assert!(refused.into_iter().all(|(_, refusal)| code(refusal) == ErrorCode::TooManyHolds));

    // A repeat is no new order, a neighbour in the same network is the same, everybody else is not.
    let (first, answer) = &placed[0];
    assert_eq!(&place_from(&shop, first, here).await.unwrap(), answer.as_ref().unwrap());
    let late = shop.shopper(&[(book, 1)]).await;
    assert_eq!(code(place_from(&shop, &late, network("2001:db8::2")).await), ErrorCode::TooManyHolds);
    for elsewhere in [network("2001:db8:0:1::1"), network("1.2.3.4"), None] {
        let other = shop.shopper(&[(book, 1)]).await;
        assert!(place_from(&shop, &other, elsewhere).await.is_ok(), "{elsewhere:?}");
    }

    // What ended, or was paid, makes room; what is merely in Postgres does not.
    shop.persist_all().await;
    assert_eq!(code(place_from(&shop, &late, here).await), ErrorCode::TooManyHolds);
    shop.cancel(first, answer.as_ref().unwrap().order_id).await.unwrap();
    shop.apply_gate_ops().await;
    assert!(place_from(&shop, &late, here).await.is_ok());
    shop.capture(placed[1].1.as_ref().unwrap().order_id).await.await;
    shop.apply_gate_ops().await;
    let buyer = shop.shopper(&[(book, 3)]).await;
    assert!(place_from(&shop, &buyer, here).await.is_ok(), "1 + 3 × 2 + 3 are ten");
    assert_eq!(code(place_from(&shop, &shop.shopper(&[(book, 1)]).await, here).await), ErrorCode::TooManyHolds);
    shop.persist_all().await;
    shop.assert_sound().await;
}

#[tokio::test]
async fn one_order_past_the_limit_is_told_to_order_fewer() {
    let shop = shop().await;
    let (one, two) = (shop.book(10).await, shop.book(10).await);
    let owner = shop.shopper(&[(one, 10), (two, 1)]).await;
    let refusal = place_from(&shop, &owner, network("1.2.3.4")).await.unwrap_err().to_api();
    assert!(refusal.code == ErrorCode::TooManyHolds && refusal.message.contains("fewer"), "{refusal}");
    assert_eq!((shop.at_gate(one).await, shop.stream_len().await), (10, 0));
}

#[tokio::test]
async fn a_cart_takes_what_is_left() {
    let shop = Shop::open().await;
    let (plenty, scarce, last) = (shop.book(10).await, shop.book(5).await, shop.book(2).await);
    let owner = shop.shopper(&[(plenty, 2), (scarce, 3), (last, 1)]).await;
    shop.waiting_order(&[(scarce, 4), (last, 2)]).await;
    assert_eq!(code(shop.place(&owner, "k").await), ErrorCode::InsufficientStock);
    let cart = carts::take_what_is_left(&shop.store, &owner).await.unwrap();
    let mut lines: Vec<_> = cart.lines.iter().map(|line| (line.book_id, line.quantity.get())).collect();
    lines.sort_unstable();
    assert_eq!(lines, [(plenty, 2), (scarce, 1)]);
    let again = carts::take_what_is_left(&shop.store, &owner).await.unwrap();
    assert_eq!(again.version, cart.version, "once more changes nothing");
    assert_eq!(shop.place(&owner, "k").await.unwrap().total, cart.total);
    assert_eq!((shop.at_gate(plenty).await, shop.at_gate(scarce).await, shop.at_gate(last).await), (8, 0, 0));
    let stranger = shop.guest();
    assert!(carts::take_what_is_left(&shop.store, &stranger).await.unwrap().lines.is_empty());
    shop.persist_all().await;
    shop.assert_sound().await;
}
