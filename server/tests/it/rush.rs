//! A hundred people want ten copies.

use crate::{
    orders::{place, wait_for},
    shop::Shop,
};
use futures::future::join_all;

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
