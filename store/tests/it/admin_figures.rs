//! The dashboard's figures are what the ledger says.

use crate::orders::shop::Shop;
use domain::{Minor, figures::FiguresView};
use store::admin::figures::{self, Span};

async fn figures(shop: &Shop, period: &str) -> FiguresView {
    figures::of(&shop.store, Span::parse(period, "", "").expect("a time")).await.expect("counted")
}

async fn sql(shop: &Shop, sql: &'static str) {
    sqlx::query(sql).execute(&shop.pg).await.expect(sql);
}

#[tokio::test]
async fn money_orders_and_people_are_counted_once() {
    let shop = Shop::open().await;
    let (good, rare) = (shop.book(50).await, shop.book(3).await);
    let (_, first) = shop.paid_order(&[(good, 2)]).await;
    shop.paid_order(&[(good, 1), (rare, 1)]).await;
    let (_, late) = shop.payable_order(&[(good, 1)]).await;
    shop.let_time_pass(late).await;
    shop.expire_due().await;
    shop.shopper(&[(good, 1)]).await;
    sql(
        &shop,
        "INSERT INTO carts (owner, guest_id, v, t) SELECT 'g:' || id, id, 1, 1 FROM (SELECT gen_random_uuid() AS id) x",
    )
    .await;
    sqlx::query("INSERT INTO cart_lines (owner, book_id, quantity) SELECT owner, $1, 1 FROM carts WHERE owner NOT IN (SELECT owner FROM orders)")
        .bind(good.get())
        .execute(&shop.pg)
        .await
        .unwrap();
    let refund = "INSERT INTO refunds (id, payment_id, order_id, amount_minor, currency, reason, status, created_at, confirmed_at)
        SELECT gen_random_uuid(), id, order_id, 9900, currency, 'bent', 'confirmed', now(), now() FROM payments WHERE order_id = $1";
    sqlx::query(refund).bind(first.get()).execute(&shop.pg).await.unwrap();

    let today = figures(&shop, "today").await;
    let captured = shop.count("SELECT sum(amount_minor)::bigint FROM payments WHERE captured_at IS NOT NULL").await;
    assert_eq!((today.now.captured, today.now.refunded), (Minor::new(captured), Minor::new(9900)));
    assert_eq!((today.now.orders, today.now.expired, today.now.payments), (3, 1, 2));
    assert_eq!(today.now, today.today, "today is today");
    assert_eq!(today.now.average(), Some(Minor::new(captured / 2)));
    assert_eq!((today.funnel.ordered, today.funnel.paid), (3, 2));
    assert!(today.funnel.carts > 3, "{:?}", today.funnel);
    assert_eq!(today.series.len(), 24);
    assert_eq!(today.series.iter().map(|point| point.revenue.get()).sum::<i64>(), captured - 9900);
    assert_eq!(today.series.iter().map(|point| point.orders).sum::<i64>(), 3);
    let top: Vec<_> = today.top.iter().map(|book| (book.book_id, book.copies)).collect();
    assert_eq!(top, [(good.get(), 3), (rare.get(), 1)]);
    assert_eq!((today.low_total, today.low[0].book_id, today.low[0].available), (1, rare.get(), 2));
    assert_eq!(today.before.orders, 0);
}

#[tokio::test]
async fn each_book_runs_low_by_its_own_number_or_by_the_shops() {
    let shop = Shop::open().await;
    let (many, few, none) = (shop.book(50).await, shop.book(4).await, shop.book(9).await);
    for (book, own) in [(many, Some(60)), (few, None), (none, Some(8))] {
        let update = sqlx::query("UPDATE stock SET low_from = $2 WHERE book_id = $1").bind(book.get()).bind(own);
        update.execute(&shop.pg).await.expect("a number of its own");
    }
    let low = async |period: &str| {
        let seen = figures(&shop, period).await;
        (seen.low_total, seen.low.into_iter().map(|book| book.book_id).collect::<Vec<_>>())
    };
    assert_eq!(low("today").await, (1, vec![many.get()]));
    sql(&shop, "UPDATE stock_settings SET low_from = 4").await;
    // Another time is another question: kept figures are good for a moment.
    assert_eq!(low("7").await, (2, vec![few.get(), many.get()]));
    sql(&shop, "DELETE FROM stock WHERE book_id = (SELECT max(id) FROM books)").await;
    assert_eq!(low("30").await, (3, vec![none.get(), few.get(), many.get()]));
}

