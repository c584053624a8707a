//! A book by hand on the desk: made, changed as a whole, taken out of sale and brought back.
//!
//! What is typed has the limits of an import. Who saves names the version they began with: of two who change a book at
//! once one wins, and the other is told what it says now.

mod form;
mod queries;

use super::{
    edit,
    import::{
        Named,
        queries::{self as import, Changed, NewBook, Placement},
        record::Row,
    },
};
use crate::{
    Store,
    admin::audit::{self, Action},
    error::{During, Error},
    stock,
    viewer::Viewer,
    world::to_timestamp,
};
use domain::{ApiError, BookId, ErrorCode, catalog::desk::BookForm};
use serde_json::{Value, json};
use sqlx::PgTransaction;

pub(crate) use queries::Standing;

const MAX_COPIES: i64 = 1_000_000;

/// What the form of a book begins with, and its version.
pub(crate) async fn standing(store: &Store, book: BookId) -> Result<Option<Standing>, Error> {
    queries::standing(store.pg(), book).await.during("editor.standing")
}

/// Makes a book; `copies`, as typed, are on hand from the start.
pub async fn create(store: &Store, admin: &Viewer, form: &BookForm, copies: &str) -> Result<BookId, Error> {
    const OPERATION: &str = "editor.create";
    let (row, copies) = form::both(form::parse(form), form::copies(copies, MAX_COPIES))?;
    let now = store.now();
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    import::lock(&mut tx).await.during(OPERATION)?;
    let wanted = Named::from(&row).slugs();
    let taken = import::slugs_taken(&mut tx, &wanted).await.during(OPERATION)?;
    let free = wanted.into_iter().find(|slug| !taken.contains(slug));
    let slug = free.ok_or_else(|| Error::unexpected(OPERATION, "no address is free for a book"))?;
    let made = import::insert(&mut tx, &[NewBook::new(&row, &slug)], store.config().currency, now).await;
    let made = made.map_err(|error| taken_key(OPERATION, error))?;
    let book = made.into_values().next().ok_or_else(|| Error::unexpected(OPERATION, "a book got no id"))?;
    place(&mut tx, book, &row).await?;
    let operation = format!("new:{}", store.uuid());
    stock::set_on_hand(store, &mut tx, &operation, vec![(book, copies)]).await?;
    let after = json!({ "title": row.title, "price": form::written(&row).price, "copies": copies });
    audit::note(&mut *tx, store, admin, Action::BookCreate, ("book", &book), Value::Null, after).await?;
    tx.commit().await.during(OPERATION)?;
    super::announce(store).await;
    tracing::info!(book.id = book.get(), "a book was made");
    Ok(book)
}

/// Writes the whole form over the book of that version. Of another version: what it says now, field by field, and under
/// `version` the version by which the same form would take its place.
pub async fn save(store: &Store, admin: &Viewer, book: BookId, version: i64, form: &BookForm) -> Result<(), Error> {
    const OPERATION: &str = "editor.save";
    let row = form::parse(form)?;
    let not_there = || ApiError::not_found("this book");
    let seen = standing(store, book).await?.ok_or_else(not_there)?;
    let now = store.now();
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    if row.title.as_ref() != Some(&seen.form.title) {
        // Its address moves with its title.
        import::lock(&mut tx).await.during(OPERATION)?;
    }
    super::queries::lock(&mut *tx, book).await.during(OPERATION)?;
    let before = queries::standing(&mut *tx, book).await.during(OPERATION)?.ok_or_else(not_there)?;
    let typed = form::written(&row);
    if before.version != version {
        return Err(overtaken(&before, &typed).into());
    }
    if before.form == typed {
        return Ok(());
    }
    let changed = queries::write(&mut tx, book, &row, to_timestamp(now)).await;
    let Changed { id, stamp, is_retitled } = changed.map_err(|error| taken_key(OPERATION, error))?;
    place(&mut tx, book, &row).await?;
    edit::follow(&mut tx, [Changed { id, stamp, is_retitled }], now).await?;
    let [before, after] = differences(&before.form, &typed);
    audit::note(&mut *tx, store, admin, Action::BookEdit, ("book", &book), before, after).await?;
    tx.commit().await.during(OPERATION)?;
    super::announce(store).await;
    tracing::info!(book.id = book.get(), "a book was changed");
    Ok(())
}

