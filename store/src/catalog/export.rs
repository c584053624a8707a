//! All books as a CSV file that an import reads again without changing a thing, and in which no spreadsheet finds a formula.

use super::queries::exports;
use crate::{
    Store,
    error::{During, Error},
    spreadsheet::{self, guarded},
};
use csv::WriterBuilder;
use domain::Minor;

/// Books of one piece.
const PIECE: i64 = 500;
/// Columns beside the price, whose name says the currency.
const COLUMNS: [&str; 14] = [
    "sku",
    "isbn13",
    "title",
    "subtitle",
    "authors",
    "year",
    "language",
    "pages",
    "categories",
    "description",
    "price",
    "popularity",
    "stock",
    "retired",
];

/// A book as the file says it.
pub(super) struct Exported {
    pub id: i64,
    pub sku: String,
    pub isbn13: Option<String>,
    pub title: String,
    pub subtitle: Option<String>,
    pub authors: Vec<String>,
    pub year: Option<i32>,
    pub language: String,
    pub pages: Option<i32>,
    pub categories: Vec<String>,
    pub description: String,
    pub price_minor: i64,
    pub popularity: i64,
    pub on_hand: i32,
    pub is_retired: bool,
}

/// The first line.
pub fn head(store: &Store) -> Result<Vec<u8>, Error> {
    let price = format!("price_{}", store.config().currency.code().to_ascii_lowercase());
    let names = COLUMNS.map(|column| if column == "price" { price.clone() } else { column.to_owned() });
    Ok([spreadsheet::MARK.to_string().into_bytes(), written(std::iter::once(names))?].concat())
}

/// The next books behind that id, and the id they end with; `None`: there are no more.
pub async fn piece(store: &Store, after: i64) -> Result<Option<(Vec<u8>, i64)>, Error> {
    let books = exports(store.pg(), after, PIECE).await.during("catalog.export")?;
    let Some(last) = books.last().map(|book| book.id) else { return Ok(None) };
    Ok(Some((written(books.into_iter().map(record))?, last)))
}

/// Authors as an import takes them apart: a single one with a comma in their name is no two.
pub(super) fn joined(authors: &[String]) -> String {
    match authors {
        [only] if only.contains(',') => format!("{only};"),
        authors => authors.join("; "),
    }
}

fn record(book: Exported) -> [String; 14] {
    let number = |value: Option<i32>| value.map(|value| value.to_string()).unwrap_or_default();
    [
        guarded(book.sku),
        book.isbn13.unwrap_or_default(),
        guarded(book.title),
        guarded(book.subtitle.unwrap_or_default()),
        guarded(joined(&book.authors)),
        number(book.year),
        book.language,
        number(book.pages),
        guarded(book.categories.join("; ")),
        guarded(book.description),
        Minor::new(book.price_minor).decimal(),
        book.popularity.to_string(),
        book.on_hand.to_string(),
        if book.is_retired { "yes" } else { "no" }.to_owned(),
    ]
}

fn written(records: impl Iterator<Item = [String; 14]>) -> Result<Vec<u8>, Error> {
    let broken = |error: String| Error::unexpected("catalog.export", error);
    let mut writer = WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    for record in records {
        writer.write_record(record).map_err(|error| broken(error.to_string()))?;
    }
    writer.into_inner().map_err(|error| broken(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_author_with_a_comma_stays_one() {
        let names = |names: &[&str]| joined(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(names(&["Lee, Harper"]), "Lee, Harper;");
        assert_eq!(names(&["A B", "C, D"]), "A B; C, D");
        assert_eq!((names(&[]), names(&["A"])), (String::new(), "A".into()));
    }
}
