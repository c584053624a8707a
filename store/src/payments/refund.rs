//! Money that goes back: an admin wants it, the provider is asked for it. Only its own word makes a refund confirmed.

use super::{
    provider,
    queries::{self, NewRefund, OrderRow, PaymentRow, RefundRow},
    verify,
};
use crate::{
    Store,
    admin::audit::{self, Action},
    error::{During, Error},
    jobs::{self, Topic, dead_letters},
    orders::{self, change},
    stock::ledger,
    viewer::Viewer,
    world::to_timestamp,
};
use domain::{
    AccountId, ApiError, ErrorCode, IdempotencyKey, Minor, Money, OrderId, PaymentId, RefundId,
    order::{Cause, OrderStatus},
    payment::{PaymentStatus, RefundView, provider_title},
};
use serde_json::{Value, json};

/// Longest reason, in characters.
const MAX_REASON: usize = 200;
const CREATE: &str = "payments.create_refund";

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
    /// The mark of the consequence that a person has read and agreed to; `None`: nobody needs to.
    pub agreed: Option<String>,
}

#[derive(Debug, Clone, Copy)]
pub enum Of {
    Payment(PaymentId),
    Order(OrderId),
}

/// Wants money back, never more than came in; the order becomes REFUNDED when the provider says that all of it is back.
pub async fn create(store: &Store, admin: &Viewer, wanted: &Wanted) -> Result<RefundView, Error> {
    let reason = reason(&wanted.reason)?;
    let (id, now) = (RefundId::new(store.uuid()), store.now());
    // First of all: what it wanted may be done, and the order have no money to send back any more.
    if let Some(made) = queries::refund_of_key(store.pg(), wanted.key.as_str()).await.during(CREATE)? {
        return repeated(store, admin, wanted, made).await;
    }
    let payment = named(store, wanted.of).await?;
    let order_id = OrderId::new(payment.order_id);
    let mut tx = store.pg().begin().await.during(CREATE)?;
    ledger::share_gate_lock(&mut tx).await?;
    // Two requests about one order come one after the other from here on.
    let order = queries::lock_order(&mut *tx, order_id).await.during(CREATE)?;
    let order = order.ok_or_else(|| Error::unexpected(CREATE, "a payment without an order"))?;
    if let Some(made) = queries::refund_of_key(&mut *tx, wanted.key.as_str()).await.during(CREATE)? {
        tx.rollback().await.during(CREATE)?;
        return repeated(store, admin, wanted, made).await;
    }
    let payment_id = PaymentId::new(payment.id);
    let payment = queries::lock_payment(&mut *tx, payment_id).await.during(CREATE)?.unwrap_or(payment);
    let status: OrderStatus =
        order.status.parse().map_err(|_| Error::unexpected(CREATE, "an order without a status"))?;
    let left = match left(&mut tx, &payment).await? {
        Ok(left) => left,
        Err(why) => {
            tx.rollback().await.during(CREATE)?;
            let sent_back = [Cause::RefundRequested, Cause::AdminCancelled];
            return Err(orders::by_whom(store, admin, order_id, &sent_back, why).await?.into());
        }
    };
    let plan = plan(&mut tx, (&order, status), &payment, left, wanted).await?;
    plan.agreed_to(wanted, &order, &payment)?;
    let account = admin.owner.account().map(AccountId::get);
    let new = NewRefund {
        id,
        amount: plan.amount.minor().get(),
        reason,
        origin: "admin",
        status: "requested",
        key: Some(wanted.key.as_str()),
        restocks: wanted.restock,
        provider_ref: None,
        by: account,
    };
    let at = to_timestamp(now);
    queries::insert_refund(&mut *tx, &payment, new, at).await.during(CREATE)?;
    if plan.leaves_nothing {
        queries::set_refunding(&mut *tx, payment_id).await.during(CREATE)?;
    }
    if wanted.restock {
        ledger::take_back(&mut tx, order_id, order.claim_no, now).await?;
    }
    let note = format!("{}: {reason}", plan.amount);
    let version = change::note(&mut tx, (order_id, status), Cause::RefundRequested, Some(&note), now).await?;
    change::sign(&mut tx, order_id, version, admin).await?;
    let after = json!({ "refund": id, "amount": plan.amount.to_string(), "reason": reason, "restock": wanted.restock });
    audit::note(&mut *tx, store, admin, Action::RefundCreate, ("order", &order_id), Value::Null, after).await?;
    jobs::enqueue(&mut *tx, Topic::RefundRequest, &id.to_string(), &json!({}), at).await.during(CREATE)?;
    let made = queries::refund(&mut *tx, id).await.during(CREATE)?;
    tx.commit().await.during(CREATE)?;
    tracing::info!(refund.id = %id, payment.id = %payment_id, order.id = %order_id, account.id = account, amount = %plan.amount, "a refund is wanted");
    made.ok_or_else(|| broken("an inserted refund is not there"))?.view()
}

