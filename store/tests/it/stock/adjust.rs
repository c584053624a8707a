//! Corrections by hand: once per operation, taken at the gate first when they lower a count, readable afterwards.

use crate::orders::shop::Shop;
use domain::{
    BookId, ErrorCode,
    order::OrderStatus,
    stock::MovementKind::{self, Adjustment, Receipt, Sale},
};
use std::time::Duration;
use store::{
    error::Error,
    stock::{
        self,
        reconcile::{self, Scope},
    },
};

async fn adjust(shop: &Shop, book: BookId, delta: i32, kind: MovementKind, name: &str) -> Result<i64, ErrorCode> {
    let done = stock::adjust(&shop.store, book, delta, kind, name, Some("counted")).await;
    done.map_err(|error| error.to_api().code)
}

#[tokio::test]
async fn a_correction_is_made_once() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    assert_eq!(adjust(&shop, book, 5, Receipt, "delivery 1").await, Ok(15));
    assert_eq!(adjust(&shop, book, 5, Receipt, "delivery 1").await, Ok(15), "a repeat");
    assert_eq!(adjust(&shop, book, 6, Receipt, "delivery 1").await, Err(ErrorCode::KeyReused));
    assert_eq!(adjust(&shop, book, -1, Receipt, "x").await, Err(ErrorCode::BadRequest));
    assert_eq!(adjust(&shop, book, 1, Sale, "x").await, Err(ErrorCode::BadRequest));
    assert_eq!(adjust(&shop, book, 1, Receipt, "").await, Err(ErrorCode::BadRequest));
    assert_eq!(adjust(&shop, BookId::new(999_999).unwrap(), 1, Receipt, "x").await, Err(ErrorCode::NotFound));
    assert_eq!(shop.at_gate(book).await, 10, "committed first, then at the gate");
    shop.assert_sound().await;
    shop.apply_gate_ops().await;
    assert_eq!(shop.at_gate(book).await, 15);

    assert_eq!(adjust(&shop, book, -4, Adjustment, "damp").await, Ok(11));
    assert_eq!(shop.at_gate(book).await, 11, "taken at the gate first");
    shop.assert_sound().await;
    shop.apply_gate_ops().await;
    assert_eq!((shop.at_gate(book).await, shop.ledger(book).await), (11, (11, 0)));
    shop.assert_sound().await;
}

#[tokio::test]
async fn without_a_gate_nothing_is_taken_away() {
    use redis::AsyncCommands;
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    shop.waiting_order(&[(book, 4)]).await;
    let _: () = shop.redis.clone().del(shop.keys.epoch()).await.unwrap();
    assert_eq!(adjust(&shop, book, -7, Adjustment, "theft").await, Err(ErrorCode::NotReady));
    assert_eq!(adjust(&shop, book, 1, Receipt, "delivery").await, Ok(11), "what comes may come");
    stock::ensure_loaded(&shop.store).await.unwrap();
    assert_eq!(adjust(&shop, book, -7, Adjustment, "theft").await, Ok(4));
    shop.assert_sound().await;
}

#[tokio::test]
async fn what_orders_were_promised_is_not_taken_away() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let (_, waiting) = shop.waiting_order(&[(book, 4)]).await;
    assert_eq!(adjust(&shop, book, -7, Adjustment, "theft").await, Err(ErrorCode::Conflict));
    assert_eq!((shop.at_gate(book).await, shop.ledger(book).await), (6, (10, 0)));
    assert_eq!(adjust(&shop, book, -6, Adjustment, "theft").await, Ok(4));
    shop.persist_all().await;
    assert_eq!(shop.status(waiting).await, Some(OrderStatus::PaymentPending));
    assert_eq!(adjust(&shop, book, -1, Adjustment, "more").await, Err(ErrorCode::Conflict));
    shop.apply_gate_ops().await;
    assert_eq!((shop.at_gate(book).await, shop.ledger(book).await), (0, (4, 4)));
    shop.assert_sound().await;
    // The book's whole story, the latest first, in pages.
    let story = stock::history(&shop.store, book, None, 2).await.unwrap();
    let lines: Vec<_> = story.iter().map(|line| (line.kind, line.copies, line.on_hand, line.reserved)).collect();
    assert_eq!(lines, [(MovementKind::Reserve, 4, 4, 4), (Adjustment, -6, 4, 0)]);
    assert_eq!(story[0].order.as_ref().map(|(order, _)| *order), Some(waiting));
    assert_eq!((story[1].operation.as_deref(), story[1].note.as_deref()), (Some("theft"), Some("counted")));
    let rest = stock::history(&shop.store, book, Some(story[1].id), 50).await.unwrap();
    assert_eq!(rest.iter().map(|line| (line.kind, line.on_hand)).collect::<Vec<_>>(), [(Receipt, 10)]);
}

/// A correction cut off anywhere is made or not made; what is missing at the gate then comes back, and nothing is
/// "repaired" while one is under way.
#[tokio::test(flavor = "multi_thread")]
async fn a_correction_cut_off_anywhere_is_made_good() {
    let shop = Shop::open().await;
    let book = shop.book(1000).await;
    let correcting = async {
        for round in 0..40_u64 {
            let name = format!("cut {round}");
            let made = stock::adjust(&shop.store, book, -1, Adjustment, &name, None);
            let _: Result<Result<i64, Error>, _> = tokio::time::timeout(Duration::from_micros(round * 600), made).await;
            adjust(&shop, book, -1, Adjustment, &format!("whole {round}")).await.expect("adjust");
        }
    };
    let reconciling = async {
        for _ in 0..5 {
            reconcile::run(&shop.store, Scope::Recent).await.expect("reconcile");
        }
    };
    tokio::join!(correcting, reconciling);
    shop.apply_gate_ops().await;
    let report = reconcile::run(&shop.store, Scope::Recent).await.unwrap();
    assert!(report.is_repaired() && report.books_in_motion == 0, "{report:?}");
    let (on_hand, reserved) = shop.ledger(book).await;
    assert!((920..=960).contains(&on_hand), "{on_hand}");
    assert_eq!((shop.at_gate(book).await, reserved), (i64::from(on_hand), 0));
    shop.assert_sound().await;
}
