//! One line of a file, checked and bounded.

use super::{
    columns::{Column, Columns},
    language, slug,
};
use csv::ByteRecord;
use domain::{
    Minor,
    isbn::{BadIsbn, Isbn},
};
use serde::Serialize;

const MAX_SKU: usize = 64;
pub(in crate::catalog) const MAX_TITLE: usize = 300;
pub(in crate::catalog) const MAX_DESCRIPTION: usize = 5_000;
pub(in crate::catalog) const MAX_AUTHORS: usize = 100;
pub(in crate::catalog) const MAX_AUTHOR: usize = 200;
const MAX_CATEGORIES: usize = 10;
const MAX_CATEGORY: usize = 60;
/// Whole units of the currency: ten lakh rupees.
pub(in crate::catalog) const MAX_PRICE: i64 = 1_000_000;
pub(in crate::catalog) const YEARS: (i64, i64) = (-4_000, 2_100);
pub(in crate::catalog) const MAX_PAGES: i64 = 100_000;
const MAX_STOCK: i64 = 1_000_000;
pub(in crate::catalog) const MAX_POPULARITY: i64 = 1_000_000_000_000;

/// What a line says; `None`: nothing about that. Serialised, it is a record for `jsonb_to_recordset`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(in crate::catalog) struct Row {
    pub isbn13: Option<Isbn>,
    pub sku: Option<String>,
    pub title: Option<String>,
    pub subtitle: Option<String>,
    pub authors: Option<Vec<String>>,
    pub year: Option<i64>,
    pub language: Option<String>,
    pub pages: Option<i64>,
    pub description: Option<String>,
    #[serde(rename = "price_minor")]
    pub price: Option<Minor>,
    pub popularity: Option<i64>,
    pub retired: Option<bool>,
    /// Slugs.
    #[serde(skip)]
    pub categories: Option<Vec<String>>,
    #[serde(skip)]
    pub stock: Option<i32>,
}

