//! The desk's list of books: what is found, in pages, and what counts as low.

use crate::orders::shop::Shop;
use domain::{
    BookId, ErrorCode,
    catalog::desk::{Place, SHELF_PAGE, ShelfPage, ShelfQuery, ShelfSort, Show},
    stock::MovementKind,
};
use std::io::Cursor;
use store::{
    admin::books,
    catalog::import,
    stock::{self, Correction},
};

const FILE: &str = "sku,isbn13,title,authors,categories,price,stock,retired\n\
    A-1,9780679457312,Alpha 50% off,Asha Rao,poetry,100,10,\n\
    A-2,,Beta,Ravi Iyer,poetry,200,2,\n\
    A-3,,Gamma,Asha Rao,fiction,300,0,\n\
    A-4,,Delta,Meera Nair,fiction,400,5,yes\n";

async fn desk() -> Shop {
    let shop = Shop::open().await;
    import::import(&shop.store, Cursor::new(FILE), |_| {}).await.expect("imported");
    shop.apply_gate_ops().await;
    shop
}

async fn list(shop: &Shop, query: ShelfQuery) -> ShelfPage {
    books::list(&shop.store, &query).await.expect("a list")
}

fn skus(page: &ShelfPage) -> Vec<&str> {
    page.books.iter().map(|book| book.sku.as_str()).collect()
}

fn search(q: &str) -> ShelfQuery {
    ShelfQuery { q: Some(q.into()), ..ShelfQuery::default() }
}

async fn id(shop: &Shop, sku: &str) -> BookId {
    let id = sqlx::query_scalar("SELECT id FROM books WHERE sku = $1").bind(sku).fetch_one(&shop.pg).await;
    BookId::new(id.expect("a book")).expect("an id")
}

