//! What people type into the form of a book, checked field by field with the limits of an import.

use crate::catalog::{
    export::joined,
    import::{
        columns::Column,
        language,
        record::{self, Fault, Row},
    },
};
use domain::{ApiError, Minor, catalog::desk::BookForm, isbn::Isbn};
use std::collections::BTreeMap;

/// A whole book: what is `None` or empty in it is empty in the form, too.
pub(super) fn parse(form: &BookForm) -> Result<Row, ApiError> {
    let mut fields = Fields::default();
    let text = |column, value: &str, max| record::plain(column, value, max);
    let isbn13 = fields.read("isbn13", &form.isbn13, |value| Ok(Isbn::parse(value)?));
    let sku = fields.read("sku", &form.sku, record::sku);
    let row = Row {
        title: fields.read("title", &form.title, |value| text(Column::Title, value, record::MAX_TITLE)),
        subtitle: fields.read("subtitle", &form.subtitle, |value| text(Column::Subtitle, value, record::MAX_TITLE)),
        authors: fields.read("authors", &form.authors, record::authors).or(Some(Vec::new())),
        year: fields.read("year", &form.year, |value| number(Column::Year, value, record::YEARS.0, record::YEARS.1)),
        language: fields
            .read("language", &form.language, |value| language::parse(value).ok_or(Fault::Language))
            .or_else(|| Some("en".to_owned())),
        pages: fields.read("pages", &form.pages, |value| number(Column::Pages, value, 1, record::MAX_PAGES)),
        description: fields
            .read("description", &form.description, |value| text(Column::Description, value, record::MAX_DESCRIPTION))
            .or_else(|| Some(String::new())),
        price: fields.read("price", &form.price, price),
        popularity: fields
            .read("popularity", &form.popularity, |value| number(Column::Popularity, value, 0, record::MAX_POPULARITY))
            .or(Some(0)),
        categories: fields.read("categories", &form.categories, record::categories).or(Some(Vec::new())),
        sku: sku.or_else(|| isbn13.as_ref().map(|isbn| isbn.as_str().to_owned())),
        isbn13,
        ..Row::default()
    };
    fields.needs("title", row.title.is_some(), "A book needs a title.");
    fields.needs("price", row.price.is_some(), "A book needs a price.");
    fields.needs("sku", row.sku.is_some(), "A book needs a SKU, or an ISBN.");
    if fields.wrong.is_empty() { Ok(row) } else { Err(ApiError::fields(fields.wrong)) }
}

/// How many copies there are from the start; nothing typed: none.
pub(super) fn copies(typed: &str, most: i64) -> Result<i32, ApiError> {
    let typed = if typed.trim().is_empty() { "0" } else { typed.trim() };
    let copies = record::whole(Column::Stock, typed, 0, most).ok().and_then(|copies| i32::try_from(copies).ok());
    let wrong = || ApiError::fields([("copies".to_owned(), format!("A whole number from 0 to {most}."))].into());
    copies.ok_or_else(wrong)
}

/// Both, or what is wrong with either.
pub(super) fn both<A, B>(one: Result<A, ApiError>, other: Result<B, ApiError>) -> Result<(A, B), ApiError> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(mut wrong), Err(more)) => {
            wrong.fields.extend(more.fields);
            Err(wrong)
        }
        (Err(wrong), Ok(_)) | (Ok(_), Err(wrong)) => Err(wrong),
    }
}

/// The row as the form shows it.
pub(super) fn written(row: &Row) -> BookForm {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let number = |value: Option<i64>| value.map(|value| value.to_string()).unwrap_or_default();
    BookForm {
        sku: text(&row.sku),
        isbn13: row.isbn13.clone().map(String::from).unwrap_or_default(),
        title: text(&row.title),
        subtitle: text(&row.subtitle),
        authors: joined(row.authors.as_deref().unwrap_or_default()),
        year: number(row.year),
        language: text(&row.language),
        pages: number(row.pages),
        categories: row.categories.as_deref().unwrap_or_default().join("; "),
        description: text(&row.description),
        price: row.price.map(Minor::typed).unwrap_or_default(),
        popularity: number(row.popularity),
    }
}

