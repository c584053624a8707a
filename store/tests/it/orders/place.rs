//! Placing: all lines or none, one order per key, nobody hoards, what was seen is what is paid.

use super::shop::{Shop, eventually, expecting, request};
use domain::{ErrorCode, IdempotencyKey, Quantity, order::OrderStatus};
use redis::AsyncCommands;
use std::collections::HashSet;
use store::{carts, error::Error, jobs::Job, orders, viewer::Viewer};

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorCode {
    result.expect_err("a refusal").to_api().code
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_buyers_for_ten_copies() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let mut shoppers = Vec::new();
    for _ in 0..100 {
        shoppers.push(shop.shopper(&[(book, 1)]).await);
    }
    let results = futures::future::join_all(shoppers.iter().map(|owner| shop.place(owner, "k"))).await;
    let (placed, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((placed.len(), refused.len()), (10, 90));
    for refusal in refused {
        let refusal = refusal.unwrap_err().to_api();
        assert_eq!(refusal.code, ErrorCode::InsufficientStock);
        assert_eq!(refusal.fields.get(&format!("book_{book}")).map(String::as_str), Some("0"));
    }
    assert_eq!(shop.at_gate(book).await, 0);
    shop.assert_sound().await;
    shop.persist_all().await;
    assert_eq!(shop.ledger(book).await, (10, 10));
    assert_eq!(shop.count("SELECT count(*) FROM orders WHERE status = 'PAYMENT_PENDING'").await, 10);
    shop.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_order_however_often_it_is_sent() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let owner = shop.shopper(&[(book, 2)]).await;
    let answers = futures::future::join_all((0..100).map(|_| shop.place(&owner, "same"))).await;
    let answers: HashSet<String> =
        answers.into_iter().map(|answer| serde_json::to_string(&answer.expect("the same answer")).unwrap()).collect();
    assert_eq!(answers.len(), 1);
    assert_eq!((shop.at_gate(book).await, shop.stream_len().await), (8, 1));

    // The order moves on, the gate forgets: the answer stays.
    let first = shop.place(&owner, "same").await.unwrap();
    shop.persist_all().await;
    shop.cancel(&owner, first.order_id).await.unwrap();
    shop.apply_gate_ops().await;
    assert_eq!(shop.place(&owner, "same").await.unwrap(), first);
    shop.lose_redis().await;
    assert_eq!(shop.place(&owner, "same").await.unwrap(), first, "from Postgres alone");
    store::stock::ensure_loaded(&shop.store).await.unwrap();
    assert_eq!(shop.place(&owner, "same").await.unwrap(), first, "from the loaded gate");
    assert_eq!((shop.at_gate(book).await, shop.stream_len().await), (10, 0));
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_key_is_not_used_for_another_request() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let owner = shop.shopper(&[(book, 1)]).await;
    shop.place(&owner, "k").await.unwrap();
    let other = || orders::place(&shop.store, &owner, expecting(1), IdempotencyKey::parse("k").unwrap(), None);
    assert_eq!(code(other().await), ErrorCode::KeyReused);
    shop.persist_all().await;
    shop.lose_redis().await;
    assert_eq!(code(other().await), ErrorCode::KeyReused, "Postgres knows it too");
    // Somebody else's key of the same name is another key.
    store::stock::ensure_loaded(&shop.store).await.unwrap();
    let somebody = shop.shopper(&[(book, 1)]).await;
    assert!(shop.place(&somebody, "k").await.is_ok());
}

#[tokio::test]
async fn all_lines_or_none() {
    let shop = Shop::open().await;
    let (plenty, scarce) = (shop.book(10).await, shop.book(5).await);
    let owner = shop.shopper(&[(plenty, 2), (scarce, 3)]).await;
    shop.waiting_order(&[(scarce, 4)]).await;
    let refusal = shop.place(&owner, "k").await.unwrap_err().to_api();
    assert_eq!(refusal.code, ErrorCode::InsufficientStock);
    assert_eq!(refusal.fields.into_iter().collect::<Vec<_>>(), vec![(format!("book_{scarce}"), "1".to_owned())]);
    assert_eq!((shop.at_gate(plenty).await, shop.at_gate(scarce).await), (10, 1));
    // Nothing was recorded under the key: the same click works once there is enough.
    carts::set(&shop.store, &owner, scarce, Quantity::new(1).unwrap()).await.unwrap();
    assert!(shop.place(&owner, "k").await.is_ok());
    assert_eq!((shop.at_gate(plenty).await, shop.at_gate(scarce).await), (8, 0));
    assert!(carts::lines(&shop.store, &owner).await.unwrap().lines.is_empty(), "the cart gave its copies up");
    shop.assert_sound().await;
}

/// The script alone: a cart never has two lines of a book, an order made by hand could.
#[tokio::test]
async fn a_book_on_two_lines_is_summed() {
    let shop = Shop::open().await;
    let book = shop.book(5).await;
    let answer = |copies: [i64; 2]| {
        let (owner, order) = (shop.guest(), super::shop::uuid());
        let keys = [
            shop.keys.epoch(),
            shop.keys.stock(),
            shop.keys.changes(),
            shop.keys.placed(),
            shop.keys.idempotency(&owner, &IdempotencyKey::parse("k").unwrap()),
            shop.keys.holds(&owner),
            shop.keys.reservation(domain::OrderId::new(order)),
            shop.keys.latest(&owner),
            shop.keys.from(None),
            shop.keys.run_id(),
        ];
        let script = redis::Script::new(include_str!("../../../../lua/order_place.lua"));
        let (run_id, mut redis) = (shop.keys.run_id(), shop.redis.clone());
        async move {
            let run: String = redis.get(run_id).await.unwrap();
            let mut call = script.prepare_invoke();
            call.key(&keys[..]).arg(order.to_string()).arg(owner.to_string());
            call.arg("f").arg("{}").arg("{}").arg(1).arg(2).arg(5).arg(60).arg("channel").arg(" ").arg(0).arg(run);
            call.arg(book.get()).arg(copies[0]).arg(book.get()).arg(copies[1]);
            call.invoke_async::<Vec<String>>(&mut redis).await.unwrap()
        }
    };
    assert_eq!(answer([3, 3]).await, ["INSUFFICIENT".to_owned(), book.to_string(), "5".to_owned()]);
    assert_eq!(shop.at_gate(book).await, 5);
    assert_eq!(answer([3, 2]).await, ["PLACED"]);
    assert_eq!(shop.at_gate(book).await, 0);
    let entry: redis::streams::StreamRangeReply = shop.redis.clone().xrange_all(shop.keys.placed()).await.unwrap();
    assert_eq!(entry.ids[0].get::<String>("lines"), Some(format!("{book}:5")));
}

#[tokio::test]
async fn nobody_holds_more_than_five_orders() {
    let shop = Shop::open().await;
    let book = shop.book(100).await;
    let owner = shop.guest();
    let mut last = None;
    for number in 0..5 {
        shop.fill(&owner, &[(book, 1)]).await;
        last = Some(shop.place(&owner, &format!("k{number}")).await.unwrap().order_id);
    }
    shop.fill(&owner, &[(book, 1)]).await;
    assert_eq!(code(shop.place(&owner, "k5").await), ErrorCode::TooManyHolds);
    assert_eq!(shop.at_gate(book).await, 95);
    // One that ends makes room.
    shop.persist_all().await;
    shop.cancel(&owner, last.unwrap()).await.unwrap();
    shop.apply_gate_ops().await;
    assert!(shop.place(&owner, "k5").await.is_ok());
    shop.assert_sound().await;
}

#[tokio::test]
async fn what_the_shopper_saw_is_what_they_pay() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let owner = shop.guest();
    let place = |request, key: &str| {
        let key = IdempotencyKey::parse(key).unwrap();
        orders::place(&shop.store, &owner, request, key, None)
    };
    assert_eq!(code(place(request(), "k0").await), ErrorCode::EmptyCart);
    shop.fill(&owner, &[(book, 1)]).await;
    let refusal = place(expecting(49_900), "k1").await.unwrap_err().to_api();
    assert_eq!(refusal.code, ErrorCode::CartChanged, "delivery is missing");
    assert_eq!(refusal.cart.map(|cart| (cart.lines.len(), cart.total.get())), Some((1, 54_800)));
    let placed = place(expecting(49_900 + 4_900), "k1").await.unwrap();
    assert_eq!((placed.total.get(), placed.status), (54_800, OrderStatus::Pending));

    sqlx::query("UPDATE books SET retired_at = now()").execute(&shop.pg).await.unwrap();
    let retired = shop.book(1).await;
    sqlx::query("UPDATE books SET retired_at = now()").execute(&shop.pg).await.unwrap();
    let refused = carts::add(&shop.store, &owner, retired, Quantity::new(1).unwrap()).await;
    if refused.is_ok() {
        assert_eq!(code(place(request(), "k2").await), ErrorCode::NotOrderable);
    }
}