/// No longer sold: it stays in carts, marked, until their shoppers take it out. Or sold again.
pub async fn retire(store: &Store, admin: &Viewer, book: BookId, is_retired: bool) -> Result<(), Error> {
    const OPERATION: &str = "editor.retire";
    let now = store.now();
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    let was_retired = queries::lock(&mut tx, book).await.during(OPERATION)?;
    if was_retired.ok_or_else(|| ApiError::not_found("this book"))? == is_retired {
        return Ok(());
    }
    edit::change(&mut tx, &[(book, Row { retired: Some(is_retired), ..Row::default() })], now).await?;
    let [before, after] = [!is_retired, is_retired].map(|retired| json!({ "retired": retired }));
    audit::note(&mut *tx, store, admin, Action::BookRetire, ("book", &book), before, after).await?;
    tx.commit().await.during(OPERATION)?;
    super::announce(store).await;
    tracing::info!(book.id = book.get(), is_retired, "a book left the shelves, or came back");
    Ok(())
}

/// These shelves and no others.
async fn place(tx: &mut PgTransaction<'_>, book: BookId, row: &Row) -> Result<(), Error> {
    const OPERATION: &str = "editor.place";
    let categories = row.categories.iter().flatten().zip(0..);
    let placements: Vec<Placement<'_>> =
        categories.map(|(category, position)| Placement { book_id: book, category, position }).collect();
    if placements.is_empty() {
        return queries::clear_shelves(tx, book).await.during(OPERATION);
    }
    import::make_categories(tx, &placements).await.during(OPERATION)?;
    import::place(tx, &placements).await.during(OPERATION)
}

/// Somebody else was faster: each field that says something else now is named with that.
fn overtaken(now: &Standing, typed: &BookForm) -> ApiError {
    let message = "Somebody else changed this book while you were at it. What it says now stands below; \
                   save again to put yours in its place.";
    let fields = now.form.fields().into_iter().zip(typed.fields());
    let other = fields.filter(|((_, now), (_, typed))| now != typed);
    let said = other.map(|((name, now), _)| (name.to_owned(), said(now)));
    let version = ("version".to_owned(), now.version.to_string());
    ApiError { fields: said.chain([version]).collect(), ..ApiError::new(ErrorCode::Conflict, message) }
}

/// The fields that are other ones, as they were and as they are.
fn differences(before: &BookForm, after: &BookForm) -> [Value; 2] {
    let fields = || before.fields().into_iter().zip(after.fields()).filter(|(old, new)| old != new);
    let old = fields().map(|((name, old), _)| (name.to_owned(), json!(old)));
    let new = fields().map(|(_, (name, new))| (name.to_owned(), json!(new)));
    [Value::Object(old.collect()), Value::Object(new.collect())]
}

fn said(text: &str) -> String {
    const MOST: usize = 120;
    match text.char_indices().nth(MOST) {
        _ if text.is_empty() => "Empty now.".to_owned(),
        Some((end, _)) => format!("Now: {}…", &text[..end]),
        None => format!("Now: {text}"),
    }
}

/// Another book has that SKU or ISBN.
fn taken_key(operation: &'static str, error: sqlx::Error) -> Error {
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    let field = match constraint {
        Some("books_sku_key") => ("sku", "Another book has this SKU."),
        Some("books_isbn13_key") => ("isbn13", "Another book has this ISBN."),
        _ => return Error::Postgres { operation, source: error },
    };
    ApiError::fields([(field.0.to_owned(), field.1.to_owned())].into()).into()
}
