//! The catalogue on the desk: its list, one book, its copies.

#[cfg(feature = "ssr")]
use super::args;
use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::Caller;
use domain::catalog::desk::{BookDesk, BookForm, ShelfPage};
#[cfg(feature = "ssr")]
use domain::{
    ApiError, BookId, Permission,
    catalog::desk::{Place, ShelfQuery, ShelfSort, Show},
    stock::MovementKind,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
#[cfg(feature = "ssr")]
use store::{
    admin::books,
    catalog::editor,
    stock::{self, Correction},
};

#[server(name = AdminBooks, prefix = "/api", endpoint = "admin/books", input = GetUrl)]
pub async fn list(
    #[server(default)] q: String,
    #[server(default)] category: String,
    #[server(default)] show: String,
    #[server(default)] sort: String,
    #[server(default)] after: String,
) -> Result<ShelfPage, AppError> {
    let caller = Caller::current()?;
    caller.require(Permission::ReadCatalogue)?;
    let query = ShelfQuery {
        q: Some(q),
        category: Some(category),
        show: Show::parse(&show),
        order: ShelfSort::parse(&sort),
        after: Place::parse(&after),
    };
    Ok(books::list(caller.store(), &query).await?)
}

/// `before`: the movement that the part of the ledger ends with, not included.
#[server(name = AdminBook, prefix = "/api", endpoint = "admin/books/get", input = GetUrl)]
pub async fn book(#[server(default)] id: String, #[server(default)] before: String) -> Result<BookDesk, AppError> {
    let caller = Caller::current()?;
    caller.require(Permission::ReadCatalogue)?;
    desk(&caller, named(&id)?, before.parse().ok()).await
}

/// Answers with the book as the desk sees it.
#[server(name = CreateBook, prefix = "/api", endpoint = "admin/books/create")]
pub async fn create(
    #[server(flatten)] form: BookForm,
    #[server(default)] copies: String,
) -> Result<BookDesk, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::EditCatalogue)?;
    let book = editor::create(caller.store(), &admin, &form, &copies).await?;
    desk(&caller, book, None).await
}

#[server(name = SaveBook, prefix = "/api", endpoint = "admin/books/save")]
pub async fn save(
    #[server(default)] id: String,
    #[server(default)] version: String,
    #[server(flatten)] form: BookForm,
) -> Result<BookDesk, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::EditCatalogue)?;
    let book = named(&id)?;
    let version = version.parse().map_err(|_| AppError::bad_request("“version” must be the version of the book."))?;
    editor::save(caller.store(), &admin, book, version, &form).await?;
    desk(&caller, book, None).await
}

#[server(name = RetireBook, prefix = "/api", endpoint = "admin/books/retire")]
pub async fn retire(#[server(default)] id: String, #[server(default)] retired: String) -> Result<BookDesk, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::EditCatalogue)?;
    let book = named(&id)?;
    editor::retire(caller.store(), &admin, book, args::flag("retired", &retired)?).await?;
    desk(&caller, book, None).await
}

/// `operation`: the same one with the same number does nothing a second time.
#[server(name = CorrectStock, prefix = "/api", endpoint = "admin/books/stock")]
pub async fn correct(
    #[server(default)] id: String,
    #[server(default)] delta: String,
    #[server(default)] kind: String,
    #[server(default)] reason: String,
    #[server(default)] operation: String,
) -> Result<BookDesk, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::AdjustStock)?;
    let book = named(&id)?;
    let (delta, kind) = movement(&delta, &kind, &reason)?;
    let correction = Correction { book, delta, kind, operation: operation.trim(), note: Some(reason.trim()) };
    stock::correct(caller.store(), &admin, correction).await?;
    desk(&caller, book, None).await
}

