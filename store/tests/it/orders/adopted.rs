//! Guests' orders and the account that proves their address; and the books of an order once more.

use super::shop::{Shop, request};
use domain::{ErrorCode, OrderId, Owner, Quantity, account::Email, account::Registration, order::OrderStatus};
use store::{accounts, carts, error::Error, orders, viewer::Viewer};

/// Somebody with an account, as a session makes them: their address proven or not.
async fn account(shop: &Shop, email: &str, is_proven: bool) -> Viewer {
    let registration = Registration::parse(email, "correct horse", "Asha").expect("a registration");
    let account = accounts::register(&shop.store, registration).await.expect("registered");
    let proven = is_proven.then(|| account.view.email.clone());
    Viewer { proven, ..Viewer::new(Owner::Account(account.view.id)) }
}

async fn sees(shop: &Shop, viewer: &Viewer, order: OrderId) -> (bool, usize) {
    let seen = orders::get(&shop.store, viewer, order).await.expect("read").is_some();
    (seen, orders::list(&shop.store, viewer).await.expect("a list").orders.len())
}

#[tokio::test]
async fn a_guests_order_is_theirs_who_proves_its_address() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let (_, order) = shop.waiting_order(&[(book, 2)]).await;
    let placed_with = request().email;
    let registered = account(&shop, &placed_with, false).await;
    assert_eq!(sees(&shop, &registered, order).await, (false, 0), "anybody can register with any address");
    let proven = Viewer { proven: Email::parse(&placed_with).ok(), ..registered.clone() };
    assert!(sees(&shop, &proven, order).await.0, "also while it waits to be written down");
    shop.persist_all().await;
    assert_eq!(sees(&shop, &registered, order).await, (false, 0));
    assert_eq!(sees(&shop, &proven, order).await, (true, 1));
    let other = account(&shop, "ravi@example.org", true).await;
    assert_eq!(sees(&shop, &other, order).await, (false, 0));
    let refused = orders::cancel(&shop.store, &registered, order).await;
    assert!(matches!(refused, Err(Error::Refused(refusal)) if refusal.code == ErrorCode::NotFound));
    let cancelled = orders::cancel(&shop.store, &proven, order).await.expect("theirs to cancel");
    assert_eq!(cancelled.status, OrderStatus::Cancelled);
    shop.apply_gate_ops().await;
    shop.assert_sound().await;
}

#[tokio::test]
async fn orders_of_accounts_are_nobody_elses_whatever_address_they_name() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let owner = account(&shop, "ravi@example.org", false).await;
    shop.fill(&owner.owner, &[(book, 1)]).await;
    let order = shop.place(&owner.owner, "k").await.expect("placed").order_id;
    shop.persist_all().await;
    let stranger = account(&shop, &request().email, true).await;
    assert_eq!(sees(&shop, &stranger, order).await, (false, 0));
    assert_eq!(sees(&shop, &owner, order).await, (true, 1));
}

#[tokio::test]
async fn buying_again_brings_what_there_is_and_says_what_not() {
    let shop = Shop::open().await;
    let (whole, part, none) = (shop.book(20).await, shop.book(5).await, shop.book(2).await);
    let (owner, order) = shop.payable_order(&[(whole, 3), (part, 4), (none, 2)]).await;
    let viewer = Viewer::new(owner);
    for _ in 0..2 {
        let (cart, said) = orders::again(&shop.store, &viewer, order).await.expect("again");
        let held: Vec<_> = cart.lines.iter().map(|line| (line.book_id, line.quantity.get())).collect();
        assert_eq!(held, [(whole, 3), (part, 1)]);
        let said = said.expect("a word");
        assert!(said.contains("only 1 copy") && said.contains("sold out"), "{said}");
    }
    carts::set(&shop.store, &owner, whole, Quantity::new(7).expect("copies")).await.expect("more of it");
    let (cart, _) = orders::again(&shop.store, &viewer, order).await.expect("again");
    assert_eq!(cart.lines[0].quantity.get(), 7, "more stays more");
    let stranger = orders::again(&shop.store, &Viewer::new(shop.guest()), order).await;
    assert!(matches!(stranger, Err(Error::Refused(refusal)) if refusal.code == ErrorCode::NotFound));
    shop.assert_sound().await;
}
