//! The catalogue moves under the carts: each that holds the book is told, once, wherever it is.

use super::*;
use domain::Minor;
use futures::future::join_all;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use store::{
    carts::told::TellCarts,
    catalog::{self, BookEdit},
};

async fn reprice(shop: &Shop, book: BookId, rupees: i64) {
    let price = Some(Minor::new(rupees * 100));
    catalog::edit(&shop.store, book, BookEdit { price, ..BookEdit::default() }).await.expect("a new price");
}

async fn retire(shop: &Shop, book: BookId, retired: bool) {
    let retired = Some(retired);
    catalog::edit(&shop.store, book, BookEdit { retired, ..BookEdit::default() }).await.expect("retired or back");
}

/// Time passes until the next round of every change is due, leases included; false: there is none.
async fn next_round(shop: &Shop) -> bool {
    let due = "UPDATE outbox SET due_at = '-infinity' WHERE topic = 'book.changed'";
    sqlx::query(due).execute(&mut shop.pg().await).await.expect("due").rows_affected() > 0
}

async fn turn(shop: &Shop) {
    if let Some(batch) = TellCarts.fetch(&shop.store).await.expect("leased") {
        TellCarts.handle(&shop.store, batch).await.expect("told");
    }
}

/// Everything to the end; returns the turns it took.
async fn tell_all(shop: &Shop) -> usize {
    for turns in 0..100 {
        if !next_round(shop).await {
            return turns;
        }
        turn(shop).await;
    }
    panic!("telling never ends");
}

/// Changes of the cart so far.
async fn changes(shop: &Shop, owner: &Owner) -> i64 {
    shop.redis.clone().hget(shop.keys.cart(owner), "v").await.expect("v")
}

/// Carts that hold the book (written down, just edited, a guest's) and carts that do not.
struct Carts {
    holders: Vec<Owner>,
    others: Vec<Owner>,
    before: HashMap<Owner, i64>,
}

impl Carts {
    async fn fill(shop: &Shop, book: BookId) -> Self {
        let other = shop.book(9).await;
        let (mut holders, mut others) = (vec![], vec![]);
        for n in 0..12 {
            let owner = if n % 2 == 0 { guest() } else { shop.shopper().await };
            let holds = n % 3 > 0;
            shop.add(&owner, if holds { book } else { other }, 1).await;
            if holds { &mut holders } else { &mut others }.push(owner);
            if n == 6 {
                // What follows is only in Redis.
                shop.drain().await;
            }
        }
        // Postgres still has this line; Redis has not.
        let left = shop.shopper().await;
        shop.add(&left, book, 1).await;
        shop.drain().await;
        carts::remove(&shop.store, &left, book).await.expect("removed");
        others.push(left);
        // Only now the last of them: dirty.
        let late = guest();
        shop.add(&late, book, 1).await;
        holders.push(late);
        let mut before = HashMap::new();
        for owner in holders.iter().chain(&others) {
            before.insert(*owner, changes(shop, owner).await);
        }
        Self { holders, others, before }
    }

    async fn assert_moved(&self, shop: &Shop, times: i64) {
        for owner in &self.holders {
            assert_eq!(changes(shop, owner).await, self.before[owner] + times, "{owner}");
        }
        for owner in &self.others {
            assert_eq!(changes(shop, owner).await, self.before[owner], "{owner} does not hold it");
        }
    }
}

#[tokio::test]
async fn every_cart_with_the_book_moves_once() {
    let shop = Shop::open().await;
    let book = shop.book(9).await;
    let carts = Carts::fill(&shop, book).await;
    let edited = shop.view(&carts.holders[0]).await.version;
    reprice(&shop, book, 90).await;
    next_round(&shop).await;
    turn(&shop).await;
    carts.assert_moved(&shop, 1).await;
    assert_eq!(tell_all(&shop).await, 1, "the second round, which finds nobody");
    carts.assert_moved(&shop, 1).await;
    for owner in &carts.holders {
        assert_eq!(shop.view(owner).await.lines[0].unit_price, Minor::new(9_000));
    }
    reprice(&shop, book, 80).await;
    reprice(&shop, book, 70).await;
    tell_all(&shop).await;
    let told = changes(&shop, &carts.holders[0]).await - carts.before[&carts.holders[0]];
    assert!((2..=3).contains(&told), "{told}: of two changes at once, the latter may be all there is to say");
    // Postgres follows, like after any edit; but to who looks for forgotten carts, nobody touched them.
    shop.drain().await;
    for owner in carts.holders.iter().chain(&carts.others) {
        let cart = shop.view(owner).await;
        assert_eq!(shop.written(owner).await, Some((cart.version, held(&cart))));
    }
    let touched = shop.view(&carts.holders[0]).await.version;
    assert!(touched < edited + 10, "{touched} {edited}");
}

