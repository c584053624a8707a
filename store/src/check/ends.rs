//! Promise 5: every accepted order ends in time, its copies sold or back, and the gate holds nothing for ended ones.

use super::{Finding, queries, redis_side, snapshot};
use crate::{
    Store,
    error::{During, Error},
    orders::reservations as orders,
    stock::{
        keyspace::{Scan, exist},
        view::{self, Entry},
    },
    world::to_timestamp,
};
use domain::{
    OrderId, Owner,
    order::{Cause, OrderStatus, Placed, TRANSITIONS},
};
use std::{collections::HashMap, time::Duration};
use uuid::Uuid;

const OPERATION: &str = "check.promise_5";
/// How long after its deadline an order may still be open.
const GRACE_MS: i64 = 30_000;
/// Between two looks for progress of what is late: sweeps come once a second.
const PROGRESS: Duration = Duration::from_secs(3);
const PAGE: i64 = 2_000;
/// Looks at a reservation that seems wrong: the gate follows Postgres within a second.
const ROUNDS: u32 = 6;
const PAUSE: Duration = Duration::from_millis(400);
/// Causes under which the history also notes what changes no status.
const NOTES: [Cause; 6] = [
    Cause::LateMoneyCame,
    Cause::MoneyGoesBack,
    Cause::PaymentFailed,
    Cause::RefundConfirmed,
    Cause::RefundFailed,
    Cause::RefundRequested,
];

pub(super) async fn check(store: &Store) -> Result<Finding, Error> {
    let mut finding = Finding::new("5: every accepted order ends");
    let mut tx = snapshot(store).await?;
    let totals = queries::totals(&mut tx).await.during(OPERATION)?;
    finding.figures.extend([("orders", totals.orders), ("open", totals.open), ("ended", totals.ended)]);
    let mut violations = queries::wrong_claims(&mut tx).await.during(OPERATION)?;
    violations.extend(queries::strange_claims(&mut tx).await.during(OPERATION)?);
    violations.extend(queries::wrong_returns(&mut tx).await.during(OPERATION)?);
    violations.extend(queries::wrong_shipments(&mut tx).await.during(OPERATION)?);
    violations.extend(illegal_steps(&mut tx).await?);
    tx.rollback().await.during(OPERATION)?;
    violations.extend(late(store, &mut finding).await?);
    let epoch = epoch(store).await?;
    let mut held = leftovers(store, &mut finding).await?;
    held.extend(strange_holds(store).await?);
    held.extend(unprotected(store).await?);
    // A gate that is not loaded sells nothing, and what it holds, the loader replaces: promise 1 says that.
    if epoch.is_some() && epoch == self::epoch(store).await? {
        violations.extend(held);
    }
    finding.violated(violations);
    Ok(finding)
}

async fn epoch(store: &Store) -> Result<Option<String>, Error> {
    Ok(view::read(store, Some(&[])).await?.epoch)
}

/// What should be over. After an outage there may be much of it: as long as it becomes less, somebody is at it, and has
/// as long as from any deadline.
async fn late(store: &Store, finding: &mut Finding) -> Result<Vec<String>, Error> {
    let end = store.now().plus(GRACE_MS);
    let (mut waiting, mut lines) = overdue(store).await?;
    while !lines.is_empty() && store.now() < end {
        tokio::time::sleep(PROGRESS).await;
        let before = std::mem::take(&mut lines);
        (waiting, lines) = overdue(store).await?;
        if lines == before {
            break;
        }
    }
    finding.count("orders_in_stream", waiting);
    Ok(lines)
}

/// How many entries wait in the stream; orders, operations and entries that are late, and entries that nobody can read.
async fn overdue(store: &Store) -> Result<(usize, Vec<String>), Error> {
    let limit = to_timestamp(store.now().plus(-GRACE_MS));
    let mut tx = snapshot(store).await?;
    let mut lines = queries::overdue(&mut tx, limit).await.during(OPERATION)?;
    lines.extend(queries::late_operations(&mut tx, limit).await.during(OPERATION)?);
    tx.rollback().await.during(OPERATION)?;
    let (waiting, entries) = stream(store).await?;
    lines.extend(entries);
    Ok((waiting, lines))
}

/// Every order went along `TRANSITIONS`, step by step, to where it stands.
async fn illegal_steps(tx: &mut sqlx::PgTransaction<'_>) -> Result<Vec<String>, Error> {
    let texts = |text: fn(&(OrderStatus, OrderStatus, Cause)) -> &'static str| -> Vec<String> {
        TRANSITIONS.iter().map(|edge| text(edge).to_owned()).collect()
    };
    let (from, to) = (texts(|(from, _, _)| from.as_str()), texts(|(_, to, _)| to.as_str()));
    let cause = texts(|(_, _, cause)| cause.as_str());
    let notes = NOTES.map(|cause| cause.as_str().to_owned());
    queries::illegal_steps(tx, [&from, &to, &cause], &notes).await.during(OPERATION)
}

/// How many entries there are; those that wait past their deadline, and those that nobody can read.
async fn stream(store: &Store) -> Result<(usize, Vec<String>), Error> {
    let gate = view::read(store, Some(&[])).await?;
    let keys: Vec<String> = gate.entries.iter().map(|entry| store.keys().reservation(entry.order)).collect();
    let answers = redis_side::fields(store, &keys, "answer", "order").await?;
    let now = store.now();
    let ttl = i64::try_from(store.config().order_ttl.as_millis()).unwrap_or(i64::MAX);
    let deadline = |entry: &Entry, answer: Option<String>| {
        let answer = answer.and_then(|text| serde_json::from_str::<Placed>(&text).ok());
        answer.map_or(entry.placed_at.plus(ttl), |answer| answer.expires_at)
    };
    let late = gate.entries.iter().zip(answers).filter_map(|(entry, (answer, _))| {
        let deadline = deadline(entry, answer);
        (now.since(deadline) > GRACE_MS)
            .then(|| format!("order {} waits in the stream, its deadline was at {} ms", entry.order, deadline.get()))
    });
    let unreadable = gate.unreadable.iter().map(|id| format!("entry {id} of the stream is unreadable"));
    Ok((gate.entries.len(), late.chain(unreadable).collect()))
}

