//! The board: every filter finds what it names and nothing else, pages neither skip nor repeat, and of several orders taken on
//! at once each has an answer of its own.

use crate::orders::shop::{Shop, uuid};
use domain::{
    ErrorCode, Minor, OrderId,
    desk::{Board, BulkStep},
    order::OrderStatus,
    payment::PaymentStatus,
};
use std::collections::HashSet;
use store::{
    admin::board::{self, Bulk, Customer, Sort, Wanted, export::Export},
    orders,
};

const NOTHING: [OrderId; 0] = [];

async fn board(shop: &Shop, wanted: Wanted) -> Board {
    board::page(&shop.store, &wanted).await.expect("a page")
}

fn ids(board: &Board) -> Vec<OrderId> {
    board.orders.iter().map(|row| row.order.order_id).collect()
}

async fn found(shop: &Shop, wanted: Wanted) -> Vec<OrderId> {
    ids(&board(shop, wanted).await)
}

async fn set(shop: &Shop, sql: &'static str, order: OrderId) {
    sqlx::query(sql).bind(order.get()).execute(&shop.pg).await.expect(sql);
}

#[tokio::test]
async fn each_filter_finds_what_it_names() {
    let shop = Shop::open().await;
    let (one, two) = (shop.book(9).await, shop.book(9).await);
    let (_, paid) = shop.paid_order(&[(one, 1)]).await;
    let (_, open) = shop.payable_order(&[(two, 2)]).await;
    set(
        &shop,
        "UPDATE books SET isbn13 = '9780140449136' WHERE id = (SELECT book_id FROM order_items WHERE order_id = $1)",
        paid,
    )
    .await;
    set(
        &shop,
        "UPDATE orders SET email = 'ravi@example.org', placed_at = placed_at - interval '3 days' WHERE id = $1",
        open,
    )
    .await;
    let number = board(&shop, Wanted::default())
        .await
        .orders
        .iter()
        .find(|row| row.order.order_id == paid)
        .map(|row| row.order.number.to_string());
    let number = number.expect("the paid order");
    let all = Wanted::default;
    let text = |text: &str| Wanted { search: Some(text.to_owned()), ..all() };
    assert_eq!(found(&shop, all()).await, [paid, open], "the newest first");
    assert_eq!(found(&shop, Wanted { sort: Sort::Oldest, ..all() }).await, [open, paid]);
    assert_eq!(found(&shop, Wanted { sort: Sort::Largest, ..all() }).await, [open, paid]);
    assert_eq!(found(&shop, Wanted { status: Some(OrderStatus::Paid), ..all() }).await, [paid]);
    assert_eq!(found(&shop, Wanted { payment: Some(PaymentStatus::Captured), ..all() }).await, [paid]);
    assert_eq!(found(&shop, Wanted { provider: Some("stripe".into()), ..all() }).await, NOTHING);
    assert_eq!(found(&shop, Wanted { min: Some(Minor::new(60_000)), ..all() }).await, [open]);
    assert_eq!(found(&shop, Wanted { max: Some(Minor::new(60_000)), ..all() }).await, [paid]);
    assert_eq!(found(&shop, Wanted { until: Some(shop.store.now().plus(-86_400_000)), ..all() }).await, [open]);
    assert_eq!(found(&shop, Wanted { from: Some(shop.store.now().plus(-86_400_000)), ..all() }).await, [paid]);
    assert_eq!(found(&shop, Wanted { book: Some(two.to_string()), ..all() }).await, [open]);
    assert_eq!(found(&shop, Wanted { book: Some("none".into()), ..all() }).await, NOTHING);
    let ravi: Customer = "ravi@example.org".parse().expect("an address");
    assert_eq!(found(&shop, Wanted { customer: Some(ravi), ..all() }).await, [open]);
    assert_eq!(found(&shop, text(&number.to_lowercase())).await, [paid]);
    assert_eq!(found(&shop, text(&number[..9])).await, [paid], "a part of the number");
    assert_eq!(found(&shop, text("978-0-14-044913-6")).await, [paid]);
    assert_eq!(found(&shop, text("sha RAO")).await, [paid, open], "a part of the name");
    assert_eq!(found(&shop, text("a ra")).await, [paid, open], "too few letters in a row for an index");
    assert_eq!(found(&shop, text("asha_rao")).await, NOTHING, "signs of patterns are letters");
    assert_eq!(found(&shop, text("as")).await, NOTHING, "two letters are in too many words");
}

