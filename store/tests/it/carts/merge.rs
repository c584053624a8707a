//! A guest logs in: the lines go into the account's cart once, whatever happens at the same time.

use super::*;
use domain::cart::CartNotice;
use futures::future::join_all;

/// A guest with 2 of one book and 8 of another, and a shopper with 5 of the other.
async fn two_carts(shop: &Shop) -> (GuestId, AccountId, BookId, BookId) {
    let (one, two, guest, account) = (shop.book(20).await, shop.book(20).await, new_guest(), shop.account().await);
    shop.add(&Owner::Guest(guest), one, 2).await;
    shop.add(&Owner::Guest(guest), two, 8).await;
    shop.add(&Owner::Account(account), two, 5).await;
    (guest, account, one, two)
}

#[tokio::test]
async fn lines_are_summed_within_the_limit_once() {
    let shop = Shop::open().await;
    let (guest, account, one, two) = two_carts(&shop).await;
    let cart = carts::merge(&shop.store, guest, account).await.expect("merged");
    let expected = [(one.get(), 2), (two.get(), 10)];
    assert_eq!((held(&cart), notice(&cart, one)), (expected.to_vec(), None));
    assert_eq!(notice(&cart, two), Some(LineNotice::Cut { asked: 13, left: 10 }));
    let again = carts::merge(&shop.store, guest, account).await.expect("merged before");
    assert_eq!((held(&again), again.version), (expected.to_vec(), cart.version));

    // What is left of the guest's cart belongs to nobody, and nothing revives it.
    let visitor = Owner::Guest(guest);
    assert_eq!(held(&shop.view(&visitor).await), []);
    assert_eq!(code(carts::add(&shop.store, &visitor, one, quantity(1)).await), ErrorCode::Conflict);
    shop.drain().await;
    let into =
        "SELECT merged_into FROM carts WHERE owner = $1 AND NOT EXISTS (SELECT FROM cart_lines l WHERE l.owner = $1)";
    let into = sqlx::query_scalar(into).bind(visitor.to_string());
    let into: String = into.fetch_one(&mut shop.pg().await).await.expect("a tombstone");
    assert_eq!(into, Owner::Account(account).to_string());
    shop.lose(&visitor).await;
    carts::merge(&shop.store, guest, account).await.expect("merged before");
    assert_eq!(held(&shop.view(&Owner::Account(account)).await), expected);
    assert_eq!(code(carts::add(&shop.store, &visitor, one, quantity(1)).await), ErrorCode::Conflict);
}

#[tokio::test]
async fn logins_at_once_merge_once_and_into_one_account_only() {
    let shop = Shop::open().await;
    let (guest, account, one, two) = two_carts(&shop).await;
    let other = shop.account().await;
    let logins = (0..16).map(|n| carts::merge(&shop.store, guest, if n % 2 == 0 { account } else { other }));
    assert!(join_all(logins).await.iter().all(Result::is_ok));
    let (mine, theirs) = (shop.view(&Owner::Account(account)).await, shop.view(&Owner::Account(other)).await);
    let won =
        [(vec![(one.get(), 2), (two.get(), 10)], vec![]), (vec![(two.get(), 5)], vec![(one.get(), 2), (two.get(), 8)])];
    assert!(won.contains(&(held(&mine), held(&theirs))), "{mine:?} {theirs:?}");
}

#[tokio::test]
async fn an_edit_during_the_login_is_merged_or_refused_but_never_lost() {
    let shop = Shop::open().await;
    for _ in 0..10 {
        let (guest, account, one, _) = two_carts(&shop).await;
        let visitor = Owner::Guest(guest);
        let (edit, merge) = tokio::join!(
            carts::add(&shop.store, &visitor, one, quantity(1)),
            carts::merge(&shop.store, guest, account)
        );
        merge.expect("merged");
        let expected = if edit.is_ok() { 3 } else { 2 };
        assert!(held(&shop.view(&Owner::Account(account)).await).contains(&(one.get(), expected)));
    }
}

#[tokio::test]
async fn the_worker_finishes_a_merge_that_was_cut_short() {
    let shop = Shop::open().await;
    let (guest, account, one, two) = two_carts(&shop).await;
    let (visitor, shopper) = (Owner::Guest(guest), Owner::Account(account));
    // The request died right after freezing the guest's cart.
    shop.redis
        .clone()
        .hset::<_, _, _, ()>(shop.keys.cart(&visitor), "into", shopper.to_string())
        .await
        .expect("frozen");
    shop.drain().await;
    let expected = [(one.get(), 2), (two.get(), 10)];
    assert_eq!(held(&shop.view(&shopper).await), expected);
    assert_eq!(shop.written(&shopper).await.expect("written").1, expected);
    assert_eq!(shop.written(&visitor).await.expect("written").1, []);
    carts::merge(&shop.store, guest, account).await.expect("merged before");
    assert_eq!(held(&shop.view(&shopper).await), expected);
}

