//! Files of books: what a preview says is what the import does; an export comes in again without a trace.

use super::{count, demo_shop, pg};
use crate::orders::shop::Shop;
use domain::{
    ErrorCode,
    catalog::desk::{BookFile, Fate, FileState},
};
use std::{io::Cursor, time::Instant};
use store::{
    Store,
    catalog::{
        export,
        files::{self, ImportFiles},
        import::import,
        seed_demo,
    },
    jobs::Job,
    viewer::Viewer,
};
use uuid::Uuid;

async fn handed_in(store: &Store, file: &str) -> BookFile {
    files::keep(store, &desk(), "books.csv", file.as_bytes().to_vec()).await.expect("kept")
}

/// One of the shop's people without an account.
fn desk() -> Viewer {
    let owner = "g:00000000-0000-4000-8000-000000000001".parse().expect("an owner");
    Viewer { role: domain::account::Role::Owner, ..Viewer::new(owner) }
}

fn id(file: &BookFile) -> Uuid {
    file.id.parse().expect("an id")
}

/// Says yes, and lets a worker do it.
async fn imported(store: &Store, file: &BookFile) -> BookFile {
    files::want(store, &desk(), id(file)).await.expect("wanted");
    let batch = ImportFiles.fetch(store).await.expect("fetched").expect("a file that is wanted");
    ImportFiles.handle(store, batch).await.expect("handled");
    files::get(store, id(file)).await.expect("read").expect("the file")
}

/// What the log says of ends of imports, and of whom.
async fn ended(store: &Store) -> Vec<String> {
    let told = "SELECT role || ' ' || action || ' ' || after::text FROM admin_audit
                WHERE action IN ('file.imported', 'file.refused') ORDER BY id";
    sqlx::query_scalar(told).fetch_all(&mut pg(store).await).await.expect("the log")
}

#[tokio::test]
async fn a_preview_says_what_the_import_then_does() {
    let shop = Shop::open().await;
    let store = &shop.store;
    import(
        store,
        Cursor::new("sku,title,price,stock,categories\nA,One,100,5,poetry\nB,Two,200,5,\nC,Three,300,5,\n"),
        |_| {},
    )
    .await
    .expect("imported");
    shop.apply_gate_ops().await;
    let file = handed_in(
        store,
        "sku,title,price,stock,retired,rating,categories\nA,,100,5,,4,poetry\nB,Two,250,9,,5,\nC,,,,yes,,\nD,New,99,1,,,\n",
    )
    .await;
    let seen = &file.preview;
    assert_eq!((seen.lines, seen.added, seen.changed, seen.same), (4, 1, 2, 1));
    assert_eq!((seen.prices, seen.stocks, seen.retired, seen.faults_total), (1, 1, 1, 0));
    assert_eq!(seen.ignored_columns, ["rating"]);
    let fates: Vec<_> = seen.rows.iter().map(|row| (row.line, row.title.as_str(), row.fate)).collect();
    let expected =
        [(2, "One", Fate::Same), (3, "Two", Fate::Changed), (4, "Three", Fate::Changed), (5, "New", Fate::New)];
    assert_eq!(fates, expected);
    let two = &seen.rows[1];
    assert_eq!((two.old_price.map(|p| p.get()), two.old_copies, two.copies), (Some(20_000), Some(5), Some(9)));
    assert_eq!(count(store, "SELECT count(*) FROM books").await, 3, "a preview writes nothing");
    assert!(ImportFiles.fetch(store).await.expect("fetched").is_none(), "nobody has said yes");

    let over = imported(store, &file).await;
    let outcome = over.outcome.expect("an outcome");
    assert_eq!((over.state, outcome.added, outcome.updated, over.lines_done), (FileState::Done, 1, 3, 4));
    assert_eq!(files::want(store, &desk(), id(&file)).await.expect("said twice").state, FileState::Done);
    assert!(ImportFiles.fetch(store).await.expect("fetched").is_none(), "once");
    let again =
        handed_in(store, "sku,title,price,stock,retired\nA,,100,5,\nB,Two,250,9,no\nC,,,,yes\nD,New,99,1,\n").await;
    assert_eq!((again.preview.same, again.preview.changed), (4, 0));
    assert_eq!(count(store, "SELECT count(*) FROM book_imports WHERE content IS NULL").await, 1);
    assert_eq!(count(store, "SELECT count(*) FROM admin_audit WHERE action = 'file.import'").await, 1);
    assert_eq!(ended(store).await, ["owner file.imported {\"new\": 1, \"known\": 3, \"copies kept\": 0}"]);
    shop.apply_gate_ops().await;
    shop.assert_sound().await;
}

#[tokio::test]
async fn faulty_lines_are_named_and_nothing_comes_of_them() {
    let store = &Shop::open().await.store;
    let file = handed_in(store, "sku,title,price\nA,One,100\nB,,100\nC,Three,free\n").await;
    let faults: Vec<_> = file.preview.faults.iter().map(|fault| (fault.line, fault.reason.as_str())).collect();
    assert_eq!((file.preview.faults_total, faults[0]), (2, (3, "a new book needs a title")));
    assert!(faults[1].1.contains("price"), "{faults:?}");
    let refused = files::want(store, &desk(), id(&file)).await.expect_err("refused").to_api();
    assert_eq!(refused.code, ErrorCode::Conflict);
    assert_eq!(files::discard(store, &desk(), id(&file)).await.expect("put aside").state, FileState::Discarded);
    for (content, word) in [("", "empty"), ("title,price\nA,1\n", "isbn13 or sku"), ("sku,price_usd\nA,1\n", "INR")] {
        let refused = files::keep(store, &desk(), "x", content.into()).await.expect_err("refused").to_api();
        assert!(refused.fields["file"].contains(word), "{refused:?}");
    }
    let large = files::keep(store, &desk(), "x", vec![b'a'; domain::catalog::desk::MAX_FILE + 1]).await;
    assert_eq!(large.expect_err("refused").to_api().code, ErrorCode::TooLarge);
}