#[tokio::test]
async fn what_is_late_and_what_is_apart_is_marked_and_found() {
    let shop = Shop::open().await;
    let book = shop.book(9).await;
    let (_, late) = shop.paid_order(&[(book, 1)]).await;
    let (_, apart) = shop.paid_order(&[(book, 1)]).await;
    set(&shop, "UPDATE orders SET placed_at = placed_at - interval '3 days' WHERE id = $1", late).await;
    set(
        &shop,
        "INSERT INTO webhook_inbox (provider, event_id, kind, payload, outcome, received_at, order_id)
         VALUES ('sandbox', 'e', 'payment.captured', '{}', 'quarantined', now(), $1)",
        apart,
    )
    .await;
    let of = |status| Wanted { is_late: true, status, ..Wanted::default() };
    assert_eq!(found(&shop, of(None)).await, [late]);
    assert_eq!(found(&shop, of(Some(OrderStatus::Paid))).await, [late]);
    assert_eq!(found(&shop, of(Some(OrderStatus::Delivered))).await, NOTHING, "what has arrived is never late");
    assert_eq!(found(&shop, Wanted { money_apart: true, ..Wanted::default() }).await, [apart]);
    let marks: Vec<_> =
        board(&shop, Wanted::default()).await.orders.into_iter().map(|row| (row.is_late, row.money_apart)).collect();
    assert_eq!(marks, [(false, true), (true, false)]);
}

/// Orders that were all placed in the same moment, and for the same amount, are the worst that pages can meet.
#[tokio::test]
async fn pages_neither_skip_nor_repeat() {
    let shop = Shop::open().await;
    for _ in 0..3 {
        sqlx::query(
            "INSERT INTO orders (id, number, owner, guest_id, idempotency_key, fingerprint, status, email, address, currency,
               subtotal_minor, delivery_minor, total_minor, placed_at, expires_at)
             SELECT id, 'BB-' || upper(translate(substr(id::text, 1, 4), 'ilou', '0000')) || '-' || upper(substr(id::text, 5, 4)),
               'g:' || id, id, 'k', 'f', 'EXPIRED', 'a@b.in', '{}', 'INR', 100, 0, 100, now(), now()
             FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, 40)) AS x",
        )
        .execute(&shop.pg)
        .await
        .expect("orders");
    }
    for sort in [Sort::Newest, Sort::Oldest, Sort::Largest, Sort::Smallest] {
        let (mut after, mut seen, mut pages) = (None, HashSet::new(), 0);
        loop {
            let page = board(&shop, Wanted { sort, after, ..Wanted::default() }).await;
            assert!(ids(&page).into_iter().all(|id| seen.insert(id)), "{sort:?} repeats");
            pages += 1;
            let Some(next) = page.next else { break };
            after = Some(next.parse().expect("a place"));
        }
        assert_eq!((seen.len(), pages), (120, 3), "{sort:?}");
    }
    let mut export = Export::of(&shop.store, Wanted::default()).await.expect("an export");
    let mut lines = 0;
    while let Some(piece) = export.piece(&shop.store).await.expect("a piece") {
        lines += piece.lines().count();
    }
    assert_eq!(lines, 121, "a head, and every order");
}

