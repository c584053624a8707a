//! Books made and changed on the desk: whole forms, two people at once, what carts hear.

use super::{count, pg};
use crate::orders::shop::Shop;
use domain::{ApiError, BookId, ErrorCode, Minor, catalog::desk::BookForm};
use store::{
    admin::books,
    catalog::{self, editor},
};

fn form() -> BookForm {
    BookForm {
        sku: "N-1".into(),
        isbn13: "978-0-679-45731-2".into(),
        title: "The God of Small Things".into(),
        authors: "Arundhati Roy".into(),
        price: "599".into(),
        categories: "Indian Writing; fiction".into(),
        ..BookForm::default()
    }
}

async fn made(shop: &Shop, form: &BookForm, copies: &str) -> Result<BookId, ApiError> {
    editor::create(&shop.store, &shop.admin().await, form, copies).await.map_err(|error| error.to_api())
}

async fn saved(shop: &Shop, book: BookId, version: i64, form: &BookForm) -> Result<(), ApiError> {
    editor::save(&shop.store, &shop.admin().await, book, version, form).await.map_err(|error| error.to_api())
}

async fn seen(shop: &Shop, book: BookId) -> (i64, BookForm) {
    let desk = books::desk(&shop.store, book, None).await.expect("read").expect("a book");
    (desk.version, desk.form)
}

/// How often carts were to hear of a book since the last look.
async fn told(shop: &Shop) -> usize {
    let told = sqlx::query("DELETE FROM outbox WHERE topic = 'book.changed' RETURNING id");
    told.fetch_all(&mut pg(&shop.store).await).await.expect("the outbox").len()
}

#[tokio::test]
async fn a_new_book_is_on_sale_at_once() {
    let shop = Shop::open().await;
    let book = made(&shop, &form(), "7").await.expect("made");
    shop.apply_gate_ops().await;
    let page = catalog::book_by_id(&shop.store, book).await.expect("read").expect("a book");
    assert_eq!((page.card.slug.as_str(), page.card.available), ("the-god-of-small-things", Some(7)));
    assert_eq!((page.isbn.as_deref(), page.card.price), (Some("9780679457312"), Minor::new(59_900)));
    assert_eq!(page.card.category.as_deref(), Some("indian-writing"));
    let none = made(&shop, &BookForm { sku: "N-2".into(), isbn13: String::new(), ..form() }, "").await.expect("made");
    shop.apply_gate_ops().await;
    let page = catalog::book_by_id(&shop.store, none).await.expect("read").expect("a book");
    assert_eq!((page.card.slug.as_str(), page.card.available), ("the-god-of-small-things-arundhati-roy", Some(0)));
    for (wrong, field) in [
        (BookForm { isbn13: String::new(), ..form() }, "sku"),
        (BookForm { sku: "N-3".into(), ..form() }, "isbn13"),
        (BookForm { sku: "N-3".into(), isbn13: "1".into(), ..form() }, "isbn13"),
    ] {
        let refused = made(&shop, &wrong, "").await.expect_err("refused");
        assert_eq!(
            (refused.code, refused.fields.keys().next().map(String::as_str)),
            (ErrorCode::InvalidFields, Some(field))
        );
    }
    assert_eq!(count(&shop.store, "SELECT count(*) FROM books").await, 2);
    assert_eq!(told(&shop).await, 0, "new books are in no cart");
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_form_is_saved_as_a_whole_and_carts_hear_only_news() {
    let shop = Shop::open().await;
    let full = BookForm { subtitle: "A novel".into(), year: "1997".into(), pages: "321".into(), ..form() };
    let book = made(&shop, &full, "").await.expect("made");
    let (version, as_shown) = seen(&shop, book).await;
    saved(&shop, book, version, &as_shown).await.expect("the same again");
    assert_eq!(seen(&shop, book).await, (version, as_shown.clone()), "nothing was written");

    let emptied = BookForm {
        subtitle: String::new(),
        isbn13: String::new(),
        year: String::new(),
        pages: String::new(),
        categories: String::new(),
        description: "Good.".into(),
        ..as_shown
    };
    saved(&shop, book, version, &emptied).await.expect("saved");
    let (newer, shown) = seen(&shop, book).await;
    assert_eq!(shown, emptied);
    assert!(newer > version);
    assert_eq!(told(&shop).await, 0, "carts show none of that");

    let dearer = BookForm { price: "649.50".into(), title: "Small Things".into(), ..shown };
    saved(&shop, book, newer, &dearer).await.expect("saved");
    assert_eq!(told(&shop).await, 1);
    let page = catalog::book(&shop.store, "the-god-of-small-things").await.expect("read").expect("its old address");
    assert_eq!((page.card.slug.as_str(), page.card.price), ("small-things", Minor::new(64_950)));
    editor::retire(&shop.store, &shop.admin().await, book, true).await.expect("retired");
    editor::retire(&shop.store, &shop.admin().await, book, true).await.expect("the same again");
    assert_eq!(told(&shop).await, 1);
    assert!(!catalog::book_by_id(&shop.store, book).await.expect("read").expect("a book").on_sale);
    let written = "SELECT string_agg(action || coalesce(after->>'price', ''), ' ' ORDER BY id) FROM admin_audit";
    let written: String = sqlx::query_scalar(written).fetch_one(&mut pg(&shop.store).await).await.expect("the log");
    assert_eq!(written, "book.create599 book.edit book.edit649.50 book.retire");
}

#[tokio::test]
async fn of_two_at_once_one_wins_and_the_other_is_told() {
    let shop = Shop::open().await;
    let book = made(&shop, &form(), "").await.expect("made");
    let (version, shown) = seen(&shop, book).await;
    let mine = BookForm { price: "650".into(), ..shown.clone() };
    let theirs = BookForm { price: "640".into(), description: "Better.".into(), ..shown };
    let (one, other) = tokio::join!(saved(&shop, book, version, &mine), saved(&shop, book, version, &theirs));
    let (lost, typed) = match (one, other) {
        (Ok(()), Err(lost)) => (lost, theirs),
        (Err(lost), Ok(())) => (lost, mine),
        both => panic!("not one of two: {both:?}"),
    };
    assert_eq!(lost.code, ErrorCode::Conflict);
    let (newer, now) = seen(&shop, book).await;
    assert_eq!((&lost.fields["price"], &lost.fields["version"]), (&format!("Now: {}", now.price), &newer.to_string()));
    assert!(lost.fields.contains_key("description") && !lost.fields.contains_key("title"), "{lost:?}");
    saved(&shop, book, newer, &typed).await.expect("knowing of it");
    assert_eq!(seen(&shop, book).await.1, typed);
    let unknown = BookId::new(987_654).expect("an id");
    assert_eq!(saved(&shop, unknown, 1, &typed).await.expect_err("unknown").code, ErrorCode::NotFound);
}
