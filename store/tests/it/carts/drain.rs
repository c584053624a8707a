//! Many dirty carts: few writes for bursts, the longest waiting first, never more at once than the worker can hold.

use super::*;
use futures::{StreamExt, stream};
use std::{collections::HashMap, time::Duration};

/// Counts writes of carts from now on.
async fn count_writes(shop: &Shop) {
    let count = "CREATE TABLE writes (n bigint GENERATED ALWAYS AS IDENTITY, owner text);
        CREATE FUNCTION count_write() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO writes (owner) VALUES (NEW.owner); RETURN NEW; END $$;
        CREATE TRIGGER count_write AFTER INSERT OR UPDATE ON carts FOR EACH ROW EXECUTE FUNCTION count_write()";
    sqlx::raw_sql(count).execute(&mut shop.pg().await).await.expect("counting");
}

async fn writes(shop: &Shop) -> i64 {
    let count = sqlx::query_scalar("SELECT count(*) FROM writes");
    count.fetch_one(&mut shop.pg().await).await.expect("counted")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_quick_edits_are_a_handful_of_writes() {
    let shop = Shop::open().await;
    count_writes(&shop).await;
    let (book, owner) = (shop.book(9).await, shop.shopper().await);
    let store = shop.store.clone();
    let worker = tokio::spawn(async move {
        loop {
            if let Some(batch) = PersistCarts.fetch(&store).await.expect("claimed") {
                PersistCarts.handle(&store, batch).await.expect("persisted");
            }
        }
    });
    for n in 1..=100 {
        carts::set(&shop.store, &owner, book, quantity(n % 9 + 1)).await.expect("set");
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    crate::orders::shop::eventually("clean", || async { !shop.is_dirty(&owner).await }).await;
    worker.abort();
    assert!(writes(&shop).await <= 6, "{} writes", writes(&shop).await);
    let cart = shop.view(&owner).await;
    assert_eq!(shop.written(&owner).await, Some((cart.version, held(&cart))));
}

#[tokio::test]
async fn only_the_lines_that_differ_are_written() {
    let shop = Shop::open().await;
    let (books, owner) = (shop.books(3, 9).await, shop.shopper().await);
    for book in &books {
        shop.add(&owner, *book, 2).await;
    }
    shop.drain().await;
    let rows = async || -> Vec<(i64, String)> {
        let rows = "SELECT book_id, xmin::text FROM cart_lines ORDER BY book_id";
        sqlx::query_as(rows).fetch_all(&mut shop.pg().await).await.expect("rows")
    };
    let before = rows().await;
    // What somebody else spoiled in Postgres is part of the difference, whatever the last write was.
    let spoil = "UPDATE cart_lines SET quantity = 7 WHERE book_id = $1";
    sqlx::query(spoil).bind(books[2].get()).execute(&mut shop.pg().await).await.expect("spoiled");
    carts::remove(&shop.store, &owner, books[1]).await.expect("removed");
    shop.drain().await;
    let after = rows().await;
    assert_eq!(after.iter().map(|(book, _)| *book).collect::<Vec<_>>(), [books[0].get(), books[2].get()]);
    assert_eq!(after[0], before[0], "untouched");
    let cart = shop.view(&owner).await;
    assert_eq!(shop.written(&owner).await, Some((cart.version, held(&cart))));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outage_everything_drains_in_its_turn() {
    const CARTS: usize = 5_000;
    let (shop, wire) = Shop::on_a_wire().await;
    count_writes(&shop).await;
    let book = shop.book(9).await;
    shop.add(&guest(), book, 1).await;
    shop.drain().await;
    let owners: Vec<Owner> = (0..CARTS).map(|_| guest()).collect();
    stream::iter(&owners).for_each_concurrent(32, async |owner| drop(shop.add(owner, book, 1).await)).await;
    wire.cut();
    assert!(PersistCarts.fetch(&shop.store).await.is_err(), "nothing is claimed");
    // Each bucket's carts become due one after the other, in an order of its own.
    let mut redis = shop.redis.clone();
    for bucket in 0..Owner::CART_BUCKETS {
        let key = shop.keys.carts_dirty(bucket);
        let dirty: Vec<String> = redis.zrange(&key, 0, -1).await.expect("dirty");
        let due: Vec<(i64, String)> = dirty.into_iter().enumerate().map(|(n, owner)| (n as i64, owner)).collect();
        if !due.is_empty() {
            redis.zadd_multiple::<_, _, _, ()>(&key, &due).await.expect("due");
        }
    }
    let planned: HashMap<String, i64> = planned(&shop).await;
    assert_eq!(planned.len(), CARTS);
    wire.mend();
    let (mut batches, mut refused) = (0, 0);
    loop {
        match PersistCarts.fetch(&shop.store).await {
            Ok(Some(batch)) => PersistCarts.handle(&shop.store, batch).await.expect("persisted"),
            Ok(None) => break,
            Err(error) => {
                refused += 1;
                assert!(refused < 100, "Postgres did not come back: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        }
        batches += 1;
    }
    assert!(batches >= CARTS / 256, "{batches} batches: bounded");
    assert_eq!(writes(&shop).await, 1 + CARTS as i64, "each once");
    let order = sqlx::query_scalar("SELECT owner FROM writes WHERE n > 1 ORDER BY n");
    let order: Vec<String> = order.fetch_all(&mut shop.pg().await).await.expect("the order");
    let mut last = HashMap::<u32, i64>::new();
    for owner in order {
        let bucket = owner.parse::<Owner>().expect("an owner").cart_bucket();
        // Of one batch four carts of each bucket are written together, in the order of their names.
        let due = planned[&owner];
        let before = last.insert(bucket, due.max(*last.get(&bucket).unwrap_or(&0))).unwrap_or(0);
        assert!(due + 4 > before, "{owner} was due at {due} and written after {before}");
    }
    // Others scan this Redis.
    let keys: Vec<String> = owners.iter().map(|owner| shop.keys.cart(owner)).collect();
    redis.unlink::<_, ()>(keys).await.expect("tidy");
}

async fn planned(shop: &Shop) -> HashMap<String, i64> {
    let mut planned = HashMap::new();
    for bucket in 0..Owner::CART_BUCKETS {
        let due: Vec<(String, i64)> =
            shop.redis.clone().zrange_withscores(shop.keys.carts_dirty(bucket), 0, -1).await.expect("due");
        planned.extend(due);
    }
    planned
}
