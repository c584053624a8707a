//! Edits, their limits and what they say; and many tabs at once.

use super::*;
use crate::wire;
use domain::Minor;
use futures::future::join_all;

fn rupees(rupees: i64) -> Minor {
    Minor::new(rupees * 100)
}

#[tokio::test]
async fn every_edit_answers_with_the_whole_cart() {
    let shop = Shop::open().await;
    let (one, two, owner) = (shop.book(9).await, shop.book(9).await, guest());
    assert_eq!(shop.view(&owner).await, CartView::empty(domain::Currency::Inr));

    let first = shop.add(&owner, one, 2).await;
    let second = shop.add(&owner, two, 1).await;
    assert_eq!(held(&second), [(one.get(), 2), (two.get(), 1)]);
    assert!(first.version < second.version);
    assert_eq!((second.subtotal, second.delivery), (rupees(300), rupees(49)));
    assert_eq!((second.total, second.copies), (rupees(349), 3));
    let line = &second.lines[0];
    assert_eq!((line.unit_price, line.line_total, line.available), (rupees(100), rupees(200), Some(9)));
    assert_eq!(line.notice, None);
    assert_eq!(shop.view(&owner).await, second);

    let third = carts::set(&shop.store, &owner, one, quantity(9)).await.expect("set");
    assert_eq!((third.subtotal, third.delivery), (rupees(1000), Minor::ZERO), "a big parcel travels free");
    let fourth = carts::remove(&shop.store, &owner, two).await.expect("removed");
    assert_eq!(held(&fourth), [(one.get(), 9)]);
    let same = carts::remove(&shop.store, &owner, two).await.expect("removed again");
    assert_eq!(same.version, fourth.version, "nothing changed");
    let empty = carts::clear(&shop.store, &owner).await.expect("cleared");
    assert_eq!((held(&empty), empty.total), (vec![], Minor::ZERO));
    assert!(empty.version > fourth.version);
}

#[tokio::test]
async fn more_than_there_is_is_cut_and_says_so() {
    let shop = Shop::open().await;
    let (few, many, none, owner) = (shop.book(3).await, shop.book(50).await, shop.book(0).await, guest());

    let cart = shop.add(&owner, few, 5).await;
    assert_eq!((held(&cart), notice(&cart, few)), (vec![(few.get(), 3)], Some(LineNotice::Cut { asked: 5, left: 3 })));
    let cart = shop.view(&owner).await;
    assert_eq!(notice(&cart, few), Some(LineNotice::OnlyLeft { left: 3 }));

    shop.add(&owner, many, 8).await;
    let cart = shop.add(&owner, many, 8).await;
    assert_eq!(notice(&cart, many), Some(LineNotice::Cut { asked: 16, left: 10 }));

    // The first time the line comes and goes again; once the process knows, not even that.
    assert_eq!(code(carts::add(&shop.store, &owner, none, quantity(1)).await), ErrorCode::InsufficientStock);
    let known = shop.view(&owner).await;
    assert_eq!(held(&known), held(&cart), "a refusal changes nothing");
    assert_eq!(code(carts::add(&shop.store, &owner, none, quantity(1)).await), ErrorCode::InsufficientStock);
    assert_eq!(code(carts::set(&shop.store, &owner, none, quantity(1)).await), ErrorCode::InsufficientStock);
    assert_eq!(shop.view(&owner).await.version, known.version);

    // Others bought: the line stays, says so, and may be lowered but not raised.
    shop.stock(many, 0).await;
    assert_eq!(notice(&shop.view(&owner).await, many), Some(LineNotice::SoldOut));
    let cart = carts::set(&shop.store, &owner, many, quantity(4)).await.expect("lowered");
    assert!(held(&cart).contains(&(many.get(), 4)) && !cart.is_orderable());
    let cart = shop.add(&owner, many, 1).await;
    assert!(held(&cart).contains(&(many.get(), 4)), "not raised");
}

#[tokio::test]
async fn while_the_gate_is_not_loaded_only_the_limits_count() {
    let shop = Shop::open().await;
    let (book, owner) = (shop.book(3).await, guest());
    shop.redis.clone().del::<_, ()>(shop.keys.epoch()).await.expect("unloaded");
    let cart = shop.add(&owner, book, 5).await;
    assert_eq!((held(&cart), cart.lines[0].available), (vec![(book.get(), 5)], None));
}

#[tokio::test]
async fn unknown_and_retired_books_are_refused() {
    let shop = Shop::open().await;
    let (book, owner) = (shop.book(3).await, guest());
    shop.add(&owner, book, 1).await;
    let retire = sqlx::query("UPDATE books SET retired_at = now() WHERE id = $1").bind(book.get());
    retire.execute(&mut shop.pg().await).await.expect("retired");
    // Another process, which has not cached the book.
    let other = Store::connect(shop.store.config().clone(), std::sync::Arc::new(store::world::SystemWorld)).await;
    let other = other.expect("connect");
    assert_eq!(code(carts::add(&other, &owner, book, quantity(1)).await), ErrorCode::NotOrderable);
    let unknown = BookId::new(987_654).expect("an id");
    assert_eq!(code(carts::add(&other, &owner, unknown, quantity(1)).await), ErrorCode::NotFound);
    let cart = carts::view(&other, &owner).await.expect("a cart");
    assert_eq!((held(&cart), notice(&cart, book)), (vec![(book.get(), 1)], Some(LineNotice::Retired)));
    assert_eq!(held(&carts::remove(&other, &owner, book).await.expect("removed")), []);
}

