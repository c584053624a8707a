//! Redis comes back with an old file, or with none: the newer of two states stands, and edits made in doubt are kept.

use super::{outage::back, *};
use crate::servers::PrivateRedis;
use futures::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

#[tokio::test]
async fn an_old_file_gives_way_to_what_postgres_has() {
    let shop = Shop::open().await;
    let (one, two, three) = (shop.book(9).await, shop.book(9).await, shop.book(9).await);
    for way in ["read", "edit", "order", "worker"] {
        let owner = shop.shopper().await;
        shop.add(&owner, one, 1).await;
        shop.drain().await;
        let old = shop.copy(&owner).await;
        carts::remove(&shop.store, &owner, one).await.expect("removed");
        let newest = shop.add(&owner, two, 2).await;
        shop.drain().await;
        shop.revive(&owner, old).await;
        match way {
            "read" => assert_eq!(shop.view(&owner).await, newest, "as if nothing had happened"),
            "edit" => assert_eq!(held(&shop.add(&owner, three, 1).await), [(two.get(), 2), (three.get(), 1)]),
            "order" => {
                let lines = carts::lines(&shop.store, &owner).await.expect("lines").lines;
                assert_eq!(lines, [(two, quantity(2))]);
            }
            // It was dirty in the old file: nothing of that may reach Postgres.
            _ => {
                let dirty = shop.keys.carts_dirty(owner.cart_bucket());
                shop.redis.clone().zadd::<_, _, _, ()>(dirty, owner.to_string(), 0).await.expect("dirty");
            }
        }
        shop.drain().await;
        let cart = shop.view(&owner).await;
        assert!(cart.version >= newest.version && !held(&cart).contains(&(one.get(), 1)), "{way}");
        assert_eq!(shop.written(&owner).await, Some((cart.version, held(&cart))), "{way}");
    }
}

#[tokio::test]
async fn a_file_that_is_ahead_of_postgres_stays_and_is_written() {
    let shop = Shop::open().await;
    let (book, owner) = (shop.book(9).await, shop.shopper().await);
    shop.add(&owner, book, 1).await;
    shop.drain().await;
    let cart = shop.add(&owner, book, 4).await;
    let ahead = shop.copy(&owner).await;
    shop.revive(&owner, ahead).await;
    assert_eq!(shop.view(&owner).await, cart);
    assert!(shop.is_dirty(&owner).await, "though the mark was lost");
    shop.drain().await;
    assert_eq!(shop.written(&owner).await, Some((cart.version, held(&cart))));
}

#[tokio::test]
async fn a_restart_costs_no_edit_and_revives_none() {
    let mut server = PrivateRedis::start().await;
    let shop = Shop::at_redis(&server.url()).await;
    let (one, two, owner) = (shop.book(9).await, shop.book(9).await, shop.shopper().await);
    let mut redis = server.connection().await;
    shop.add(&owner, one, 2).await;
    shop.drain().await;
    let saved = server.dir.with_extension("old");
    let copied = std::process::Command::new("cp").arg("-r").args([&server.dir, &saved]).status();
    assert!(copied.expect("run cp").success());
    shop.add(&owner, two, 1).await;
    carts::remove(&shop.store, &owner, one).await.expect("removed");
    shop.drain().await;

    // Nothing is lost in the file: the cart is proven once and goes on.
    server.restart().await;
    assert_eq!(held(&shop.view(&owner).await), [(two.get(), 1)]);
    // The scripts are unknown to a new run, in an edit's pipeline too.
    redis = {
        drop(redis);
        server.connection().await
    };
    redis::cmd("SCRIPT").arg("FLUSH").exec_async(&mut redis).await.expect("forgotten");
    assert_eq!(held(&shop.add(&owner, two, 1).await), [(two.get(), 2)]);
    let shop = Shop { redis, ..shop };
    shop.drain().await;

    // The machine comes back with the file of an hour ago.
    server.kill();
    std::fs::remove_dir_all(&server.dir).expect("gone");
    std::fs::rename(&saved, &server.dir).expect("the old file");
    server.start_again().await;
    let old: Option<i64> =
        server.connection().await.hget(shop.keys.cart(&owner), format!("i:{one}")).await.expect("old");
    assert_eq!(old, Some(2), "it is really the old file");
    assert_eq!(held(&shop.add(&owner, two, 1).await), [(two.get(), 3)]);
}

