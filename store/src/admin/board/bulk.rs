//! Several orders go on at once: each by its own transaction, each with an answer of its own.

use super::queries::{self, Stake};
use crate::{
    Store,
    error::{During, Error},
    orders,
    viewer::Viewer,
};
use domain::{
    ApiError, ErrorCode, Minor, OrderId,
    desk::{BulkDone, BulkResult, BulkStep},
    words::counted,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

const OPERATION: &str = "admin.bulk";

/// What is to be done, to which orders.
#[derive(Debug, Clone)]
pub struct Bulk {
    pub step: BulkStep,
    pub orders: Vec<OrderId>,
    pub carrier: String,
    pub reason: String,
    /// The mark of the consequence that a person has read and agreed to; `None`: nobody needs to.
    pub agreed: Option<String>,
}

/// Takes each of the orders on. What one is refused stops none of the others.
pub async fn bulk(store: &Store, admin: &Viewer, mut wanted: Bulk) -> Result<BulkDone, Error> {
    wanted.orders.sort_unstable();
    wanted.orders.dedup();
    check(&wanted)?;
    let ids: Vec<Uuid> = wanted.orders.iter().map(|order| order.get()).collect();
    let pg = store.postgres(OPERATION).await?;
    let numbers = queries::numbers(pg, &ids).await.during(OPERATION)?;
    let stake = queries::stake(pg, &ids).await.during(OPERATION)?;
    agreed_to(store, &wanted, &stake)?;
    let mut results = Vec::with_capacity(ids.len());
    for order in wanted.orders.iter().copied() {
        let number = numbers.iter().find(|(id, _)| *id == order.get()).map(|(_, number)| number.clone());
        let done = take(store, admin, &wanted, order).await;
        results.push(result(order, number.unwrap_or_default(), wanted.step, done));
    }
    let failed: Vec<String> = results
        .iter()
        .filter(|result| !result.is_done)
        .map(|result| format!("{}: {}", result.number, result.said))
        .collect();
    let said = (!failed.is_empty()).then(|| {
        let done = counted((results.len() - failed.len()) as u64, "order went on", "orders went on");
        format!("{done}. {}", failed.join(" "))
    });
    Ok(BulkDone { results, said })
}

async fn take(store: &Store, admin: &Viewer, wanted: &Bulk, order: OrderId) -> Result<(), Error> {
    match wanted.step {
        BulkStep::Fulfil => orders::begin_packing(store, admin, order).await,
        BulkStep::Ship => orders::ship(store, admin, order, &wanted.carrier, None).await,
        BulkStep::Cancel => orders::call_off(store, admin, order, &wanted.reason).await,
    }
}

fn result(order_id: OrderId, number: String, step: BulkStep, done: Result<(), Error>) -> BulkResult {
    let said = match &done {
        Ok(()) => match step {
            BulkStep::Fulfil => "Being packed.",
            BulkStep::Ship => "With the carrier.",
            BulkStep::Cancel => "Cancelled.",
        }
        .to_owned(),
        Err(error) => {
            if !error.is_refusal() {
                tracing::error!(order.id = %order_id, error = error as &dyn std::error::Error, "one of many failed");
            }
            error.to_api().message
        }
    };
    BulkResult { order_id, number, is_done: done.is_ok(), said }
}

fn check(wanted: &Bulk) -> Result<(), ApiError> {
    let wrong = |field: &str, message: String| Err(ApiError::fields([(field.to_owned(), message)].into()));
    match wanted.orders.len() {
        0 => return Err(ApiError::new(ErrorCode::BadRequest, "Choose the orders first.")),
        many if many > BulkStep::MOST => {
            let message = format!("At most {} orders at once, please.", BulkStep::MOST);
            return Err(ApiError::new(ErrorCode::BadRequest, message));
        }
        _ => {}
    }
    match wanted.step {
        BulkStep::Ship if wanted.carrier.trim().is_empty() => wrong("carrier", "Who carries the parcels?".into()),
        BulkStep::Cancel if wanted.reason.trim().is_empty() => wrong("reason", "Say why: the shoppers read it.".into()),
        _ => Ok(()),
    }
}

/// A person who has not read the consequence is asked first. Packing has none for shoppers.
fn agreed_to(store: &Store, wanted: &Bulk, stake: &Stake) -> Result<(), ApiError> {
    let Some(agreed) = wanted.agreed.as_ref().filter(|_| wanted.step != BulkStep::Fulfil) else { return Ok(()) };
    let chosen = wanted.orders.iter().map(OrderId::to_string).collect::<Vec<_>>().join(",");
    let which = hex::encode(&Sha256::digest(&chosen)[..8]);
    let mark = format!("{}-{which}-{}-{}", wanted.step.as_str(), stake.paid, stake.money_minor);
    if *agreed == mark {
        return Ok(());
    }
    let orders = counted(stake.orders.unsigned_abs(), "order", "orders");
    let money = Minor::new(stake.money_minor).with(store.config().currency);
    let sentence = match wanted.step {
        BulkStep::Cancel if stake.paid > 0 => {
            let paid = counted(stake.paid.unsigned_abs(), "paid one", "paid ones");
            format!(
                "{orders} will be cancelled: the copies return to stock, and {money} goes back for {paid}. Each shopper is told."
            )
        }
        BulkStep::Cancel => {
            format!(
                "{orders} will be cancelled, and the copies return to stock. Nothing was paid. Each shopper is told."
            )
        }
        _ => format!("{orders} will count as handed to {}, and each shopper is told.", wanted.carrier.trim()),
    };
    Err(ApiError::new(ErrorCode::NeedsConfirmation, sentence).field("agreed", mark).field("chosen", chosen))
}
