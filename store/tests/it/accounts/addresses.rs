//! Address books: small, with one default, and nobody else's.

use crate::orders::shop::request;
use domain::{AccountId, ErrorCode, address::Address, address::Entry, address::MAX_ENTRIES};
use store::{Store, accounts, accounts::addresses, error::Error, testkit};

async fn account(store: &Store, email: &str) -> AccountId {
    accounts::register(store, super::registration(email, "correct horse")).await.expect("registered").view.id
}

fn address(line1: &str) -> Address {
    Address { line1: line1.into(), ..request().address }
}

async fn book(store: &Store, account: AccountId) -> Vec<Entry> {
    addresses::list(store, account).await.expect("a book")
}

/// House and street of each, the default first.
async fn streets(store: &Store, account: AccountId) -> Vec<String> {
    let book = book(store, account).await;
    let defaults = book.iter().filter(|entry| entry.is_default).count();
    assert_eq!((defaults, book.first().is_none_or(|first| first.is_default)), (book.len().min(1), true));
    book.into_iter().map(|entry| entry.address.line1).collect()
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorCode {
    match result {
        Err(Error::Refused(refusal)) => refusal.code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_first_is_the_default_until_another_one_is() {
    let store = testkit::store().await;
    let asha = account(&store, "asha@example.org").await;
    for (street, is_default) in [("1 A", false), ("2 B", false), ("3 C", true), ("1 A", false)] {
        addresses::save(&store, asha, None, &address(street), is_default).await.expect("saved");
    }
    assert_eq!(streets(&store, asha).await, ["3 C", "1 A", "2 B"], "the same one stands there once");
    let of =
        |book: &[Entry], street: &str| book.iter().find(|entry| entry.address.line1 == street).map(|entry| entry.id);
    let now = book(&store, asha).await;
    let (a, b, c) = (of(&now, "1 A").unwrap(), of(&now, "2 B").unwrap(), of(&now, "3 C").unwrap());
    addresses::make_default(&store, asha, b).await.expect("the default");
    assert_eq!(streets(&store, asha).await, ["2 B", "1 A", "3 C"]);
    addresses::save(&store, asha, Some(c), &address("4 D"), false).await.expect("written anew");
    addresses::remove(&store, asha, b).await.expect("removed");
    assert_eq!(streets(&store, asha).await, ["1 A", "4 D"], "another one takes its place");
    assert_eq!(addresses::get(&store, asha, a).await.expect("there").line1, "1 A");
    addresses::remove(&store, asha, a).await.expect("removed");
    addresses::remove(&store, asha, c).await.expect("removed");
    assert!(streets(&store, asha).await.is_empty());
    assert_eq!(code(addresses::remove(&store, asha, a).await), ErrorCode::NotFound);
}

#[tokio::test]
async fn it_is_bounded_also_when_many_write_at_once() {
    let store = testkit::store().await;
    let asha = account(&store, "asha@example.org").await;
    let streets: Vec<Address> = (0..MAX_ENTRIES + 5).map(|n| address(&format!("{n} MG Road"))).collect();
    let saved = streets.iter().map(|street| addresses::save(&store, asha, None, street, true));
    let saved = futures::future::join_all(saved).await;
    assert_eq!(saved.iter().filter(|result| result.is_ok()).count(), MAX_ENTRIES);
    assert!(saved.into_iter().filter(Result::is_err).all(|result| code(result) == ErrorCode::InvalidFields));
    assert_eq!(self::streets(&store, asha).await.len(), MAX_ENTRIES);
}

#[tokio::test]
async fn nobody_reaches_into_another_book() {
    let store = testkit::store().await;
    let (asha, ravi) = (account(&store, "asha@example.org").await, account(&store, "ravi@example.org").await);
    addresses::save(&store, asha, None, &address("1 A"), false).await.expect("saved");
    let id = book(&store, asha).await[0].id;
    assert_eq!(code(addresses::get(&store, ravi, id).await), ErrorCode::NotFound);
    assert_eq!(code(addresses::save(&store, ravi, Some(id), &address("2 B"), true).await), ErrorCode::NotFound);
    assert_eq!(code(addresses::make_default(&store, ravi, id).await), ErrorCode::NotFound);
    assert_eq!(code(addresses::remove(&store, ravi, id).await), ErrorCode::NotFound);
    assert_eq!(streets(&store, asha).await, ["1 A"]);
    assert!(streets(&store, ravi).await.is_empty());
}