#[tokio::test]
async fn a_time_is_held_against_the_one_before() {
    let shop = Shop::open().await;
    let book = shop.book(50).await;
    shop.paid_order(&[(book, 1)]).await;
    shop.paid_order(&[(book, 1)]).await;
    // One of them ten days ago; a third, today a week ago, an instant before this one.
    sql(&shop, "WITH old AS (UPDATE orders SET placed_at = placed_at - interval '10 days' WHERE id = (SELECT min(id::text)::uuid FROM orders) RETURNING id)
        UPDATE payments SET captured_at = captured_at - interval '10 days' WHERE order_id IN (SELECT id FROM old)").await;
    let week = figures(&shop, "7").await;
    assert_eq!((week.now.orders, week.before.orders, week.now.payments, week.before.payments), (1, 1, 1, 1));
    assert_eq!((week.series.len(), week.label.as_str()), (7, "the last 7 days"));
    let month = figures(&shop, "30").await;
    assert_eq!((month.now.orders, month.before.orders), (2, 0));
    sql(
        &shop,
        "UPDATE orders SET placed_at = placed_at + interval '3 days' WHERE placed_at < now() - interval '9 days'",
    )
    .await;
    // Kept figures are good for a moment; another time is another question.
    let today = figures(&shop, "today").await;
    assert_eq!((today.today.orders, today.week_ago.orders), (1, 1));
}

/// How long the queries take over many orders: `cargo test -p store --test it -- --ignored figures_of_many`.
#[tokio::test]
#[ignore = "fills a database with 100,000 orders and measures"]
async fn figures_of_many_orders_come_quickly() {
    let shop = Shop::open().await;
    for step in [
        "INSERT INTO books (sku, slug, title, authors, price_minor) SELECT n::text, n::text, 'Book ' || n, '{A}', 49900 FROM generate_series(1, 9000) n",
        "INSERT INTO stock (book_id, on_hand) SELECT id, (id % 40)::integer FROM books",
        "INSERT INTO orders (id, number, owner, guest_id, idempotency_key, fingerprint, status, email, address, currency,
             subtotal_minor, delivery_minor, total_minor, placed_at, expires_at)
         SELECT id, n::text, 'g:' || guest, guest, 'k' || n, '', (ARRAY['DELIVERED', 'PAID', 'EXPIRED', 'SHIPPED'])[1 + n % 4], 'a@b.in', '{}',
                'INR', 49900, 0, 49900, at, at
         FROM (SELECT n, gen_random_uuid() AS id, md5((n % 30000)::text)::uuid AS guest, now() - n * interval '77 seconds' AS at
               FROM generate_series(1, 100000) n) x",
        "INSERT INTO payments (id, order_id, provider, status, amount_minor, currency, created_at, captured_at)
         SELECT gen_random_uuid(), id, 'sandbox', 'captured', 49900, 'INR', placed_at, placed_at FROM orders WHERE status <> 'EXPIRED'",
        "INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, order_id, claim_no, at)
         SELECT 1 + (abs(hashtext(o.id::text)) + line) % 9000, 'sale', 1, -1, -1, o.id, 1, o.placed_at
         FROM orders o, generate_series(1, 2) line WHERE o.status <> 'EXPIRED' ORDER BY o.placed_at",
        "INSERT INTO carts (owner, guest_id, v, t, updated_at)
         SELECT 'g:' || guest_id, guest_id, 1, 1, max(placed_at) FROM orders GROUP BY guest_id",
        "ANALYZE",
    ] {
        sql(&shop, step).await;
    }
    for period in ["today", "7", "30", "90"] {
        let started = std::time::Instant::now();
        let view = figures(&shop, period).await;
        println!("{period}: {} orders in {:?}", view.now.orders, started.elapsed());
        assert!(started.elapsed() < std::time::Duration::from_secs(3), "{period}");
    }
}
