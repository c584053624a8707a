//! The built-in payment provider, made like a real one: its own records, its own page, signed webhooks over HTTP.
//!
//! The shop never calls this module; it speaks HTTP to the routes that the server serves under `/sandbox`.

pub mod deliver;
mod log;
mod press;
mod queries;
mod statement;
mod wire;

pub use deliver::DeliverEvents;
pub use log::{LogEntry, Sending, log};
pub use press::{Delay, Press};
pub use statement::{refund_state, statement};
pub use wire::*;

use crate::{
    Store,
    config::SandboxConfig,
    error::{During, Error},
    world::{from_timestamp, to_timestamp},
};
use domain::{ApiError, Currency, ErrorCode, Minor, UnixMillis};
use press::{Plan, PlannedEvent, Trick};
use queries::{NewEvent, NewRefund, PaymentRow};
use subtle::ConstantTimeEq;

/// Webhooks that one payment may cause, forged ones included.
const MAX_EVENTS: i64 = 30;

/// Whether this is the customer's key; takes the same time for every wrong one of its length.
pub fn is_authorised(store: &Store, key: &str) -> bool {
    let expected = store.config().sandbox.as_ref().map(|sandbox| sandbox.api_key.reveal().as_bytes());
    expected.is_some_and(|expected| !expected.is_empty() && bool::from(expected.ct_eq(key.as_bytes())))
}

/// Opens a payment; the same key names the same payment again, and another request under it is refused.
pub async fn create(store: &Store, key: &str, request: CreatePayment) -> Result<SandboxPayment, Error> {
    const OPERATION: &str = "sandbox.create";
    config(store)?;
    check_key(key)?;
    if request.amount <= Minor::ZERO {
        return Err(ApiError::new(ErrorCode::BadRequest, "An amount is more than nothing.").into());
    }
    let id = format!("sbx_pay_{}", store.uuid().simple());
    queries::insert_payment(store.pg(), &id, key, &request, to_timestamp(store.now())).await.during(OPERATION)?;
    let row = queries::payment_by_key(store.pg(), key).await.during(OPERATION)?;
    let row = row.ok_or_else(|| Error::unexpected(OPERATION, "an inserted payment is not there"))?;
    let same = row.order_id == request.order_id
        && row.amount_minor == request.amount.get()
        && row.currency == request.currency.code();
    if !same {
        return Err(ApiError::new(ErrorCode::KeyReused, "This key was used for another payment.").into());
    }
    shown(store, row)
}

pub async fn get(store: &Store, id: &str) -> Result<Option<SandboxPayment>, Error> {
    config(store)?;
    if id.chars().any(char::is_control) {
        return Ok(None);
    }
    let row = queries::payment(store.pg(), id).await.during("sandbox.get")?;
    row.map(|row| shown(store, row)).transpose()
}

/// Closes an open payment; one that is paid, or whose money is under way, stays so (the answer says so).
pub async fn close(store: &Store, id: &str) -> Result<Option<SandboxPayment>, Error> {
    config(store)?;
    queries::close_open(store.pg(), id).await.during("sandbox.close")?;
    get(store, id).await
}

/// Sends money back; a `refund.succeeded` event confirms it, `refund.failed` says that it was not made. Returns the refund's id; `None`: no such payment.
pub async fn refund(store: &Store, key: &str, id: &str, amount: Minor) -> Result<Option<String>, Error> {
    const OPERATION: &str = "sandbox.refund";
    config(store)?;
    check_key(key)?;
    let now = store.now();
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    let Some(row) = queries::lock_payment(&mut tx, id).await.during(OPERATION)? else { return Ok(None) };
    if let Some(made) = queries::refund_by_key(&mut tx, key).await.during(OPERATION)? {
        let same = made.payment_id == id && made.amount_minor == amount.get();
        return match same {
            true => Ok(Some(made.id)),
            false => Err(ApiError::new(ErrorCode::KeyReused, "This key was used for another refund.").into()),
        };
    }
    let refunded = queries::refunded(&mut tx, id).await.during(OPERATION)?;
    let fits = amount > Minor::ZERO && refunded.checked_add(amount.get()).is_some_and(|sum| sum <= row.amount_minor);
    if !fits || status(&row, now) != "paid" {
        return Err(
            ApiError::new(ErrorCode::Conflict, "There is not so much money of this payment to send back.").into()
        );
    }
    let refund_id = format!("sbx_ref_{}", store.uuid().simple());
    let (status, kind) = if row.refuses_refund { ("failed", REFUND_FAILED) } else { ("succeeded", REFUNDED) };
    let new = NewRefund { id: &refund_id, payment: id, amount: amount.get(), key, status };
    queries::insert_refund(&mut tx, new, to_timestamp(now)).await.during(OPERATION)?;
    queries::set_refusal(&mut tx, id, false).await.during(OPERATION)?;
    let data =
        EventData { amount, refund_id: Some(refund_id.clone()), refund_reference: Some(key.to_owned()), ..about(&row) };
    add_event(store, &mut tx, PlannedEvent { kind, at: now, trick: None }, data).await?;
    tx.commit().await.during(OPERATION)?;
    Ok(Some(refund_id))
}

