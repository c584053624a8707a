//! Lists, search and the book page, over the demo catalogue.

use super::{demo_shop, pg};
use domain::{
    Minor,
    catalog::{BookPage, BookQuery, PAGE_SIZE, Sort},
};
use store::{Store, catalog, keys::Keys};

async fn list(store: &Store, query: BookQuery) -> BookPage {
    catalog::list(store, &query).await.expect("a list")
}

async fn titles(store: &Store, q: &str) -> Vec<String> {
    let page = list(store, BookQuery { q: Some(q.into()), ..BookQuery::default() }).await;
    page.books.into_iter().map(|book| book.title).collect()
}

async fn first(store: &Store, q: &str) -> String {
    titles(store, q).await.into_iter().next().unwrap_or_default()
}

#[tokio::test]
async fn shoppers_find_what_they_mean() {
    let store = demo_shop().await;
    for (typed, found) in [
        // As it stands, in any case, without the article, the beginning of a word.
        ("the god of small things", "The God of Small Things"),
        ("God of Small Things", "The God of Small Things"),
        ("GOD OF SM", "The God of Small Things"),
        ("brief history", "A Brief History of Time"),
        // Title and author together, in any order.
        ("roy small", "The God of Small Things"),
        ("ishiguro never", "Never Let Me Go"),
        // Typos in one word, in several, in the name.
        ("the god of smal thigns", "The God of Small Things"),
        ("breif history of tiem", "A Brief History of Time"),
        ("kazou ishigoru never", "Never Let Me Go"),
        ("hawkng", "A Brief History of Time"),
        // Every spelling of an ISBN, and its beginning.
        ("9780679457312", "The God of Small Things"),
        ("978-0-679-45731-2", "The God of Small Things"),
        ("0-679-45731-3", "The God of Small Things"),
        ("97806794573", "The God of Small Things"),
        // Quotes and minus.
        ("\"never let me go\"", "Never Let Me Go"),
        ("history hawking -roy", "A Brief History of Time"),
    ] {
        assert_eq!(first(&store, typed).await, found, "{typed}");
    }
}

#[tokio::test]
async fn odd_searches_find_nothing_and_break_nothing() {
    let store = demo_shop().await;
    for typed in
        ["zzzzqqqq", "…!?", "'", "\\", "%", "_", "& | ! ( ) :*", "'; DROP TABLE books; --", "\u{0}", "a'b\"c:*d\\"]
    {
        let found = titles(&store, typed).await;
        assert!(found.len() <= PAGE_SIZE as usize, "{typed:?}");
    }
    assert!(titles(&store, "zzzzqqqq").await.is_empty());
    assert!(titles(&store, "%").await.is_empty());
    let long = "book ".repeat(1_000);
    titles(&store, &long).await;
    // Empty after trimming: everything.
    let all = list(&store, BookQuery { q: Some("  ".into()), ..BookQuery::default() }).await;
    assert_eq!(all.total, 240);
}

#[tokio::test]
async fn the_better_known_comes_first_among_equals() {
    let store = demo_shop().await;
    let file = "isbn13,title,authors,price,ratings_count,stock\n\
                9780000000019,Zebra Tales,A. Nother,100,5,1\n\
                9780000000026,Zebra Nights,A. Nother,100,50,1\n\
                9780000000033,The Zebra,Some Body,100,1,1\n\
                9780000000040,On Horses,Zebra Smith,100,500,1\n";
    catalog::import::import(&store, file.as_bytes(), |_| {}).await.expect("imported");
    let found = titles(&store, "zebra").await;
    assert_eq!(found, ["The Zebra", "On Horses", "Zebra Nights", "Zebra Tales"]);
    let home = catalog::home(&store).await.expect("home");
    assert_eq!(home.first().map(|book| book.title.as_str()), Some("On Horses"));
}

#[tokio::test]
async fn filters_hold_together_with_and_without_a_search() {
    let store = demo_shop().await;
    let classics = BookQuery { category: Some("classics".into()), ..BookQuery::default() };
    assert_eq!(list(&store, classics.clone()).await.total, 61);
    let hindi = BookQuery { language: Some("HI".into()), ..BookQuery::default() };
    assert_eq!(list(&store, hindi).await.total, 6);
    let roy = BookQuery { author: Some("arundhati".into()), ..BookQuery::default() };
    assert!(list(&store, roy).await.books.iter().all(|book| book.authors == "Arundhati Roy"));
    let percent = BookQuery { author: Some("%".into()), ..BookQuery::default() };
    assert_eq!(list(&store, percent).await.total, 0);
    let (min, max) = (Minor::new(30_000), Minor::new(40_000));
    let priced = BookQuery { min: Some(min), max: Some(max), q: Some("the".into()), ..classics };
    let page = list(&store, priced).await;
    assert!(page.total > 0 && page.books.iter().all(|book| (min..=max).contains(&book.price)));
    let nothing = BookQuery { category: Some("no-such-shelf".into()), ..BookQuery::default() };
    assert_eq!(list(&store, nothing).await.total, 0);
}

