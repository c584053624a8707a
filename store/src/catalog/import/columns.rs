//! Which column of a file holds what.

use super::record::Fault;
use crate::spreadsheet::bare;
use csv::ByteRecord;
use domain::Currency;
use std::collections::HashMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::catalog) enum Column {
    Isbn,
    Sku,
    Title,
    Subtitle,
    Authors,
    Year,
    Language,
    Pages,
    Categories,
    Description,
    Price,
    Popularity,
    Stock,
    Retired,
}

impl Column {
    /// The name that reasons use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Isbn => "isbn13",
            Self::Sku => "sku",
            Self::Title => "title",
            Self::Subtitle => "subtitle",
            Self::Authors => "authors",
            Self::Year => "year",
            Self::Language => "language",
            Self::Pages => "pages",
            Self::Categories => "categories",
            Self::Description => "description",
            Self::Price => "price",
            Self::Popularity => "popularity",
            Self::Stock => "stock",
            Self::Retired => "retired",
        }
    }

    fn parse(name: &str, currency: Currency) -> Option<Self> {
        Some(match name {
            "isbn13" | "isbn" => Self::Isbn,
            "sku" => Self::Sku,
            "title" => Self::Title,
            "subtitle" => Self::Subtitle,
            "authors" => Self::Authors,
            "year" => Self::Year,
            "language" => Self::Language,
            "pages" => Self::Pages,
            "categories" => Self::Categories,
            "description" => Self::Description,
            "price" => Self::Price,
            "popularity" | "ratings_count" => Self::Popularity,
            "stock" => Self::Stock,
            "retired" => Self::Retired,
            _ => {
                let code = name.strip_prefix("price_")?.to_ascii_uppercase();
                return (code == currency.code()).then_some(Self::Price);
            }
        })
    }
}

/// The first line of a file.
#[derive(Debug)]
pub(super) struct Columns {
    places: HashMap<Column, usize>,
    width: usize,
    /// Names that mean nothing here.
    pub ignored: Vec<String>,
}

impl Columns {
    /// Prices must be in `currency`; the error is a sentence for the person.
    pub fn parse(header: &ByteRecord, currency: Currency) -> Result<Self, String> {
        let first = header.get(0).unwrap_or_default();
        if first.contains(&0) {
            return Err("the file is no text in UTF-8".into());
        }
        if header.len() == 1 && first.iter().any(|byte| matches!(byte, b';' | b'\t')) {
            return Err("its columns are not separated by commas".into());
        }
        let mut columns = Self { places: HashMap::new(), width: header.len(), ignored: Vec::new() };
        for (place, name) in header.iter().enumerate() {
            let name = String::from_utf8_lossy(name);
            let name = name.trim_start_matches('\u{feff}').trim().to_lowercase();
            let Some(column) = Column::parse(&name, currency) else {
                columns.ignored.push(name.chars().take(64).collect());
                continue;
            };
            if columns.places.insert(column, place).is_some() {
                return Err(format!("two columns hold the {}", column.name()));
            }
        }
        if !columns.places.contains_key(&Column::Isbn) && !columns.places.contains_key(&Column::Sku) {
            return Err("a column isbn13 or sku is needed to tell books apart".into());
        }
        let foreign = columns.ignored.iter().find(|name| name.starts_with("price_"));
        match foreign {
            Some(name) => Err(format!("{name} is not in the shop's currency, {}", currency.code())),
            None => Ok(columns),
        }
    }

    /// A line has as many fields as the first one.
    pub fn check_width(&self, record: &ByteRecord) -> Result<(), Fault> {
        if record.len() == self.width {
            Ok(())
        } else {
            Err(Fault::Width { fields: record.len(), columns: self.width })
        }
    }

    /// The field, trimmed, and without the apostrophe of our own files; `None` when it is empty or there is no such column.
    pub fn field<'r>(&self, record: &'r ByteRecord, column: Column) -> Result<Option<&'r str>, Fault> {
        let Some(bytes) = self.places.get(&column).and_then(|place| record.get(*place)) else { return Ok(None) };
        let text = std::str::from_utf8(bytes).map_err(|_| Fault::Encoding(column.name()))?.trim();
        Ok(Some(bare(text)).filter(|text| !text.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(names: &[&str]) -> Result<Columns, String> {
        Columns::parse(&ByteRecord::from(names.to_vec()), Currency::Inr)
    }

    #[test]
    fn names_are_found_however_they_are_written() {
        let columns = parse(&["\u{feff}ISBN13", " Title ", "rating", "price_inr"]).expect("a header");
        assert_eq!(columns.ignored, ["rating"]);
        let record = ByteRecord::from(vec!["", " A ", "4.5", "499"]);
        assert_eq!(columns.field(&record, Column::Title), Ok(Some("A")));
        assert_eq!(columns.field(&record, Column::Isbn), Ok(None));
        assert_eq!(columns.field(&record, Column::Stock), Ok(None));
    }

    #[test]
    fn headers_that_would_mislead_are_refused() {
        assert!(parse(&["title", "price"]).is_err_and(|e| e.contains("isbn13 or sku")));
        assert!(parse(&["isbn", "isbn13"]).is_err_and(|e| e.contains("two columns")));
        assert!(parse(&["isbn;title;price"]).is_err_and(|e| e.contains("commas")));
        assert!(parse(&["isbn\ttitle"]).is_err_and(|e| e.contains("commas")));
        assert!(parse(&["\0i\0s\0b\0n"]).is_err_and(|e| e.contains("UTF-8")));
        assert!(parse(&["isbn", "price_usd"]).is_err_and(|e| e.contains("INR")));
    }
}