#[tokio::test]
async fn thirty_two_tabs_lose_no_edit() {
    let shop = Shop::open().await;
    let (books, shared, owner) = (shop.books(32, 9).await, shop.book(9).await, shop.shopper().await);
    let tabs = books.iter().enumerate().map(|(tab, book)| {
        let (shop, owner) = (&shop, &owner);
        async move {
            shop.add(owner, *book, 1).await;
            if tab % 4 == 0 {
                shop.add(owner, shared, 1).await;
            }
            carts::set(&shop.store, owner, *book, quantity(2)).await.expect("set").version
        }
    });
    let mut versions = join_all(tabs).await;
    versions.sort_unstable();
    versions.dedup();
    assert_eq!(versions.len(), 32, "every edit has a version of its own");
    let cart = shop.view(&owner).await;
    assert_eq!(cart.version, versions[31]);
    let mut expected: Vec<_> = books.iter().map(|book| (book.get(), 2)).collect();
    expected.push((shared.get(), 8));
    assert_eq!(held(&cart), expected);
}

#[tokio::test]
async fn limits_hold_in_a_race() {
    let shop = Shop::open().await;
    let (scarce, books, owner) = (shop.book(7).await, shop.books(60, 9).await, guest());
    join_all((0..32).map(|_| shop.add(&owner, scarce, 1))).await;
    assert_eq!(held(&shop.view(&owner).await), [(scarce.get(), 7)]);

    let added = join_all(books.iter().map(|book| carts::add(&shop.store, &owner, *book, quantity(1)))).await;
    let refused: Vec<_> = added.into_iter().filter(Result::is_err).map(code).collect();
    assert_eq!(refused, [ErrorCode::CartFull; 11]);
    let cart = shop.view(&owner).await;
    assert_eq!(cart.lines.len(), 50);
    shop.add(&owner, cart.lines[0].book_id, 1).await;
}

#[tokio::test]
async fn an_edit_is_one_round_trip() {
    let url = testkit::redis_url();
    let (tap, said) = wire::tapped(&wire::host_of(&url)).await;
    let shop = Shop::at_redis(&wire::reroute(&url, &tap)).await;
    let (one, two, few, owner) = (shop.book(9).await, shop.book(9).await, shop.book(2).await, shop.shopper().await);
    // Makes the cart known, and every script.
    shop.add(&owner, one, 1).await;
    carts::set(&shop.store, &owner, one, quantity(2)).await.expect("set");
    carts::remove(&shop.store, &owner, two).await.expect("removed");
    shop.view(&owner).await;
    let trips = || std::mem::take(&mut *said.lock().expect("the log"));
    trips();
    shop.add(&owner, two, 1).await;
    let add = trips();
    assert!(add.len() == 1 && add[0].contains("HMGET") && add[0].contains("EVALSHA"), "{add:?}");
    carts::set(&shop.store, &owner, one, quantity(3)).await.expect("set");
    assert_eq!(trips().len(), 1, "set");
    carts::remove(&shop.store, &owner, two).await.expect("removed");
    assert_eq!(trips().len(), 1, "remove");
    shop.view(&owner).await;
    assert_eq!(trips().len(), 1, "view");
    // Too many: the line comes down again, and the next time the gate is asked first.
    let cart = shop.add(&owner, few, 5).await;
    assert_eq!((trips().len(), notice(&cart, few)), (2, Some(LineNotice::Cut { asked: 5, left: 2 })));
    let cart = shop.add(&owner, few, 5).await;
    assert_eq!((trips().len(), notice(&cart, few)), (2, Some(LineNotice::Cut { asked: 7, left: 2 })));
}

#[tokio::test]
async fn tabs_that_set_and_remove_do_not_undo_each_other() {
    let shop = Shop::open().await;
    let (books, owner) = (shop.books(32, 9).await, shop.shopper().await);
    join_all(books.iter().map(|book| shop.add(&owner, *book, 3))).await;
    let edits = books.iter().enumerate().map(|(tab, book)| {
        let (shop, owner) = (&shop, &owner);
        async move {
            match tab % 3 {
                0 => carts::remove(&shop.store, owner, *book).await,
                1 => carts::set(&shop.store, owner, *book, quantity(5)).await,
                _ => carts::add(&shop.store, owner, *book, quantity(1)).await,
            }
        }
    });
    assert!(join_all(edits).await.iter().all(Result::is_ok));
    let left = books.iter().enumerate().filter(|(tab, _)| tab % 3 != 0);
    let expected: Vec<_> = left.map(|(tab, book)| (book.get(), if tab % 3 == 1 { 5 } else { 4 })).collect();
    assert_eq!(held(&shop.view(&owner).await), expected);
}

#[tokio::test]
async fn copies_come_off_a_line_one_by_one_and_beside_others() {
    let shop = Shop::open().await;
    let (book, other, owner) = (shop.book(50).await, shop.book(50).await, guest());
    shop.add(&owner, book, 3).await;
    let fewer = |book, copies| carts::fewer(&shop.store, &owner, book, quantity(copies));
    let untouched = shop.view(&owner).await.version;
    let same = fewer(other, 1).await.expect("a line that is not there");
    assert_eq!((held(&same), same.version), (vec![(book.get(), 3)], untouched));
    assert_eq!(held(&fewer(book, 1).await.expect("fewer")), [(book.get(), 2)]);
    assert_eq!(held(&fewer(book, 7).await.expect("none left")), []);

    // Tabs that add and take off at once: whatever comes first, no click is lost.
    shop.add(&owner, book, 5).await;
    let adds = async { join_all((0..4).map(|_| shop.add(&owner, book, 1))).await };
    let takes = async { join_all((0..4).map(|_| fewer(book, 1))).await };
    let (_, taken) = futures::future::join(adds, takes).await;
    assert!(taken.iter().all(Result::is_ok));
    assert_eq!(held(&shop.view(&owner).await), [(book.get(), 5)]);
}