async fn named(store: &Store, of: Of) -> Result<PaymentRow, Error> {
    let id = match of {
        Of::Payment(id) => Some(id),
        Of::Order(order) => queries::refundable(store.pg(), order).await.during(CREATE)?.map(PaymentId::new),
    };
    let payment = match id {
        Some(id) => queries::payment(store.pg(), id).await.during(CREATE)?,
        None => None,
    };
    payment.ok_or_else(|| ApiError::not_found("a payment that could go back").into())
}

fn reason(text: &str) -> Result<&str, ApiError> {
    let text = text.trim();
    let wrong = match text {
        "" => "Say why: the shopper reads it.",
        _ if text.chars().count() > MAX_REASON => "At most 200 characters.",
        _ if text.chars().any(char::is_control) => "One line, please.",
        _ => return Ok(text),
    };
    Err(wrong_field("reason", wrong))
}

/// The same request again gets the same answer. Pages of two people make the same key: the second one is told.
async fn repeated(store: &Store, admin: &Viewer, wanted: &Wanted, made: RefundRow) -> Result<RefundView, Error> {
    let is_of_it = match wanted.of {
        Of::Payment(payment) => payment.get() == made.payment_id,
        Of::Order(order) => order.get() == made.order_id,
    };
    if is_of_it && made.actor_id != admin.owner.account().map(AccountId::get) {
        let (order, refusal) = (OrderId::new(made.order_id), "Please look at its refunds again.");
        return Err(orders::by_whom(store, admin, order, &[Cause::RefundRequested], refusal).await?.into());
    }
    let same = is_of_it
        && wanted.amount.is_none_or(|amount| amount.get() == made.amount_minor)
        && made.restocks == wanted.restock
        && made.reason == wanted.reason.trim();
    match same {
        true => made.view(),
        false => {
            let message = "Somebody has just sent money back for this order. Please look at its refunds again.";
            Err(ApiError::new(ErrorCode::KeyReused, message).into())
        }
    }
}

/// What a refund would do.
struct Plan {
    amount: Money,
    /// Nothing of the payment is left then.
    leaves_nothing: bool,
    /// Copies that come back into stock.
    copies: i64,
}