/// A button of the hosted page. Pressing twice does nothing more; `None`: no such payment.
pub async fn press(store: &Store, id: &str, press: Press) -> Result<Option<SandboxPayment>, Error> {
    const OPERATION: &str = "sandbox.press";
    config(store)?;
    let now = store.now();
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    let Some(row) = queries::lock_payment(&mut tx, id).await.during(OPERATION)? else { return Ok(None) };
    match press {
        Press::Refund => give_back(store, &mut tx, &row, now).await?,
        Press::RefuseRefund => queries::set_refusal(&mut tx, id, true).await.during(OPERATION)?,
        _ => return pressed(store, tx, row, press).await,
    }
    tx.commit().await.during(OPERATION)?;
    get(store, id).await
}

/// A button that changes where the payment stands, or what the shop hears of it.
async fn pressed(
    store: &Store,
    mut tx: sqlx::PgTransaction<'_>,
    row: PaymentRow,
    press: Press,
) -> Result<Option<SandboxPayment>, Error> {
    const OPERATION: &str = "sandbox.press";
    let (id, late_after, now) = (row.id.clone(), config(store)?.late_after, store.now());
    let is_taken = match (row.status.as_str(), press) {
        ("open", _) | ("closed", Press::PayLate | Press::PayAfter(_) | Press::Forge) => true,
        ("closed", _) => {
            return Err(ApiError::new(ErrorCode::NotPayable, "The shop has closed this payment.").into());
        }
        _ => false,
    };
    let Some(plan) = Plan::of(press, now, late_after).filter(|_| is_taken) else { return shown(store, row).map(Some) };
    if queries::events(&mut tx, &id).await.during(OPERATION)? >= MAX_EVENTS {
        return Err(ApiError::new(ErrorCode::Conflict, "Enough has happened to this payment.").into());
    }
    if let Some((status, paid_at)) = plan.becomes {
        queries::set_status(&mut tx, &id, status, paid_at.map(to_timestamp)).await.during(OPERATION)?;
    }
    for event in plan.events {
        add_event(store, &mut tx, event, about(&row)).await?;
    }
    tx.commit().await.during(OPERATION)?;
    get(store, &id).await
}

/// Everything that is left of a payment goes back; nothing happens when nothing is left.
async fn give_back(
    store: &Store,
    tx: &mut sqlx::PgTransaction<'_>,
    row: &PaymentRow,
    now: UnixMillis,
) -> Result<(), Error> {
    const OPERATION: &str = "sandbox.give_back";
    let left = row.amount_minor - queries::refunded(tx, &row.id).await.during(OPERATION)?;
    if left <= 0 || status(row, now) != "paid" {
        return Ok(());
    }
    let (id, amount) = (format!("sbx_ref_{}", store.uuid().simple()), Minor::new(left));
    let new = NewRefund { id: &id, payment: &row.id, amount: left, key: &id, status: "succeeded" };
    queries::insert_refund(tx, new, to_timestamp(now)).await.during(OPERATION)?;
    let event = PlannedEvent { kind: REFUNDED, at: now, trick: None };
    add_event(store, tx, event, EventData { amount, refund_id: Some(id), ..about(row) }).await
}

/// Records the webhook with the change that causes it; it is sent from then on, or never.
async fn add_event(
    store: &Store,
    tx: &mut sqlx::PgTransaction<'_>,
    planned: PlannedEvent,
    data: EventData,
) -> Result<(), Error> {
    const OPERATION: &str = "sandbox.event";
    let PlannedEvent { kind, at, trick } = planned;
    let payment_id = data.payment_id.clone();
    let event = Event {
        id: format!("sbx_evt_{}", store.uuid().simple()),
        name: kind.to_owned(),
        created: at.get() / 1000,
        data: serde_json::to_value(data).during(OPERATION)?,
    };
    let payload = serde_json::to_value(&event).during(OPERATION)?;
    let trick = trick.map(Trick::as_str);
    let row = NewEvent { id: &event.id, payment_id: &payment_id, kind, payload: &payload, trick };
    queries::insert_event(tx, row, to_timestamp(store.now()), to_timestamp(at)).await.during(OPERATION)
}

fn about(row: &PaymentRow) -> EventData {
    EventData {
        payment_id: row.id.clone(),
        reference: row.idempotency_key.clone(),
        order_id: row.order_id.clone(),
        amount: Minor::new(row.amount_minor),
        currency: row.currency.clone(),
        refund_id: None,
        refund_reference: None,
    }
}

fn shown(store: &Store, row: PaymentRow) -> Result<SandboxPayment, Error> {
    let currency = Currency::parse(&row.currency).map_err(|e| Error::unexpected("sandbox.read", e.to_string()))?;
    Ok(SandboxPayment {
        status: status(&row, store.now()).to_owned(),
        url: format!("{}/pay/{}", config(store)?.public_url, row.id),
        id: row.id,
        order_id: row.order_id,
        order_number: row.order_number,
        amount: Minor::new(row.amount_minor),
        currency,
        email: row.email,
        return_url: row.return_url,
        cancel_url: row.cancel_url,
    })
}

/// Money that arrives in the future is not there yet, and cannot be stopped either.
fn status(row: &PaymentRow, now: UnixMillis) -> &str {
    match row.paid_at.map(from_timestamp) {
        Some(at) if at > now => "processing",
        _ => &row.status,
    }
}

fn check_key(key: &str) -> Result<(), Error> {
    match domain::IdempotencyKey::parse(key) {
        Ok(_) => Ok(()),
        Err(_) => Err(ApiError::new(ErrorCode::MissingKey, "Send an Idempotency-Key of up to 128 characters.").into()),
    }
}

fn config(store: &Store) -> Result<&SandboxConfig, Error> {
    store.config().sandbox.as_ref().ok_or_else(|| ApiError::not_found("this provider").into())
}