#[tokio::test]
async fn orders_take_once_through_doubt_and_loss() {
    let (shop, wire) = Shop::on_a_wire().await;
    let (book, owner, order) = (shop.book(9).await, shop.shopper().await, new_order());
    let ordered = [(book, quantity(2))];
    shop.add(&owner, book, 5).await;
    shop.drain().await;
    let before = shop.copy(&owner).await;
    carts::take(&shop.store, &owner, order, &ordered).await.expect("taken");
    shop.drain().await;
    // The old file knows nothing of the order, and Postgres, which does, is away: better later than twice.
    shop.revive(&owner, before.clone()).await;
    wire.cut();
    assert!(carts::take(&shop.store, &owner, order, &ordered).await.is_err());
    assert!(carts::restore(&shop.store, &owner, order).await.is_err());
    assert_eq!(held(&shop.view(&owner).await), [(book.get(), 5)], "what there is to see");
    assert_eq!(held(&shop.add(&owner, book, 1).await), [(book.get(), 6)], "the shopper goes on");
    wire.mend();
    back(&shop).await;
    for _ in 0..3 {
        carts::take(&shop.store, &owner, order, &ordered).await.expect("taken before");
    }
    assert_eq!(held(&shop.view(&owner).await), [(book.get(), 4)]);
    shop.drain().await;
    shop.revive(&owner, before.clone()).await;
    carts::restore(&shop.store, &owner, order).await.expect("restored");
    shop.drain().await;
    shop.revive(&owner, before).await;
    carts::restore(&shop.store, &owner, order).await.expect("restored before");
    carts::take(&shop.store, &owner, order, &ordered).await.expect("barred");
    assert_eq!(held(&shop.view(&owner).await), [(book.get(), 6)]);
}

#[tokio::test]
async fn an_old_file_with_edits_in_doubt_does_not_add_them_again() {
    for way in ["look", "edit", "worker"] {
        let (shop, wire) = Shop::on_a_wire().await;
        let (book, other, owner) = (shop.book(9).await, shop.book(9).await, shop.shopper().await);
        shop.add(&owner, book, 2).await;
        shop.drain().await;
        shop.lose(&owner).await;
        wire.cut();
        shop.add(&owner, book, 1).await;
        let unproven = shop.copy(&owner).await;
        assert!(unproven.contains_key("unproven"));
        wire.mend();
        back(&shop).await;
        shop.drain().await;
        assert_eq!(held(&shop.view(&owner).await), [(book.get(), 3)]);
        // The file of before the proof comes back; Postgres has those edits already.
        shop.revive(&owner, unproven).await;
        let mut expected = vec![(book.get(), 3)];
        match way {
            "look" => assert_eq!(held(&shop.view(&owner).await), expected),
            "edit" => {
                expected.push((other.get(), 1));
                assert_eq!(held(&shop.add(&owner, other, 1).await), expected);
            }
            _ => {
                let dirty = shop.keys.carts_dirty(owner.cart_bucket());
                shop.redis.clone().zadd::<_, _, _, ()>(dirty, owner.to_string(), 0).await.expect("dirty");
            }
        }
        shop.drain().await;
        let cart = shop.view(&owner).await;
        assert_eq!(held(&cart), expected, "{way}");
        assert_eq!(shop.written(&owner).await, Some((cart.version, expected)), "{way}");
    }
}

#[tokio::test]
async fn a_refused_edit_in_doubt_takes_no_line_away() {
    let (shop, wire) = Shop::on_a_wire().await;
    let (book, owner) = (shop.book(9).await, shop.shopper().await);
    shop.add(&owner, book, 4).await;
    shop.drain().await;
    // Another process, which has never heard that the book is sold out.
    shop.stock(book, 0).await;
    shop.lose(&owner).await;
    wire.cut();
    assert_eq!(code(carts::set(&shop.store, &owner, book, quantity(3)).await), ErrorCode::InsufficientStock);
    wire.mend();
    back(&shop).await;
    shop.drain().await;
    assert_eq!(held(&shop.view(&owner).await), [(book.get(), 4)]);
}

/// What a cart ought to be: `base` is what edits in doubt began with.
#[derive(Default)]
struct Model {
    base: BTreeMap<usize, i64>,
    ours: BTreeMap<usize, i64>,
    replaced: BTreeSet<usize>,
    is_cleared: bool,
}