#[tokio::test]
async fn a_guest_without_a_cart_merges_nothing() {
    let shop = Shop::open().await;
    let (book, account) = (shop.book(9).await, shop.account().await);
    shop.add(&Owner::Account(account), book, 1).await;
    let cart = carts::merge(&shop.store, new_guest(), account).await.expect("merged");
    assert_eq!(held(&cart), [(book.get(), 1)]);
}

#[tokio::test]
async fn a_guest_cart_that_came_back_brings_only_what_is_new() {
    let shop = Shop::open().await;
    let (guest, account, one, two) = two_carts(&shop).await;
    let (visitor, shopper) = (Owner::Guest(guest), Owner::Account(account));
    shop.drain().await;
    carts::merge(&shop.store, guest, account).await.expect("merged");
    carts::remove(&shop.store, &shopper, two).await.expect("removed");
    // Redis lost the guest's end before Postgres heard of it; a tab left open goes on with the old cart.
    shop.lose(&visitor).await;
    shop.add(&visitor, one, 3).await;
    carts::merge(&shop.store, guest, account).await.expect("merged again");
    assert_eq!(held(&shop.view(&shopper).await), [(one.get(), 5)]);
}

#[tokio::test]
async fn what_did_not_fit_is_said_until_the_shopper_goes_on() {
    let shop = Shop::open().await;
    let (books, guest, account) = (shop.books(53, 20).await, new_guest(), shop.account().await);
    let (visitor, shopper) = (Owner::Guest(guest), Owner::Account(account));
    join_all(books[..49].iter().map(|book| shop.add(&shopper, *book, 6))).await;
    // Two lines they share, of which one is too much, and four new titles, of which one fits.
    shop.add(&visitor, books[0], 6).await;
    shop.add(&visitor, books[1], 1).await;
    join_all(books[49..].iter().map(|book| shop.add(&visitor, *book, 1))).await;
    let said = Some(CartNotice::Merged { titles: 3, cut: 1, left_out: 3 });
    let cart = carts::merge(&shop.store, guest, account).await.expect("merged");
    assert_eq!((cart.lines.len(), cart.notice), (50, said));
    assert_eq!(shop.view(&shopper).await.notice, said, "the next page says it too");
    carts::seen(&shop.store, &shopper, Some(books[0])).await.expect("one line seen");
    assert_eq!(shop.view(&shopper).await.notice, said);
    assert_eq!(carts::seen(&shop.store, &shopper, None).await.expect("seen").notice, None);

    let next = new_guest();
    shop.add(&Owner::Guest(next), books[1], 1).await;
    let cart = carts::merge(&shop.store, next, account).await.expect("merged");
    assert_eq!(cart.notice, Some(CartNotice::Merged { titles: 1, cut: 0, left_out: 0 }));
    assert_eq!(carts::remove(&shop.store, &shopper, books[2]).await.expect("removed").notice, None);
}

#[tokio::test]
async fn a_crash_between_the_two_steps_and_a_loss_leave_one_copy() {
    let shop = Shop::open().await;
    let (guest, account, one, two) = two_carts(&shop).await;
    let (visitor, shopper) = (Owner::Guest(guest), Owner::Account(account));
    shop.drain().await;
    // The account's cart has the lines and Postgres knows it; the guest's end was never heard of.
    let before = shop.copy(&visitor).await;
    carts::merge(&shop.store, guest, account).await.expect("merged");
    shop.revive(&visitor, before).await;
    shop.drain().await;
    let expected = [(one.get(), 2), (two.get(), 10)];
    assert_eq!(held(&shop.view(&visitor).await).len(), 2, "it looks alive again");
    join_all((0..4).map(|_| carts::merge(&shop.store, guest, account))).await;
    assert_eq!(held(&shop.view(&shopper).await), expected);
    shop.drain().await;
    // From here on not even a loss of both revives it.
    shop.lose(&visitor).await;
    shop.lose(&shopper).await;
    assert_eq!(held(&shop.view(&visitor).await), []);
    assert_eq!(held(&shop.view(&shopper).await), expected);
}