/// Why a line is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::catalog) enum Fault {
    #[error("{fields} fields, but the first line names {columns} columns")]
    Width { fields: usize, columns: usize },
    #[error("{0}: not UTF-8")]
    Encoding(&'static str),
    #[error("{column}: longer than {max} characters")]
    Long { column: &'static str, max: usize },
    #[error("{column}: more than {max} of them")]
    Many { column: &'static str, max: usize },
    #[error("{0}: holds control characters")]
    Control(&'static str),
    #[error("{column}: not a whole number from {min} to {max}")]
    Number { column: &'static str, min: i64, max: i64 },
    #[error("price: not a price like 499 or 499.50, above 0 and at most {MAX_PRICE}")]
    Price,
    #[error("sku: not made of 1 to {MAX_SKU} visible ASCII characters")]
    Sku,
    #[error("isbn13: {0}")]
    Isbn(#[from] BadIsbn),
    #[error("retired: neither yes nor no")]
    Retired,
    #[error("language: not a code like en, eng or en-GB")]
    Language,
    #[error("categories: “{0}” has no letters to make a name of")]
    Category(String),
    #[error("neither isbn13 nor sku")]
    Nameless,
}

impl Row {
    pub(in crate::catalog::import) fn parse(columns: &Columns, record: &ByteRecord) -> Result<Self, Fault> {
        columns.check_width(record)?;
        let field = |column| columns.field(record, column);
        let text = |column, max| field(column)?.map(|value| plain(column, value, max)).transpose();
        let number = |column, min, max| field(column)?.map(|value| whole(column, value, min, max)).transpose();
        let row = Self {
            isbn13: field(Column::Isbn)?.map(Isbn::parse).transpose()?,
            sku: field(Column::Sku)?.map(sku).transpose()?,
            title: text(Column::Title, MAX_TITLE)?,
            subtitle: text(Column::Subtitle, MAX_TITLE)?,
            authors: field(Column::Authors)?.map(authors).transpose()?,
            year: number(Column::Year, YEARS.0, YEARS.1)?,
            language: field(Column::Language)?.map(|code| language::parse(code).ok_or(Fault::Language)).transpose()?,
            pages: number(Column::Pages, 1, MAX_PAGES)?,
            description: text(Column::Description, MAX_DESCRIPTION)?,
            price: field(Column::Price)?.map(|value| price(value).ok_or(Fault::Price)).transpose()?,
            popularity: number(Column::Popularity, 0, MAX_POPULARITY)?,
            retired: field(Column::Retired)?.map(|value| yes_or_no(value).ok_or(Fault::Retired)).transpose()?,
            categories: field(Column::Categories)?.map(categories).transpose()?,
            stock: number(Column::Stock, 0, MAX_STOCK)?.and_then(|copies| i32::try_from(copies).ok()),
        };
        if row.isbn13.is_none() && row.sku.is_none() {
            return Err(Fault::Nameless);
        }
        Ok(row)
    }

    /// What the shop calls it: its SKU, else its ISBN.
    pub fn key(&self) -> &str {
        let isbn = self.isbn13.as_ref().map_or("", Isbn::as_str);
        self.sku.as_deref().unwrap_or(isbn)
    }
}

/// One line of text: runs of white space become one space.
pub(in crate::catalog) fn plain(column: Column, value: &str, max: usize) -> Result<String, Fault> {
    let text = value.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().any(char::is_control) {
        return Err(Fault::Control(column.name()));
    }
    if text.chars().count() > max {
        return Err(Fault::Long { column: column.name(), max });
    }
    Ok(text)
}

pub(in crate::catalog) fn whole(column: Column, value: &str, min: i64, max: i64) -> Result<i64, Fault> {
    let fault = Fault::Number { column: column.name(), min, max };
    let digits = value.strip_prefix('-').unwrap_or(value);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(fault);
    }
    value.parse().ok().filter(|number| (min..=max).contains(number)).ok_or(fault)
}

pub(in crate::catalog) fn sku(value: &str) -> Result<String, Fault> {
    let fits = value.len() <= MAX_SKU && value.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(value.to_owned()) } else { Err(Fault::Sku) }
}

/// `499`, `499.5` or `499.50`, without floats.
fn price(value: &str) -> Option<Minor> {
    let (units, part) = value.split_once('.').unwrap_or((value, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(units) || !digits(part) || part.len() > 2 {
        return None;
    }
    let minor: i64 = format!("{part:0<2}").parse().ok()?;
    let units: i64 = units.parse().ok().filter(|units| *units <= MAX_PRICE)?;
    Some(units * 100 + minor).filter(|price| (1..=MAX_PRICE * 100).contains(price)).map(Minor::new)
}

fn yes_or_no(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// Separated by `;`, or by `,` where there is none; `King, Jr.` is one person.
pub(in crate::catalog) fn authors(value: &str) -> Result<Vec<String>, Fault> {
    const TITLES: [&str; 8] = ["Jr.", "Jr", "Sr.", "II", "III", "M.D.", "Ph.D.", "PhD"];
    let separator = if value.contains(';') { ';' } else { ',' };
    let mut names: Vec<String> = Vec::new();
    for name in value.split(separator) {
        let name = plain(Column::Authors, name, MAX_AUTHOR)?;
        if name.is_empty() || names.contains(&name) {
            continue;
        }
        match names.last_mut() {
            Some(last) if separator == ',' && TITLES.contains(&name.as_str()) => *last = format!("{last}, {name}"),
            _ => names.push(name),
        }
    }
    if names.len() > MAX_AUTHORS {
        return Err(Fault::Many { column: Column::Authors.name(), max: MAX_AUTHORS });
    }
    Ok(names)
}

pub(in crate::catalog) fn categories(value: &str) -> Result<Vec<String>, Fault> {
    let mut slugs: Vec<String> = Vec::new();
    for name in value.split(';').map(str::trim).filter(|name| !name.is_empty()) {
        let name = plain(Column::Categories, name, MAX_CATEGORY)?;
        let slug = slug::of(&name);
        if slug.is_empty() {
            return Err(Fault::Category(name));
        }
        if !slugs.contains(&slug) {
            slugs.push(slug);
        }
    }
    if slugs.len() > MAX_CATEGORIES {
        return Err(Fault::Many { column: Column::Categories.name(), max: MAX_CATEGORIES });
    }
    Ok(slugs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_exact() {
        let minor = |text| price(text).map(Minor::get);
        assert_eq!((minor("499"), minor("499.5"), minor("0.01")), (Some(49_900), Some(49_950), Some(1)));
        assert_eq!(minor("1000000"), Some(100_000_000));
        for bad in [
            "0",
            "0.00",
            "-1",
            "+1",
            "1,000",
            "1.234",
            ".5",
            "5.",
            "1e3",
            "NaN",
            "",
            "1000000.01",
            "99999999999999999999",
        ] {
            assert_eq!(minor(bad), None, "{bad}");
        }
    }

    #[test]
    fn authors_of_both_kinds_of_files() {
        let names = |text| authors(text).expect("authors");
        assert_eq!(names("Harold Abelson; Gerald Jay Sussman;"), ["Harold Abelson", "Gerald Jay Sussman"]);
        assert_eq!(names("J.K. Rowling, Mary  GrandPré"), ["J.K. Rowling", "Mary GrandPré"]);
        assert_eq!(names("Martin Luther King, Jr., Clayborne Carson"), ["Martin Luther King, Jr.", "Clayborne Carson"]);
        assert_eq!(names("Lee, Harper; Lee, Harper"), ["Lee, Harper"]);
    }

    #[test]
    fn numbers_and_texts_are_bounded() {
        assert_eq!(whole(Column::Year, "-750", -4_000, 2_100), Ok(-750));
        for bad in ["", "-", "1.0", "+5", "5000", "१९"] {
            assert!(whole(Column::Year, bad, -4_000, 2_100).is_err(), "{bad}");
        }
        assert_eq!(plain(Column::Title, "a\n b\t", 3), Ok("a b".into()));
        assert_eq!(plain(Column::Title, "a\u{0}", 3), Err(Fault::Control("title")));
        assert!(matches!(plain(Column::Title, "abcd", 3), Err(Fault::Long { max: 3, .. })));
    }

    #[test]
    fn only_yes_and_no_retire_a_book_or_bring_it_back() {
        assert_eq!((yes_or_no("Yes"), yes_or_no("no")), (Some(true), Some(false)));
        for unclear in ["1", "true", "y", "never", "yes!"] {
            assert_eq!(yes_or_no(unclear), None, "{unclear}");
        }
    }

    #[test]
    fn categories_become_slugs() {
        assert_eq!(categories("Indian Writing; poetry; poetry"), Ok(vec!["indian-writing".into(), "poetry".into()]));
        assert!(categories("…").is_err());
    }
}
