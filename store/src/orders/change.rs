//! One ender at a time: every change of an order that is in Postgres goes through [`apply`].

use super::queries;
use crate::{
    BRIEF_LOCKS, Store,
    error::{During, Error},
    jobs::{self, Topic, Work},
    messages,
    stock::ledger,
    viewer::Viewer,
    world::to_timestamp,
};
use domain::{
    OrderId, UnixMillis,
    order::{Cause, OrderStatus},
};
use uuid::Uuid;

/// A change of an order's status that somebody wants.
pub(crate) struct Change<'a> {
    pub order: OrderId,
    /// Where the caller believes the order stands.
    pub from: OrderStatus,
    pub to: OrderStatus,
    pub cause: Cause,
    /// For the timeline, besides the cause's own sentence.
    pub note: Option<&'a str>,
}

/// Changes the order if it still stands in `from`, with everything that follows from it: history, ledger movements,
/// work for the gate, the live message, and the closing of a payment session that lost its order.
/// Returns the order's new version; `None`: somebody else was quicker, and nothing was written.
///
/// Locks the order's row first, then its stock rows in book order; callers lock nothing of another order before it.
pub(crate) async fn apply(
    tx: &mut sqlx::PgTransaction<'_>,
    change: Change<'_>,
    now: UnixMillis,
) -> Result<Option<i64>, Error> {
    let Change { order, from, to, cause, note } = change;
    from.change(to, cause).map_err(|illegal| Error::unexpected("orders.change", format!("{illegal} ({cause:?})")))?;
    let effect = Effect::of(from, to)?;
    if effect.is_some() {
        ledger::share_gate_lock(tx).await?;
    }
    let at = to_timestamp(now);
    let Some(row) = queries::compare_and_set(&mut **tx, order, from, to, at).await.during("orders.change")? else {
        return Ok(None);
    };
    queries::insert_history(&mut **tx, order, row.version, to, cause, note, at).await.during("orders.change")?;
    match effect {
        Some(Effect::Sell) => ledger::sell(tx, order, row.claim_no, now).await?,
        Some(Effect::Release) => ledger::release(tx, order, row.claim_no, now).await?,
        None => {}
    }
    jobs::enqueue_work(&mut **tx, &tell(order.get(), row.version, to, cause, now)).await.during("orders.change")?;
    if matches!(to, OrderStatus::Expired | OrderStatus::Cancelled | OrderStatus::Failed) {
        // What ended unpaid must not be paid at the provider any more.
        let open = queries::open_payments(&mut **tx, &[order.get()]).await.during("orders.change")?;
        jobs::enqueue_all(&mut **tx, Topic::PaymentClose, &open, at).await.during("orders.change")?;
    }
    Ok(Some(row.version))
}

/// Adds a knot to the timeline of an order whose status stays, with the messages that follow from it; returns its
/// number. The caller holds the order's lock.
pub(crate) async fn note(
    tx: &mut sqlx::PgTransaction<'_>,
    (order, status): (OrderId, OrderStatus),
    cause: Cause,
    note: Option<&str>,
    now: UnixMillis,
) -> Result<i64, Error> {
    const OPERATION: &str = "orders.note";
    let version = queries::note(&mut **tx, order, status, cause, note, to_timestamp(now)).await.during(OPERATION)?;
    jobs::enqueue_work(&mut **tx, &tell(order.get(), version, status, cause, now)).await.during(OPERATION)?;
    Ok(version)
}

/// Keeps whose doing a step of the history was.
pub(crate) async fn sign(
    tx: &mut sqlx::PgTransaction<'_>,
    order: OrderId,
    version: i64,
    admin: &Viewer,
) -> Result<(), Error> {
    let Some(account) = admin.owner.account() else { return Ok(()) };
    queries::set_actor(&mut **tx, order, version, account.get()).await.during("orders.sign")
}

/// Who must hear of a step of an order's history: its open pages, and its shopper.
fn tell(order: Uuid, version: i64, to: OrderStatus, cause: Cause, now: UnixMillis) -> Vec<Work> {
    let mut work = vec![Work::bare(Topic::OrderChanged, order.to_string(), to_timestamp(now))];
    work.extend(messages::of_step(order, version, to, cause, now));
    work
}

/// [`apply`] in a transaction of its own.
pub(super) async fn apply_alone(store: &Store, change: Change<'_>) -> Result<Option<i64>, Error> {
    let mut tx = store.pg().begin().await.during("orders.change")?;
    let version = apply(&mut tx, change, store.now()).await?;
    tx.commit().await.during("orders.change")?;
    Ok(version)
}

/// Lets the time of these orders be over, all in one transaction; what somebody else has in hand is left alone. Returns
/// how many have ended. Order rows first, then stock rows in book order, as [`apply`] does it.
pub(super) async fn expire(store: &Store, orders: &[Uuid], now: UnixMillis) -> Result<usize, Error> {
    const OPERATION: &str = "orders.expire";
    let at = to_timestamp(now);
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    ledger::share_gate_lock(&mut tx).await?;
    sqlx::raw_sql(BRIEF_LOCKS).execute(&mut *tx).await.during(OPERATION)?;
    let ended = queries::expire(&mut *tx, orders, at).await.during(OPERATION)?;
    if ended.is_empty() {
        return Ok(0);
    }
    let ids: Vec<Uuid> = ended.iter().map(|order| order.id).collect();
    let (versions, claims): (Vec<i64>, Vec<i32>) = ended.iter().map(|order| (order.version, order.claim_no)).unzip();
    let (to, cause) = (OrderStatus::Expired, Cause::DeadlinePassed);
    queries::insert_histories(&mut *tx, &ids, &versions, to.as_str(), cause.as_str(), at).await.during(OPERATION)?;
    ledger::release_all(&mut tx, &ids, &claims, now).await?;
    let told: Vec<Work> = ended.iter().flat_map(|order| tell(order.id, order.version, to, cause, now)).collect();
    jobs::enqueue_work(&mut *tx, &told).await.during(OPERATION)?;
    let open = queries::open_payments(&mut *tx, &ids).await.during(OPERATION)?;
    jobs::enqueue_all(&mut *tx, Topic::PaymentClose, &open, at).await.during(OPERATION)?;
    tx.commit().await.during(OPERATION)?;
    Ok(ended.len())
}

/// What a change does to the claim on the order's copies.
enum Effect {
    Sell,
    Release,
}

impl Effect {
    fn of(from: OrderStatus, to: OrderStatus) -> Result<Option<Self>, Error> {
        use OrderStatus as S;
        match (from, to) {
            // An ended order has no copies to sell but those of a claim that its caller made just now; another one's
            // movements have their end already, and the ledger takes no second one.
            (S::PaymentPending | S::Expired | S::Cancelled, S::Paid) => Ok(Some(Self::Sell)),
            (S::PaymentPending, S::Expired | S::Cancelled | S::Failed) => Ok(Some(Self::Release)),
            // Only the persist worker may end or write down what is still in the stream.
            (S::Pending, _) => Err(Error::unexpected("orders.change", format!("{from} is not in Postgres yet"))),
            _ => Ok(None),
        }
    }
}
