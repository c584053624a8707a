//! Postgres gets every cart, soon, once per burst, and never an older state over a newer one.

use super::*;
use std::time::Duration;
use store::carts::lines;

#[tokio::test]
async fn postgres_has_what_redis_has_once_drained() {
    let shop = Shop::open().await;
    let (books, mut owners) = (shop.books(5, 9).await, vec![]);
    for n in 0..12 {
        let owner = if n % 2 == 0 { guest() } else { shop.shopper().await };
        for book in &books[..n % 5] {
            shop.add(&owner, *book, 2).await;
        }
        owners.push(owner);
    }
    carts::clear(&shop.store, &owners[1]).await.expect("cleared");
    shop.drain().await;
    for owner in &owners {
        let cart = shop.view(owner).await;
        let written = shop.written(owner).await;
        assert_eq!(written, (cart.version > 0).then(|| (cart.version, held(&cart))), "{owner}");
        assert!(!shop.is_dirty(owner).await);
    }
}

#[tokio::test]
async fn a_burst_is_one_write_and_is_not_put_off_for_ever() {
    let shop = Shop::open().await;
    let (book, owner) = (shop.book(9).await, guest());
    for n in 1..=100 {
        carts::set(&shop.store, &owner, book, quantity(n % 9 + 1)).await.expect("set");
    }
    let due: i64 =
        shop.redis.clone().zscore(shop.keys.carts_dirty(owner.cart_bucket()), owner.to_string()).await.expect("due");
    assert!(due <= shop.store.now().get() + 1_000, "counted from the first edit");
    assert_eq!(shop.drain().await, 1);
}

#[tokio::test]
async fn what_is_due_is_found_by_itself() {
    let shop = Shop::open().await;
    let (book, owner) = (shop.book(9).await, guest());
    shop.add(&owner, book, 1).await;
    assert!(PersistCarts.fetch(&shop.store).await.expect("asked").is_none(), "not yet");
    tokio::time::sleep(Duration::from_millis(700)).await;
    let batch = PersistCarts.fetch(&shop.store).await.expect("asked").expect("due");
    // Its worker dies; nobody else gets it while it is leased.
    assert!(PersistCarts.fetch(&shop.store).await.expect("asked").is_none());
    drop(batch);
    assert_eq!(shop.drain().await, 1);
    assert!(shop.written(&owner).await.is_some());
}

#[tokio::test]
async fn a_cart_that_moved_while_it_was_written_stays_dirty() {
    let shop = Shop::open().await;
    let (book, owner) = (shop.book(9).await, guest());
    let old = shop.add(&owner, book, 1).await;
    shop.make_due().await;
    let batch = PersistCarts.fetch(&shop.store).await.expect("asked").expect("due");

    let mut pg = shop.pg().await;
    let mut lock = pg.begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE carts").execute(&mut *lock).await.expect("locked");
    let store = shop.store.clone();
    let worker = tokio::spawn(async move { PersistCarts.handle(&store, batch).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let new = shop.add(&owner, book, 1).await;
    lock.rollback().await.expect("unlocked");
    worker.await.expect("no panic").expect("written");

    assert_eq!(shop.written(&owner).await.expect("written").0, old.version);
    assert!(shop.is_dirty(&owner).await);
    shop.drain().await;
    assert_eq!(shop.written(&owner).await, Some((new.version, held(&new))));
}

#[tokio::test]
async fn an_older_state_never_overwrites_a_newer_one() {
    let shop = Shop::open().await;
    let (book, owner) = (shop.book(9).await, guest());
    let cart = shop.add(&owner, book, 1).await;
    shop.drain().await;
    let later = sqlx::query("UPDATE carts SET t = t + 1000000").execute(&mut shop.pg().await).await;
    later.expect("another shop wrote");
    shop.add(&owner, book, 1).await;
    shop.drain().await;
    assert_eq!(shop.written(&owner).await, Some((cart.version + 1_000_000, held(&cart))));
}

#[tokio::test]
async fn a_lost_cart_comes_back_with_the_next_read_or_edit() {
    let shop = Shop::open().await;
    let (one, two, owner) = (shop.book(9).await, shop.book(9).await, shop.shopper().await);
    let cart = shop.add(&owner, one, 2).await;
    shop.drain().await;
    shop.lose(&owner).await;
    assert_eq!(shop.view(&owner).await, cart, "by a read");
    shop.lose(&owner).await;
    assert_eq!(lines(&shop.store, &owner).await.expect("lines").lines, [(one, quantity(2))], "by an order");
    shop.lose(&owner).await;
    let edited = shop.add(&owner, two, 1).await;
    assert_eq!(held(&edited), [(one.get(), 2), (two.get(), 1)], "by an edit");
    assert!(edited.version > cart.version);
    assert!(shop.is_dirty(&owner).await);
    // Cleared is not lost.
    carts::clear(&shop.store, &owner).await.expect("cleared");
    assert_eq!(held(&shop.view(&owner).await), []);
}

#[tokio::test]
async fn only_clean_carts_of_guests_ever_leave_redis() {
    let shop = Shop::open().await;
    let (book, visitor, shopper) = (shop.book(9).await, guest(), shop.shopper().await);
    shop.add(&visitor, book, 1).await;
    shop.add(&shopper, book, 1).await;
    shop.drain().await;
    let ttl = async |owner| shop.redis.clone().ttl::<_, i64>(shop.keys.cart(owner)).await.expect("a ttl");
    assert!(ttl(&visitor).await > 3600);
    assert_eq!(ttl(&shopper).await, -1);
    shop.add(&visitor, book, 1).await;
    assert_eq!(ttl(&visitor).await, -1, "edited: Postgres does not have it");
}

#[tokio::test]
async fn a_poisoned_cart_is_parked_alone_and_comes_back() {
    let shop = Shop::open().await;
    let (book, sick, well) = (shop.book(9).await, guest(), guest());
    shop.add(&sick, book, 1).await;
    shop.add(&well, book, 1).await;
    // A book that Postgres does not have.
    shop.redis.clone().hset::<_, _, _, ()>(shop.keys.cart(&sick), "i:987654", 1).await.expect("poisoned");
    assert_eq!(shop.drain().await, 10);
    assert!(shop.written(&well).await.is_some() && shop.written(&sick).await.is_none());
    let parked = async || -> Vec<(String, i32, String)> {
        let parked = "SELECT key, attempts, state FROM dead_letters WHERE source = 'cart'";
        sqlx::query_as(parked).fetch_all(&mut shop.pg().await).await.expect("dead letters")
    };
    assert_eq!(parked().await, [(sick.to_string(), 10, "parked".to_owned())]);
    let dead: Vec<String> =
        shop.redis.clone().zrange(shop.keys.carts_dead(sick.cart_bucket()), 0, -1).await.expect("the dead set");
    assert_eq!(dead, [sick.to_string()]);

    // The shopper goes on, and when the cause is gone the next edit mends it.
    shop.redis.clone().hdel::<_, _, ()>(shop.keys.cart(&sick), "i:987654").await.expect("cured");
    let cart = shop.add(&sick, book, 1).await;
    shop.drain().await;
    assert_eq!(shop.written(&sick).await, Some((cart.version, held(&cart))));
    assert_eq!(parked().await, [(sick.to_string(), 10, "retried".to_owned())]);
}