impl Model {
    fn edit(&mut self, kind: u64, book: usize, copies: i64) {
        let line = self.ours.entry(book).or_default();
        match kind {
            0..=4 => *line = (*line + copies).min(10),
            5 | 6 => *line = copies,
            7 | 8 => *line = 0,
            _ => (self.ours, self.is_cleared) = (BTreeMap::new(), true),
        }
        if matches!(kind, 5..=8) {
            self.replaced.insert(book);
        }
    }

    /// `newer`: what Postgres has, if that is newer than what the edits began with.
    fn proven(&self, newer: Option<&BTreeMap<usize, i64>>) -> BTreeMap<usize, i64> {
        let of = |lines: &BTreeMap<usize, i64>, book| lines.get(&book).copied().unwrap_or(0);
        let line = |book| match newer {
            Some(newer) if !self.is_cleared && !self.replaced.contains(&book) => {
                (of(newer, book) + of(&self.ours, book) - of(&self.base, book)).clamp(0, 10)
            }
            _ => of(&self.ours, book),
        };
        (0..BOOKS).map(|book| (book, line(book))).filter(|(_, copies)| *copies > 0).collect()
    }
}

const BOOKS: usize = 5;

/// The same numbers every time: a failure can be looked at again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn lines(&mut self) -> BTreeMap<usize, i64> {
        (0..BOOKS).map(|book| (book, self.roll(6) as i64)).filter(|(_, copies)| *copies > 0).collect()
    }
}

#[tokio::test]
async fn edits_in_doubt_are_merged_exactly() {
    let (shop, wire) = Shop::on_a_wire().await;
    let (books, mut dice) = (shop.books(5, 50).await, Dice(7));
    let fill = async |owner: &Owner, lines: &BTreeMap<usize, i64>| {
        carts::clear(&shop.store, owner).await.expect("cleared");
        for (book, copies) in lines {
            carts::set(&shop.store, owner, books[*book], quantity(*copies)).await.expect("set");
        }
    };
    let mut carts_in_doubt = Vec::new();
    for case in 0..24 {
        let (owner, old, newest) = (shop.shopper().await, dice.lines(), dice.lines());
        fill(&owner, &old).await;
        shop.drain().await;
        let copy = shop.copy(&owner).await;
        // A third of them lost everything, a third has an old file, a third one that is as new as Postgres.
        let (base, newer) = match case % 3 {
            0 => (BTreeMap::new(), Some(&newest)),
            1 => (old.clone(), Some(&newest)),
            _ => (old.clone(), None),
        };
        if newer.is_some() {
            fill(&owner, &newest).await;
            shop.drain().await;
        }
        match case % 3 {
            0 => shop.lose(&owner).await,
            _ => shop.revive(&owner, copy).await,
        }
        let edits: Vec<_> = (0..=dice.roll(5))
            .map(|_| (dice.roll(10), dice.roll(BOOKS as u64) as usize, dice.roll(4) as i64 + 1))
            .collect();
        let mut model = Model { base: base.clone(), ours: base, ..Model::default() };
        edits.iter().for_each(|(kind, book, copies)| model.edit(*kind, *book, *copies));
        carts_in_doubt.push((case, owner, model.proven(newer), edits));
    }
    wire.cut();
    join_all(carts_in_doubt.iter().map(async |(_, owner, _, edits)| {
        for (kind, book, copies) in edits {
            let book = books[*book];
            let edited = match kind {
                0..=4 => carts::add(&shop.store, owner, book, quantity(*copies)).await,
                5 | 6 => carts::set(&shop.store, owner, book, quantity(*copies)).await,
                7 | 8 => carts::remove(&shop.store, owner, book).await,
                _ => carts::clear(&shop.store, owner).await,
            };
            edited.expect("edited without Postgres");
        }
    }))
    .await;
    wire.mend();
    back(&shop).await;
    for (case, owner, expected, edits) in &carts_in_doubt {
        // Half of them are proven by the worker, half by a look.
        if case % 2 == 0 {
            shop.drain().await;
        }
        let cart = shop.view(owner).await;
        let expected: Vec<_> = expected.iter().map(|(book, copies)| (books[*book].get(), *copies)).collect();
        assert_eq!(held(&cart), expected, "case {case}: {edits:?}");
        shop.drain().await;
        assert_eq!(shop.written(owner).await, Some((cart.version, expected)), "case {case}");
    }
}
