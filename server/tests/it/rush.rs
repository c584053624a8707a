//! A hundred people want ten copies, and two thousand want fifty.

use crate::{
    orders::{place, wait_for},
    shop::Shop,
    visitor::{Reply, Visitor},
};
use futures::{StreamExt, future::join_all, stream};
use std::time::{Duration, Instant};

/// Connections of a crowd: each is a file here and one in the shop.
const CONNECTIONS: usize = 250;

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_buyers_and_ten_copies_make_ten_orders() {
    let shop = Shop::start().await;
    let book = shop.book("Only Ten Copies").await;
    let buyers: Vec<_> = (0..100).map(|_| shop.visitor()).collect();
    let form = [("book_id", book.as_str()), ("quantity", "1")];
    for reply in join_all(buyers.iter().map(|buyer| buyer.post("/api/cart/add", &form))).await {
        reply.ok();
    }
    let replies = join_all(buyers.iter().map(|buyer| place(buyer, "rush"))).await;
    let (won, lost): (Vec<_>, Vec<_>) = buyers.iter().zip(&replies).partition(|(_, reply)| reply.status == 200);
    assert_eq!((won.len(), lost.len()), (10, 90));
    for (_, reply) in lost {
        assert_eq!(reply.refusal(), (409, "insufficient_stock".into()));
        let field = format!("book_{book}");
        assert_eq!(reply.json()["fields"][field.as_str()], "0", "{}", reply.body);
    }
    assert_eq!(shop.on_sale(&book).await, 0);
    for (buyer, reply) in won {
        let id = reply.json()["order_id"].as_str().expect("an order").to_owned();
        wait_for(buyer, &id, "PAYMENT_PENDING").await;
    }
    shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_buyers_and_fifty_copies_make_fifty_orders() {
    let shop = Shop::start().await;
    let book = shop.book("The First Book").await;
    let first = shop.visitor();
    let buyers: Vec<_> = (0..2_000).map(|_| first.neighbour()).collect();
    let form = [("book_id", book.as_str()), ("quantity", "1")];
    at_once(&buyers, async |buyer| buyer.post("/api/cart/add", &form).await).await.iter().for_each(|(reply, _)| {
        reply.ok();
    });
    let started = Instant::now();
    let replies = at_once(&buyers, async |buyer| place(buyer, "rush").await).await;
    let mut times: Vec<Duration> = replies.iter().map(|(_, answered)| *answered - started).collect();
    times.sort_unstable();
    println!("rush: p50 {:?}, p99 {:?}, last {:?}", times[1_000], times[1_980], times[1_999]);
    let (won, lost): (Vec<_>, Vec<_>) = buyers.iter().zip(replies).partition(|(_, (reply, _))| reply.status == 200);
    assert_eq!((won.len(), lost.len()), (50, 1_950));
    for (_, (reply, _)) in lost {
        assert_eq!(reply.refusal(), (409, "insufficient_stock".into()));
    }
    assert_eq!(shop.on_sale(&book).await, 0);
    for (buyer, (reply, _)) in won {
        wait_for(buyer, reply.json()["order_id"].as_str().expect("an order"), "PAYMENT_PENDING").await;
    }
    shop.assert_sound();
}

/// What everybody was answered, and when.
async fn at_once(buyers: &[Visitor], ask: impl AsyncFn(&Visitor) -> Reply) -> Vec<(Reply, Instant)> {
    let calls: Vec<_> = buyers.iter().map(async |buyer| (ask(buyer).await, Instant::now())).collect();
    stream::iter(calls).buffered(CONNECTIONS).collect().await
}
