//! Where the links of a mail lead: the books come back, and the mails stop.

use super::*;
use crate::carts::{held, quantity};
use domain::ErrorCode;
use store::{carts, error::Error, mail::unsubscribing};

/// A mail that was sent: the shop, whose it is, its books, and the mail.
async fn mailed() -> (Shop, Owner, Vec<BookId>, String) {
    let shop = Shop::open().await;
    let (owner, books) = forgetful(&shop).await;
    let store = in_a_week(&shop).await;
    assert_eq!(remind(&store).await, 1);
    send(&store).await;
    let mail = mails(&shop).remove(0);
    (shop, owner, books, mail)
}

#[tokio::test]
async fn the_books_come_back_into_any_cart_once() {
    let (shop, owner, books, mail) = mailed().await;
    let token = token(&mail, "cart/restore");
    let offered = abandoned::offer(&shop.store, Some(&owner), &token).await.expect("an offer");
    assert!(offered.is_in_cart, "nobody touched the cart");
    let guest = crate::carts::guest();
    let before = abandoned::offer(&shop.store, Some(&guest), &token).await.expect("an offer");
    assert!(!before.is_in_cart);
    let both = [(books[0].get(), 2), (books[1].get(), 1)];
    assert_eq!(held(&before.books), both);
    assert_eq!(held(&shop.view(&guest).await), [], "looking changes nothing");

    // One title is there in part, another one is not in the mail.
    let other = shop.book(4).await;
    shop.add(&guest, books[0], 1).await;
    shop.add(&guest, other, 1).await;
    let raised = [both[0], both[1], (other.get(), 1)];
    for _ in 0..2 {
        let (cart, said) = abandoned::put_back(&shop.store, &guest, &token).await.expect("put back");
        assert_eq!((held(&cart), said), (raised.to_vec(), None));
    }
    carts::set(&shop.store, &guest, books[0], quantity(7)).await.expect("more of it");
    let (cart, _) = abandoned::put_back(&shop.store, &guest, &token).await.expect("put back");
    assert_eq!(held(&cart)[0], (books[0].get(), 7), "more stays more");
    assert!(abandoned::offer(&shop.store, Some(&guest), &token).await.expect("an offer").is_in_cart);
}

#[tokio::test]
async fn what_is_gone_is_said_and_the_rest_comes() {
    let (shop, _, books, mail) = mailed().await;
    let token = token(&mail, "cart/restore");
    shop.stock(books[0], 0).await;
    let offered = abandoned::offer(&shop.store, None, &token).await.expect("an offer");
    assert_eq!(offered.books.lines[0].notice, Some(domain::cart::LineNotice::SoldOut));
    let guest = crate::carts::guest();
    let (cart, said) = abandoned::put_back(&shop.store, &guest, &token).await.expect("put back");
    assert_eq!(held(&cart), [(books[1].get(), 1)]);
    assert!(said.expect("a word").contains("sold out"));
    let retire = sqlx::query("UPDATE books SET retired_at = now() WHERE id = $1").bind(books[1].get());
    retire.execute(&mut shop.pg().await).await.expect("retired");
    let fresh = later(&shop, Duration::ZERO).await;
    let (_, said) = abandoned::put_back(&fresh, &crate::carts::guest(), &token).await.expect("put back");
    assert!(said.expect("a word").contains("no longer sold"));
}

#[tokio::test]
async fn one_click_ends_the_mails_however_often() {
    let (shop, _, _, mail) = mailed().await;
    let token = token(&mail, "mail/unsubscribe");
    assert!(!unsubscribing(&shop.store, &token).await.expect("a page").is_done);
    assert_eq!(count(&shop, "SELECT count(*) FROM mail_optouts").await, 0, "looking changes nothing");
    for _ in 0..2 {
        unsubscribe(&shop.store, &token).await.expect("unsubscribed");
    }
    assert!(unsubscribing(&shop.store, &token).await.expect("a page").is_done);
    let known = "SELECT count(*) FROM mail_optouts JOIN accounts USING (email) WHERE kind = 'cart.forgotten'";
    assert_eq!(count(&shop, known).await, 1);
}

#[tokio::test]
async fn a_token_opens_nothing_else() {
    let (shop, owner, _, mail) = mailed().await;
    let (restore, unsubscribe_token) = (token(&mail, "cart/restore"), token(&mail, "mail/unsubscribe"));
    let not_found = |error: Error| matches!(error, Error::Refused(refusal) if refusal.code == ErrorCode::NotFound);
    for bad in ["", "x", &restore[1..], &unsubscribe_token] {
        assert!(not_found(abandoned::offer(&shop.store, None, bad).await.expect_err("refused")), "{bad}");
        assert!(not_found(abandoned::put_back(&shop.store, &owner, bad).await.expect_err("refused")), "{bad}");
    }
    assert!(not_found(unsubscribe(&shop.store, &restore).await.expect_err("refused")));
    sql(&shop, "DELETE FROM cart_mails").await;
    assert!(not_found(abandoned::offer(&shop.store, None, &restore).await.expect_err("refused")));
    assert!(not_found(unsubscribe(&shop.store, &unsubscribe_token).await.expect_err("refused")));
}