#[tokio::test]
async fn a_waiting_order_is_shown_from_the_gate() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let (owner, order) = shop.waiting_order(&[(book, 2)]).await;
    let viewer = Viewer::new(owner);
    let list = async |viewer: Viewer| orders::list(&shop.store, &viewer).await.unwrap().orders;
    let before = orders::get(&shop.store, &viewer, order).await.unwrap().unwrap();
    assert_eq!((before.status, before.version, before.cancel_asked), (OrderStatus::Pending, 0, false));
    assert_eq!(list(viewer.clone()).await.len(), 1);
    let stranger = Viewer::new(shop.guest());
    assert_eq!(orders::get(&shop.store, &stranger, order).await.unwrap(), None);
    assert!(list(stranger.clone()).await.is_empty());

    shop.persist_all().await;
    let after = orders::get(&shop.store, &viewer, order).await.unwrap().unwrap();
    assert_eq!((after.status, after.version, after.events.len()), (OrderStatus::PaymentPending, 1, 1));
    let same = |view: &domain::order::OrderView| (view.number.clone(), view.lines.clone(), view.total, view.placed_at);
    assert_eq!(same(&before), same(&after));
    let rows = list(viewer).await;
    assert_eq!(rows.iter().map(|row| (row.status, row.copies)).collect::<Vec<_>>(), [(OrderStatus::PaymentPending, 2)]);
    assert_eq!(orders::get(&shop.store, &stranger, order).await.unwrap(), None);
    // A browser that holds the guest's receipt may see it after logging in as somebody.
    let holder = Viewer { receipts: vec![(order, owner)], ..stranger };
    assert!(orders::get(&shop.store, &holder, order).await.unwrap().is_some());
    assert_eq!(list(holder).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_cart_is_one_order_however_many_keys() {
    let shop = Shop::open().await;
    let book = shop.book(100).await;
    for round in 0..10 {
        let owner = shop.shopper(&[(book, 2)]).await;
        let keys: Vec<String> = (0..12).map(|key| format!("k{key}")).collect();
        let answers = futures::future::join_all(keys.iter().map(|key| shop.place(&owner, key))).await;
        let (placed, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!(placed.len(), 1, "round {round}");
        for refusal in refused {
            assert!(matches!(code(refusal), ErrorCode::CartChanged | ErrorCode::EmptyCart));
        }
        assert_eq!(shop.at_gate(book).await, 100 - 2 * (round + 1));
        if round % 2 == 0 {
            shop.persist_all().await;
        }
        // What comes into the cart after that is another order.
        shop.fill(&owner, &[(book, 1)]).await;
        let next = shop.place(&owner, "next").await.expect("another order").order_id;
        shop.persist_all().await;
        shop.cancel(&owner, next).await.unwrap();
        shop.apply_gate_ops().await;
    }
    shop.assert_sound().await;
}

/// The server dies between the gate's yes and the cart: the copies are still in the cart, and cannot be ordered twice.
#[tokio::test]
async fn a_cart_that_did_not_give_its_order_up_does_so_before_the_next_one() {
    let shop = Shop::open().await;
    let book = shop.book(20).await;
    let lines = async |owner| {
        let lines = carts::lines(&shop.store, &owner).await.unwrap().lines;
        lines.iter().map(|(_, copies)| copies.get()).collect::<Vec<_>>()
    };
    for is_worker_first in [false, true] {
        let (owner, order) = shop.waiting_order(&[(book, 2)]).await;
        let mark = format!("taken:{order}");
        let _: () = shop.redis.clone().hdel(shop.keys.cart(&owner), &mark).await.unwrap();
        shop.fill(&owner, &[(book, 3)]).await;
        match is_worker_first {
            true => shop.persist_all().await,
            false => assert_eq!(code(shop.place(&owner, "k2").await), ErrorCode::CartChanged),
        }
        assert_eq!(lines(owner).await, [1], "two of the three were ordered");
        assert!(shop.place(&owner, "k2").await.is_ok());
        assert!(lines(owner).await.is_empty());
        shop.persist_all().await;
    }
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((20, 6), 14));
    shop.assert_sound().await;
}

/// What the gate keeps of an order is gone when it has ended: its cart only notes that.
#[tokio::test]
async fn an_ended_order_that_the_cart_knows_nothing_of_is_in_the_way_once() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let (owner, order) = shop.payable_order(&[(book, 2)]).await;
    shop.cancel(&owner, order).await.unwrap();
    shop.apply_gate_ops().await;
    let _: () = shop.redis.clone().hdel(shop.keys.cart(&owner), format!("taken:{order}")).await.unwrap();
    shop.fill(&owner, &[(book, 1)]).await;
    let refusal = shop.place(&owner, "k2").await.unwrap_err().to_api();
    assert_eq!((refusal.code, refusal.cart.expect("what is left").lines.len()), (ErrorCode::CartChanged, 1));
    assert!(shop.place(&owner, "k2").await.is_ok(), "all of it is ordered");
    shop.persist_all().await;
    shop.assert_sound().await;
}

