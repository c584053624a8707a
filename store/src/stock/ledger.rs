//! The ledger: typed, append-only movements, the stock row that is their sum, and the gate's share of each change.
//!
//! Whoever changes stock holds the gate lock shared until commit, so that a rebuild of the gate sees either all of a
//! change (row, movement and `gate_ops`) or nothing of it. Stock rows are locked in book order.

use super::queries::{self, Line};
use crate::{
    error::{During, Error},
    world::to_timestamp,
};
use domain::{OrderId, UnixMillis};
use sqlx::Connection;
use uuid::Uuid;

/// Takes the lock that keeps a rebuild of the gate away until this transaction ends.
pub(crate) async fn share_gate_lock(tx: &mut sqlx::PgTransaction<'_>) -> Result<(), Error> {
    queries::lock_gate_shared(&mut **tx).await.during("stock.share_gate_lock")
}

/// Claims copies of books (each once, in book order): the caller writes the `reserve` movements.
/// `false`: Postgres has not that many; the caller rolls back.
pub(crate) async fn claim(tx: &mut sqlx::PgTransaction<'_>, lines: &[Line]) -> Result<bool, Error> {
    if lines.is_empty() {
        return Ok(true);
    }
    let (books, copies) = Line::columns(lines);
    queries::lock_rows(&mut **tx, &books).await.during("stock.claim")?;
    let rows = queries::claim(&mut **tx, &books, &copies).await.during("stock.claim")?;
    Ok(usize::try_from(rows) == Ok(lines.len()))
}

/// What the order's lines want, its stock rows locked: whoever takes copies at the gate first takes them now.
pub(crate) async fn lock_wanted(tx: &mut sqlx::PgTransaction<'_>, order: OrderId) -> Result<Vec<Line>, Error> {
    const OPERATION: &str = "stock.lock_wanted";
    let lines = queries::wanted(&mut **tx, order).await.during(OPERATION)?;
    let (books, _) = Line::columns(&lines);
    queries::lock_rows(&mut **tx, &books).await.during(OPERATION)?;
    Ok(lines)
}

/// A further claim of an order that has ended, of copies that the gate has taken; `false`: Postgres has not that many,
/// and nothing was written.
pub(crate) async fn claim_again(
    tx: &mut sqlx::PgTransaction<'_>,
    order: OrderId,
    claim_no: i32,
    lines: &[Line],
    now: UnixMillis,
) -> Result<bool, Error> {
    const OPERATION: &str = "stock.claim_again";
    let mut attempt = tx.begin().await.during(OPERATION)?;
    if !claim(&mut attempt, lines).await? {
        attempt.rollback().await.during(OPERATION)?;
        return Ok(false);
    }
    let (books, copies) = Line::columns(lines);
    let at = to_timestamp(now);
    queries::insert_claim_movements(&mut *attempt, "reserve", order, claim_no, &books, &copies, at)
        .await
        .during(OPERATION)?;
    attempt.commit().await.during(OPERATION)?;
    Ok(true)
}

/// The order is paid: its claimed copies leave the house.
pub(crate) async fn sell(
    tx: &mut sqlx::PgTransaction<'_>,
    order: OrderId,
    claim_no: i32,
    now: UnixMillis,
) -> Result<(), Error> {
    let lines = end_claim(tx, "sale", order, claim_no, now).await?;
    let at = to_timestamp(now);
    queries::insert_operation(&mut **tx, "settle", Some(order), &lines, at).await.during("stock.sell")?;
    Ok(())
}

/// A sold order is called off: those of its copies that have not come back yet are on hand again, and on sale.
pub(crate) async fn take_back(
    tx: &mut sqlx::PgTransaction<'_>,
    order: OrderId,
    claim_no: i32,
    now: UnixMillis,
) -> Result<(), Error> {
    const OPERATION: &str = "stock.take_back";
    claimed(tx, order, claim_no).await?;
    let (operation, at) = (format!("return:{order}:{claim_no}"), to_timestamp(now));
    let lines = queries::insert_returns(&mut **tx, order, claim_no, &operation, at).await.during(OPERATION)?;
    let (returned, copies) = Line::columns(&lines);
    if returned.is_empty() {
        return Ok(());
    }
    let rows = queries::add_on_hand(&mut **tx, &returned, &copies).await.during(OPERATION)?;
    expect_rows(OPERATION, rows, lines.len())?;
    queries::insert_operation(&mut **tx, "adjust", None, &lines, at).await.during(OPERATION)?;
    Ok(())
}

