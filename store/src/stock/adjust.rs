//! Restocking and corrections by hand, and the history that they become part of.
//!
//! What raises a count is committed here and brought to the gate by its operation. What lowers it is taken at the gate
//! first, under the key of that operation and with the stock row locked: orders under way keep the copies that they were
//! promised. If the commit never comes, the gate has too few on sale, and reconciling (which wants the same row lock)
//! puts that right.

use super::{
    ledger,
    queries::{self, Line},
    scripts::{self, Extent, TakeAnswer},
};
use crate::{
    Store,
    admin::audit::{self, Action},
    error::{During, Error},
    viewer::Viewer,
    world::{from_timestamp, to_timestamp},
};
use domain::{
    AccountId, ApiError, BookId, ErrorCode, OrderId,
    order::OrderNumber,
    stock::{Movement, MovementKind},
};
use serde_json::json;
use sqlx::PgTransaction;
use time::OffsetDateTime;

const OPERATION: &str = "stock.adjust";
/// Longest name of an operation, and longest reason.
const MAX_TEXT: usize = 200;
/// Most lines of a history at once.
const MAX_LINES: i64 = 200;

/// What is corrected, and why.
#[derive(Debug, Clone, Copy)]
pub struct Correction<'a> {
    pub book: BookId,
    /// Copies that come, or go.
    pub delta: i32,
    /// `receipt`, `return` or `adjustment`; only the last may take copies away.
    pub kind: MovementKind,
    /// Its name: the same one with the same delta does nothing a second time.
    pub operation: &'a str,
    pub note: Option<&'a str>,
}

/// Adds `delta` copies (or takes them away). Returns what is on hand then.
pub async fn adjust(
    store: &Store,
    book: BookId,
    delta: i32,
    kind: MovementKind,
    operation: &str,
    note: Option<&str>,
) -> Result<i64, Error> {
    make(store, None, Correction { book, delta, kind, operation, note }).await
}

/// The same by one of the shop's people, who signs it.
pub async fn correct(store: &Store, admin: &Viewer, correction: Correction<'_>) -> Result<i64, Error> {
    make(store, Some(admin), correction).await
}

async fn make(store: &Store, admin: Option<&Viewer>, correction: Correction<'_>) -> Result<i64, Error> {
    let Correction { delta, kind, operation, note, .. } = correction;
    check(delta, kind, operation, note)?;
    let book = correction.book.get();
    let at = to_timestamp(store.now());
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    ledger::share_gate_lock(&mut tx).await?;
    queries::ensure_row(&mut *tx, book).await.during(OPERATION)?;
    let before = queries::lock_counts(&mut *tx, &[book]).await.during(OPERATION)?.pop();
    let before = before.ok_or_else(|| ApiError::not_found("this book"))?;
    let on_hand = i64::from(before.on_hand) + i64::from(delta);
    match queries::known_delta(&mut *tx, operation, book).await.during(OPERATION)? {
        Some(known) if known == delta => return Ok(before.on_hand.into()),
        Some(_) => {
            return Err(ApiError::new(ErrorCode::KeyReused, "This correction was made before, differently.").into());
        }
        None => {}
    }
    if on_hand < i64::from(before.reserved) || i32::try_from(on_hand).is_err() {
        return Err(too_many(i64::from(before.on_hand - before.reserved)).into());
    }
    let actor = admin.and_then(|admin| admin.owner.account()).map(AccountId::get);
    queries::insert_correction(&mut *tx, &correction, actor, at).await.during(OPERATION)?;
    queries::add_on_hand(&mut *tx, &[book], &[delta]).await.during(OPERATION)?;
    if let Some(admin) = admin {
        let before = json!({ "on_hand": before.on_hand });
        let after = json!({ "on_hand": on_hand, "what": kind.label(), "why": note });
        audit::note(&mut *tx, store, admin, Action::StockCorrect, ("book", &book), before, after).await?;
    }
    take_or_bring(store, &mut tx, Line { book, copies: delta }, at).await?;
    tx.commit().await.during(OPERATION)?;
    tracing::info!(book.id = book, delta, kind = kind.as_str(), operation, "stock corrected");
    Ok(on_hand)
}

/// The gate's share: what comes is brought to it after the commit, what goes is taken there now.
async fn take_or_bring(store: &Store, tx: &mut PgTransaction<'_>, line: Line, at: OffsetDateTime) -> Result<(), Error> {
    let name = queries::insert_operation(&mut **tx, "adjust", None, &[line], at).await.during(OPERATION)?;
    if line.copies >= 0 {
        return Ok(());
    }
    match scripts::take(store, name, &[Line { copies: -line.copies, ..line }], Extent::Whole).await? {
        TakeAnswer::Taken(_) => Ok(()),
        TakeAnswer::Short(left) => Err(too_many(left).into()),
        // Without it nobody knows what orders in the stream were promised.
        TakeAnswer::NotReady => Err(ApiError::not_ready().into()),
    }
}

fn check(delta: i32, kind: MovementKind, operation: &str, note: Option<&str>) -> Result<(), ApiError> {
    let bad = |message: &str| Err(ApiError::new(ErrorCode::BadRequest, message));
    match kind {
        MovementKind::Reserve | MovementKind::Release | MovementKind::Sale => bad("Only orders do that."),
        MovementKind::Receipt | MovementKind::Return if delta < 0 => bad("Copies that come are more than none."),
        _ if delta == 0 || delta == i32::MIN => bad("Say how many copies come or go."),
        _ if operation.is_empty() || operation.len() > MAX_TEXT => bad("A correction needs a name of its own."),
        _ if note.is_some_and(|note| note.len() > MAX_TEXT) => bad("That reason is too long."),
        _ if [Some(operation), note].into_iter().flatten().any(|text| text.chars().any(char::is_control)) => {
            bad("One line, please.")
        }
        _ => Ok(()),
    }
}

fn too_many(left: i64) -> ApiError {
    let message = match left.max(0) {
        0 => "No copy can be taken away; orders keep theirs.".to_owned(),
        1 => "Only one copy can be taken away; orders keep theirs.".to_owned(),
        left => format!("Only {left} copies can be taken away; orders keep theirs."),
    };
    ApiError::new(ErrorCode::Conflict, message)
}

/// The book's movements, the latest first; those before the movement `before`, at most 200.
pub async fn history(store: &Store, book: BookId, before: Option<i64>, most: i64) -> Result<Vec<Movement>, Error> {
    const OPERATION: &str = "stock.history";
    let most = most.clamp(1, MAX_LINES);
    let rows = queries::history(store.pg(), book.get(), before.unwrap_or(i64::MAX), most).await.during(OPERATION)?;
    let unreadable = |what: &str| Error::unexpected(OPERATION, format!("movement with {what}"));
    let movement = |row: queries::HistoryRow| {
        let order = row.order_id.zip(row.number);
        let order = order.map(|(id, number)| {
            OrderNumber::parse(&number).map(|number| (OrderId::new(id), number)).map_err(|_| unreadable(&number))
        });
        Ok(Movement {
            id: row.id,
            kind: MovementKind::parse(&row.kind).ok_or_else(|| unreadable(&row.kind))?,
            copies: row.quantity.into(),
            on_hand: row.on_hand,
            reserved: row.reserved,
            order: order.transpose()?,
            operation: row.operation_id,
            note: row.note,
            by: row.by,
            at: from_timestamp(row.at),
        })
    };
    rows.into_iter().map(movement).collect()
}
