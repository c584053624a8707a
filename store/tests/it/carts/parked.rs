//! Carts that Postgres refuses: parked, tried again, never lost, and never in anybody's way.

use super::*;
use store::jobs::{dead_letters, schedule::Scheduled};

/// A cart that Postgres refuses (it holds a book that is not there) after so many attempts.
async fn sick(shop: &Shop, attempts: usize) -> Owner {
    let (book, owner) = (shop.book(9).await, guest());
    shop.add(&owner, book, 1).await;
    shop.redis.clone().hset::<_, _, _, ()>(shop.keys.cart(&owner), "i:987654", 1).await.expect("poisoned");
    for _ in 0..attempts {
        shop.make_due().await;
        shop.work().await;
    }
    owner
}

async fn cure(shop: &Shop) {
    let insert = "INSERT INTO books (id, sku, slug, title, authors, price_minor) OVERRIDING SYSTEM VALUE
        VALUES (987654, 'cure', 'cure', 'Cure', '{An Author}', 10000)";
    sqlx::query(insert).execute(&mut shop.pg().await).await.expect("the book");
}

/// State, attempts, and whether both failures are told and apart from each other.
async fn letters(shop: &Shop) -> Vec<(String, i32, Option<bool>)> {
    let letters =
        "SELECT state, attempts, first_failed_at < last_failed_at FROM dead_letters WHERE source = 'cart' ORDER BY id";
    sqlx::query_as(letters).fetch_all(&mut shop.pg().await).await.expect("dead letters")
}

async fn is_dead(shop: &Shop, owner: &Owner) -> bool {
    let key = shop.keys.carts_dead(owner.cart_bucket());
    shop.redis.clone().zscore::<_, _, Option<i64>>(key, owner.to_string()).await.expect("asked").is_some()
}

#[tokio::test]
async fn parked_carts_are_tried_again_every_hour_as_a_whole() {
    let shop = Shop::open().await;
    let owner = sick(&shop, 10).await;
    assert_eq!(letters(&shop).await, [("parked".to_owned(), 10, Some(true))]);
    assert!(is_dead(&shop, &owner).await && !shop.is_dirty(&owner).await);
    // Still sick: one more attempt, and the same letter.
    carts::parked::RetryParked.run(&shop.store).await.expect("retried");
    assert_eq!(shop.drain().await, 1);
    assert_eq!(letters(&shop).await, [("parked".to_owned(), 11, Some(true))]);
    cure(&shop).await;
    carts::parked::RetryParked.run(&shop.store).await.expect("retried");
    assert_eq!(shop.drain().await, 1);
    let cart = shop.view(&owner).await;
    assert_eq!(shop.written(&owner).await, Some((cart.version, held(&cart))));
    assert_eq!(letters(&shop).await, [("retried".to_owned(), 11, Some(true))]);
    assert!(!is_dead(&shop, &owner).await);
    let report = carts::parked::RetryParked.run(&shop.store).await.expect("nothing left");
    assert_eq!(report, serde_json::json!({ "retried": 0, "failed": 0 }));
}

#[tokio::test]
async fn a_cart_that_cannot_be_parked_stays_where_it_is() {
    let shop = Shop::open().await;
    let mut pg = shop.pg().await;
    sqlx::query("ALTER TABLE dead_letters RENAME TO lost").execute(&mut pg).await.expect("unwritable");
    let owner = sick(&shop, 11).await;
    let key = shop.keys.carts_dirty(owner.cart_bucket());
    let due: i64 = shop.redis.clone().zscore(key, owner.to_string()).await.expect("still in its bucket");
    assert!(due > shop.store.now().get() + 30_000, "leased");
    assert!(!is_dead(&shop, &owner).await);
    sqlx::query("ALTER TABLE lost RENAME TO dead_letters").execute(&mut pg).await.expect("writable");
    shop.make_due().await;
    shop.work().await;
    assert_eq!(letters(&shop).await, [("parked".to_owned(), 12, Some(true))]);
    assert!(is_dead(&shop, &owner).await && !shop.is_dirty(&owner).await);
}