/// Thousands of orders of the same book and shopper, and behind them sixty that cost more.
#[tokio::test]
async fn what_is_rare_is_found_far_behind_what_is_common() {
    let shop = Shop::open().await;
    let book = shop.book(9).await;
    let orders = "INSERT INTO orders (id, number, owner, guest_id, idempotency_key, fingerprint, status, email, address, currency,
           subtotal_minor, delivery_minor, total_minor, placed_at, expires_at)
         SELECT id, 'BB-' || upper(lpad(to_hex(n), 4, '0')) || '-0000', 'g:' || id, id, 'k', 'f',
           'EXPIRED', 'a@b.in', '{}', 'INR', total, 0, total, now() - n * interval '1 minute', now()
         FROM (SELECT gen_random_uuid() AS id, n, CASE WHEN n > 7000 THEN 500 ELSE 100 END AS total
           FROM generate_series(1, 7060) AS n) AS x";
    let items = format!(
        "INSERT INTO order_items (order_id, line_no, book_id, title, slug, quantity, unit_price_minor, line_total_minor)
         SELECT id, 1, {}, 'A Book', 'a-book', 1, 100, 100 FROM orders",
        book.get()
    );
    let words = "INSERT INTO order_words SELECT id, 'meera khan' FROM orders";
    for sql in [orders, &items, words] {
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(&shop.pg).await.expect("orders");
    }
    let dear = || Wanted { min: Some(Minor::new(500)), ..Wanted::default() };
    let text = |text: &str| Some(text.to_owned());
    for wanted in [
        dear(),
        Wanted { book: Some(book.to_string()), ..dear() },
        Wanted { search: text("meera"), ..dear() },
        Wanted { search: text("a k"), book: Some(book.to_string()), ..dear() },
    ] {
        let first = board(&shop, wanted.clone()).await;
        let after = first.next.as_deref().map(|next| next.parse().expect("a place"));
        let second = board(&shop, Wanted { after, ..wanted.clone() }).await;
        assert_eq!((first.orders.len(), second.orders.len(), second.next), (50, 10, None), "{wanted:?}");
        assert!(first.orders.iter().chain(&second.orders).all(|row| row.order.total.get() == 500), "{wanted:?}");
    }
    let mut export = Export::of(&shop.store, dear()).await.expect("an export");
    let mut lines = 0;
    while let Some(piece) = export.piece(&shop.store).await.expect("a piece") {
        lines += piece.lines().count();
    }
    assert_eq!(lines, 61, "a head, and the sixty");
}

#[tokio::test]
async fn of_several_orders_each_has_its_own_answer() {
    let shop = Shop::open().await;
    let (admin, book) = (shop.admin().await, shop.book(9).await);
    let mut orders = Vec::new();
    for _ in 0..2 {
        orders.push(shop.paid_order(&[(book, 1)]).await.1);
    }
    let (_, unpaid) = shop.payable_order(&[(book, 1)]).await;
    let nowhere = OrderId::new(uuid());
    let take = |step, orders: Vec<OrderId>, agreed: Option<String>| {
        let (carrier, reason) = ("Blue Dart".to_owned(), "A flood".to_owned());
        board::bulk(&shop.store, &admin, Bulk { step, orders, carrier, reason, agreed })
    };
    let all = [orders.clone(), vec![unpaid, nowhere]].concat();
    let done = take(BulkStep::Fulfil, all, None).await.expect("taken on");
    let ok: HashSet<_> = done.results.iter().filter(|result| result.is_done).map(|result| result.order_id).collect();
    assert_eq!(ok, orders.iter().copied().collect());
    assert!(done.said.is_some_and(|said| said.starts_with("2 orders went on.")), "what did not work is said");
    assert_eq!(shop.status(unpaid).await, Some(OrderStatus::PaymentPending));

    // Nothing happens before the consequence was read, and another choice has another one.
    let asked = take(BulkStep::Cancel, orders.clone(), Some(String::new())).await.expect_err("asked first").to_api();
    assert_eq!(asked.code, ErrorCode::NeedsConfirmation);
    assert!(asked.message.contains("2 orders") && asked.message.contains("₹1,096"), "{}", asked.message);
    let mark = asked.fields["agreed"].clone();
    assert_eq!(asked.fields["chosen"].split(',').count(), 2);
    let other = take(BulkStep::Cancel, vec![orders[0]], Some(mark.clone())).await.expect_err("another choice").to_api();
    assert_eq!(other.code, ErrorCode::NeedsConfirmation);
    assert_eq!(shop.status(orders[0]).await, Some(OrderStatus::Fulfilling));
    take(BulkStep::Cancel, orders.clone(), Some(mark)).await.expect("agreed");
    for order in &orders {
        assert_eq!(shop.status(*order).await, Some(OrderStatus::Cancelled));
    }
    let none = take(BulkStep::Fulfil, Vec::new(), None).await.expect_err("nothing chosen").to_api();
    assert_eq!(none.code, ErrorCode::BadRequest);
    orders::call_off(&shop.store, &admin, unpaid, "The end").await.expect("called off");
    shop.apply_gate_ops().await;
    shop.assert_sound().await;
}
