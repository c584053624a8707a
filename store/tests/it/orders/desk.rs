//! What admins do with orders: packed, sent, arrived, called off; each once, and only along the table.

use super::shop::Shop;
use domain::{
    ErrorCode, OrderId,
    order::{OrderStatus, OrderView},
};
use store::{error::Error, orders, payments, viewer::Viewer};

async fn view(shop: &Shop, viewer: &Viewer, order: OrderId) -> OrderView {
    orders::get(&shop.store, viewer, order).await.expect("read").expect("there")
}

fn code<T: std::fmt::Debug>(refused: Result<T, Error>) -> ErrorCode {
    refused.expect_err("a refusal").to_api().code
}

#[tokio::test]
async fn a_parcel_goes_its_way_and_the_order_tells() {
    let shop = Shop::open().await;
    let (admin, book) = (shop.admin().await, shop.book(5).await);
    let (owner, order) = shop.paid_order(&[(book, 2)]).await;
    let shopper = Viewer::new(owner);
    assert_eq!(code(orders::ship(&shop.store, &admin, order, "Blue Dart", None).await), ErrorCode::Conflict);
    orders::begin_packing(&shop.store, &admin, order).await.unwrap();
    for (carrier, tracking) in [("", None), ("x\ny", None), ("Blue Dart", Some("1".repeat(61)))] {
        let refused = orders::ship(&shop.store, &admin, order, carrier, tracking.as_deref()).await;
        assert_eq!(code(refused), ErrorCode::InvalidFields);
    }
    let ship = || orders::ship(&shop.store, &admin, order, " Blue Dart ", Some("BD 42"));
    let (one, two) = tokio::join!(ship(), ship());
    assert!(one.is_ok() && two.is_ok(), "the second press finds what it wanted");
    assert_eq!(code(orders::ship(&shop.store, &admin, order, "Another", None).await), ErrorCode::Conflict);
    assert_eq!(code(orders::call_off(&shop.store, &admin, order, "late").await), ErrorCode::Conflict);
    orders::deliver(&shop.store, &admin, order).await.unwrap();
    orders::deliver(&shop.store, &admin, order).await.unwrap();
    let seen = view(&shop, &shopper, order).await;
    let parcel = seen.shipment.expect("a parcel");
    assert_eq!((parcel.carrier.as_deref(), parcel.tracking.as_deref()), (Some("Blue Dart"), Some("BD 42")));
    assert!(parcel.shipped_at <= parcel.delivered_at && parcel.delivered_at.is_some());
    let steps: Vec<OrderStatus> = seen.events.iter().map(|event| event.status).collect();
    use OrderStatus as S;
    assert_eq!(steps, [S::PaymentPending, S::Paid, S::Fulfilling, S::Shipped, S::Delivered]);
    assert_eq!(seen.events[3].note.as_deref(), Some("Blue Dart, BD 42"));
    assert!(seen.events.iter().all(|event| event.by.is_none()), "who did it is told to admins");
    let doers: Vec<_> = view(&shop, &admin, order).await.events.into_iter().map(|event| event.by).collect();
    let boss = Some("Boss".to_owned());
    assert_eq!(doers, [None, None, boss.clone(), boss.clone(), boss]);
    shop.apply_gate_ops().await;
    shop.assert_sound().await;
    assert_eq!(
        code(orders::deliver(&shop.store, &admin, OrderId::new(super::shop::uuid())).await),
        ErrorCode::NotFound
    );
}

#[tokio::test]
async fn a_full_refund_under_way_keeps_the_parcel_here() {
    let shop = Shop::open().await;
    let (admin, book) = (shop.admin().await, shop.book(5).await);
    let (_, order) = shop.paid_order(&[(book, 1)]).await;
    orders::begin_packing(&shop.store, &admin, order).await.unwrap();
    sqlx::query("UPDATE payments SET status = 'refunding'").execute(&shop.pg).await.unwrap();
    assert_eq!(code(orders::ship(&shop.store, &admin, order, "Blue Dart", None).await), ErrorCode::Conflict);
    assert_eq!(code(orders::call_off(&shop.store, &admin, order, "again").await), ErrorCode::Conflict);
    assert_eq!(shop.status(order).await, Some(OrderStatus::Fulfilling));
    assert_eq!(shop.count("SELECT count(*) FROM shipments WHERE shipped_at IS NOT NULL").await, 0);
}

#[tokio::test]
async fn called_off_before_it_was_paid_gives_the_copies_back() {
    let shop = Shop::open().await;
    let (admin, book) = (shop.admin().await, shop.book(5).await);
    let (owner, order) = shop.payable_order(&[(book, 2)]).await;
    let _session = shop.capture(order).await;
    assert_eq!(code(orders::call_off(&shop.store, &admin, order, " ").await), ErrorCode::InvalidFields);
    orders::call_off(&shop.store, &admin, order, "A damaged pallet").await.unwrap();
    orders::call_off(&shop.store, &admin, order, "Twice").await.unwrap();
    shop.apply_gate_ops().await;
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((5, 0), 5));
    assert_eq!(shop.count("SELECT count(*) FROM outbox WHERE topic = 'payment.close'").await, 1);
    assert_eq!(shop.count("SELECT count(*) FROM refunds").await, 0);
    let last = view(&shop, &Viewer::new(owner), order).await.events.pop().expect("a history");
    assert_eq!((last.status, last.note.as_deref()), (OrderStatus::Cancelled, Some("A damaged pallet")));
    let (_, waiting) = shop.waiting_order(&[(book, 1)]).await;
    assert_eq!(code(orders::call_off(&shop.store, &admin, waiting, "early").await), ErrorCode::Conflict);
    shop.assert_sound().await;
}

#[tokio::test]
async fn called_off_after_it_was_paid_sends_money_and_copies_back_once() {
    let shop = Shop::open().await;
    let (admin, book) = (shop.admin().await, shop.book(9).await);
    for is_packed in [false, true] {
        let (_, order) = shop.paid_order(&[(book, 3)]).await;
        if is_packed {
            orders::begin_packing(&shop.store, &admin, order).await.unwrap();
        }
        let call_off = || orders::call_off(&shop.store, &admin, order, "Out of print");
        let (one, two) = tokio::join!(call_off(), call_off());
        assert!(one.is_ok() && two.is_ok());
        assert_eq!(shop.status(order).await, Some(OrderStatus::Cancelled));
        shop.assert_sound().await;
    }
    shop.apply_gate_ops().await;
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((9, 0), 9));
    assert_eq!(shop.count("SELECT count(*) FROM stock_movements WHERE kind = 'return'").await, 2);
    let asked =
        "SELECT count(*) FROM outbox x JOIN refunds r ON r.id::text = x.key JOIN payments p ON p.id = r.payment_id
                 WHERE topic = 'refund.request' AND r.amount_minor = p.amount_minor AND p.status = 'refunding'";
    assert_eq!(shop.count(asked).await, 2);
    shop.assert_sound().await;
    // The provider's word ends it.
    assert_eq!(shop.confirm_refunds().await, [payments::Received::Applied; 2]);
    let ended = "SELECT count(*) FROM orders o JOIN order_history h ON h.order_id = o.id AND h.version = o.version
                 WHERE o.status = 'REFUNDED' AND h.cause = 'refund_confirmed'";
    assert_eq!(shop.count(ended).await, 2);
    shop.assert_sound().await;
}