#[tokio::test]
async fn a_parked_cart_that_redis_lost_comes_back_from_its_letter() {
    let shop = Shop::open().await;
    let owner = sick(&shop, 10).await;
    let cart = shop.view(&owner).await;
    shop.lose(&owner).await;
    cure(&shop).await;
    let letter = dead_letters::list(&shop.store, 0).await.expect("letters").remove(0);
    assert_eq!(dead_letters::retry(&shop.store, letter.id).await.expect("retried"), dead_letters::Ended::Now);
    shop.drain().await;
    assert_eq!(shop.written(&owner).await.expect("written").1.len(), cart.lines.len() + 1, "with the cured line");
    assert_eq!(dead_letters::retry(&shop.store, letter.id).await.expect("again"), dead_letters::Ended::Before);
}

#[tokio::test]
async fn discarding_a_letter_throws_no_cart_away() {
    let shop = Shop::open().await;
    let owner = sick(&shop, 10).await;
    let letter = dead_letters::list(&shop.store, 0).await.expect("letters").remove(0);
    let ended = dead_letters::discard(&shop.store, letter.id, "an old catalogue").await.expect("discarded");
    assert_eq!(ended, dead_letters::Ended::Now);
    assert!(shop.is_dirty(&owner).await && !is_dead(&shop, &owner).await);
    assert_eq!(letters(&shop).await[0].0, "discarded");
    cure(&shop).await;
    assert_eq!(shop.drain().await, 1);
    assert!(shop.written(&owner).await.is_some());
}

/// Redis loses the cart with all its marks; Postgres has one copy of a book, the letter three, and one of another book.
async fn lost_with_a_letter(shop: &Shop) -> (Owner, BookId) {
    let (book, owner) = (shop.book(9).await, shop.shopper().await);
    shop.add(&owner, book, 1).await;
    shop.drain().await;
    for _ in 0..2 {
        shop.add(&owner, book, 1).await;
    }
    shop.redis.clone().hset::<_, _, _, ()>(shop.keys.cart(&owner), "i:987654", 1).await.expect("poisoned");
    for _ in 0..10 {
        shop.make_due().await;
        shop.work().await;
    }
    assert_eq!(letters(shop).await, [("parked".to_owned(), 10, Some(true))]);
    shop.lose(&owner).await;
    let bucket = owner.cart_bucket();
    let marks = [shop.keys.carts_dead(bucket), shop.keys.carts_attempts(bucket)];
    shop.redis.clone().del::<_, ()>(&marks).await.expect("lost");
    cure(shop).await;
    assert_eq!(held(&shop.view(&owner).await), [(book.get(), 1)], "the shopper looks first");
    (owner, book)
}

#[tokio::test]
async fn a_letter_outlives_a_look_at_what_postgres_had() {
    for is_reconciled in [false, true] {
        let shop = Shop::open().await;
        let (owner, book) = lost_with_a_letter(&shop).await;
        if is_reconciled {
            let report = carts::reconcile::run(&shop.store, carts::reconcile::Scope::Recent).await.expect("reconciled");
            assert!(report.is_repaired(), "{report:?}");
        } else {
            carts::parked::RetryParked.run(&shop.store).await.expect("retried");
        }
        shop.drain().await;
        let mut expected = vec![(book.get(), 3), (987_654, 1)];
        expected.sort_unstable();
        let cart = shop.view(&owner).await;
        assert_eq!(shop.written(&owner).await, Some((cart.version, expected)));
        assert_eq!(letters(&shop).await[0].0, "retried");
    }
}

#[tokio::test]
async fn a_letter_and_what_was_edited_after_the_loss_are_both_kept() {
    let shop = Shop::open().await;
    let (owner, book) = lost_with_a_letter(&shop).await;
    let other = shop.book(9).await;
    shop.add(&owner, other, 2).await;
    shop.drain().await;
    assert_eq!(letters(&shop).await[0].0, "parked");
    for _ in 0..2 {
        carts::parked::RetryParked.run(&shop.store).await.expect("retried");
        shop.drain().await;
        let mut expected = vec![(book.get(), 3), (other.get(), 2), (987_654, 1)];
        expected.sort_unstable();
        assert_eq!(shop.written(&owner).await.expect("written").1, expected);
        assert_eq!(letters(&shop).await[0].0, "retried");
    }
}