#[tokio::test]
async fn books_are_found_by_what_people_have_in_hand() {
    let shop = desk().await;
    for (typed, found) in [
        ("", vec!["A-1", "A-2", "A-4", "A-3"]),
        ("gam", vec!["A-3"]),
        ("asha", vec!["A-1", "A-3"]),
        ("a-2", vec!["A-2"]),
        ("978-0-679-45731-2", vec!["A-1"]),
        ("0-679-45731-3", vec!["A-1"]),
        ("50%", vec!["A-1"]),
        ("%", vec!["A-1"]),
        ("\u{0}", vec!["A-1", "A-2", "A-4", "A-3"]),
    ] {
        assert_eq!(skus(&list(&shop, search(typed)).await), found, "{typed:?}");
    }
    let poetry = ShelfQuery { category: Some("poetry".into()), ..search("ravi") };
    assert_eq!(skus(&list(&shop, poetry).await), ["A-2"]);
    for (show, found) in [
        (Show::OnSale, vec!["A-1", "A-2", "A-3"]),
        (Show::Low, vec!["A-2", "A-3"]),
        (Show::SoldOut, vec!["A-3"]),
        (Show::Retired, vec!["A-4"]),
    ] {
        let page = list(&shop, ShelfQuery { show, ..ShelfQuery::default() }).await;
        assert_eq!(skus(&page), found, "{show:?}");
        assert_eq!((page.counts, page.low_from), (vec![4, 3, 2, 1, 1], 3));
    }
    for (order, found) in [
        (ShelfSort::Copies, ["A-3", "A-2", "A-4", "A-1"]),
        (ShelfSort::PriceLow, ["A-1", "A-2", "A-3", "A-4"]),
        (ShelfSort::PriceHigh, ["A-4", "A-3", "A-2", "A-1"]),
    ] {
        assert_eq!(skus(&list(&shop, ShelfQuery { order, ..ShelfQuery::default() }).await), found, "{order:?}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_in_every_order() {
    let shop = Shop::open().await;
    sqlx::query(
        "INSERT INTO books (sku, slug, title, authors, price_minor, updated_at)
         SELECT 'S-' || n, 's-' || n, 'Book ' || n % 7, '{A}', 1 + n % 5, now() + n % 3 * interval '1 second'
         FROM generate_series(1, 120) n",
    )
    .execute(&shop.pg)
    .await
    .expect("many books");
    for order in ShelfSort::ALL {
        let (mut seen, mut after, mut pages) = (Vec::new(), None, 0);
        loop {
            let page = list(&shop, ShelfQuery { order: *order, after, ..ShelfQuery::default() }).await;
            pages += 1;
            assert!(page.books.len() <= usize::try_from(SHELF_PAGE).expect("a size"));
            seen.extend(page.books.into_iter().map(|book| book.id));
            let Some(next) = page.next else { break };
            after = Some(Place::parse(&next).expect("a place"));
        }
        let all = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!((pages, all, seen.len()), (3, 120, 120), "{order:?}");
    }
}

#[tokio::test]
async fn what_is_low_is_said_by_the_shop_or_by_the_book() {
    let (shop, low) = (desk().await, ShelfQuery { show: Show::Low, ..ShelfQuery::default() });
    let admin = shop.admin().await;
    books::set_shop_low_from(&shop.store, &admin, 0).await.expect("set");
    assert_eq!(skus(&list(&shop, low.clone()).await), ["A-3"]);
    let alpha = id(&shop, "A-1").await;
    books::set_low_from(&shop.store, &admin, alpha, Some(10)).await.expect("set");
    assert_eq!(skus(&list(&shop, low.clone()).await), ["A-1", "A-3"]);
    let seen = books::desk(&shop.store, alpha, None).await.expect("read").expect("a book");
    assert_eq!((seen.low_from, seen.shop_low_from, seen.on_hand), (Some(10), 0, 10));
    books::set_low_from(&shop.store, &admin, alpha, None).await.expect("set");
    assert_eq!(skus(&list(&shop, low).await), ["A-3"]);
    let refused = [
        books::set_shop_low_from(&shop.store, &admin, -1).await,
        books::set_low_from(&shop.store, &admin, alpha, Some(1_000_001)).await,
        books::set_low_from(&shop.store, &admin, BookId::new(987_654).expect("an id"), Some(1)).await,
    ];
    let codes = refused.map(|refused| refused.expect_err("refused").to_api().code);
    assert_eq!(codes, [ErrorCode::InvalidFields, ErrorCode::InvalidFields, ErrorCode::NotFound]);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_correction_is_signed_and_stands_in_the_ledger() {
    let shop = desk().await;
    let (admin, book) = (shop.admin().await, id(&shop, "A-1").await);
    shop.payable_order(&[(book, 4)]).await;
    let correct = async |delta, kind, operation| {
        let correction = Correction { book, delta, kind, operation, note: Some("Counted twice") };
        stock::correct(&shop.store, &admin, correction).await.map_err(|error| error.to_api())
    };
    assert_eq!(correct(5, MovementKind::Receipt, "one").await, Ok(15));
    assert_eq!(correct(5, MovementKind::Receipt, "one").await, Ok(15), "a double click");
    shop.apply_gate_ops().await;
    let refused = correct(-12, MovementKind::Adjustment, "two").await.expect_err("promised");
    assert_eq!(refused.code, ErrorCode::Conflict);
    assert!(refused.message.contains("Only 11 copies"), "{}", refused.message);
    assert_eq!(correct(-11, MovementKind::Adjustment, "three").await, Ok(4));
    let desk = books::desk(&shop.store, book, None).await.expect("read").expect("a book");
    let story: Vec<_> = desk.ledger.iter().map(|line| (line.kind, line.copies, line.by.as_deref())).collect();
    let expected = [
        (MovementKind::Adjustment, -11, Some("Boss")),
        (MovementKind::Receipt, 5, Some("Boss")),
        (MovementKind::Reserve, 4, None),
        (MovementKind::Receipt, 10, None),
    ];
    assert_eq!(story, expected);
    assert_eq!((desk.on_hand, desk.reserved, desk.older), (4, 4, None));
    let older = books::desk(&shop.store, book, Some(desk.ledger[1].id)).await.expect("read").expect("a book");
    assert_eq!(older.ledger, desk.ledger[2..]);
    shop.apply_gate_ops().await;
    shop.assert_sound().await;
}