/// What nobody has sent back of the locked payment, or why there is nothing.
async fn left(tx: &mut sqlx::PgTransaction<'_>, payment: &PaymentRow) -> Result<Result<Minor, &'static str>, Error> {
    if !matches!(payment.status(), Some(PaymentStatus::Captured | PaymentStatus::Refunding)) {
        return Ok(Err("This payment has no money that could go back."));
    }
    let going_back = queries::going_back(&mut **tx, PaymentId::new(payment.id)).await.during(CREATE)?;
    let left = Minor::new(payment.amount_minor - going_back);
    Ok(if left > Minor::ZERO { Ok(left) } else { Err("All the money of this payment is back, or on its way.") })
}

/// The consequence of a wish about the locked payment, of which so much is left.
async fn plan(
    tx: &mut sqlx::PgTransaction<'_>,
    (order, status): (&OrderRow, OrderStatus),
    payment: &PaymentRow,
    left: Minor,
    wanted: &Wanted,
) -> Result<Plan, Error> {
    let currency = payment.amount().ok_or_else(|| broken("an unknown currency"))?.currency();
    let amount = wanted.amount.unwrap_or(left);
    if amount <= Minor::ZERO || amount > left {
        return Err(wrong_field("amount", &format!("At most {} can go back.", left.with(currency))).into());
    }
    let leaves_nothing = amount == left;
    let copies = match wanted.restock {
        true => ledger::copies_out(tx, OrderId::new(order.id), order.claim_no).await?,
        false => 0,
    };
    let is_here = matches!(status, OrderStatus::Paid | OrderStatus::Fulfilling);
    let wrong = match wanted.restock {
        true if !status.is_sold() || copies == 0 => "The copies of this order are back in stock already.",
        // Else copies could be sold that still wait to be sent.
        true if is_here && !leaves_nothing => "This parcel has not left. Send all the money back, or leave the copies.",
        _ => return Ok(Plan { amount: amount.with(currency), leaves_nothing, copies }),
    };
    Err(wrong_field("restock", wrong).into())
}

impl Plan {
    /// The same for the same consequence.
    fn mark(&self) -> String {
        format!("{}-{}", self.amount.minor().get(), self.copies)
    }

    fn sentence(&self, order: &OrderRow, payment: &PaymentRow) -> String {
        let (amount, email, provider) = (self.amount, &order.email, provider_title(&payment.provider));
        let rest = if self.leaves_nothing { "Nothing of the payment is left then." } else { "The rest of it stays." };
        let copies = match self.copies {
            0 => "No copies return to stock.".to_owned(),
            1 => "1 copy returns to stock.".to_owned(),
            copies => format!("{copies} copies return to stock."),
        };
        format!("{amount} goes back to {email} by {provider}. {rest} {copies}")
    }

    /// A person who has not read this consequence is asked first.
    fn agreed_to(&self, wanted: &Wanted, order: &OrderRow, payment: &PaymentRow) -> Result<(), ApiError> {
        let mark = self.mark();
        match &wanted.agreed {
            Some(agreed) if *agreed != mark => {
                let asked = ApiError::new(ErrorCode::NeedsConfirmation, self.sentence(order, payment));
                Err(asked.field("agreed", mark))
            }
            _ => Ok(()),
        }
    }
}

/// Asks the provider again, now, for a refund that it has not made: one that is put off, or among the dead letters.
pub async fn retry(store: &Store, admin: &Viewer, refund: RefundId) -> Result<(), Error> {
    const OPERATION: &str = "payments.retry_refund";
    let row = queries::refund(store.pg(), refund).await.during(OPERATION)?;
    let row = row.ok_or_else(|| ApiError::not_found("this refund"))?;
    if row.status != "requested" || row.provider_ref.is_some() {
        let message = "The provider has taken this refund up. There is nothing to ask for again.";
        return Err(ApiError::new(ErrorCode::Conflict, message).into());
    }
    let (order, after) = (OrderId::new(row.order_id), json!({ "refund": refund, "error": row.error }));
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    dead_letters::ask_again(store, &mut tx, Topic::RefundRequest, &refund.to_string()).await?;
    audit::note(&mut *tx, store, admin, Action::RefundRetry, ("order", &order), Value::Null, after).await?;
    tx.commit().await.during(OPERATION)
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
            tell_admins(store, &row, &error).await?;
            Err(error)
        }
    }
}

/// Whoever looks at the order sees why nothing comes; said again only when it is another reason.
async fn tell_admins(store: &Store, row: &RefundRow, error: &Error) -> Result<(), Error> {
    const OPERATION: &str = "payments.refund_error";
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    if queries::set_refund_error(&mut *tx, RefundId::new(row.id), &error.to_string()).await.during(OPERATION)? {
        let (order, at) = (row.order_id.to_string(), to_timestamp(store.now()));
        jobs::enqueue(&mut *tx, Topic::OrderChanged, &order, &json!({}), at).await.during(OPERATION)?;
    }
    tx.commit().await.during(OPERATION)
}

fn wrong_field(field: &str, wrong: &str) -> ApiError {
    ApiError::fields([(field.to_owned(), wrong.to_owned())].into())
}

fn broken(message: &str) -> Error {
    Error::unexpected("payments.refund", message)
}
