//! Imports that lower stock while it is being sold: at the gate first, never a promised copy, whole or not at all.

use crate::orders::shop::{Shop, eventually};
use domain::{BookId, order::OrderStatus};
use futures::future::join_all;
use redis::AsyncCommands;
use sqlx::Connection;
use std::{fmt::Write, io::Cursor, time::Duration};
use store::{
    catalog::import::{ImportError, ImportReport, Kept, import},
    stock::reconcile::{self, Scope},
};

async fn sku(shop: &Shop, book: BookId) -> String {
    let sku = sqlx::query_scalar("SELECT sku FROM books WHERE id = $1").bind(book.get());
    sku.fetch_one(&shop.pg).await.expect("its SKU")
}

async fn bring_in(shop: &Shop, file: String) -> Result<ImportReport, ImportError> {
    import(&shop.store, Cursor::new(file), |_| {}).await
}

/// Imports this count; returns the copies that stayed although the file says otherwise.
async fn count(shop: &Shop, book: BookId, copies: i32) -> Vec<Kept> {
    let file = format!("sku,stock\n{},{copies}\n", sku(shop, book).await);
    bring_in(shop, file).await.expect("imported").kept
}

#[tokio::test]
async fn what_falls_is_taken_at_the_gate_first() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    assert_eq!(count(&shop, book, 4).await, []);
    assert_eq!((shop.at_gate(book).await, shop.ledger(book).await), (4, (4, 0)), "without any worker");
    shop.assert_sound().await;
    let movements = shop.count("SELECT count(*) FROM stock_movements").await;
    assert_eq!(count(&shop, book, 4).await, []);
    assert_eq!(shop.count("SELECT count(*) FROM stock_movements").await, movements, "a repeat");
    // What rises is committed first, and fallen again before any worker saw it.
    assert_eq!(count(&shop, book, 9).await, []);
    assert_eq!((shop.at_gate(book).await, shop.ledger(book).await), (4, (9, 0)));
    assert_eq!(count(&shop, book, 1).await, []);
    assert_eq!((shop.at_gate(book).await, shop.ledger(book).await), (1, (1, 0)));
    shop.apply_gate_ops().await;
    assert_eq!(shop.at_gate(book).await, 1);
    shop.assert_sound().await;
}

#[tokio::test]
async fn promised_copies_stay_and_the_report_names_the_book() {
    let shop = Shop::open().await;
    let (book, other) = (shop.book(10).await, shop.book(3).await);
    let (payer, open) = shop.payable_order(&[(book, 3)]).await;
    let (_, waiting) = shop.waiting_order(&[(book, 2)]).await;
    let name = sku(&shop, book).await;
    let file = format!("sku,stock\n{},2\n{name},0\n", sku(&shop, other).await);
    let report = bring_in(&shop, file.clone()).await.expect("imported");
    assert_eq!(report.kept, [Kept { line: 3, book: name, asked: 0, on_hand: 5 }]);
    assert_eq!(report.kept_total, 1);
    assert_eq!((shop.at_gate(book).await, shop.ledger(book).await), (0, (5, 3)));
    assert_eq!((shop.at_gate(other).await, shop.ledger(other).await), (2, (2, 0)));
    shop.assert_sound().await;
    shop.persist_all().await;
    assert_eq!(shop.status(waiting).await, Some(OrderStatus::PaymentPending));
    shop.cancel(&payer, open).await.expect("cancel");
    // The copies of the cancelled order are on their way to the gate: they go as well.
    let report = bring_in(&shop, file).await.expect("imported");
    assert_eq!(report.kept.iter().map(|kept| kept.on_hand).collect::<Vec<_>>(), [2]);
    shop.apply_gate_ops().await;
    assert_eq!((shop.at_gate(book).await, shop.ledger(book).await), (0, (2, 2)));
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_gate_that_is_lost_is_loaded_before_a_count_falls() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let (_, waiting) = shop.waiting_order(&[(book, 2)]).await;
    let _: () = shop.redis.clone().del(shop.keys.epoch()).await.unwrap();
    assert_eq!(count(&shop, book, 0).await.len(), 1);
    assert_eq!((shop.at_gate(book).await, shop.ledger(book).await), (0, (2, 0)));
    shop.persist_all().await;
    assert_eq!(shop.status(waiting).await, Some(OrderStatus::PaymentPending));
    shop.assert_sound().await;
}

/// Kills an import when the gate has taken the copies and Postgres has not written them; `meanwhile` happens before that.
async fn cut_after_the_gate(shop: &Shop, book: BookId, copies: i32, meanwhile: impl Future<Output = ()>) {
    let mut blocker = sqlx::PgConnection::connect(&shop.store.config().database_url).await.expect("connect");
    let mut lock = blocker.begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE stock_movements IN EXCLUSIVE MODE").execute(&mut *lock).await.expect("lock");
    let taken = async || {
        eventually("taken at the gate", || async { shop.at_gate(book).await == i64::from(copies) }).await;
    };
    tokio::select! {
        kept = count(shop, book, copies) => panic!("not held up: {kept:?}"),
        () = async { taken().await; meanwhile.await } => {}
    }
    lock.rollback().await.expect("unlock");
}

#[tokio::test]
async fn what_was_taken_and_never_written_comes_back() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    cut_after_the_gate(&shop, book, 3, async {}).await;
    let report = reconcile::run(&shop.store, Scope::Recent).await.expect("reconcile");
    assert_eq!((report.drift.repaired, report.is_repaired()), (1, true));
    assert_eq!((shop.at_gate(book).await, shop.ledger(book).await), (10, (10, 0)));
    // Nor does a repeat take what is missing for promised.
    cut_after_the_gate(&shop, book, 3, async {}).await;
    assert_eq!(count(&shop, book, 3).await, []);
    assert_eq!((shop.at_gate(book).await, shop.ledger(book).await), (3, (3, 0)));
    shop.apply_gate_ops().await;
    assert_eq!(shop.at_gate(book).await, 3);
    shop.assert_sound().await;
}