/// What is wrong so far, by field.
#[derive(Default)]
struct Fields {
    wrong: BTreeMap<String, String>,
}

impl Fields {
    /// `None`: empty, or noted as wrong.
    fn read<T>(&mut self, name: &str, typed: &str, read: impl FnOnce(&str) -> Result<T, Fault>) -> Option<T> {
        let typed = typed.trim();
        if typed.is_empty() {
            return None;
        }
        read(typed).map_err(|fault| self.wrong.insert(name.to_owned(), sentence(&fault))).ok()
    }

    fn needs(&mut self, name: &str, is_there: bool, otherwise: &str) {
        if !is_there {
            self.wrong.entry(name.to_owned()).or_insert_with(|| otherwise.to_owned());
        }
    }
}

/// A fault without the column's name, which stands above the field.
fn sentence(fault: &Fault) -> String {
    let text = fault.to_string();
    let text = text.split_once(": ").map_or(text.as_str(), |(_, rest)| rest);
    let mut rest = text.chars();
    let first: String = rest.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", rest.as_str())
}

fn number(column: Column, typed: &str, min: i64, max: i64) -> Result<i64, Fault> {
    record::whole(column, typed, min, max)
}

fn price(typed: &str) -> Result<Minor, Fault> {
    let price = Minor::parse_typed(typed).map_err(|_| Fault::Price)?;
    if (1..=record::MAX_PRICE * 100).contains(&price.get()) { Ok(price) } else { Err(Fault::Price) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> BookForm {
        BookForm { sku: "A-1".into(), title: "One".into(), price: "499".into(), ..BookForm::default() }
    }

    #[test]
    fn every_wrong_field_is_named_in_words() {
        let wrong = BookForm {
            sku: "a b".into(),
            isbn13: "9780679457313".into(),
            title: " ".into(),
            year: "soon".into(),
            language: "english".into(),
            pages: "0".into(),
            categories: "…".into(),
            description: "x".repeat(5_001),
            price: "4,50".into(),
            popularity: "-1".into(),
            ..BookForm::default()
        };
        let refusal = parse(&wrong).expect_err("refused");
        let names: Vec<&str> = refusal.fields.keys().map(String::as_str).collect();
        let expected =
            ["categories", "description", "isbn13", "language", "pages", "popularity", "price", "sku", "title", "year"];
        assert_eq!(names, expected);
        assert_eq!(refusal.fields["pages"], "Not a whole number from 1 to 100000.");
        assert_eq!(refusal.fields["title"], "A book needs a title.");
        let empty = parse(&BookForm::default()).expect_err("refused");
        assert_eq!(empty.fields.keys().collect::<Vec<_>>(), ["price", "sku", "title"]);
    }

    #[test]
    fn what_is_read_is_written_the_same() {
        let full = BookForm {
            isbn13: "978-0-679-45731-2".into(),
            authors: "Lee, Harper;".into(),
            year: "1997".into(),
            language: "eng".into(),
            price: "₹1,299.50".into(),
            categories: "Indian Writing; poetry".into(),
            ..form()
        };
        let row = parse(&full).expect("a book");
        assert_eq!(row.authors, Some(vec!["Lee, Harper".to_owned()]));
        let written = written(&row);
        assert_eq!((written.price.as_str(), written.language.as_str()), ("1299.50", "en"));
        assert_eq!((written.authors.as_str(), written.categories.as_str()), ("Lee, Harper;", "indian-writing; poetry"));
        assert_eq!(super::written(&parse(&written).expect("again")), written);
        let nameless = parse(&BookForm { sku: String::new(), isbn13: "9780679457312".into(), ..form() });
        assert_eq!(nameless.expect("a book").sku.as_deref(), Some("9780679457312"));
    }

    #[test]
    fn both_halves_of_a_form_say_what_is_wrong() {
        let wrong = both(parse(&BookForm::default()), copies("many", 10)).expect_err("refused");
        assert_eq!(wrong.fields.keys().collect::<Vec<_>>(), ["copies", "price", "sku", "title"]);
        assert_eq!((copies("", 10), copies(" 7 ", 10)), (Ok(0), Ok(7)));
    }
}