/// Reservations at the gate for orders that have ended, or that are nowhere.
async fn leftovers(store: &Store, finding: &mut Finding) -> Result<Vec<String>, Error> {
    let mut scan = Scan::new(store.keys().reservations());
    let mut violations = Vec::new();
    let mut count = 0;
    while let Some(names) = scan.next(store).await? {
        count += names.len();
        let (orders, strangers): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| name.parse::<OrderId>().is_ok());
        violations.extend(strangers.into_iter().map(|name| format!("a reservation of no order: {name}")));
        let mut suspects: Vec<OrderId> = orders.iter().filter_map(|name| name.parse().ok()).collect();
        let mut lines = Vec::new();
        for round in 0..ROUNDS {
            if round > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            lines = held_for_nothing(store, &suspects).await?;
            if lines.is_empty() {
                break;
            }
            suspects = lines.iter().map(|(order, _)| *order).collect();
        }
        violations.extend(lines.into_iter().map(|(_, line)| line));
    }
    finding.count("reservations", count);
    Ok(violations)
}

async fn held_for_nothing(store: &Store, orders: &[OrderId]) -> Result<Vec<(OrderId, String)>, Error> {
    let in_stream = view::read(store, Some(&[])).await?.orders();
    let ids: Vec<Uuid> = orders.iter().map(|order| order.get()).collect();
    let states = queries::states(store.pg(), &ids).await.during(OPERATION)?;
    let states: HashMap<Uuid, queries::OrderState> = states.into_iter().map(|state| (state.id, state)).collect();
    let keys: Vec<String> = orders.iter().map(|order| store.keys().reservation(*order)).collect();
    let still = exist(store, &keys).await?;
    let mut lines = Vec::new();
    for (order, _) in orders.iter().zip(still).filter(|(_, still)| *still) {
        let line = match states.get(&order.get()) {
            Some(state) if state.is_open || state.ending => continue,
            Some(queries::OrderState { number: Some(number), .. }) => {
                format!("the gate still holds copies for {number}, which has ended")
            }
            _ if in_stream.contains(order) => continue,
            _ => format!("the gate holds copies for order {order}, which is nowhere"),
        };
        lines.push((*order, line));
    }
    Ok(lines)
}

/// Orders that count against their owner and of which the gate keeps nothing.
async fn strange_holds(store: &Store) -> Result<Vec<String>, Error> {
    let mut scan = Scan::new(store.keys().all_holds());
    let mut violations = Vec::new();
    while let Some(owners) = scan.next(store).await? {
        for owner in owners {
            let Ok(owner) = owner.parse::<Owner>() else {
                violations.push(format!("holds of nobody: {owner}"));
                continue;
            };
            // One script takes both away, so two readings in a row cannot both be a matter of timing.
            let held = orders::held(store, &owner).await?;
            let keys: Vec<String> = held.iter().map(|order| store.keys().reservation(*order)).collect();
            let kept = exist(store, &keys).await?;
            let suspects = held.into_iter().zip(kept).filter(|(_, kept)| !kept).map(|(order, _)| order);
            let suspects: Vec<OrderId> = suspects.collect();
            if suspects.is_empty() {
                continue;
            }
            let still = orders::held(store, &owner).await?;
            let lines = suspects.iter().filter(|order| still.contains(order));
            violations.extend(lines.map(|order| format!("order {order} counts against {owner} and is not there")));
        }
    }
    Ok(violations)
}

/// Open orders in Postgres whose reservation or hold the gate has lost.
async fn unprotected(store: &Store) -> Result<Vec<String>, Error> {
    let mut violations = Vec::new();
    let mut last = Uuid::nil();
    loop {
        let mut connection = store.pg().acquire().await.during(OPERATION)?;
        let page = queries::open_orders(&mut connection, last, PAGE).await.during(OPERATION)?;
        drop(connection);
        let Some(end) = page.last() else { return Ok(violations) };
        last = end.id;
        let mut missing = page;
        for round in 0..ROUNDS {
            if round > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            missing = without_reservation(store, missing).await?;
            if missing.is_empty() {
                break;
            }
        }
        violations.extend(
            missing.iter().map(|order| format!("order {} is open and the gate holds nothing for it", order.id)),
        );
    }
}

async fn without_reservation(store: &Store, orders: Vec<queries::OpenOrder>) -> Result<Vec<queries::OpenOrder>, Error> {
    let owned = orders.iter().filter_map(|order| Some((OrderId::new(order.id), order.owner.parse().ok()?)));
    let known = orders::known(store, &owned.collect::<Vec<_>>()).await?;
    let is_lost = |known: &orders::Known| !(known.reservation && known.hold);
    let missing = orders.into_iter().zip(known).filter(|(_, known)| is_lost(known)).map(|(order, _)| order);
    let missing: Vec<queries::OpenOrder> = missing.collect();
    let ids: Vec<Uuid> = missing.iter().map(|order| order.id).collect();
    let states = queries::states(store.pg(), &ids).await.during(OPERATION)?;
    let is_open = |id: Uuid| states.iter().any(|state| state.id == id && state.is_open);
    Ok(missing.into_iter().filter(|order| is_open(order.id)).collect())
}
