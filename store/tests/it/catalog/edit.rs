//! Books changed by hand or by a file: what is written, what is refused, and when carts have to hear of it.

use super::{count, pg};
use domain::{BookId, ErrorCode, Minor};
use std::io::Cursor;
use store::{
    Store,
    catalog::{self, BookEdit, import::import},
    error::Error,
    testkit,
};

async fn bring_in(store: &Store, file: &'static str) {
    import(store, Cursor::new(file), |_| {}).await.expect("imported");
}

/// The books of which carts have to hear, by SKU, with the stamps; they are forgotten.
async fn news(store: &Store) -> Vec<(String, i64)> {
    let news = "WITH gone AS (DELETE FROM outbox RETURNING *)
        SELECT sku, (payload->>'stamp')::bigint FROM gone JOIN books ON books.id::text = key
        WHERE topic = 'book.changed' ORDER BY gone.id";
    sqlx::query_as(news).fetch_all(&mut pg(store).await).await.expect("the outbox")
}

async fn changed(store: &Store) -> Vec<String> {
    news(store).await.into_iter().map(|(sku, _)| sku).collect()
}

async fn id(store: &Store, sku: &str) -> BookId {
    let id = sqlx::query_scalar("SELECT id FROM books WHERE sku = $1").bind(sku);
    BookId::new(id.fetch_one(&mut pg(store).await).await.expect("a book")).expect("an id")
}

#[tokio::test]
async fn a_file_tells_carts_only_what_really_changed() {
    let store = testkit::store().await;
    bring_in(&store, "sku,title,price,retired\nA,One,100,\nB,Two,100,no\nC,Three,100,yes\n").await;
    assert!(changed(&store).await.is_empty(), "new books are in no cart");
    assert_eq!(count(&store, "SELECT count(*) FROM books WHERE (sku = 'C') = (retired_at IS NOT NULL)").await, 3);

    bring_in(&store, "sku,title,price,retired,description\nA,One,100,no,New\nB,,100.00,,\nC,Three,,yes,\n").await;
    assert!(changed(&store).await.is_empty(), "the same again, and a text that carts do not show");
    for (file, told) in [
        ("sku,price\nA,120\nB,100\n", "A"),
        ("sku,title\nB,Two!\nC,Three\n", "B"),
        ("sku,retired\nA,yes\nC,yes\n", "A"),
        ("sku,retired\nA,YES\nC,No\n", "C"),
    ] {
        bring_in(&store, file).await;
        assert_eq!(changed(&store).await, [told], "{file}");
    }
    assert_eq!(count(&store, "SELECT count(*) FROM books WHERE (sku = 'A') = (retired_at IS NOT NULL)").await, 3);
    let refused = import(&store, Cursor::new("sku,retired\nA,perhaps\n"), |_| {}).await;
    assert!(refused.is_err() && changed(&store).await.is_empty());
}

#[tokio::test]
async fn an_edit_is_seen_at_once_and_only_news_reach_the_carts() {
    let store = testkit::store().await;
    bring_in(&store, "sku,title,price,authors\nA,One,100,Asha Rao\n").await;
    let book = id(&store, "A").await;
    let read = async || catalog::book_by_id(&store, book).await.expect("read").expect("a book");
    let before = read().await;
    let edit = BookEdit {
        title: Some(" Number  One ".into()),
        price: Some(Minor::new(12_050)),
        authors: Some(vec!["Asha Rao".into(), "Ravi Iyer".into()]),
        description: Some("Good.".into()),
        retired: Some(true),
    };
    catalog::edit(&store, book, edit.clone()).await.expect("edited");
    let after = read().await;
    assert_eq!((after.card.title.as_str(), after.card.price), ("Number One", Minor::new(12_050)));
    assert_eq!((after.card.authors.as_str(), after.description.as_str()), ("Asha Rao, Ravi Iyer", "Good."));
    assert_eq!((after.on_sale, after.card.slug.as_str()), (false, "number-one"), "was {}", before.card.slug);
    assert_eq!(changed(&store).await, ["A"]);

    catalog::edit(&store, book, edit).await.expect("the same again");
    let text = BookEdit { description: Some("Very good.".into()), ..BookEdit::default() };
    catalog::edit(&store, book, text).await.expect("edited");
    assert!(changed(&store).await.is_empty());
    catalog::edit(&store, book, BookEdit { retired: Some(false), ..BookEdit::default() }).await.expect("back");
    assert!(read().await.on_sale);
    assert_eq!(changed(&store).await, ["A"]);
}

#[tokio::test]
async fn stamps_grow_even_when_the_clock_does_not() {
    let store = testkit::store().await;
    bring_in(&store, "sku,title,price\nA,One,100\n").await;
    let book = id(&store, "A").await;
    // Written by a computer whose clock is ahead.
    let ahead = "UPDATE books SET updated_at = now() + interval '1 hour'";
    sqlx::query(ahead).execute(&mut pg(&store).await).await.expect("ahead");
    let edits = (1..=20).map(|price| {
        let price = Some(Minor::new(20_000 + price));
        catalog::edit(&store, book, BookEdit { price, ..BookEdit::default() })
    });
    futures::future::try_join_all(edits).await.expect("edited");
    let mut stamps: Vec<i64> = news(&store).await.into_iter().map(|(_, stamp)| stamp).collect();
    stamps.sort_unstable();
    stamps.dedup();
    assert_eq!(stamps.len(), 20);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let store = testkit::store().await;
    bring_in(&store, "sku,title,price\nA,One,100\n").await;
    let refusal = async |book, edit| match catalog::edit(&store, book, edit).await {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("not a refusal: {other:?}"),
    };
    let unknown = BookId::new(987_654).expect("an id");
    assert_eq!(refusal(unknown, BookEdit::default()).await.code, ErrorCode::NotFound);
    let nameless = BookEdit { title: Some(" ".into()), price: Some(Minor::new(-1)), ..BookEdit::default() };
    let refused = refusal(id(&store, "A").await, nameless).await;
    assert_eq!(refused.code, ErrorCode::InvalidFields);
    assert_eq!(refused.fields.keys().collect::<Vec<_>>(), ["price", "title"]);
    assert!(changed(&store).await.is_empty());
}
