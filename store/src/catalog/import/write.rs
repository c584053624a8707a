//! Batches of checked lines on their way into Postgres, inside the import's one transaction.

use super::{ImportReport, Kept, MAX_LISTED, queries, reader::Line, record::Row, slug};
use crate::{
    Store,
    catalog::edit,
    error::{During, Error},
    stock,
};
use domain::{BookId, Currency, UnixMillis};
use queries::{NewBook, Placement};
use sqlx::PgTransaction;
use std::collections::{HashMap, HashSet};

pub(super) struct Writer<'a, 'tx> {
    store: &'a Store,
    pub tx: &'a mut PgTransaction<'tx>,
    pub report: ImportReport,
    currency: Currency,
    now: UnixMillis,
    operation: String,
    /// ISBNs and SKUs of the file → line.
    keys: HashMap<Key, u64>,
    /// Books of the file that were there before.
    books: HashMap<BookId, Named>,
    stock: Vec<(BookId, i32)>,
}

/// Where the file names a book, and how.
struct Named {
    line: u64,
    key: String,
}

#[derive(Debug, PartialEq, Eq, Hash)]
enum Key {
    Isbn(String),
    Sku(String),
}

/// A line and the book it changes; `None`: a new one.
pub(super) struct Target {
    pub line: u64,
    pub row: Row,
    pub book: Option<BookId>,
}

impl<'a, 'tx> Writer<'a, 'tx> {
    pub fn new(store: &'a Store, tx: &'a mut PgTransaction<'tx>) -> Self {
        Self {
            store,
            tx,
            report: ImportReport::default(),
            currency: store.config().currency,
            now: store.now(),
            operation: format!("import:{}", store.uuid()),
            keys: HashMap::new(),
            books: HashMap::new(),
            stock: Vec::new(),
        }
    }

    /// Checks the lines against the file so far and the catalogue; the good ones come back.
    pub async fn look(&mut self, lines: Vec<Line>) -> Result<Vec<Target>, Error> {
        self.report.lines += lines.len() as u64;
        let rows = self.unique(lines);
        self.targets(rows).await
    }

    /// The same, and writes them unless any line was refused yet.
    pub async fn write(&mut self, lines: Vec<Line>) -> Result<(), Error> {
        let targets = self.look(lines).await?;
        if self.report.refused_total > 0 {
            return Ok(());
        }
        let (mut fresh, mut known) = (Vec::new(), Vec::new());
        for Target { row, book, .. } in targets {
            match book {
                Some(id) => known.push((id, row)),
                None => fresh.push(row),
            }
        }
        self.report.added += fresh.len() as u64;
        self.report.updated += known.len() as u64;
        edit::change(self.tx, &known, self.now).await?;
        let mut written = self.insert(fresh).await?;
        written.append(&mut known);
        self.place(&written).await?;
        self.stock.extend(written.iter().filter_map(|(id, row)| Some((*id, row.stock?))));
        Ok(())
    }

    /// Stock comes last and in the order of books, in which everybody locks it.
    pub async fn finish(mut self) -> Result<ImportReport, Error> {
        if self.report.refused_total == 0 {
            let kept = stock::set_on_hand(self.store, self.tx, &self.operation, self.stock).await?;
            self.report.kept_total = kept.len() as u64;
            let named = kept.into_iter().filter_map(|kept| Some((self.books.remove(&kept.book)?, kept)));
            let named = named.map(|(Named { line, key }, stock::Kept { asked, on_hand, .. })| Kept {
                line,
                book: key,
                asked,
                on_hand,
            });
            self.report.kept = named.take(MAX_LISTED).collect();
        }
        Ok(self.report)
    }

    /// Lines whose ISBN and SKU come up for the first time.
    fn unique(&mut self, lines: Vec<Line>) -> Vec<(u64, Row)> {
        let mut rows = Vec::with_capacity(lines.len());
        for Line { number, row } in lines {
            match row.map_err(|reason| (number, reason)).and_then(|row| self.first_of_its_keys(number, *row)) {
                Ok(row) => rows.push((number, row)),
                Err((line, reason)) => self.report.refuse(line, reason),
            }
        }
        rows
    }

    fn first_of_its_keys(&mut self, line: u64, row: Row) -> Result<Row, (u64, String)> {
        let isbn = row.isbn13.as_ref().map(|isbn| Key::Isbn(isbn.as_str().to_owned()));
        let sku = Key::Sku(row.key().to_owned());
        for key in isbn.into_iter().chain([sku]) {
            let name = if matches!(key, Key::Isbn(_)) { "ISBN" } else { "SKU" };
            if let Some(first) = self.keys.get(&key) {
                return Err((line, format!("the same {name} as line {first}")));
            }
            self.keys.insert(key, line);
        }
        Ok(row)
    }