#[tokio::test]
async fn lines_that_went_bad_meanwhile_stop_the_import() {
    let store = &Shop::open().await.store;
    import(store, Cursor::new("sku,title,price\nA,One,100\n"), |_| {}).await.expect("imported");
    let file = handed_in(store, "sku,price\nA,120\n").await;
    sqlx::query("UPDATE books SET sku = 'B'").execute(&mut pg(store).await).await.expect("renamed");
    let over = imported(store, &file).await;
    let outcome = over.outcome.expect("an outcome");
    assert_eq!((over.state, outcome.faults_total), (FileState::Refused, 1));
    assert_eq!(outcome.faults[0].reason, "a new book needs a title");
    assert_eq!(ended(store).await, ["owner file.refused {\"lines\": 1, \"refused\": 1, \"trouble\": null}"]);
}

#[tokio::test]
async fn few_files_wait_at_once() {
    let store = &Shop::open().await.store;
    let first = handed_in(store, "sku,title,price\nA,One,100\n").await;
    for _ in 0..10 {
        handed_in(store, "sku,title,price\nA,One,100\n").await;
    }
    assert_eq!(count(store, "SELECT count(*) FROM book_imports").await, 10);
    assert!(files::get(store, id(&first)).await.expect("read").is_none(), "the oldest made room");
    let refused = files::want(store, &desk(), id(&first)).await.expect_err("gone").to_api();
    assert_eq!(refused.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn an_export_comes_in_again_without_a_trace() {
    let shop = Shop::open().await;
    let store = &shop.store;
    seed_demo(store).await.expect("seeded");
    let odd = "sku,title,authors,description,price,stock,retired,language\n\
               X-1,\"Quotes \"\" and, commas\",\"Lee, Harper;\",=1+1,0.01,0,yes,hi\nX-2,Nobody's,,,5,3,,en\n\
               -X-3,=HYPERLINK(\"http://x.test\"),@Asha,''=1,7,1,,en\n";
    import(store, Cursor::new(odd), |_| {}).await.expect("imported");
    let file = exported(store).await;
    assert!(file.starts_with("\u{feff}sku,isbn13,title,"), "{}", &file[..80]);
    assert_eq!(file.lines().count(), 244);
    let guarded = ["'-X-3", "\"'=HYPERLINK(\"\"http://x.test\"\")\"", "'@Asha", "''=1", "'=1+1"];
    assert!(
        guarded.iter().all(|cell| file.contains(&format!(",{cell},")) || file.contains(&format!("\n{cell},"))),
        "{file}"
    );
    let seen = handed_in(store, &file).await;
    assert_eq!((seen.preview.same, seen.preview.changed, seen.preview.faults_total), (243, 0, 0), "{:?}", seen.preview);
    // And into an empty shop: the same file comes out again.
    let other = Shop::open().await;
    import(&other.store, Cursor::new(file.clone()), |_| {}).await.expect("imported");
    assert_eq!(exported(&other.store).await, file);
}

async fn exported(store: &Store) -> String {
    let (mut file, mut after) = (export::head(store).expect("a head"), 0);
    while let Some((piece, last)) = export::piece(store, after).await.expect("a piece") {
        file.extend(piece);
        after = last;
    }
    String::from_utf8(file).expect("text")
}

#[tokio::test]
async fn the_real_file_passes_the_desk() {
    let Ok(path) = std::env::var("BAZAR_REAL_BOOKS") else {
        eprintln!("SKIPPED: BAZAR_REAL_BOOKS does not name the file with the 9,278 real books");
        return;
    };
    let store = demo_shop().await;
    let content = std::fs::read_to_string(path).expect("BAZAR_REAL_BOOKS can be read");
    let started = Instant::now();
    let file = handed_in(&store, &content).await;
    println!("looked at 9,278 books in {:?}", started.elapsed());
    assert_eq!((file.preview.lines, file.preview.faults_total), (9_278, 0));
    let (added, changed) = (file.preview.added, file.preview.changed);
    let started = Instant::now();
    let over = imported(&store, &file).await;
    println!("imported them in {:?}", started.elapsed());
    let outcome = over.outcome.expect("an outcome");
    assert_eq!((over.state, outcome.added, outcome.updated), (FileState::Done, added, 9_278 - added));
    assert!(changed <= outcome.updated);
    let again = handed_in(&store, &content).await;
    assert_eq!((again.preview.same, again.preview.added), (9_278, 0));
    let (started, query) =
        (Instant::now(), domain::catalog::desk::ShelfQuery { q: Some("hobbit".into()), ..Default::default() });
    let page = store::admin::books::list(&store, &query).await.expect("a list");
    println!("searched the desk's list in {:?}: {} books", started.elapsed(), page.books.len());
    assert!(!page.books.is_empty());
}