#[tokio::test]
async fn three_workers_and_a_repeat_of_everything_tell_once() {
    let shop = Shop::open().await;
    let book = shop.book(9).await;
    let carts = Carts::fill(&shop, book).await;
    reprice(&shop, book, 90).await;
    for _ in 0..3 {
        // All three hold the same row, as after two leases that ran out.
        let mut batches = Vec::new();
        for _ in 0..3 {
            next_round(&shop).await;
            batches.extend(TellCarts.fetch(&shop.store).await.expect("leased"));
        }
        let told = batches.into_iter().map(|batch| TellCarts.handle(&shop.store, batch));
        assert!(join_all(told).await.iter().all(Result::is_ok));
    }
    tell_all(&shop).await;
    carts.assert_moved(&shop, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_anywhere_tells_nobody_twice_and_everybody_once() {
    let shop = Shop::open().await;
    let books = shop.books(4, 9).await;
    let mut all = Vec::new();
    for book in &books {
        all.push(Carts::fill(&shop, *book).await);
    }
    for (n, book) in books.iter().enumerate() {
        reprice(&shop, *book, 50).await;
        for step in 0..30 {
            next_round(&shop).await;
            // So many deaths in a row would be the message's own fault.
            sqlx::query("UPDATE outbox SET leases = 0 WHERE leases > 5")
                .execute(&mut shop.pg().await)
                .await
                .expect("forget");
            let _ = tokio::time::timeout(Duration::from_micros(step * 700 + n as u64 * 100), turn(&shop)).await;
        }
    }
    tell_all(&shop).await;
    for carts in &all {
        carts.assert_moved(&shop, 1).await;
    }
}

#[tokio::test]
async fn the_second_round_finds_what_was_put_in_meanwhile() {
    let shop = Shop::open().await;
    let (book, early, late) = (shop.book(9).await, guest(), guest());
    shop.add(&early, book, 1).await;
    shop.drain().await;
    reprice(&shop, book, 90).await;
    next_round(&shop).await;
    turn(&shop).await;
    assert!(TellCarts.fetch(&shop.store).await.expect("asked").is_none(), "not at once");
    let cart = shop.add(&late, book, 1).await;
    assert_eq!(tell_all(&shop).await, 1);
    assert!(shop.view(&late).await.version > cart.version);
    assert_eq!(changes(&shop, &early).await, 2);
}

#[tokio::test]
async fn a_broken_cart_holds_nobody_up() {
    let shop = Shop::open().await;
    let (book, sick) = (shop.book(9).await, guest());
    shop.add(&sick, book, 1).await;
    let carts = Carts::fill(&shop, book).await;
    shop.redis.clone().hset::<_, _, _, ()>(shop.keys.cart(&sick), "v", "many").await.expect("broken");
    reprice(&shop, book, 90).await;
    assert_eq!(tell_all(&shop).await, 2);
    carts.assert_moved(&shop, 1).await;
}

#[tokio::test]
async fn what_cannot_be_read_is_parked() {
    let shop = Shop::open().await;
    let bad = "INSERT INTO outbox (topic, key, attempts) VALUES ('book.changed', 'no book', 9)";
    sqlx::query(bad).execute(&mut shop.pg().await).await.expect("nonsense");
    assert_eq!(tell_all(&shop).await, 1);
    let parked = sqlx::query_scalar("SELECT key FROM dead_letters WHERE source = 'outbox'");
    let parked: Vec<String> = parked.fetch_all(&mut shop.pg().await).await.expect("dead letters");
    assert_eq!(parked, ["book.changed:no book"]);
}

#[tokio::test]
async fn a_guests_idle_cart_is_left_in_peace_and_an_accounts_comes_back() {
    let shop = Shop::open().await;
    let (book, idle, shopper) = (shop.book(9).await, guest(), shop.shopper().await);
    for owner in [&idle, &shopper] {
        shop.add(owner, book, 1).await;
    }
    shop.drain().await;
    for owner in [&idle, &shopper] {
        shop.lose(owner).await;
    }
    reprice(&shop, book, 90).await;
    tell_all(&shop).await;
    let is_there = async |owner| shop.redis.clone().exists::<_, bool>(shop.keys.cart(owner)).await.expect("asked");
    assert!(!is_there(&idle).await && is_there(&shopper).await);
    assert_eq!(changes(&shop, &shopper).await, 2);
    assert_eq!(shop.view(&idle).await.lines[0].unit_price, Minor::new(9_000));
}

#[tokio::test]
async fn a_retired_book_stays_marked_until_it_is_back() {
    let shop = Shop::open().await;
    let (book, owner) = (shop.book(9).await, shop.shopper().await);
    let cart = shop.add(&owner, book, 2).await;
    retire(&shop, book, true).await;
    tell_all(&shop).await;
    let marked = shop.view(&owner).await;
    assert_eq!((held(&marked), notice(&marked, book)), (held(&cart), Some(LineNotice::Retired)));
    assert!(marked.version > cart.version && !marked.is_orderable());
    assert_eq!(code(carts::add(&shop.store, &owner, book, quantity(1)).await), ErrorCode::NotOrderable);
    retire(&shop, book, false).await;
    tell_all(&shop).await;
    let back = shop.view(&owner).await;
    assert_eq!(notice(&back, book), None);
    assert!(back.version > marked.version && back.is_orderable());
}

#[tokio::test]
async fn the_old_price_is_named_until_the_new_one_was_seen() {
    let shop = Shop::open().await;
    let (book, owner) = (shop.book(9).await, shop.shopper().await);
    shop.add(&owner, book, 2).await;
    let was = Some(LineNotice::PriceChanged { was: Minor::new(10_000) });
    for (price, said) in [(90, was.clone()), (80, was.clone()), (100, None), (90, was.clone())] {
        reprice(&shop, book, price).await;
        tell_all(&shop).await;
        let cart = shop.view(&owner).await;
        assert_eq!((notice(&cart, book), cart.subtotal), (said, Minor::new(price * 200)), "{price}");
    }
    // Redis forgets; the price that they saw is not forgotten.
    shop.drain().await;
    shop.lose(&owner).await;
    assert_eq!(notice(&shop.view(&owner).await, book), was);
    let seen = carts::seen(&shop.store, &owner, Some(book)).await.expect("seen");
    assert_eq!((notice(&seen, book), seen.is_orderable()), (None, true));
    assert_eq!(shop.view(&owner).await, seen);
}

/// Carts with one book, in Redis and in Postgres, as if they had been filled and written down.
async fn crowd(shop: &Shop, book: BookId, size: i64) -> Vec<Owner> {
    let accounts = "INSERT INTO accounts (email, name, password_hash)
        SELECT 'n' || n || '@example.org', 'N', '-' FROM generate_series(1, $1) AS n RETURNING id";
    let mut pg = shop.pg().await;
    let ids: Vec<i64> = sqlx::query_scalar(accounts).bind(size).fetch_all(&mut pg).await.expect("accounts");
    let carts = "WITH c AS (INSERT INTO carts (owner, account_id, v, t) SELECT 'a:' || id, id, 1, 1 FROM unnest($1::bigint[]) AS id
        RETURNING owner) INSERT INTO cart_lines (owner, book_id, quantity) SELECT owner, $2, 1 FROM c";
    sqlx::query(carts).bind(&ids).bind(book.get()).execute(&mut pg).await.expect("carts");
    sqlx::query("ANALYZE carts, cart_lines").execute(&mut pg).await.expect("analysed");
    let owners: Vec<Owner> = ids.iter().map(|id| format!("a:{id}").parse().expect("an owner")).collect();
    for owner in &owners {
        // A read brings it into Redis.
        carts::lines(&shop.store, owner).await.expect("a cart");
    }
    owners
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_carts_are_told_in_bounded_turns() {
    let shop = Shop::open().await;
    let (bestseller, rare, fan) = (shop.book(9).await, shop.book(9).await, shop.shopper().await);
    let owners = crowd(&shop, bestseller, 5_000).await;
    shop.add(&fan, rare, 1).await;
    shop.drain().await;
    reprice(&shop, bestseller, 90).await;
    next_round(&shop).await;
    let started = Instant::now();
    turn(&shop).await;
    let first = started.elapsed();
    // What is changed meanwhile does not wait for all of them.
    reprice(&shop, rare, 90).await;
    turn(&shop).await;
    turn(&shop).await;
    assert_eq!(changes(&shop, &fan).await, 2);
    let mut turns = 3;
    while sqlx::query_scalar("SELECT count(*) FROM outbox WHERE payload->>'is_second_round' <> 'true'")
        .fetch_one(&mut shop.pg().await)
        .await
        .is_ok_and(|left: i64| left > 0)
    {
        turn(&shop).await;
        turns += 1;
    }
    println!("5,000 carts told in {:?}, {turns} turns, the first {first:?}", started.elapsed());
    assert!(turns >= 3, "no turn tells all of them");
    tell_all(&shop).await;
    for owner in &owners {
        assert_eq!(changes(&shop, owner).await, 2, "{owner}");
    }
}