/// The cart came back from before its order, which is long paid.
#[tokio::test]
async fn a_paid_order_that_the_cart_knows_nothing_of_is_taken_out_of_it() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let (owner, order) = shop.paid_order(&[(book, 2)]).await;
    shop.apply_gate_ops().await;
    let _: () = shop.redis.clone().hdel(shop.keys.cart(&owner), format!("taken:{order}")).await.unwrap();
    shop.fill(&owner, &[(book, 3)]).await;
    assert_eq!(code(shop.place(&owner, "k2").await), ErrorCode::CartChanged);
    assert_eq!(carts::lines(&shop.store, &owner).await.unwrap().lines[0].1.get(), 1);
    assert!(shop.place(&owner, "k2").await.is_ok());
}

/// Redis was restarted, and Postgres is away: what a cart that nobody can prove says of the order before counts.
#[tokio::test]
async fn with_postgres_away_a_cart_in_doubt_is_ordered_by_whoever_ordered_before() {
    let (shop, wire) = Shop::on_a_wire().await;
    let book = shop.book(10).await;
    let (owner, _) = shop.payable_order(&[(book, 1)]).await;
    shop.fill(&owner, &[(book, 2)]).await;
    let _: () = shop.redis.clone().hset(shop.keys.cart(&owner), "e", "another run").await.unwrap();
    wire.cut();
    let order = shop.place(&owner, "k2").await.unwrap().order_id;
    wire.mend();
    eventually("written down, and out of the cart", || async {
        if let Ok(Some(batch)) = shop.persist.fetch(&shop.store).await {
            let _ = shop.persist.handle(&shop.store, batch).await;
        }
        shop.stream_len().await == 0
    })
    .await;
    assert_eq!(shop.status(order).await, Some(OrderStatus::PaymentPending));
    assert!(carts::lines(&shop.store, &owner).await.unwrap().lines.is_empty());
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_lost_order_is_explained_to_whoever_holds_its_receipt() {
    let shop = Shop::open().await;
    let book = shop.book(10).await;
    let (owner, lost) = shop.waiting_order(&[(book, 2)]).await;
    let holder = Viewer { receipts: vec![(lost, owner)], ..Viewer::new(owner) };
    let get = async |viewer: Viewer| orders::get(&shop.store, &viewer, lost).await;
    shop.lose_redis().await;
    assert_eq!(code(get(holder.clone()).await), ErrorCode::NotReady, "the gate may still find it");
    store::stock::ensure_loaded(&shop.store).await.unwrap();
    let refusal = get(holder).await.unwrap_err().to_api();
    assert_eq!((refusal.code, refusal.code.status()), (ErrorCode::OrderLost, 404));
    assert!(refusal.message.contains("Nothing was charged"));
    assert_eq!(get(Viewer::new(owner)).await.unwrap(), None, "nobody else is told anything");
    assert_eq!(shop.at_gate(book).await, 10);
    shop.assert_sound().await;
}
