//! The catalogue on the desk: the list of all books, one book with its copies and its ledger, and what counts as low.

mod queries;

use super::{
    audit::{self, Action},
    like,
};
use crate::{
    Store,
    catalog::{self, editor},
    error::{During, Error},
    stock,
    viewer::Viewer,
};
use domain::{
    ApiError, BookId,
    catalog::{
        MAX_QUERY,
        desk::{BookDesk, LEDGER_PAGE, Place, SHELF_PAGE, ShelfPage, ShelfQuery},
    },
    isbn::Isbn,
};
use queries::Filter;
use serde_json::json;

/// Largest number from which copies may count as few.
const MAX_LOW: i64 = 1_000_000;

/// One page of all books, retired ones included.
pub async fn list(store: &Store, query: &ShelfQuery) -> Result<ShelfPage, Error> {
    const OPERATION: &str = "admin.books";
    let filter = filter(query);
    let pg = store.postgres(OPERATION).await?;
    let counts = queries::counts(pg, &filter).await.during(OPERATION)?;
    let mut books = queries::books(pg, &filter, query.show, query.order, query.after.as_ref(), SHELF_PAGE + 1)
        .await
        .during(OPERATION)?;
    let is_last = i64::try_from(books.len()).is_ok_and(|count| count <= SHELF_PAGE);
    books.truncate(usize::try_from(SHELF_PAGE).unwrap_or_default());
    let next = books.last().filter(|_| !is_last).map(|(_, place)| Place::to_string(place));
    let categories = catalog::categories(store).await?;
    Ok(ShelfPage {
        books: books.into_iter().map(|(book, _)| book).collect(),
        counts,
        next,
        low_from: queries::shop_low_from(pg).await.during(OPERATION)?,
        categories: categories.iter().map(|category| (category.slug.clone(), category.name.clone())).collect(),
    })
}

fn filter(query: &ShelfQuery) -> Filter {
    let text: String = query.q.iter().flat_map(|q| q.chars()).filter(|c| !c.is_control()).take(MAX_QUERY).collect();
    let text = text.trim();
    Filter {
        text: (!text.is_empty()).then(|| like(text)),
        // Also an ISBN-10, or one with hyphens.
        isbn: Isbn::parse(text).ok().map(String::from),
        category: query.category.clone().filter(|slug| !slug.is_empty() && !slug.contains('\0')),
    }
}

/// One book, with the part of its ledger before that movement.
pub async fn desk(store: &Store, book: BookId, before: Option<i64>) -> Result<Option<BookDesk>, Error> {
    const OPERATION: &str = "admin.book";
    let pg = store.postgres(OPERATION).await?;
    let Some(standing) = editor::standing(store, book).await? else { return Ok(None) };
    let Some(facts) = queries::facts(pg, book).await.during(OPERATION)? else { return Ok(None) };
    let mut ledger = stock::history(store, book, before, LEDGER_PAGE + 1).await?;
    let has_more = i64::try_from(ledger.len()).is_ok_and(|count| count > LEDGER_PAGE);
    ledger.truncate(usize::try_from(LEDGER_PAGE).unwrap_or_default());
    Ok(Some(BookDesk {
        id: book,
        title: standing.form.title.clone(),
        slug: facts.slug,
        form: standing.form,
        version: standing.version,
        is_retired: facts.is_retired,
        on_hand: facts.on_hand.into(),
        reserved: facts.reserved.into(),
        low_from: facts.low_from.map(i64::from),
        shop_low_from: queries::shop_low_from(pg).await.during(OPERATION)?,
        carts: facts.carts,
        operation: store.uuid().to_string(),
        older: ledger.last().filter(|_| has_more).map(|movement| movement.id),
        ledger,
    }))
}

/// From how few copies on sale this book counts as low; `None`: from as few as the shop says.
pub async fn set_low_from(store: &Store, admin: &Viewer, book: BookId, low_from: Option<i64>) -> Result<(), Error> {
    const OPERATION: &str = "admin.set_low_from";
    let low_from = low_from.map(checked).transpose()?;
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    let before = queries::low_from(&mut *tx, book).await.during(OPERATION)?;
    if queries::set_low_from(&mut *tx, book, low_from).await.during(OPERATION)? == 0 {
        return Err(ApiError::not_found("this book").into());
    }
    let [before, after] = [before, low_from].map(|low_from| json!({ "low_from": low_from }));
    audit::note(&mut *tx, store, admin, Action::StockLow, ("book", &book), before, after).await?;
    tx.commit().await.during(OPERATION)
}

/// The same for all books that say nothing themselves.
pub async fn set_shop_low_from(store: &Store, admin: &Viewer, low_from: i64) -> Result<(), Error> {
    const OPERATION: &str = "admin.set_shop_low_from";
    let low_from = checked(low_from)?;
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    let before = queries::shop_low_from(&mut *tx).await.during(OPERATION)?;
    queries::set_shop_low_from(&mut *tx, low_from).await.during(OPERATION)?;
    let [before, after] = [before, low_from.into()].map(|low_from| json!({ "low_from": low_from }));
    audit::note(&mut *tx, store, admin, Action::StockLow, ("shop", &"stock"), before, after).await?;
    tx.commit().await.during(OPERATION)
}

fn checked(low_from: i64) -> Result<i32, ApiError> {
    let number = (0..=MAX_LOW).contains(&low_from).then(|| i32::try_from(low_from).ok()).flatten();
    let wrong = || ApiError::fields([("low_from".to_owned(), format!("A whole number from 0 to {MAX_LOW}."))].into());
    number.ok_or_else(wrong)
}
