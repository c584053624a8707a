//! Redis and Postgres compared: what was spoiled on either side is found, mended once, and nobody's edit is in its way.

use super::*;
use futures::future::join_all;
use std::{
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::Duration,
};
use store::{
    carts::{
        reconcile::{self, Report, Scope},
        restore::RestoreCarts,
    },
    check,
    jobs::schedule::Scheduled,
};

async fn sql(shop: &Shop, sql: &'static str, owner: &Owner) {
    sqlx::query(sql).bind(owner.to_string()).execute(&mut shop.pg().await).await.expect(sql);
}

/// A shopper with a clean cart of two copies.
async fn clean(shop: &Shop, book: BookId) -> Owner {
    let owner = shop.shopper().await;
    shop.add(&owner, book, 2).await;
    shop.drain().await;
    owner
}

fn found(report: &Report) -> Vec<(&str, usize, usize)> {
    report.kinds.iter().map(|(kind, tally)| (*kind, tally.found, tally.repaired)).collect()
}

async fn violations(shop: &Shop) -> Vec<String> {
    check::carts(&shop.store).await.expect("checked").violations
}

/// The check sees it, one run mends just that, a second run finds nothing, and once drained both sides are the same.
async fn seen_and_mended(shop: &Shop, owner: &Owner, kind: &str) {
    assert_eq!(violations(shop).await, [format!("{owner}: {kind}")]);
    let report = reconcile::run(&shop.store, Scope::All).await.expect("reconciled");
    assert_eq!(found(&report), [(kind, 1, 1)]);
    assert!(report.is_repaired());
    same_again(shop, owner).await;
}

async fn same_again(shop: &Shop, owner: &Owner) {
    for scope in [Scope::All, Scope::Recent] {
        assert_eq!(found(&reconcile::run(&shop.store, scope).await.expect("again")), []);
    }
    shop.drain().await;
    assert_eq!(found(&reconcile::run(&shop.store, Scope::All).await.expect("drained")), []);
    assert_eq!(violations(shop).await, Vec::<String>::new());
    let cart = shop.view(owner).await;
    assert_eq!(shop.written(owner).await, Some((cart.version, held(&cart))));
}

#[tokio::test]
async fn a_lost_mark_is_set_again() {
    let shop = Shop::open().await;
    let book = shop.book(9).await;
    let owner = clean(&shop, book).await;
    assert_eq!(violations(&shop).await, Vec::<String>::new());
    shop.add(&owner, book, 1).await;
    let key = shop.keys.carts_dirty(owner.cart_bucket());
    shop.redis.clone().zrem::<_, _, ()>(key, owner.to_string()).await.expect("lost");
    seen_and_mended(&shop, &owner, "redis_newer").await;
    assert_eq!(held(&shop.view(&owner).await), [(book.get(), 3)]);
}

#[tokio::test]
async fn a_row_that_was_spoiled_or_lost_is_written_again() {
    let shop = Shop::open().await;
    let book = shop.book(9).await;
    let owner = clean(&shop, book).await;
    sql(&shop, "UPDATE cart_lines SET quantity = 7 WHERE owner = $1", &owner).await;
    seen_and_mended(&shop, &owner, "differs").await;
    sql(&shop, "UPDATE cart_lines SET seen_price_minor = 1 WHERE owner = $1", &owner).await;
    seen_and_mended(&shop, &owner, "differs").await;
    sql(&shop, "DELETE FROM carts WHERE owner = $1", &owner).await;
    seen_and_mended(&shop, &owner, "redis_newer").await;
    assert_eq!(held(&shop.view(&owner).await), [(book.get(), 2)]);
}

#[tokio::test]
async fn a_newer_row_heals_redis_and_marks_are_kept() {
    let shop = Shop::open().await;
    let book = shop.book(9).await;
    let owner = clean(&shop, book).await;
    let taken = format!("taken:{}", new_order());
    let cart = shop.keys.cart(&owner);
    sql(&shop, "UPDATE carts SET t = t + 5000, v = v + 3 WHERE owner = $1", &owner).await;
    sql(&shop, "UPDATE cart_lines SET quantity = 5 WHERE owner = $1", &owner).await;
    shop.redis.clone().hset::<_, _, _, ()>(&cart, &taken, "1;-").await.expect("a mark that Postgres never saw");
    seen_and_mended(&shop, &owner, "postgres_newer").await;
    assert_eq!(held(&shop.view(&owner).await), [(book.get(), 5)]);
    let mark = "SELECT count(*) FROM carts WHERE marks ? $1";
    let kept: i64 = sqlx::query_scalar(mark).bind(&taken).fetch_one(&mut shop.pg().await).await.expect("counted");
    assert_eq!(kept, 1);
}

