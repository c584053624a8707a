//! Money that goes back: an admin wants it, the provider is asked for it. Only its own word makes a refund confirmed.

use super::{
    provider,
    queries::{self, NewRefund, PaymentRow, RefundRow},
    verify,
};
use crate::{
    Store,
    error::{During, Error},
    jobs::{self, Topic},
    orders::change,
    stock::ledger,
    world::to_timestamp,
};
use domain::{
    ApiError, ErrorCode, IdempotencyKey, Minor, OrderId, PaymentId, RefundId,
    order::{Cause, OrderStatus},
    payment::{PaymentStatus, RefundView},
};

/// Longest reason, in characters.
const MAX_REASON: usize = 200;

/// What an admin wants to go back.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The payment, or the order whose payment it is.
    pub of: Of,
    /// `None`: all that is left.
    pub amount: Option<Minor>,
    pub reason: String,
    /// The order's copies are back on the shelf.
    pub restock: bool,
    /// The same request, however often it is sent.
    pub key: IdempotencyKey,
}

#[derive(Debug, Clone, Copy)]
pub enum Of {
    Payment(PaymentId),
    Order(OrderId),
}

/// Wants money back, never more than came in; the order becomes REFUNDED when the provider says that all of it is back.
pub async fn create(store: &Store, wanted: &Wanted) -> Result<RefundView, Error> {
    const OPERATION: &str = "payments.create_refund";
    let reason = reason(&wanted.reason)?;
    let (id, now) = (RefundId::new(store.uuid()), store.now());
    let payment = named(store, wanted.of).await?;
    let order_id = OrderId::new(payment.order_id);
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    ledger::share_gate_lock(&mut tx).await?;
    // Two requests about one order come one after the other from here on.
    let order = queries::lock_order(&mut *tx, order_id).await.during(OPERATION)?;
    let order = order.ok_or_else(|| Error::unexpected(OPERATION, "a payment without an order"))?;
    if let Some(made) = queries::refund_of_key(&mut *tx, wanted.key.as_str()).await.during(OPERATION)? {
        return repeated(wanted, &payment, made);
    }
    let payment_id = PaymentId::new(payment.id);
    let payment = queries::lock_payment(&mut *tx, payment_id).await.during(OPERATION)?.unwrap_or(payment);
    let amount = fitting(&mut tx, &payment, wanted.amount).await?;
    let status: OrderStatus =
        order.status.parse().map_err(|_| Error::unexpected(OPERATION, "an order without a status"))?;
    let new = NewRefund {
        id,
        amount: amount.wanted,
        reason,
        origin: "admin",
        status: "requested",
        key: Some(wanted.key.as_str()),
        restocks: wanted.restock,
        provider_ref: None,
    };
    let at = to_timestamp(now);
    queries::insert_refund(&mut *tx, &payment, new, at).await.during(OPERATION)?;
    if amount.is_all_that_was_left {
        queries::set_refunding(&mut *tx, payment_id).await.during(OPERATION)?;
    }
    if wanted.restock {
        if !status.is_sold() {
            return Err(ApiError::new(ErrorCode::Conflict, "The copies of this order are on the shelf already.").into());
        }
        ledger::take_back(&mut tx, order_id, order.claim_no, now).await?;
    }
    let shown =
        Minor::new(amount.wanted).with(payment.amount().ok_or_else(|| broken("an unknown currency"))?.currency());
    let note = format!("{shown}: {reason}");
    change::note(&mut tx, (order_id, status), Cause::RefundRequested, Some(&note), now).await?;
    let nothing_more = serde_json::json!({});
    jobs::enqueue(&mut *tx, Topic::RefundRequest, &id.to_string(), &nothing_more, at).await.during(OPERATION)?;
    let made = queries::refund(&mut *tx, id).await.during(OPERATION)?;
    tx.commit().await.during(OPERATION)?;
    tracing::info!(refund.id = %id, payment.id = %payment_id, order.id = %order_id, amount = amount.wanted, "a refund is wanted");
    made.ok_or_else(|| broken("an inserted refund is not there"))?.view()
}

