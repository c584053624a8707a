//! What the process keeps, and what it serves while Postgres is away.

use super::{demo_shop, pg};
use crate::clock::Clock;
use domain::catalog::BookQuery;
use std::sync::Arc;
use store::{Store, catalog, testkit};
use tokio::{net::TcpListener, task::JoinSet};

/// A way to Postgres that can be cut.
struct Wire {
    accepting: tokio::task::JoinHandle<()>,
}

impl Wire {
    /// The same database by way of a port of our own.
    async fn to(store: &Store, clock: Arc<Clock>) -> (Self, Store) {
        let url = store.config().database_url.clone();
        let (user, rest) = url.split_once('@').expect("a url with a user");
        let (target, database) = rest.split_once('/').expect("a url with a database");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let wired = format!("{user}@127.0.0.1:{port}/{database}");
        let target = target.to_owned();
        let accepting = tokio::spawn(async move {
            let mut links = JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                let mut far = tokio::net::TcpStream::connect(&target).await.expect("the real server");
                links.spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
            }
        });
        let config = testkit::config(&wired);
        let store = Store::connect(config, clock).await.expect("connected through the wire");
        (Self { accepting }, store)
    }

    /// Closes the port and every connection.
    async fn cut(self) {
        self.accepting.abort();
        let _ = self.accepting.await;
    }
}

#[tokio::test]
async fn what_was_read_is_served_while_postgres_is_away() {
    let shop = demo_shop().await;
    let clock = Arc::new(Clock::default());
    let (wire, store) = Wire::to(&shop, clock.clone()).await;
    let query = BookQuery::default();
    let list = catalog::list(&store, &query).await.expect("a list");
    let id = list.books[0].id;
    let home = catalog::home(&store).await.expect("home");
    let shelves = catalog::categories(&store).await.expect("shelves");
    let book = catalog::book_by_id(&store, id).await.expect("a book");
    wire.cut().await;
    clock.pass(61_000);
    // The first reader finds out, the others do not wait for it.
    assert_eq!(catalog::facts(&store, &[id]).await.expect("stale facts").len(), 1);
    let started = std::time::Instant::now();
    assert_eq!(catalog::list(&store, &query).await.expect("a stale list"), list);
    assert_eq!(catalog::home(&store).await.expect("a stale home"), home);
    assert_eq!(catalog::categories(&store).await.expect("stale shelves"), shelves);
    assert_eq!(catalog::book_by_id(&store, id).await.expect("a stale book"), book);
    assert!(started.elapsed().as_millis() < 500, "{:?}", started.elapsed());
    let unread = BookQuery { page: 7, ..query };
    let refused = catalog::list(&store, &unread).await.expect_err("nothing to serve");
    assert_eq!(refused.to_api().code, domain::ErrorCode::NotReady);
}

#[tokio::test]
async fn searches_nobody_made_before_go_on_while_postgres_is_away() {
    let shop = demo_shop().await;
    let clock = Arc::new(Clock::default());
    let (wire, store) = Wire::to(&shop, clock.clone()).await;
    catalog::warm(&store).await.expect("warm");
    wire.cut().await;
    clock.pass(61_000);
    let query = BookQuery { q: Some("breif history of tiem".into()), ..BookQuery::default() };
    let page = catalog::list(&store, &query).await.expect("a list");
    assert_eq!(page.books[0].title, "A Brief History of Time");
    let facets = catalog::facets(&store, &BookQuery::default()).await.expect("facets");
    assert_eq!(facets.categories.len(), 19);
    let found = catalog::suggest(&store, "hawk").await.expect("suggestions");
    assert_eq!(found.authors[0].slug, "stephen-hawking");
}

#[tokio::test]
async fn lists_follow_the_catalogue() {
    let store = demo_shop().await;
    let first = async |q: &str| {
        let query = BookQuery { q: Some(q.into()), ..BookQuery::default() };
        catalog::list(&store, &query).await.expect("a list").books.first().map(|book| book.title.clone())
    };
    assert_eq!(first("quixotic lighthouse").await, None);
    for (file, title) in [
        ("sku,title,price\nNEW-1,A Quixotic Lighthouse,100\n", Some("A Quixotic Lighthouse")),
        ("sku,title\nNEW-1,The Quixotic Lighthouse\n", Some("The Quixotic Lighthouse")),
        ("sku,retired\nNEW-1,yes\n", None),
    ] {
        catalog::import::import(&store, file.as_bytes(), |_| {}).await.expect("imported");
        // At once, unless making the index is slow on this computer: then it rests in between.
        let followed = async {
            while first("quixotic lighthouse").await.as_deref() != title {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), followed).await.expect(file);
    }
}

#[tokio::test]
async fn an_import_shows_at_once() {
    let store = demo_shop().await;
    let book = catalog::book(&store, "never-let-me-go").await.expect("read").expect("there");
    let other = catalog::book(&store, "a-brief-history-of-time").await.expect("read").expect("there");
    // Not announced: the cache still serves what it has.
    let rename = "UPDATE books SET title = 'Renamed' WHERE slug = 'a-brief-history-of-time'";
    sqlx::query(rename).execute(&mut pg(&store).await).await.expect("renamed");
    let cached = catalog::book_by_id(&store, other.card.id).await.expect("read").expect("there");
    assert_eq!(cached.card.title, "A Brief History of Time");
    let file = "sku,price\nBB-0003,1.50\n";
    catalog::import::import(&store, file.as_bytes(), |_| {}).await.expect("imported");
    let changed = catalog::book_by_id(&store, book.card.id).await.expect("read").expect("there");
    assert_eq!(changed.card.price.get(), 150);
    let seen = catalog::book_by_id(&store, other.card.id).await.expect("read").expect("there");
    assert_eq!(seen.card.title, "Renamed");
}
