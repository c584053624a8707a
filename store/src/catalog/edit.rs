//! Changing a book by hand, and telling carts of what an import or an editor changed.

use super::address;
use super::import::{
    columns::Column,
    queries::{self, Changed},
    record::{self, Row},
};
use crate::{
    Store,
    error::{During, Error},
    jobs::{self, Topic},
    world::to_timestamp,
};
use domain::{ApiError, BookId, Minor, UnixMillis};
use sqlx::PgTransaction;
use std::collections::BTreeMap;

/// What is to become of a book; `None`: it stays. Its address follows its title; the old one leads to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BookEdit {
    pub title: Option<String>,
    pub price: Option<Minor>,
    pub authors: Option<Vec<String>>,
    pub description: Option<String>,
    /// No longer sold; it stays in carts, marked, until their shoppers take it out.
    pub retired: Option<bool>,
}

/// Changes a book under the same limits as an import. What nobody can understand is refused field by field.
pub async fn edit(store: &Store, id: BookId, edit: BookEdit) -> Result<(), Error> {
    const OPERATION: &str = "catalog.edit";
    let row = edit.checked()?;
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    if row.title.is_some() {
        queries::lock(&mut tx).await.during(OPERATION)?;
    }
    if !super::queries::lock(&mut *tx, id).await.during(OPERATION)? {
        return Err(ApiError::not_found("this book").into());
    }
    change(&mut tx, &[(id, row)], store.now()).await?;
    tx.commit().await.during(OPERATION)?;
    super::announce(store).await;
    Ok(())
}

/// Writes changes of books together with the work of telling the carts: a title, a price or a state that really is
/// another one concerns them. Who gives titles holds [`queries::lock`].
pub(super) async fn change(tx: &mut PgTransaction<'_>, books: &[(BookId, Row)], now: UnixMillis) -> Result<(), Error> {
    let changed = queries::update(tx, books, now).await.during("catalog.change")?;
    follow(tx, changed, now).await
}

/// What comes after the books were written, in the same transaction.
pub(super) async fn follow(
    tx: &mut PgTransaction<'_>,
    changed: impl IntoIterator<Item = Changed>,
    now: UnixMillis,
) -> Result<(), Error> {
    const OPERATION: &str = "catalog.follow";
    let mut news = BTreeMap::<i64, Vec<String>>::new();
    let mut retitled = Vec::new();
    for Changed { id, stamp, is_retitled } in changed {
        if is_retitled {
            retitled.push(id);
        }
        if let Some(stamp) = stamp {
            news.entry(stamp).or_default().push(id.to_string());
        }
    }
    for (stamp, books) in news {
        let payload = serde_json::json!({ "stamp": stamp });
        let queued = jobs::enqueue_alike(&mut **tx, Topic::BookChanged, &books, &payload, to_timestamp(now));
        queued.await.during(OPERATION)?;
    }
    address::follow_titles(tx, &retitled, now).await
}

impl BookEdit {
    fn checked(self) -> Result<Row, ApiError> {
        let mut wrong = BTreeMap::new();
        let mut text = |column, value: Option<String>, max| {
            let checked = record::plain(column, &value?, max).map_err(|fault| fault.to_string());
            noted(&mut wrong, column, checked)
        };
        let title = text(Column::Title, self.title, record::MAX_TITLE);
        let description = text(Column::Description, self.description, record::MAX_DESCRIPTION);
        let authors = self.authors.map(|names| {
            let names = names.into_iter().filter_map(|name| text(Column::Authors, Some(name), record::MAX_AUTHOR));
            names.filter(|name| !name.is_empty()).collect::<Vec<_>>()
        });
        if title.as_ref().is_some_and(String::is_empty) {
            wrong.insert("title".to_owned(), "A book needs a title.".to_owned());
        }
        if authors.as_ref().is_some_and(|names| names.len() > record::MAX_AUTHORS) {
            wrong.insert("authors".to_owned(), format!("At most {} authors.", record::MAX_AUTHORS));
        }
        if self.price.is_some_and(|price| !(1..=record::MAX_PRICE * 100).contains(&price.get())) {
            wrong.insert("price".to_owned(), format!("A price is above 0 and at most {}.", record::MAX_PRICE));
        }
        if !wrong.is_empty() {
            return Err(ApiError::fields(wrong));
        }
        Ok(Row { title, price: self.price, authors, description, retired: self.retired, ..Row::default() })
    }
}

/// The value, or its fault under the name of the field.
fn noted(wrong: &mut BTreeMap<String, String>, field: Column, checked: Result<String, String>) -> Option<String> {
    checked.map_err(|fault| wrong.insert(field.name().to_owned(), fault)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_is_named() {
        let edit = BookEdit {
            title: Some("  ".into()),
            price: Some(Minor::ZERO),
            authors: Some(vec!["Fine".into(), "n\u{0}t".into()]),
            description: Some("x".repeat(record::MAX_DESCRIPTION + 1)),
            retired: None,
        };
        let refusal = edit.checked().expect_err("refused");
        assert_eq!(refusal.fields.keys().collect::<Vec<_>>(), ["authors", "description", "price", "title"]);
    }

    #[test]
    fn what_is_not_named_stays() {
        assert_eq!(BookEdit::default().checked(), Ok(Row::default()));
        let edit = BookEdit { authors: Some(vec![" A  B ".into(), " ".into()]), ..BookEdit::default() };
        assert_eq!(edit.checked().expect("fine").authors, Some(vec!["A B".to_owned()]));
    }
}
