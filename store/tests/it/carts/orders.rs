//! Orders take their copies out of the cart once, and bring them back once, in any order and however often.

use super::*;
use futures::future::join_all;

#[tokio::test]
async fn an_order_takes_exactly_its_copies_once() {
    let shop = Shop::open().await;
    let (one, two, three, owner, order) =
        (shop.book(9).await, shop.book(9).await, shop.book(9).await, shop.shopper().await, new_order());
    shop.add(&owner, one, 3).await;
    shop.add(&owner, two, 2).await;
    // The order wants more of `two` than is left, and a book that another tab took out.
    let ordered = [(one, quantity(1)), (two, quantity(5)), (three, quantity(1))];
    let takes = (0..16).map(|_| carts::take(&shop.store, &owner, order, &ordered));
    assert!(join_all(takes).await.iter().all(Result::is_ok));
    assert_eq!(held(&shop.view(&owner).await), [(one.get(), 2)]);
    // Meanwhile they go on shopping.
    shop.add(&owner, one, 9).await;
    shop.add(&owner, three, 1).await;

    let restores = (0..16).map(|_| carts::restore(&shop.store, &owner, order));
    assert!(join_all(restores).await.iter().all(Result::is_ok));
    carts::take(&shop.store, &owner, order, &ordered).await.expect("a late take is no error");
    let expected = [(one.get(), 10), (two.get(), 2), (three.get(), 1)];
    assert_eq!(held(&shop.view(&owner).await), expected, "what was taken is back, within the limit");
}

#[tokio::test]
async fn a_restore_bars_the_take_that_comes_after_it() {
    let shop = Shop::open().await;
    let (book, owner, order) = (shop.book(9).await, shop.shopper().await, new_order());
    shop.add(&owner, book, 3).await;
    carts::restore(&shop.store, &owner, order).await.expect("nothing to restore");
    carts::take(&shop.store, &owner, order, &[(book, quantity(3))]).await.expect("barred");
    assert_eq!(held(&shop.view(&owner).await), [(book.get(), 3)]);
}

#[tokio::test]
async fn whatever_the_race_the_copies_end_up_in_the_cart() {
    let shop = Shop::open().await;
    let (book, owner) = (shop.book(9).await, shop.shopper().await);
    shop.add(&owner, book, 2).await;
    for _ in 0..20 {
        let (order, lines) = (new_order(), [(book, quantity(2))]);
        let (take, restore) =
            tokio::join!(carts::take(&shop.store, &owner, order, &lines), carts::restore(&shop.store, &owner, order));
        take.expect("taken or barred");
        restore.expect("restored");
        assert_eq!(held(&shop.view(&owner).await), [(book.get(), 2)]);
    }
}

#[tokio::test]
async fn marks_outlive_a_loss_of_redis_and_stay_bounded() {
    let shop = Shop::open().await;
    let (book, owner, order) = (shop.book(9).await, shop.shopper().await, new_order());
    shop.add(&owner, book, 3).await;
    carts::take(&shop.store, &owner, order, &[(book, quantity(2))]).await.expect("taken");
    shop.drain().await;
    shop.lose(&owner).await;
    carts::take(&shop.store, &owner, order, &[(book, quantity(2))]).await.expect("taken before");
    carts::restore(&shop.store, &owner, order).await.expect("restored");
    assert_eq!(held(&shop.view(&owner).await), [(book.get(), 3)]);

    for _ in 0..60 {
        carts::restore(&shop.store, &owner, new_order()).await.expect("barred");
    }
    let fields: Vec<String> = shop.redis.clone().hkeys(shop.keys.cart(&owner)).await.expect("fields");
    assert_eq!(fields.iter().filter(|field| field.starts_with("taken:")).count(), 50);
}

#[tokio::test]
async fn a_guests_order_finds_the_cart_after_a_login() {
    let shop = Shop::open().await;
    let (book, guest, account) = (shop.book(9).await, new_guest(), shop.account().await);
    let (visitor, shopper) = (Owner::Guest(guest), Owner::Account(account));
    let (before, after, ordered) = (new_order(), new_order(), [(book, quantity(1))]);
    shop.add(&visitor, book, 5).await;
    carts::take(&shop.store, &visitor, before, &ordered).await.expect("taken as a guest");
    carts::merge(&shop.store, guest, account).await.expect("merged");
    assert_eq!(held(&shop.view(&shopper).await), [(book.get(), 4)]);
    // The worker takes again, and a second order's first take only comes now.
    carts::take(&shop.store, &visitor, before, &ordered).await.expect("taken before");
    carts::take(&shop.store, &visitor, after, &ordered).await.expect("taken from the shopper's cart");
    assert_eq!(held(&shop.view(&shopper).await), [(book.get(), 3)]);
    for _ in 0..2 {
        carts::restore(&shop.store, &visitor, before).await.expect("restored");
        carts::restore(&shop.store, &visitor, after).await.expect("restored");
    }
    assert_eq!(held(&shop.view(&shopper).await), [(book.get(), 5)]);
}

#[tokio::test]
async fn an_order_in_the_middle_of_a_login_takes_its_copies_all_the_same() {
    let shop = Shop::open().await;
    let (book, guest, account) = (shop.book(9).await, new_guest(), shop.account().await);
    let (visitor, shopper, order) = (Owner::Guest(guest), Owner::Account(account), new_order());
    shop.add(&visitor, book, 5).await;
    // The login has closed the guest's cart, and its lines have not arrived in the account's yet.
    let cart = shop.keys.cart(&visitor);
    shop.redis.clone().hset::<_, _, _, ()>(cart, "into", shopper.to_string()).await.expect("frozen");
    carts::take(&shop.store, &visitor, order, &[(book, quantity(2))]).await.expect("taken");
    assert_eq!(held(&shop.view(&shopper).await), [(book.get(), 3)]);
    carts::merge(&shop.store, guest, account).await.expect("the login goes on");
    assert_eq!(held(&shop.view(&shopper).await), [(book.get(), 3)]);
}