async fn named(store: &Store, of: Of) -> Result<PaymentRow, Error> {
    const OPERATION: &str = "payments.create_refund";
    let id = match of {
        Of::Payment(id) => Some(id),
        Of::Order(order) => queries::refundable(store.pg(), order).await.during(OPERATION)?.map(PaymentId::new),
    };
    let payment = match id {
        Some(id) => queries::payment(store.pg(), id).await.during(OPERATION)?,
        None => None,
    };
    payment.ok_or_else(|| ApiError::not_found("a payment that could go back").into())
}

fn reason(text: &str) -> Result<&str, ApiError> {
    let text = text.trim();
    let wrong = match text {
        "" => "Say why: it stays with the refund.",
        _ if text.chars().count() > MAX_REASON => "At most 200 characters.",
        _ if text.chars().any(char::is_control) => "One line, please.",
        _ => return Ok(text),
    };
    Err(ApiError::fields([("reason".to_owned(), wrong.to_owned())].into()))
}

/// The same request again gets the same answer.
fn repeated(wanted: &Wanted, payment: &PaymentRow, made: RefundRow) -> Result<RefundView, Error> {
    let same = made.payment_id == payment.id
        && wanted.amount.is_none_or(|amount| amount.get() == made.amount_minor)
        && made.restocks == wanted.restock
        && made.reason == wanted.reason.trim();
    match same {
        true => made.view(),
        false => Err(ApiError::new(ErrorCode::KeyReused, "This key was used for another refund.").into()),
    }
}

struct Amount {
    wanted: i64,
    is_all_that_was_left: bool,
}

/// The amount, if there is so much of the locked payment that nobody has sent back.
async fn fitting(
    tx: &mut sqlx::PgTransaction<'_>,
    payment: &PaymentRow,
    amount: Option<Minor>,
) -> Result<Amount, Error> {
    if !matches!(payment.status(), Some(PaymentStatus::Captured | PaymentStatus::Refunding)) {
        return Err(ApiError::new(ErrorCode::Conflict, "This payment has no money that could go back.").into());
    }
    let going_back = queries::going_back(&mut **tx, PaymentId::new(payment.id)).await.during("payments.going_back")?;
    let left = payment.amount_minor - going_back;
    if left <= 0 {
        let message = "All the money of this payment is back, or on its way.";
        return Err(ApiError::new(ErrorCode::Conflict, message).into());
    }
    let wanted = amount.map_or(left, Minor::get);
    if !(1..=left).contains(&wanted) {
        let left = payment.amount().map(|amount| Minor::new(left).with(amount.currency()).to_string());
        let wrong = format!("At most {} can go back.", left.unwrap_or_default());
        return Err(ApiError::fields([("amount".to_owned(), wrong)].into()).into());
    }
    Ok(Amount { wanted, is_all_that_was_left: wanted == left })
}

/// Asks for the refund; a repeat asks for the same one again, which the provider makes once.
pub async fn request(store: &Store, refund: RefundId) -> Result<(), Error> {
    const OPERATION: &str = "payments.refund";
    let row = queries::refund(store.pg(), refund).await.during(OPERATION)?;
    let row = row.ok_or_else(|| broken("no such refund"))?;
    if row.status != "requested" {
        return Ok(());
    }
    let payment = queries::payment(store.pg(), PaymentId::new(row.payment_id)).await.during(OPERATION)?;
    let payment = payment.ok_or_else(|| broken("a refund without a payment"))?;
    let provider = provider::find(store, &payment.provider).ok_or_else(|| broken("its provider is not configured"))?;
    let provider_ref = payment.provider_ref.as_deref().ok_or_else(|| broken("a captured payment without a session"))?;
    let amount = row.amount().ok_or_else(|| broken("an amount in no currency of this shop"))?;
    match provider.refund(refund, provider_ref, amount).await {
        Ok(made) => {
            let ask_at = to_timestamp(store.now().plus(verify::ask_every_ms(store)));
            queries::set_refund_ref(store.pg(), refund, &made, ask_at).await.during(OPERATION)
        }
        Err(error) => {
            // For the admin who looks at the order.
            queries::set_refund_error(store.pg(), refund, &error.to_string()).await.during(OPERATION)?;
            Err(error)
        }
    }
}

fn broken(message: &str) -> Error {
    Error::unexpected("payments.refund", message)
}