#[tokio::test]
async fn marks_and_letters_without_each_other_are_brought_together() {
    let shop = Shop::open().await;
    let book = shop.book(9).await;
    let (dead, lettered, nobody) = (clean(&shop, book).await, clean(&shop, book).await, guest());
    let mut redis = shop.redis.clone();
    let key = |owner: &Owner| (shop.keys.carts_dead(owner.cart_bucket()), shop.keys.carts_dirty(owner.cart_bucket()));
    redis.zadd::<_, _, _, ()>(key(&dead).0, dead.to_string(), 1).await.expect("a mark without a letter");
    redis.zadd::<_, _, _, ()>(key(&nobody).1, nobody.to_string(), 1).await.expect("a mark without a cart");
    sql(
        &shop,
        "INSERT INTO dead_letters (source, key, payload, error, attempts) VALUES ('cart', $1, '{}', 'x', 10)",
        &lettered,
    )
    .await;
    let mut broken = violations(&shop).await;
    broken.sort();
    let mut expected = vec![
        format!("{dead} is parked without a dead letter"),
        format!("{lettered} has a dead letter and is not parked"),
        format!("{nobody} is marked and has no cart"),
    ];
    expected.sort();
    assert_eq!(broken, expected);
    let report = reconcile::run(&shop.store, Scope::Recent).await.expect("reconciled");
    let kinds = [("dead_without_letter", 1, 1), ("letter_without_mark", 1, 1), ("mark_without_cart", 1, 1)];
    assert_eq!(found(&report), kinds);
    same_again(&shop, &dead).await;
    let open: i64 = sqlx::query_scalar("SELECT count(*) FROM dead_letters WHERE state = 'parked'")
        .fetch_one(&mut shop.pg().await)
        .await
        .expect("counted");
    assert_eq!(open, 0, "written, so its letter has ended");
}

#[tokio::test]
async fn what_nobody_can_read_is_told_and_left_alone() {
    let shop = Shop::open().await;
    let owner = clean(&shop, shop.book(9).await).await;
    shop.redis.clone().hset::<_, _, _, ()>(shop.keys.cart(&owner), "what", 1).await.expect("spoiled");
    let report = reconcile::run(&shop.store, Scope::All).await.expect("reconciled");
    assert_eq!(found(&report), [("unreadable", 1, 0)]);
    assert!(!report.is_repaired());
}

/// A newer row is planted again and again while 32 shoppers edit and the worker writes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reconciling_is_safe_while_shoppers_edit() {
    const EDITS: i64 = 60;
    let shop = Shop::open().await;
    let (books, still) = (shop.books(32, 99).await, shop.book(9).await);
    let owners: Vec<Owner> = join_all((0..8).map(|_| shop.shopper())).await;
    let spoiled = clean(&shop, still).await;
    sql(&shop, "UPDATE cart_lines SET quantity = 7 WHERE owner = $1", &spoiled).await;
    let is_over = AtomicBool::new(false);
    let edits = async {
        join_all((0..32_usize).map(|n| {
            let (owner, book, shop) = (owners[n % 8], books[n], &shop);
            async move {
                for edit in 0..EDITS {
                    carts::set(&shop.store, &owner, book, quantity(edit % 9 + 1)).await.expect("set");
                    tokio::time::sleep(Duration::from_millis(u64::try_from(edit).expect("small") % 40)).await;
                }
            }
        }))
        .await;
        is_over.store(true, SeqCst);
    };
    let writes = async {
        while !is_over.load(SeqCst) {
            shop.make_due().await;
            if let Some(batch) = PersistCarts.fetch(&shop.store).await.expect("claimed") {
                PersistCarts.handle(&shop.store, batch).await.expect("persisted");
            }
        }
    };
    let looks = async {
        let mut seen = Vec::new();
        while !is_over.load(SeqCst) {
            let report = reconcile::run(&shop.store, Scope::All).await.expect("reconciled");
            seen.extend(found(&report).into_iter().map(|(kind, found, repaired)| (kind.to_owned(), found, repaired)));
            assert_eq!(violations(&shop).await, Vec::<String>::new(), "a false alarm");
        }
        seen
    };
    let ((), (), seen) = tokio::join!(edits, writes, looks);
    assert_eq!(seen, [("differs".to_owned(), 1, 1)], "only what was planted, once");
    shop.drain().await;
    assert_eq!(found(&reconcile::run(&shop.store, Scope::All).await.expect("at rest")), []);
    for (n, owner) in owners.iter().enumerate() {
        let cart = shop.view(owner).await;
        let last = (EDITS - 1) % 9 + 1;
        let expected: Vec<(i64, i64)> = (n..32).step_by(8).map(|book| (books[book].get(), last)).collect();
        assert_eq!(held(&cart), expected, "no edit is lost");
        assert_eq!(shop.written(owner).await, Some((cart.version, expected)));
    }
}

