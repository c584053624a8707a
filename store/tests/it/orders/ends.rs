//! The end: exactly one ender wins, and the copies come back once, in Postgres and at the gate.

use super::shop::Shop;
use domain::{ErrorCode, order::OrderStatus};
use store::{orders, payments, viewer::Viewer};

#[tokio::test]
async fn what_is_not_paid_in_time_gives_its_copies_back() {
    let shop = Shop::open().await;
    let book = shop.book(5).await;
    let (owner, order) = shop.payable_order(&[(book, 2)]).await;
    shop.expire_due().await;
    assert_eq!(shop.status(order).await, Some(OrderStatus::PaymentPending), "not yet");
    shop.let_time_pass(order).await;
    shop.expire_due().await;
    assert_eq!(shop.status(order).await, Some(OrderStatus::Expired));
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((5, 0), 3), "Postgres first");
    shop.assert_sound().await;
    shop.apply_gate_ops().await;
    assert_eq!(shop.at_gate(book).await, 5);
    assert!(!shop.has_reservation(order).await);
    shop.assert_sound().await;
    let refused = shop.cancel(&owner, order).await.unwrap_err().to_api();
    assert_eq!(refused.code, ErrorCode::NotCancellable);
}

#[tokio::test]
async fn a_cancellation_works_in_every_state_until_paid() {
    let shop = Shop::open().await;
    let book = shop.book(9).await;
    // In the stream: marked, then carried out by the worker.
    let (owner, waiting) = shop.waiting_order(&[(book, 1)]).await;
    assert_eq!(shop.cancel(&owner, waiting).await.unwrap(), OrderStatus::Pending);
    let view = orders::get(&shop.store, &Viewer::new(owner), waiting).await.unwrap().unwrap();
    assert!(view.cancel_asked);
    assert!(shop.cancel(&owner, waiting).await.is_ok(), "twice is fine");
    shop.persist_all().await;
    assert_eq!(shop.status(waiting).await, Some(OrderStatus::Cancelled));
    // In Postgres.
    let (owner, payable) = shop.payable_order(&[(book, 2)]).await;
    let stranger = shop.guest();
    assert_eq!(shop.cancel(&stranger, payable).await.unwrap_err().to_api().code, ErrorCode::NotFound);
    assert_eq!(shop.cancel(&owner, payable).await.unwrap(), OrderStatus::Cancelled);
    assert_eq!(shop.cancel(&owner, payable).await.unwrap(), OrderStatus::Cancelled);
    shop.assert_sound().await;
    shop.apply_gate_ops().await;
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((9, 0), 9));
    shop.assert_sound().await;
}