#[tokio::test]
async fn the_check_calls_nothing_wrong_that_an_import_is_about_to_write() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    cut_after_the_gate(&shop, book, 3, shop.assert_sound()).await;
    let findings = store::check::run(&shop.store).await.unwrap();
    assert!(findings[0].violations[0].contains("the gate has 3"), "now it is: {findings:?}");
}

/// Numbers that were only given to what never committed, a Postgres that crashes gives again.
#[tokio::test]
async fn a_number_that_is_given_twice_is_another_operation() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    cut_after_the_gate(&shop, book, 3, async {}).await;
    let crash = "SELECT setval(pg_get_serial_sequence('gate_ops', 'id'), last_value, false) FROM gate_ops_id_seq";
    let number = shop.count(crash).await;
    shop.restock(book, 5).await;
    assert_eq!(shop.count("SELECT max(id) FROM gate_ops").await, number);
    shop.apply_gate_ops().await;
    assert_eq!(shop.at_gate(book).await, 8, "the new copies are on sale");
    let report = reconcile::run(&shop.store, Scope::Recent).await.expect("reconcile");
    assert!(report.is_repaired(), "{report:?}");
    assert_eq!((shop.at_gate(book).await, shop.ledger(book).await), (15, (15, 0)));
    shop.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_cut_off_anywhere_is_made_good_by_the_next() {
    let shop = Shop::open().await;
    let book = shop.book(1000).await;
    for round in 0..30_u64 {
        let copies = 990 - 20 * i32::try_from(round).unwrap();
        let _ = tokio::time::timeout(Duration::from_micros(round * 1500), count(&shop, book, copies)).await;
        assert_eq!(count(&shop, book, copies - 10).await, [], "round {round}");
        assert_eq!(shop.ledger(book).await, (copies - 10, 0));
    }
    shop.apply_gate_ops().await;
    reconcile::run(&shop.store, Scope::Recent).await.expect("reconcile");
    assert_eq!(shop.at_gate(book).await, 400);
    shop.assert_sound().await;
}

/// Twenty at a time buy one copy of each, while imports take away what is left.
#[tokio::test(flavor = "multi_thread")]
async fn imports_and_buyers_meet_and_nobody_is_promised_what_is_gone() {
    let shop = Shop::open().await;
    let books = [shop.book(100).await, shop.book(100).await];
    let lines = books.map(|book| (book, 1));
    let skus = [sku(&shop, books[0]).await, sku(&shop, books[1]).await];
    let shoppers = join_all((0..160).map(|_| shop.shopper(&lines))).await;
    let buying = async {
        let mut accepted = 0;
        for wave in shoppers.chunks(20) {
            let placed = join_all(wave.iter().map(|shopper| shop.place(shopper, "k"))).await;
            accepted += placed.iter().filter(|placed| placed.is_ok()).count();
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        accepted
    };
    let importing = async {
        for copies in [90, 70, 95, 60, 50, 40, 55, 30] {
            let mut file = String::from("sku,stock\n");
            for sku in &skus {
                writeln!(file, "{sku},{copies}").unwrap();
            }
            bring_in(&shop, file).await.expect("imported");
            shop.apply_gate_ops().await;
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    };
    let working = async {
        for _ in 0..60 {
            shop.persist_all().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (accepted, (), ()) = tokio::join!(buying, importing, working);
    shop.persist_all().await;
    shop.apply_gate_ops().await;
    let orders = shop.count("SELECT count(*) FROM orders WHERE status = 'PAYMENT_PENDING'").await;
    assert_eq!(orders, accepted as i64, "every accepted order got its copies");
    assert!((30..=100).contains(&orders), "{orders}: that was no race");
    for book in books {
        let (on_hand, reserved) = shop.ledger(book).await;
        assert_eq!((i64::from(reserved), shop.at_gate(book).await), (orders, i64::from(on_hand - reserved)));
    }
    shop.assert_sound().await;
}

/// One script for each operation of 500 lines, not one for each book.
#[tokio::test]
async fn thousands_of_counts_fall_about_as_fast_as_they_rise() {
    const BOOKS: u64 = 9_278;
    let shop = Shop::open().await;
    let file = |copies: u64| {
        (0..BOOKS).fold(String::from("sku,title,price,stock\n"), |mut file, number| {
            writeln!(file, "S{number},Book {number},100,{copies}").unwrap();
            file
        })
    };
    for copies in [5, 10, 4] {
        shop.apply_gate_ops().await;
        let started = tokio::time::Instant::now();
        let report = bring_in(&shop, file(copies)).await.expect("imported");
        println!("{BOOKS} books to {copies} copies in {:?}", started.elapsed());
        assert_eq!((report.lines, report.kept_total), (BOOKS, 0));
    }
    assert_eq!(shop.count("SELECT sum(on_hand) FROM stock").await as u64, BOOKS * 4);
    let at_gate: Vec<u64> = shop.redis.clone().hvals(shop.keys.stock()).await.unwrap();
    assert_eq!(at_gate, vec![4; BOOKS as usize]);
    shop.apply_gate_ops().await;
    let takes = "SELECT count(*) FROM gate_ops WHERE lines #>> '{0,1}' LIKE '-%'";
    assert_eq!(shop.count(takes).await, 19, "operations, each one script");
    shop.assert_sound().await;
}
