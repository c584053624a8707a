//! Imports: both formats, repeats, refusals, odd bytes.

use super::{count, demo_shop, pg};
use std::{io::Cursor, time::Instant};
use store::{
    Store,
    catalog::{
        self,
        import::{ImportError, ImportReport, MAX_LISTED, import},
    },
    testkit,
};

async fn bring_in(store: &Store, file: impl Into<Vec<u8>>) -> Result<ImportReport, ImportError> {
    import(store, Cursor::new(file.into()), |_| {}).await
}

async fn refusals(store: &Store, file: impl Into<Vec<u8>>) -> Vec<(u64, String)> {
    match bring_in(store, file).await {
        Err(ImportError::Refused(report)) => report.refused.into_iter().map(|r| (r.line, r.reason)).collect(),
        other => panic!("not refused: {other:?}"),
    }
}

async fn field(store: &Store, sql: &'static str) -> String {
    sqlx::query_scalar(sql).fetch_one(&mut pg(store).await).await.expect("a field")
}

#[tokio::test]
async fn the_demo_catalogue_comes_once_and_stays_as_it_is() {
    let store = testkit::store().await;
    let report = catalog::seed_demo(&store).await.expect("imported").expect("a report");
    assert_eq!((report.lines, report.added, report.updated), (240, 240, 0));
    assert_eq!(report.ignored_columns, [""; 0]);
    assert_eq!(count(&store, "SELECT count(*) FROM stock WHERE available > 0").await, 237);
    let sell = "UPDATE stock SET on_hand = 1 WHERE book_id = (SELECT id FROM books WHERE sku = 'BB-0001')";
    sqlx::query(sell).execute(&mut pg(&store).await).await.expect("sold");
    assert_eq!(catalog::seed_demo(&store).await.expect("seeded"), None);
    let left = "SELECT on_hand::bigint FROM stock JOIN books ON id = book_id WHERE sku = 'BB-0001'";
    assert_eq!(count(&store, left).await, 1);
}

#[tokio::test]
async fn two_seeds_at_once_are_one() {
    let store = testkit::store().await;
    let (one, other) = tokio::join!(catalog::seed_demo(&store), catalog::seed_demo(&store));
    let reports = [one.expect("seeded"), other.expect("seeded")];
    assert_eq!(reports.iter().flatten().count(), 1);
    assert_eq!(count(&store, "SELECT count(*) FROM books").await, 240);
}

#[tokio::test]
async fn the_real_file_comes_in_whole_and_again_without_a_trace() {
    let Ok(path) = std::env::var("BAZAR_REAL_BOOKS") else {
        eprintln!("SKIPPED: BAZAR_REAL_BOOKS does not name the file with the 9,278 real books");
        return;
    };
    let store = demo_shop().await;
    let file = || std::fs::File::open(&path).expect("BAZAR_REAL_BOOKS can be read");
    let (mut heard, started) = (Vec::new(), Instant::now());
    let report = import(&store, file(), |lines| heard.push(lines)).await.expect("imported");
    println!("9,278 books in {:?}", started.elapsed());
    assert_eq!((report.lines, report.added + report.updated), (9_278, 9_278));
    assert_eq!(report.ignored_columns, ["rating"]);
    assert!(heard.len() > 10 && heard.is_sorted() && heard.last() == Some(&9_278));
    assert_eq!(count(&store, "SELECT count(*) FROM books").await as u64, 240 + report.added);
    let movements = count(&store, "SELECT count(*) FROM stock_movements").await;
    let again = import(&store, file(), |_| {}).await.expect("imported again");
    assert_eq!((again.added, again.updated), (0, 9_278));
    assert_eq!(count(&store, "SELECT count(*) FROM stock_movements").await, movements);
    for (typed, found) in [
        ("harry poter", "Harry Potter and the Sorcerer's Stone (Harry Potter, #1)"),
        ("hungr games", "The Hunger Games (The Hunger Games, #1)"),
        ("hobit", "The Hobbit"),
        ("harrypotter", "Harry Potter and the Sorcerer's Stone (Harry Potter, #1)"),
        ("breif history of tiem", "A Brief History of Time"),
        ("the hobbit", "The Hobbit"),
        ("tolkein hobbit", "The Hobbit"),
        ("mockingbrd", "To Kill a Mockingbird"),
        ("great gatsbi", "The Great Gatsby"),
        ("gatsby", "The Great Gatsby"),
        ("les miserables", "Les Misérables"),
        ("dune", "Dune (Dune Chronicles #1)"),
        ("it", "It"),
        ("orwel 1984", "1984"),
        ("9780439023481", "The Hunger Games (The Hunger Games, #1)"),
    ] {
        let query = domain::catalog::BookQuery { q: Some(typed.into()), ..Default::default() };
        let page = catalog::list(&store, &query).await.expect("a list");
        assert_eq!(page.books.first().map(|book| book.title.as_str()), Some(found), "{typed}");
    }
}

