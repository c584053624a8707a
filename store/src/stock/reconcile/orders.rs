//! Reservations and holds on the one side, open orders on the other: whoever is missing is put back, whoever has no
//! counterpart goes.
//!
//! The gate's keys are read first, then the stream, then Postgres. An order leaves the stream only after its commit,
//! and its reservation goes before its operation is marked applied; so what neither the stream nor Postgres explains,
//! and what is still there when the script comes to take it away, is an orphan, however busy the shop is.

use super::{Report, Tally, queries, scripts};
use crate::{
    Store,
    error::{During, Error},
    jobs::{self, Letter, dead_letters},
    orders::{self, reservations as gate},
    stock::{
        keyspace::Scan,
        ledger,
        view::{self, Gate},
    },
};
use domain::{OrderId, Owner};
use std::collections::HashMap;
use uuid::Uuid;

const OPERATION: &str = "stock.reconcile_orders";
/// Orders of one step.
const PAGE: i64 = 500;

pub(super) async fn mend(store: &Store, report: &mut Report) -> Result<(), Error> {
    let mut scan = Scan::new(store.keys().reservations());
    while let Some(names) = scan.next(store).await? {
        report.reservations += names.len();
        let orders: Vec<OrderId> = names.iter().filter_map(|name| name.parse().ok()).collect();
        orphaned_reservations(store, &orders, report).await?;
    }
    let mut scan = Scan::new(store.keys().all_holds());
    while let Some(owners) = scan.next(store).await? {
        for owner in owners.iter().filter_map(|owner| owner.parse().ok()) {
            orphaned_holds(store, &owner, &mut report.orphaned_holds).await?;
        }
    }
    missing(store, report).await
}

/// The stream as it is now; `None`: too much is in it to be read, and nothing can be called an orphan.
async fn stream(store: &Store, report: &mut Report) -> Result<Option<Gate>, Error> {
    let gate = view::read(store, Some(&[])).await?;
    if gate.is_overfull() {
        report.skipped = Some("too many orders wait in the stream: orphans not looked for".to_owned());
        return Ok(None);
    }
    Ok(Some(gate))
}

async fn orphaned_reservations(store: &Store, orders: &[OrderId], report: &mut Report) -> Result<(), Error> {
    if orders.is_empty() {
        return Ok(());
    }
    let kept = gate::kept(store, orders).await?;
    let Some(stream) = stream(store, report).await? else { return Ok(()) };
    let in_stream = stream.orders();
    let ids: Vec<Uuid> = orders.iter().map(|order| order.get()).collect();
    let states = queries::states(store.pg(), &ids).await.during(OPERATION)?;
    let states: HashMap<Uuid, queries::State> = states.into_iter().map(|state| (state.id, state)).collect();
    for (order, kept) in orders.iter().zip(kept) {
        // Gone by now, or explained by the stream.
        let Some(kept) = kept.filter(|_| !in_stream.contains(order)) else { continue };
        match states.get(&order.get()) {
            // Also of one that was parked unwritten: its operation takes the reservation away.
            Some(state) if state.is_open || state.is_ending => {}
            Some(state) if state.is_written => forget(store, *order, &kept, &mut report.orphaned_reservations).await?,
            _ => match kept.draft() {
                Some(draft) => report.lost_entries.mended(scripts::again(store, &draft, &kept.order).await?),
                // Nobody can write it down: a person shall know of it, and its copies come back by counting.
                None => {
                    park(store, *order, &kept).await?;
                    forget(store, *order, &kept, &mut report.orphaned_reservations).await?;
                }
            },
        }
    }
    Ok(())
}

async fn forget(store: &Store, order: OrderId, kept: &gate::Kept, tally: &mut Tally) -> Result<(), Error> {
    let owner = kept.owner.parse().ok();
    tally.mended(scripts::forget(store, order, owner.as_ref(), &kept.order).await?);
    Ok(())
}

async fn park(store: &Store, order: OrderId, kept: &gate::Kept) -> Result<(), Error> {
    let payload = serde_json::json!({"order_id": order, "owner": kept.owner, "order": kept.order});
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    let letter = Letter {
        source: dead_letters::PLACED,
        key: &order.to_string(),
        payload: &payload,
        error: "accepted, lost, and unreadable",
        attempts: 1,
        first_failed_at: None,
    };
    jobs::park(&mut tx, letter).await?;
    tx.commit().await.during(OPERATION)
}

/// A hold without a reservation counts against its owner for nothing. What orders need both, [`missing`] sees to.
async fn orphaned_holds(store: &Store, owner: &Owner, tally: &mut Tally) -> Result<(), Error> {
    let held = gate::held(store, owner).await?;
    let kept = gate::kept(store, &held).await?;
    let suspects: Vec<Uuid> =
        held.iter().zip(kept).filter(|(_, kept)| kept.is_none()).map(|(order, _)| order.get()).collect();
    if suspects.is_empty() {
        return Ok(());
    }
    let states = queries::states(store.pg(), &suspects).await.during(OPERATION)?;
    let is_open = |order: &Uuid| states.iter().any(|state| state.id == *order && (state.is_open || state.is_ending));
    for order in suspects.into_iter().filter(|order| !is_open(order)) {
        tally.mended(scripts::forget(store, OrderId::new(order), Some(owner), "").await?);
    }
    Ok(())
}

/// Open orders of Postgres that the gate does not keep, or does not count for their owner.
async fn missing(store: &Store, report: &mut Report) -> Result<(), Error> {
    let mut after = Uuid::nil();
    loop {
        let page = queries::open_orders(store.pg(), after, PAGE).await.during(OPERATION)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        let at_gate: Vec<(OrderId, Owner)> =
            page.iter().filter_map(|row| Some((OrderId::new(row.id), row.owner.parse().ok()?))).collect();
        let known = gate::known(store, &at_gate).await?;
        let suspects: Vec<(Uuid, gate::Known)> = at_gate
            .iter()
            .zip(known)
            .filter(|(_, known)| !(known.reservation && known.hold))
            .map(|((order, _), known)| (order.get(), known))
            .collect();
        if !suspects.is_empty() {
            restore(store, &suspects, report).await?;
        }
    }
}

/// With the orders' rows locked: nobody ends them, so no operation that would take the reservation away is under way.
async fn restore(store: &Store, suspects: &[(Uuid, gate::Known)], report: &mut Report) -> Result<(), Error> {
    let ids: Vec<Uuid> = suspects.iter().map(|(order, _)| *order).collect();
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    ledger::share_gate_lock(&mut tx).await?;
    let open = queries::lock_open(&mut *tx, &ids).await.during(OPERATION)?;
    let drafts = orders::open_drafts(&mut *tx, store, Some(&open), Uuid::nil(), PAGE).await?;
    let mut pipe = redis::pipe();
    for draft in &drafts {
        gate::restore(&mut pipe, store, draft)?;
    }
    if !drafts.is_empty() {
        pipe.exec_async(&mut store.redis()).await.during(OPERATION)?;
    }
    for (_, known) in suspects.iter().filter(|(order, _)| open.contains(order)) {
        let tally = if known.reservation { &mut report.missing_holds } else { &mut report.missing_reservations };
        tally.found += 1;
        tally.repaired += 1;
    }
    tx.rollback().await.during(OPERATION)
}
