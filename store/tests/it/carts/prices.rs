//! The price that a shopper last saw: said until they have seen the new one, whatever happens to the cart meanwhile.

use super::*;
use domain::Minor;

fn was(cart: &CartView, book: BookId) -> Option<i64> {
    match notice(cart, book) {
        Some(LineNotice::PriceChanged { was }) => Some(was.get()),
        _ => None,
    }
}

#[tokio::test]
async fn a_new_price_is_said_until_it_was_seen() {
    let shop = Shop::open().await;
    let (one, two, owner) = (shop.book(9).await, shop.book(9).await, shop.shopper().await);
    shop.add(&owner, one, 1).await;
    assert_eq!(notice(&shop.add(&owner, two, 2).await, two), None);
    for book in [one, two] {
        shop.price(book, 80).await;
    }
    let other = shop.other().await;
    let cart = carts::view(&other, &owner).await.expect("a cart");
    assert_eq!((was(&cart, one), was(&cart, two)), (Some(10_000), Some(10_000)));
    assert_eq!(cart.subtotal, Minor::new(24_000), "the new price counts");

    // Not by a look alone, not by an edit of another line, and not by a loss of Redis.
    shop.drain().await;
    shop.lose(&owner).await;
    let cart = carts::set(&other, &owner, two, quantity(3)).await.expect("set");
    assert_eq!((was(&cart, one), was(&cart, two)), (Some(10_000), None));
    let seen = carts::seen(&other, &owner, Some(one)).await.expect("seen");
    assert_eq!(was(&seen, one), None);
    assert!(seen.version > cart.version, "other tabs hear of it");
    let again = carts::seen(&other, &owner, None).await.expect("seen");
    assert_eq!(again.version, seen.version, "nothing new");
    shop.drain().await;
    shop.lose(&owner).await;
    assert_eq!(was(&carts::view(&other, &owner).await.expect("a cart"), one), None);

    let nobody = guest();
    assert_eq!(carts::seen(&other, &nobody, None).await.expect("nothing to see").version, 0);
    assert!(!shop.redis.clone().exists::<_, bool>(shop.keys.cart(&nobody)).await.expect("asked"));
}

#[tokio::test]
async fn it_travels_with_a_login_and_with_an_order_that_fails() {
    let shop = Shop::open().await;
    let (book, guest, account, order) = (shop.book(9).await, new_guest(), shop.account().await, new_order());
    let (visitor, shopper) = (Owner::Guest(guest), Owner::Account(account));
    shop.add(&visitor, book, 2).await;
    shop.price(book, 120).await;
    let other = shop.other().await;
    let cart = carts::merge(&other, guest, account).await.expect("merged");
    assert_eq!(was(&cart, book), Some(10_000));
    carts::take(&other, &shopper, order, &[(book, quantity(2))]).await.expect("taken");
    assert_eq!(held(&carts::view(&other, &shopper).await.expect("a cart")), []);
    carts::restore(&other, &shopper, order).await.expect("restored");
    assert_eq!(was(&carts::view(&other, &shopper).await.expect("a cart"), book), Some(10_000));
}