    /// Finds the book that each line is about.
    async fn targets(&mut self, rows: Vec<(u64, Row)>) -> Result<Vec<Target>, Error> {
        let isbns: Vec<String> = rows.iter().filter_map(|(_, row)| row.isbn13.clone().map(String::from)).collect();
        let skus: Vec<String> = rows.iter().map(|(_, row)| row.key().to_owned()).collect();
        let known = queries::known(self.tx, &isbns, &skus).await.during("import.known")?;
        let by_isbn: HashMap<&str, BookId> = known.iter().filter_map(|k| Some((k.isbn13.as_deref()?, k.id))).collect();
        let by_sku: HashMap<&str, BookId> = known.iter().map(|k| (k.sku.as_str(), k.id)).collect();
        let mut targets = Vec::with_capacity(rows.len());
        for (line, row) in rows {
            let same_isbn = row.isbn13.as_ref().and_then(|isbn| by_isbn.get(isbn.as_str()).copied());
            let same_sku = by_sku.get(row.key()).copied();
            match self.target(line, &row, same_isbn, same_sku) {
                Ok(book) => targets.push(Target { line, row, book }),
                Err(reason) => self.report.refuse(line, reason),
            }
        }
        Ok(targets)
    }

    /// The book with that ISBN, else with that SKU, else a new one if the line says enough; the error is the reason.
    fn target(
        &mut self,
        line: u64,
        row: &Row,
        same_isbn: Option<BookId>,
        same_sku: Option<BookId>,
    ) -> Result<Option<BookId>, String> {
        if same_isbn.zip(same_sku).is_some_and(|(one, other)| one != other) {
            return Err("its ISBN and its SKU belong to two different books".into());
        }
        let Some(book) = same_isbn.or(same_sku) else {
            return match (&row.title, row.price) {
                (None, _) => Err("a new book needs a title".into()),
                (_, None) => Err("a new book needs a price".into()),
                _ => Ok(None),
            };
        };
        match self.books.insert(book, Named { line, key: row.key().to_owned() }) {
            Some(first) => Err(format!("the same book as line {}", first.line)),
            None => Ok(Some(book)),
        }
    }

    /// New books, each with an address of its own; a new book has a count of copies from the start.
    async fn insert(&mut self, mut rows: Vec<Row>) -> Result<Vec<(BookId, Row)>, Error> {
        let slugs = self.slugs(&rows).await?;
        let new: Vec<NewBook<'_>> = rows.iter().zip(&slugs).map(|(row, slug)| NewBook::new(row, slug)).collect();
        let ids = queries::insert(self.tx, &new, self.currency, self.now).await.during("import.insert")?;
        let mut written = Vec::with_capacity(rows.len());
        for mut row in rows.drain(..) {
            let id = *ids.get(row.key()).ok_or_else(|| Error::unexpected("import.insert", "a book got no id"))?;
            row.stock = row.stock.or(Some(0));
            written.push((id, row));
        }
        Ok(written)
    }

    /// The best free slug of each row.
    async fn slugs(&mut self, rows: &[Row]) -> Result<Vec<String>, Error> {
        let wanted: Vec<Vec<String>> = rows.iter().map(|row| slug::Named::from(row).slugs()).collect();
        let all: Vec<String> = wanted.iter().flatten().cloned().collect();
        let mut taken: HashSet<String> =
            queries::slugs_taken(self.tx, &all).await.during("import.slugs")?.into_iter().collect();
        wanted
            .into_iter()
            .map(|candidates| {
                let free = candidates.into_iter().find(|slug| !taken.contains(slug));
                let slug = free.ok_or_else(|| Error::unexpected("import.slugs", "no address is free for a book"))?;
                taken.insert(slug.clone());
                Ok(slug)
            })
            .collect()
    }

    /// Puts books on the shelves that their lines name.
    async fn place(&mut self, written: &[(BookId, Row)]) -> Result<(), Error> {
        let mut placements = Vec::new();
        for (id, row) in written {
            let categories = row.categories.iter().flatten();
            placements.extend(categories.zip(0..).map(|(category, position)| Placement {
                book_id: *id,
                category,
                position,
            }));
        }
        if placements.is_empty() {
            return Ok(());
        }
        queries::make_categories(self.tx, &placements).await.during("import.categories")?;
        queries::place(self.tx, &placements).await.during("import.place")
    }
}