#[tokio::test]
async fn every_order_and_every_page() {
    let store = demo_shop().await;
    for (q, total) in [(None, 240), (Some("the".to_owned()), -1)] {
        for sort in Sort::ALL {
            let page = |page| list(&store, BookQuery { q: q.clone(), sort, page, ..BookQuery::default() });
            let first = page(1).await;
            assert!(total == -1 || first.total == total);
            let mut all = Vec::new();
            for number in 1..=first.pages() {
                all.extend(page(number).await.books);
            }
            assert_eq!(all.len() as i64, first.total, "{sort:?}");
            let sorted = match sort {
                Sort::Relevance => true,
                Sort::Title => all.is_sorted_by_key(|book| book.title.clone()),
                Sort::PriceLow => all.is_sorted_by_key(|book| book.price),
                Sort::PriceHigh => all.is_sorted_by_key(|book| std::cmp::Reverse(book.price)),
                Sort::Newest => all.is_sorted_by_key(|book| std::cmp::Reverse(book.year)),
            };
            assert!(sorted, "{sort:?}");
            let ids: std::collections::HashSet<_> = all.iter().map(|book| book.id).collect();
            assert_eq!(ids.len(), all.len(), "a book is on two pages: {sort:?}");
            let past = page(first.pages() + 1).await;
            assert_eq!((past.total, past.books.len()), (first.total, 0));
        }
    }
}

#[tokio::test]
async fn a_book_page_knows_its_book() {
    let store = demo_shop().await;
    let book = catalog::book(&store, "the-god-of-small-things").await.expect("read").expect("there");
    assert_eq!(book.isbn.as_deref(), Some("9780679457312"));
    assert_eq!((book.card.price, book.card.year, book.pages), (Minor::new(59_900), Some(1997), Some(321)));
    let shelves: Vec<&str> = book.categories.iter().map(|category| category.name.as_str()).collect();
    assert_eq!(shelves, ["Indian writing", "Literary fiction"]);
    assert_eq!(catalog::book_by_id(&store, book.card.id).await.expect("read"), Some(book.clone()));
    let facts = catalog::facts_by_slug(&store, "the-god-of-small-things").await.expect("read").expect("there");
    assert_eq!((facts.category.as_deref(), facts.is_retired), (Some("indian-writing"), false));
    assert_eq!(catalog::book(&store, "no-such-book").await.expect("read"), None);
    assert_eq!(catalog::book(&store, &"x".repeat(10_000)).await.expect("read"), None);
    let shelves = catalog::categories(&store).await.expect("read");
    assert_eq!((shelves.len(), shelves[0].name.as_str()), (19, "Literary fiction"));
}

#[tokio::test]
async fn a_retired_book_has_a_page_but_no_place_in_lists() {
    let store = demo_shop().await;
    let retire = "UPDATE books SET retired_at = now() WHERE slug = 'the-god-of-small-things'";
    sqlx::query(retire).execute(&mut pg(&store).await).await.expect("retired");
    assert!(titles(&store, "god of small things").await.iter().all(|title| title != "The God of Small Things"));
    let book = catalog::book(&store, "the-god-of-small-things").await.expect("read").expect("there");
    assert!(!book.on_sale);
}

#[tokio::test]
async fn copies_on_sale_come_from_the_gate() {
    let store = demo_shop().await;
    let query = BookQuery { q: Some("the god of small things".into()), ..BookQuery::default() };
    let card = list(&store, query.clone()).await.books.remove(0);
    assert_eq!(card.available, None, "the gate is not loaded");
    let keys = Keys::new(&store.config().key_prefix);
    let client = redis::Client::open(&*store.config().redis_url).expect("a client");
    let mut redis = client.get_multiplexed_async_connection().await.expect("connected");
    let mut load = redis::pipe();
    load.set(keys.epoch(), 1).hset(keys.stock(), card.id.get(), 7);
    load.query_async::<()>(&mut redis).await.expect("loaded");
    assert_eq!(list(&store, query).await.books[0].available, Some(7), "lists are cached, copies are not");
    let book = catalog::book_by_id(&store, card.id).await.expect("read").expect("there");
    assert_eq!(book.card.available, Some(7));
}

#[tokio::test]
async fn only_what_is_in_stock_when_asked() {
    let store = demo_shop().await;
    let sell_out = "UPDATE stock SET on_hand = 0 WHERE book_id IN (SELECT id FROM books WHERE sku <= 'BB-0010')";
    sqlx::query(sell_out).execute(&mut pg(&store).await).await.expect("sold out");
    let page = list(&store, BookQuery { in_stock: true, ..BookQuery::default() }).await;
    let empty = super::count(&store, "SELECT count(*) FROM stock WHERE available = 0").await;
    assert!(empty >= 10);
    assert_eq!(page.total, 240 - empty);
}