/// Copies of a sold order that have not come back.
pub(crate) async fn copies_out(tx: &mut sqlx::PgTransaction<'_>, order: OrderId, claim_no: i32) -> Result<i64, Error> {
    queries::copies_out(&mut **tx, order, claim_no).await.during("stock.copies_out")
}

/// The order ended unpaid: its claimed copies go back on sale, here now and at the gate by the operation.
pub(crate) async fn release(
    tx: &mut sqlx::PgTransaction<'_>,
    order: OrderId,
    claim_no: i32,
    now: UnixMillis,
) -> Result<(), Error> {
    let lines = end_claim(tx, "release", order, claim_no, now).await?;
    release_at_gate(tx, order, &lines, now).await
}

/// The same for many orders at once.
pub(crate) async fn release_all(
    tx: &mut sqlx::PgTransaction<'_>,
    orders: &[Uuid],
    claims: &[i32],
    now: UnixMillis,
) -> Result<(), Error> {
    const OPERATION: &str = "stock.release_all";
    let at = to_timestamp(now);
    let sums = queries::claimed_copies(&mut **tx, orders, claims).await.during(OPERATION)?;
    let (books, copies) = Line::columns(&sums);
    queries::lock_rows(&mut **tx, &books).await.during(OPERATION)?;
    let rows = queries::unreserve(&mut **tx, &books, &copies, false).await.during(OPERATION)?;
    expect_rows(OPERATION, rows, sums.len())?;
    queries::insert_releases(&mut **tx, orders, claims, at).await.during(OPERATION)?;
    let rows = queries::insert_release_operations(&mut **tx, orders, claims, at).await.during(OPERATION)?;
    // One for each order: none is without a claim.
    expect_rows(OPERATION, rows, orders.len())
}

/// Copies that Postgres never claimed go back on sale at the gate: the order was refused, or over before it was written.
pub(crate) async fn release_at_gate(
    tx: &mut sqlx::PgTransaction<'_>,
    order: OrderId,
    lines: &[Line],
    now: UnixMillis,
) -> Result<(), Error> {
    let at = to_timestamp(now);
    queries::insert_operation(&mut **tx, "release", Some(order), lines, at).await.during("stock.release_at_gate")?;
    Ok(())
}

/// Copies that were taken at the gate and will not be written down go back on sale there.
pub(crate) async fn give_back(tx: &mut sqlx::PgTransaction<'_>, lines: &[Line], now: UnixMillis) -> Result<(), Error> {
    let at = to_timestamp(now);
    queries::insert_operation(&mut **tx, "adjust", None, lines, at).await.during("stock.give_back")?;
    Ok(())
}

/// Ends the order's claim by its terminal movement, `sale` or `release`; returns what it held.
async fn end_claim(
    tx: &mut sqlx::PgTransaction<'_>,
    kind: &str,
    order: OrderId,
    claim_no: i32,
    now: UnixMillis,
) -> Result<Vec<Line>, Error> {
    const OPERATION: &str = "stock.end_claim";
    let lines = claimed(tx, order, claim_no).await?;
    let (books, copies) = Line::columns(&lines);
    let rows = queries::unreserve(&mut **tx, &books, &copies, kind == "sale").await.during(OPERATION)?;
    expect_rows(OPERATION, rows, lines.len())?;
    let at = to_timestamp(now);
    queries::insert_claim_movements(&mut **tx, kind, order, claim_no, &books, &copies, at).await.during(OPERATION)?;
    Ok(lines)
}

/// What the order's claim holds, its stock rows locked.
async fn claimed(tx: &mut sqlx::PgTransaction<'_>, order: OrderId, claim_no: i32) -> Result<Vec<Line>, Error> {
    let lines = queries::claim_lines(&mut **tx, order, claim_no).await.during("stock.claimed")?;
    if lines.is_empty() {
        return Err(Error::unexpected("stock.claimed", format!("order {order} has no claim {claim_no}")));
    }
    let (books, _) = Line::columns(&lines);
    queries::lock_rows(&mut **tx, &books).await.during("stock.claimed")?;
    Ok(lines)
}

pub(super) fn expect_rows(operation: &'static str, rows: u64, expected: usize) -> Result<(), Error> {
    match usize::try_from(rows) == Ok(expected) {
        true => Ok(()),
        false => Err(Error::unexpected(operation, format!("{rows} rows changed, not {expected}"))),
    }
}