#[tokio::test]
async fn what_the_shopper_took_out_of_a_parked_cart_stays_out() {
    let shop = Shop::open().await;
    let owner = sick(&shop, 10).await;
    let book = shop.view(&owner).await.lines[0].book_id;
    carts::remove(&shop.store, &owner, book).await.expect("removed");
    cure(&shop).await;
    carts::parked::RetryParked.run(&shop.store).await.expect("retried");
    shop.drain().await;
    assert_eq!(shop.written(&owner).await.expect("written").1, [(987_654, 1)]);
    assert_eq!(letters(&shop).await[0].0, "retried");
}

#[tokio::test]
async fn a_mark_about_a_lost_cart_ends_no_letter_and_letting_go_keeps_its_lines() {
    let shop = Shop::open().await;
    let owner = sick(&shop, 10).await;
    shop.lose(&owner).await;
    let (bucket, mut redis) = (owner.cart_bucket(), shop.redis.clone());
    redis.zadd::<_, _, _, ()>(shop.keys.carts_dirty(bucket), owner.to_string(), 0).await.expect("a mark");
    shop.drain().await;
    assert!(!is_dead(&shop, &owner).await);
    assert_eq!(letters(&shop).await[0].0, "parked", "nothing was written");
    cure(&shop).await;
    let letter = dead_letters::list(&shop.store, 0).await.expect("letters").remove(0);
    dead_letters::discard(&shop.store, letter.id, "old").await.expect("discarded");
    shop.drain().await;
    assert_eq!(shop.written(&owner).await.expect("written").1.len(), 2);
}

#[tokio::test]
async fn the_lines_of_a_letter_follow_a_cart_into_the_account() {
    let shop = Shop::open().await;
    let owner = sick(&shop, 10).await;
    let book = shop.view(&owner).await.lines[0].book_id;
    shop.lose(&owner).await;
    let key = shop.keys.carts_dead(owner.cart_bucket());
    shop.redis.clone().del::<_, ()>(key).await.expect("lost");
    cure(&shop).await;
    let (account, other) = (shop.account().await, shop.book(9).await);
    shop.add(&owner, other, 1).await;
    carts::merge(&shop.store, owner.guest().expect("a guest"), account).await.expect("merged");
    shop.drain().await;
    // The letter counts as many changes as this cart by now; what it says has to be further.
    let further = "UPDATE dead_letters SET payload = jsonb_set(payload, '{cart,v}', '\"40\"')";
    sqlx::query(further).execute(&mut shop.pg().await).await.expect("further");
    carts::parked::RetryParked.run(&shop.store).await.expect("retried");
    shop.drain().await;
    let mut expected = vec![(book.get(), 1), (other.get(), 1), (987_654, 1)];
    expected.sort_unstable();
    assert_eq!(shop.written(&Owner::Account(account)).await.expect("written").1, expected);
    assert_eq!(letters(&shop).await[0].0, "retried");
}

#[tokio::test]
async fn one_letter_that_nobody_can_retry_is_in_nobodys_way() {
    let shop = Shop::open().await;
    let insert = "INSERT INTO dead_letters (source, key, payload, error, attempts)
                  VALUES ('cart', 'nobody', '{}', 'x', 10), ('cart', $1, '{}', 'x', 10)";
    sqlx::query(insert).bind(guest().to_string()).execute(&mut shop.pg().await).await.expect("broken letters");
    let owner = sick(&shop, 10).await;
    cure(&shop).await;
    let report = carts::parked::RetryParked.run(&shop.store).await.expect("retried");
    assert_eq!(report, serde_json::json!({ "retried": 1, "failed": 2 }));
    shop.drain().await;
    assert!(shop.written(&owner).await.is_some());
    let report = carts::reconcile::run(&shop.store, carts::reconcile::Scope::Recent).await.expect("reconciled");
    assert!(!report.is_repaired() && report.kinds["letter_without_mark"].found == 1, "{report:?}");
}