#[tokio::test]
async fn the_daily_restore_brings_back_what_redis_lost_and_revives_nobody() {
    let shop = Shop::open().await;
    let book = shop.book(20).await;
    let (kept, lost, old) = (clean(&shop, book).await, clean(&shop, book).await, clean(&shop, book).await);
    let (visitor, merged, cut_short, account) = (guest(), guest(), guest(), shop.account().await);
    for owner in [&visitor, &merged, &cut_short] {
        shop.add(owner, book, 1).await;
    }
    let Owner::Guest(id) = merged else { panic!("a guest") };
    carts::merge(&shop.store, id, account).await.expect("merged");
    shop.drain().await;
    // A move whose second step was lost with Redis.
    let close = format!("UPDATE carts SET merged_into = 'a:{account}' WHERE owner = $1");
    sqlx::query(sqlx::AssertSqlSafe(close))
        .bind(cut_short.to_string())
        .execute(&mut shop.pg().await)
        .await
        .expect("closed");
    sql(&shop, "UPDATE carts SET updated_at = now() - interval '91 days' WHERE owner = $1", &old).await;
    for owner in [&lost, &old, &visitor, &merged, &cut_short] {
        shop.lose(owner).await;
    }
    let report = RestoreCarts.run(&shop.store).await.expect("restored");
    assert_eq!(report["restored"], 2);
    let is_here = async |owner| shop.redis.clone().exists::<_, bool>(shop.keys.cart(owner)).await.expect("asked");
    assert!(is_here(&kept).await && is_here(&lost).await && is_here(&cut_short).await);
    assert!(!is_here(&old).await && !is_here(&visitor).await && !is_here(&merged).await);
    shop.drain().await;
    // One copy of each of the two guest carts, once.
    assert_eq!(held(&shop.view(&Owner::Account(account)).await), [(book.get(), 2)]);
    RestoreCarts.run(&shop.store).await.expect("again");
    shop.drain().await;
    assert_eq!(held(&shop.view(&Owner::Account(account)).await), [(book.get(), 2)]);
    assert_eq!(violations(&shop).await, Vec::<String>::new());
}

#[tokio::test]
async fn one_row_that_nobody_can_read_is_in_nobodys_way() {
    let shop = Shop::open().await;
    let book = shop.book(9).await;
    let (broken, owner) = (clean(&shop, book).await, clean(&shop, book).await);
    sql(&shop, "UPDATE carts SET merged_into = 'nobody' WHERE owner = $1", &broken).await;
    sql(&shop, "UPDATE cart_lines SET quantity = 7 WHERE owner = $1", &owner).await;
    let report = reconcile::run(&shop.store, Scope::All).await.expect("reconciled");
    assert_eq!(found(&report), [("differs", 1, 1), ("unreadable", 1, 0)]);
    for lost in [&broken, &owner] {
        shop.drain().await;
        shop.lose(lost).await;
    }
    let report = RestoreCarts.run(&shop.store).await.expect("restored");
    assert_eq!((&report["restored"], &report["failed"]), (&1.into(), &1.into()));
    assert_eq!(held(&shop.view(&owner).await), [(book.get(), 2)]);
}