#[tokio::test]
async fn one_refused_line_and_nothing_is_written() {
    let store = testkit::store().await;
    let file = "isbn13,sku,title,authors,year,language,pages,price_inr,stock,description,categories\n\
                9780679457312,,Good,A,1997,en,321,599,5,Fine,classics\n\
                9780679457313,,Bad digit,A,1997,en,321,599,5,,\n\
                ,,No number,A,1997,en,321,599,5,,\n\
                ,a b,Spaces,A,1997,en,321,599,5,,\n\
                ,S1,,A,1997,en,321,599,5,,\n\
                ,S2,No price,A,1997,en,321,,5,,\n\
                ,S3,Free,A,1997,en,321,0,5,,\n\
                ,S4,Float,A,1997,en,321,5.999,5,,\n\
                ,S5,Far,A,9999,en,321,599,5,,\n\
                ,S6,Minus,A,1997,en,321,599,-5,,\n\
                ,S7,Language,A,1997,english,321,599,5,,\n\
                ,S8,Pages,A,1997,en,0,599,5,,\n\
                ,S9,Shelf,A,1997,en,321,599,5,,…\n\
                ,S10,Short\n\
                9780679457312,S11,Twice,A,1997,en,321,599,5,,\n\
                ,S1,Twice too,A,1997,en,321,599,5,,\n";
    let refused = refusals(&store, file).await;
    let expected = [
        (3, "check digit"),
        (4, "neither isbn13 nor sku"),
        (5, "sku"),
        (6, "needs a title"),
        (7, "needs a price"),
        (8, "price"),
        (9, "price"),
        (10, "year"),
        (11, "stock"),
        (12, "language"),
        (13, "pages"),
        (14, "categories"),
        (15, "3 fields"),
        (16, "same ISBN as line 2"),
        (17, "same SKU as line 6"),
    ];
    for (line, word) in expected {
        assert!(refused.iter().any(|(at, why)| *at == line && why.contains(word)), "{line} {word}: {refused:?}");
    }
    assert_eq!(refused.len(), expected.len());
    for table in ["SELECT count(*) FROM books", "SELECT count(*) FROM categories", "SELECT count(*) FROM gate_ops"] {
        assert_eq!(count(&store, table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn a_late_refusal_takes_everything_back_and_the_list_is_bounded() {
    let store = testkit::store().await;
    let mut file = String::from("sku,title,price,stock\n");
    for number in 0..2_000 {
        file += &format!("S{number},Book {number},100,1\n");
    }
    for number in 0..1_200 {
        file += &format!("S{number},Again,100,1\n");
    }
    let Err(ImportError::Refused(report)) = bring_in(&store, file).await else { panic!("not refused") };
    assert_eq!((report.refused_total, report.refused.len()), (1_200, MAX_LISTED));
    assert_eq!((report.lines, report.refused[0].line), (3_200, 2_002));
    assert_eq!(count(&store, "SELECT count(*) FROM books").await, 0);
    assert_eq!(count(&store, "SELECT count(*) FROM stock_movements").await, 0);
}

#[tokio::test]
async fn what_a_file_does_not_say_stays() {
    let store = demo_shop().await;
    let report =
        bring_in(&store, "sku,price,subtitle,stock\nBB-0001,120,,\nBB-0002,130,New,3\n").await.expect("imported");
    assert_eq!((report.added, report.updated), (0, 2));
    let one =
        "SELECT concat_ws('|', title, slug, isbn13, year, language, pages, price_minor, on_hand, description <> '',
                      (SELECT count(*) FROM book_categories WHERE book_id = id))
               FROM books JOIN stock ON book_id = id WHERE sku = 'BB-0001'";
    let kept = "The God of Small Things|the-god-of-small-things|9780679457312|1997|en|321|12000|59|t|2";
    assert_eq!(field(&store, one).await, kept);
    let two = "SELECT concat_ws('|', subtitle, price_minor, on_hand) FROM books JOIN stock ON book_id = id
               WHERE sku = 'BB-0002'";
    assert_eq!(field(&store, two).await, "New|13000|3");
    // Shelves that are named replace the former ones.
    bring_in(&store, "sku,categories\nBB-0001,Graphic Novels; classics\n").await.expect("imported");
    let shelves =
        "SELECT string_agg(name, '|' ORDER BY b.position) FROM book_categories b JOIN categories ON slug = category
                   WHERE book_id = (SELECT id FROM books WHERE sku = 'BB-0001')";
    assert_eq!(field(&store, shelves).await, "Graphic novels|Classics");
}

#[tokio::test]
async fn isbn_first_then_sku() {
    let store = testkit::store().await;
    bring_in(&store, "isbn,sku,title,price\n9780679457312,A,One,100\n,B,Two,100\n0439023483,,Three,100\n")
        .await
        .expect("imported");
    // The ISBN finds One, whose SKU changes; the SKU finds Two, which gets an ISBN; Three's SKU is its ISBN.
    let file = "isbn,sku,title,price\n9780679457312,A2,One,100\n9780553380163,B,Two,100\n,9780439023481,Three!,100\n";
    let report = bring_in(&store, file).await.expect("imported");
    assert_eq!((report.added, report.updated), (0, 3));
    let all = "SELECT string_agg(concat_ws(' ', title, sku, isbn13), '|' ORDER BY id) FROM books";
    let expected = "One A2 9780679457312|Two B 9780553380163|Three! 9780439023481 9780439023481";
    assert_eq!(field(&store, all).await, expected);
    let torn = refusals(&store, "isbn,sku\n9780679457312,B\n").await;
    assert!(torn[0].1.contains("two different books"), "{torn:?}");
    let twice = refusals(&store, "isbn,sku\n9780679457312,\n,A2\n").await;
    assert!(twice[0].1.contains("same book as line 2"), "{twice:?}");
}

#[tokio::test]
async fn addresses_are_readable_and_follow_titles() {
    let store = testkit::store().await;
    let file = "sku,title,authors,price\n\
                A,\"Dune (Dune, #1)\",Frank Herbert,100\n\
                B,Dune,Brian Herbert,100\n\
                C,Dune!,Brian Herbert,100\n\
                D,Les Misérables,Victor Hugo,100\n\
                E,ساق البامبو,سعود السنعوسي,100\n\
                F,Dune,Brian Herbert,100\n";
    bring_in(&store, file).await.expect("imported");
    let slugs = "SELECT string_agg(slug, ' ' ORDER BY id) FROM books";
    let made = "dune dune-brian-herbert dune-c les-miserables book-e dune-f";
    assert_eq!(field(&store, slugs).await, made);
    bring_in(&store, "sku,title\nA,Another Name\nB,Dune (again)\n").await.expect("imported");
    assert_eq!(field(&store, slugs).await, made.replacen("dune", "another-name", 1));
}

#[tokio::test]
async fn odd_bytes() {
    let store = testkit::store().await;
    // A byte order mark, CRLF, quotes with commas, line ends and quotes inside, spaces around, an empty line.
    let file = "\u{feff}SKU , Title,Authors,price_inr,description\r\n\
                A,\"One, \"\"two\"\"\r\nand three\", X ; Y ,1.5,\"a\r\nb\"\r\n\r\nB,Two,,2,\r\n";
    let report = bring_in(&store, file).await.expect("imported");
    assert_eq!((report.lines, report.added), (2, 2));
    let one = "SELECT concat_ws('|', title, authors_text, price_minor, description) FROM books WHERE sku = 'A'";
    assert_eq!(field(&store, one).await, "One, \"two\" and three|X, Y|150|a b");
    let mut broken = b"sku,title,price\nC,Fine,1\nD,\"x\ny\",1\nE,caf\xe9,1\nF,nul\0,1\n".to_vec();
    let refused = refusals(&store, broken.clone()).await;
    assert_eq!(refused, [(5, "title: not UTF-8".into()), (6, "title: holds control characters".into())]);
    broken = b"sku,title,price\nG,\"never closed".to_vec();
    broken.extend(std::iter::repeat_n(b'x', 1_000_000));
    let refused = refusals(&store, broken).await;
    assert_eq!(refused.len(), 1);
    assert!(refused[0].0 == 2 && refused[0].1.contains("closing quote"), "{refused:?}");
    assert_eq!(count(&store, "SELECT count(*) FROM books").await, 2);
}

#[tokio::test]
async fn files_that_are_no_catalogue_say_why() {
    let store = testkit::store().await;
    for (file, why) in [
        ("", "empty"),
        ("title,price\nA,1\n", "isbn13 or sku"),
        ("sku,price,price_inr\nA,1,1\n", "two columns"),
        ("sku,price_usd\nA,1\n", "INR"),
        ("sku;title\nA;B\n", "commas"),
        ("PK\u{3}\u{4}\u{0}\u{0}", "UTF-8"),
    ] {
        match bring_in(&store, file).await {
            Err(ImportError::Columns(reason)) => assert!(reason.contains(why), "{reason}"),
            other => panic!("{file:?}: {other:?}"),
        }
    }
    let none = bring_in(&store, "sku,title,price\n").await.expect("nothing to do");
    assert_eq!(none.lines, 0);
}

#[tokio::test]
async fn a_source_that_breaks_off_leaves_nothing() {
    struct Breaking(u32);
    impl std::io::Read for Breaking {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0 += 1;
            let line = match self.0 {
                1 => "sku,title,price\n".to_owned(),
                n @ 2..1_000 => format!("S{n},Book,1\n"),
                _ => return Err(std::io::Error::other("the cable")),
            };
            buffer[..line.len()].copy_from_slice(line.as_bytes());
            Ok(line.len())
        }
    }
    let store = testkit::store().await;
    let broken = import(&store, Breaking(0), |_| {}).await;
    assert!(matches!(broken, Err(ImportError::Read(_))), "{broken:?}");
    assert_eq!(count(&store, "SELECT count(*) FROM books").await, 0);
}

#[tokio::test]
async fn stock_moves_by_the_difference() {
    let store = testkit::store().await;
    bring_in(&store, "sku,title,price,stock\nA,One,1,10\nB,Two,1,\n").await.expect("imported");
    bring_in(&store, "sku,stock\nA,10\n").await.expect("imported");
    bring_in(&store, "sku,stock\nA,4\n").await.expect("imported");
    let movements = "SELECT string_agg(concat_ws(' ', kind, quantity), '|' ORDER BY id) FROM stock_movements";
    assert_eq!(field(&store, movements).await, "receipt 10|adjustment -6");
    let operations = "SELECT string_agg(kind || ' ' || (lines #>> '{0,1}'), '|' ORDER BY id) FROM gate_ops";
    assert_eq!(
        field(&store, operations).await,
        "adjust 10|adjust 0|adjust -6",
        "the gate hears of a new book without copies"
    );
    assert_eq!(count(&store, "SELECT count(*) FROM stock WHERE on_hand = 0").await, 1, "new books have a stock row");
}