/// `low_from` empty: as few as the shop says.
#[server(name = SetLowStock, prefix = "/api", endpoint = "admin/books/low")]
pub async fn set_low(#[server(default)] id: String, #[server(default)] low_from: String) -> Result<BookDesk, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::AdjustStock)?;
    let book = named(&id)?;
    let low_from = if low_from.trim().is_empty() { None } else { Some(few(&low_from)?) };
    books::set_low_from(caller.store(), &admin, book, low_from).await?;
    desk(&caller, book, None).await
}

/// For all books that say nothing themselves. Answers with the number.
#[server(name = SetShopLowStock, prefix = "/api", endpoint = "admin/books/low_everywhere")]
pub async fn set_shop_low(#[server(default)] low_from: String) -> Result<i64, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::AdjustStock)?;
    let low_from = few(&low_from)?;
    books::set_shop_low_from(caller.store(), &admin, low_from).await?;
    Ok(low_from)
}

#[cfg(feature = "ssr")]
async fn desk(caller: &Caller, book: BookId, before: Option<i64>) -> Result<BookDesk, AppError> {
    let desk = books::desk(caller.store(), book, before).await?;
    desk.ok_or_else(|| ApiError::not_found("this book").into())
}

#[cfg(feature = "ssr")]
fn named(id: &str) -> Result<BookId, AppError> {
    id.parse().map_err(|_| AppError(ApiError::not_found("this book")))
}

#[cfg(feature = "ssr")]
fn few(typed: &str) -> Result<i64, AppError> {
    let wrong = || ApiError::fields([("low_from".to_owned(), "Write a whole number like 3.".to_owned())].into());
    typed.trim().parse().map_err(|_| wrong().into())
}

/// What comes or goes, or what is wrong with each field.
#[cfg(feature = "ssr")]
fn movement(delta: &str, kind: &str, reason: &str) -> Result<(i32, MovementKind), AppError> {
    const MOST: i32 = 1_000_000;
    const MAX_REASON: usize = 200;
    let mut wrong = std::collections::BTreeMap::new();
    let mut note = |field: &str, why: &str| drop(wrong.insert(field.to_owned(), why.to_owned()));
    let copies = delta.trim().replace('−', "-").parse::<i32>().ok();
    let copies = copies.filter(|copies| *copies != 0 && (-MOST..=MOST).contains(copies));
    let by_hand = [MovementKind::Receipt, MovementKind::Return, MovementKind::Adjustment];
    let kind = MovementKind::parse(kind).filter(|kind| by_hand.contains(kind));
    match (copies, kind) {
        (None, _) => note("delta", "Write how many copies come or go, like 5 or -3."),
        (Some(..0), Some(MovementKind::Receipt | MovementKind::Return)) => {
            note("delta", "Copies that come are more than none. To take some away, choose “Correction”.");
        }
        _ => {}
    }
    if kind.is_none() {
        note("kind", "Say what this is.");
    }
    match reason.trim() {
        "" => note("reason", "This is needed."),
        reason if reason.len() > MAX_REASON => note("reason", "A little shorter, please."),
        _ => {}
    }
    match copies.zip(kind).filter(|_| wrong.is_empty()) {
        Some(found) => Ok(found),
        None => Err(ApiError::fields(wrong).into()),
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_of_a_correction_is_named() {
        let fields = |delta, kind, reason| {
            let wrong = movement(delta, kind, reason).map_err(|error| error.0.fields.into_keys().collect::<Vec<_>>());
            wrong.map_err(|fields| fields.join(" "))
        };
        assert_eq!(fields("5", "receipt", "Delivery"), Ok((5, MovementKind::Receipt)));
        assert_eq!(fields("−3", "adjustment", "Damp"), Ok((-3, MovementKind::Adjustment)));
        assert_eq!(fields("-3", "receipt", "x"), Err("delta".into()));
        assert_eq!(fields("0", "sale", ""), Err("delta kind reason".into()));
        assert_eq!(fields("five", "return", &"x".repeat(201)), Err("delta reason".into()));
    }
}
