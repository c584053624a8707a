//! Addresses follow titles, old ones lead on, and none is ever given to another book; all of them in pieces for sitemaps.

use super::{count, pg};
use domain::BookId;
use std::io::Cursor;
use store::{
    Store,
    catalog::{self, BookEdit, import::import, places},
    testkit,
};

async fn bring_in(store: &Store, file: &'static str) {
    import(store, Cursor::new(file), |_| {}).await.expect("imported");
}

async fn retitle(store: &Store, slug: &str, title: &str) {
    let book = catalog::book(store, slug).await.expect("read").expect("a book").card.id;
    let edit = BookEdit { title: Some(title.to_owned()), ..BookEdit::default() };
    catalog::edit(store, book, edit).await.expect("edited");
}

/// Where an address leads now.
async fn leads_to(store: &Store, slug: &str) -> Option<(BookId, String)> {
    let book = catalog::book(store, slug).await.expect("read")?;
    Some((book.card.id, book.card.slug))
}

#[tokio::test]
async fn an_address_follows_the_title_and_the_old_ones_lead_to_the_newest() {
    let store = testkit::store().await;
    bring_in(&store, "sku,title,price,authors\nA,Siddharta,100,Hermann Hesse\nB,Demian,100,Hermann Hesse\n").await;
    let (id, _) = leads_to(&store, "siddharta").await.expect("a book");
    retitle(&store, "siddharta", "Siddhartha").await;
    retitle(&store, "siddhartha", "Siddhartha: An Indian Tale").await;
    let now = Some((id, "siddhartha-an-indian-tale".to_owned()));
    for slug in ["siddharta", "siddhartha", "siddhartha-an-indian-tale"] {
        assert_eq!(leads_to(&store, slug).await, now, "{slug}");
    }
    let old = catalog::facts_by_slug(&store, "siddharta").await.expect("read").expect("a book");
    assert_eq!(old.slug, "siddhartha-an-indian-tale");

    // Nobody else gets an address that once was another book's, by hand or by a file.
    retitle(&store, "demian", "Siddharta").await;
    assert_eq!(leads_to(&store, "demian").await.map(|(_, slug)| slug).as_deref(), Some("siddharta-hermann-hesse"));
    bring_in(&store, "sku,title,price,authors\nC,Siddhartha,100,Hermann Hesse\n").await;
    assert!(leads_to(&store, "siddhartha-hermann-hesse").await.is_some());
    assert_eq!(leads_to(&store, "siddhartha").await, now);

    // A book may have its own back; a series, or the same title again, moves nothing.
    bring_in(&store, "sku,title\nA,Siddharta\n").await;
    assert_eq!(leads_to(&store, "siddhartha-an-indian-tale").await, Some((id, "siddharta".to_owned())));
    let former = "SELECT count(*) FROM former_slugs";
    assert_eq!(count(&store, former).await, 3);
    bring_in(&store, "sku,title\nA,\"Siddharta (Classics, #4)\"\nB,Siddharta\n").await;
    assert_eq!(count(&store, former).await, 3);
    let both = "SELECT count(*) FROM former_slugs JOIN books USING (slug)";
    assert_eq!(count(&store, both).await, 0, "a present address is never a former one");
}

#[tokio::test]
async fn books_that_swap_their_titles_in_one_file_swap_no_addresses() {
    let store = testkit::store().await;
    bring_in(&store, "sku,title,price,authors\nA,North,100,Ann One\nB,South,100,Ben Two\n").await;
    bring_in(&store, "sku,title\nA,South\nB,North\n").await;
    assert_eq!(leads_to(&store, "north").await.map(|(_, slug)| slug).as_deref(), Some("south-ann-one"));
    assert_eq!(leads_to(&store, "south").await.map(|(_, slug)| slug).as_deref(), Some("north-ben-two"));
}

#[tokio::test]
async fn two_editors_give_one_title_at_once() {
    let store = testkit::store().await;
    bring_in(&store, "sku,title,price\nA,One,100\nB,Two,100\n").await;
    tokio::join!(retitle(&store, "one", "Same"), retitle(&store, "two", "Same"));
    assert_eq!(count(&store, "SELECT count(DISTINCT slug) FROM books WHERE slug LIKE 'same%'").await, 2);
}

#[tokio::test]
async fn every_place_is_in_one_part() {
    let store = testkit::store().await;
    let file = "sku,title,price,authors,categories,retired\nA,One,100,Ann One,poetry,\nB,Two,100,Ann One,poetry,\n\
                C,Three,100,Ben Two;Ann One,history,\nD,Four,100,Zed,history,yes\nE,Five,100,पाठक,history,\n";
    bring_in(&store, file).await;
    let newest = "UPDATE books SET updated_at = '2030-01-02T03:04:05Z' WHERE sku = 'B'";
    sqlx::query(newest).execute(&mut pg(&store).await).await.expect("changed");

    let parts = places::book_parts(&store, 2).await.expect("parts");
    assert_eq!(parts.iter().map(|part| part.number).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(parts[0].changed.get(), 1_893_553_445_000);
    let mut slugs = Vec::new();
    for part in parts {
        let (mut after, until) = (part.number * 2, (part.number + 1) * 2);
        while let Some((last, place)) = places::books(&store, after, until, 1).await.expect("a piece").pop() {
            after = last.get();
            slugs.push(place.slug);
        }
    }
    assert_eq!(slugs, ["one", "two", "three", "five"]);

    assert_eq!(places::count_authors(&store).await.expect("a count"), 2, "पाठक has no letters to make an address of");
    let authors = places::authors(&store, 0, 10).await.expect("authors");
    assert_eq!(authors.iter().map(|author| author.slug.as_str()).collect::<Vec<_>>(), ["ann-one", "ben-two"]);
    assert_eq!(authors[0].changed.get(), 1_893_553_445_000, "the newest of all their books");
    assert!(places::authors(&store, 1, 10).await.expect("the rest").len() == 1);
    let categories = places::categories(&store, 10).await.expect("categories");
    assert_eq!(categories.iter().map(|place| place.slug.as_str()).collect::<Vec<_>>(), ["history", "poetry"]);
    assert_eq!(categories[1].changed.get(), 1_893_553_445_000);
}
