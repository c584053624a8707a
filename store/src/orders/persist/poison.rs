//! Entries that can never be written: set aside for a person, their copies back on sale, in one step.

use super::{
    entries::{Entry, GROUP},
    fence, queries, write,
};
use crate::{
    Store, carts,
    error::{During, Error},
    jobs::{self, Letter, Notices, dead_letters},
    orders::scripts::{self, Persisted},
    stock::{Line, ledger},
};
use domain::{OrderId, UnixMillis, order::OrderStatus};
use sqlx::Acquire;

/// Where these dead letters come from.
const SOURCE: &str = dead_letters::PLACED;

/// Parks the entry: its order FAILED if it can be written at all, its copies released once, its shopper's cart restored.
/// `try_to_write`: false when workers died even of that.
pub(super) async fn park(store: &Store, entry: &Entry, cause: &Error, try_to_write: bool) -> Result<(), Error> {
    let now = store.now();
    let mut tx = store.pg().begin().await.during("orders.park")?;
    ledger::share_gate_lock(&mut tx).await?;
    fence::check(store, std::slice::from_ref(entry)).await?;
    let is_known = is_known(&mut tx, entry).await?;
    let mut notices = Notices::default();
    if !is_known && !is_parked(&mut tx, entry).await? {
        if try_to_write {
            notices = fail(&mut tx, entry, now).await?;
        }
        // Asked again: an order from another placing is in the way of this one, and knows nothing of its copies.
        if !self::is_known(&mut tx, entry).await? {
            release(&mut tx, entry, now).await?;
        }
    }
    let attempts = i32::try_from(entry.deliveries).unwrap_or(i32::MAX);
    file(&mut tx, entry, &cause.chain(), attempts).await?;
    tx.commit().await.during("orders.park")?;
    jobs::tell(store, notices).await;
    let Some(order) = entry.order() else { return drop_entry(store, entry).await };
    if let Some(draft) = entry.draft.as_ref().filter(|_| !is_known)
        // The shopper has the copies in the cart again, and may order them.
        && let Err(error) = carts::restore(store, &draft.owner, draft.order_id).await
    {
        tracing::warn!(order.id = %order, error = &error as &dyn std::error::Error, "the cart was not restored");
    }
    let gone = Persisted { entry: &entry.id, order, is_cart_settled: true, is_cancel_settled: true };
    scripts::persisted(store, GROUP, &[gone]).await?;
    Ok(())
}

/// The copies of an entry whose order was written down from another entry go back on sale, once.
pub(super) async fn give_back_twin(store: &Store, entry: &Entry, order: OrderId, now: UnixMillis) -> Result<(), Error> {
    let mut tx = store.pg().begin().await.during("orders.give_back_twin")?;
    ledger::share_gate_lock(&mut tx).await?;
    fence::check(store, std::slice::from_ref(entry)).await?;
    if !is_parked(&mut tx, entry).await? {
        release(&mut tx, entry, now).await?;
        let error = format!("order {order} was placed twice");
        file(&mut tx, entry, &error, 1).await?;
    }
    tx.commit().await.during("orders.give_back_twin")
}

async fn file(tx: &mut sqlx::PgTransaction<'_>, entry: &Entry, error: &str, attempts: i32) -> Result<(), Error> {
    let (key, payload) = (letter_key(entry), payload(entry));
    let letter = Letter { source: SOURCE, key: &key, payload: &payload, error, attempts, first_failed_at: None };
    jobs::park(tx, letter).await
}

/// Whether Postgres has the order from this very placing.
async fn is_known(tx: &mut sqlx::PgTransaction<'_>, entry: &Entry) -> Result<bool, Error> {
    let Some(order) = entry.order() else { return Ok(false) };
    let rows = queries::standing(&mut **tx, &[order.get()]).await.during("orders.park")?;
    Ok(rows.iter().any(|row| entry.placed_at().is_none_or(|placed_at| placed_at == row.placed_at)))
}

/// Tries to write the order down as FAILED; a savepoint keeps the transaction usable when Postgres refuses that too.
async fn fail(tx: &mut sqlx::PgTransaction<'_>, entry: &Entry, now: UnixMillis) -> Result<Notices, Error> {
    let Some(draft) = &entry.draft else { return Ok(Notices::default()) };
    let mut savepoint = tx.begin().await.during("orders.park")?;
    match write::insert(&mut savepoint, vec![write::refused(draft)], now).await {
        Ok(notices) => {
            savepoint.commit().await.during("orders.park")?;
            Ok(notices.unwrap_or_default())
        }
        Err(error) => {
            tracing::warn!(order.id = %draft.order_id, error = &error as &dyn std::error::Error, "not even as FAILED");
            savepoint.rollback().await.during("orders.park")?;
            Ok(Notices::default())
        }
    }
}

/// With the reservation, unless that is an open order's from another placing: then only the copies go back.
async fn release(tx: &mut sqlx::PgTransaction<'_>, entry: &Entry, now: UnixMillis) -> Result<(), Error> {
    let Some(order) = entry.order() else { return Ok(()) };
    let standing = queries::standing(&mut **tx, &[order.get()]).await.during("orders.park")?;
    let copies = lines(entry.lines());
    match standing.iter().any(|row| row.status == OrderStatus::PaymentPending.as_str()) {
        true => ledger::give_back(tx, &copies, now).await,
        false => ledger::release_at_gate(tx, order, &copies, now).await,
    }
}

/// An entry that was parked before has given its copies back already, whatever became of the letter.
async fn is_parked(tx: &mut sqlx::PgTransaction<'_>, entry: &Entry) -> Result<bool, Error> {
    queries::is_parked(&mut **tx, SOURCE, &letter_key(entry)).await.during("orders.park")
}

async fn drop_entry(store: &Store, entry: &Entry) -> Result<(), Error> {
    let placed = store.keys().placed();
    let mut pipe = redis::pipe();
    pipe.atomic().cmd("XACK").arg(&placed).arg(GROUP).arg(&entry.id).cmd("XDEL").arg(&placed).arg(&entry.id);
    pipe.exec_async(&mut store.redis()).await.during("orders.drop_entry")
}

/// `7:2,9:1`, as order_place writes it.
pub(crate) fn lines(text: &str) -> Vec<Line> {
    let pair = |pair: &str| {
        let (book, copies) = pair.split_once(':')?;
        Some(Line { book: book.parse().ok()?, copies: copies.parse().ok()? })
    };
    text.split(',').filter_map(pair).collect()
}

/// The stream's id: two entries of one order are two letters.
fn letter_key(entry: &Entry) -> String {
    entry.id.clone()
}

fn payload(entry: &Entry) -> serde_json::Value {
    serde_json::json!({
        "entry": entry.id,
        "order_id": entry.order(),
        "lines": entry.lines(),
        "order": entry.draft.as_ref().map(|draft| serde_json::json!({"number": draft.number, "owner": draft.owner})),
    })
}