/// The mark comes after the worker read the reservation, and before it is through.
#[tokio::test]
async fn a_cancellation_between_reading_and_committing_is_not_lost() {
    use store::jobs::Job;
    let shop = Shop::open().await;
    let book = shop.book(5).await;
    let (owner, order) = shop.waiting_order(&[(book, 2)]).await;
    let mut batch = None;
    while batch.is_none() {
        batch = shop.persist.fetch(&shop.store).await.unwrap();
    }
    shop.cancel(&owner, order).await.unwrap();
    shop.persist.handle(&shop.store, batch.unwrap()).await.unwrap();
    assert_eq!(shop.status(order).await, Some(OrderStatus::Cancelled));
    let causes = "SELECT count(*) FROM order_history WHERE cause IN ('persisted', 'shopper_cancelled')";
    assert_eq!((shop.count(causes).await, shop.stream_len().await), (2, 0));
    shop.apply_gate_ops().await;
    assert_eq!(shop.at_gate(book).await, 5);
    shop.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_expire_and_persist_at_once_have_one_winner() {
    let shop = Shop::open().await;
    let book = shop.book(200).await;
    let mut orders = Vec::new();
    for number in 0..60 {
        let (owner, order) = match number % 2 {
            0 => shop.payable_order(&[(book, 1)]).await,
            _ => shop.waiting_order(&[(book, 1)]).await,
        };
        orders.push((owner, order));
    }
    for (_, order) in &orders {
        shop.let_time_pass(*order).await;
    }
    let cancelling = futures::future::join_all(orders.iter().map(|(owner, order)| shop.cancel(owner, *order)));
    let sweeping =
        async { tokio::join!(shop.expire_due(), shop.expire_due(), shop.persist_all(), shop.apply_gate_ops()) };
    tokio::join!(cancelling, sweeping);
    shop.persist_all().await;
    shop.expire_due().await;
    shop.apply_gate_ops().await;
    for (_, order) in &orders {
        let status = shop.status(*order).await.unwrap();
        assert!(matches!(status, OrderStatus::Cancelled | OrderStatus::Expired), "{status}");
    }
    let ends = "SELECT count(*) FROM order_history WHERE status IN ('CANCELLED', 'EXPIRED')";
    assert_eq!(shop.count(ends).await, 60);
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((200, 0), 200));
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_paid_order_keeps_its_copies_off_the_shelf() {
    let shop = Shop::open().await;
    let book = shop.book(5).await;
    let (owner, order) = shop.payable_order(&[(book, 2)]).await;
    let paying = shop.capture(order).await;
    assert_eq!(paying.await, payments::Received::Applied);
    assert_eq!(shop.status(order).await, Some(OrderStatus::Paid));
    shop.assert_sound().await;
    shop.apply_gate_ops().await;
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((3, 0), 3));
    assert!(!shop.has_reservation(order).await);
    shop.let_time_pass(order).await;
    shop.expire_due().await;
    assert_eq!(shop.cancel(&owner, order).await.unwrap_err().to_api().code, ErrorCode::NotCancellable);
    assert_eq!(shop.status(order).await, Some(OrderStatus::Paid));
    shop.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_deadline_and_shopper_at_once_have_one_winner() {
    let shop = Shop::open().await;
    let book = shop.book(100).await;
    let (mut orders, mut paying) = (Vec::new(), Vec::new());
    for _ in 0..30 {
        let (owner, order) = shop.payable_order(&[(book, 1)]).await;
        paying.push(shop.capture(order).await);
        orders.push((owner, order));
    }
    for (_, order) in &orders {
        shop.let_time_pass(*order).await;
    }
    let cancelling = futures::future::join_all(orders.iter().map(|(owner, order)| shop.cancel(owner, *order)));
    tokio::join!(futures::future::join_all(paying), cancelling, shop.expire_due(), shop.apply_gate_ops());
    shop.expire_due().await;
    shop.apply_gate_ops().await;
    let paid = shop.count("SELECT count(*) FROM orders WHERE status = 'PAID'").await;
    let over = shop.count("SELECT count(*) FROM orders WHERE status IN ('CANCELLED', 'EXPIRED')").await;
    assert_eq!(paid + over, 30);
    assert_eq!(shop.count("SELECT count(*) FROM payments WHERE status = 'late'").await, over);
    assert_eq!(shop.count("SELECT count(*) FROM stock_movements WHERE kind IN ('sale', 'release')").await, 30);
    assert_eq!((i64::from(shop.ledger(book).await.0), shop.at_gate(book).await), (100 - paid, 100 - paid));
    shop.assert_sound().await;
}

#[tokio::test]
async fn packing_begins_once_and_only_when_paid() {
    let shop = Shop::open().await;
    let admin = shop.admin().await;
    let book = shop.book(5).await;
    let (_, order) = shop.payable_order(&[(book, 2)]).await;
    let refused = orders::begin_packing(&shop.store, &admin, order).await.unwrap_err().to_api();
    assert_eq!(refused.code, ErrorCode::Conflict);
    shop.capture(order).await.await;
    let (one, two) = tokio::join!(
        orders::begin_packing(&shop.store, &admin, order),
        orders::begin_packing(&shop.store, &admin, order)
    );
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(shop.status(order).await, Some(OrderStatus::Fulfilling));
    assert_eq!(shop.count("SELECT count(*) FROM shipments WHERE address ->> 'city' = 'Bengaluru'").await, 1);
    assert_eq!(shop.count("SELECT count(*) FROM order_history WHERE cause = 'fulfilment_started'").await, 1);
    shop.assert_sound().await;
    // Its money is on its way back: nothing is packed.
    let (_, other) = shop.payable_order(&[(book, 1)]).await;
    shop.capture(other).await.await;
    sqlx::query("UPDATE payments SET status = 'refunding' WHERE order_id = $1")
        .bind(other.get())
        .execute(&shop.pg)
        .await
        .unwrap();
    assert!(orders::begin_packing(&shop.store, &admin, other).await.is_err());
    assert_eq!(shop.status(other).await, Some(OrderStatus::Paid));
}
