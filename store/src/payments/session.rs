//! Opening a session for an order, and closing it when the order no longer takes money.

use super::{
    provider::{self, NewSession, Provider, Session, SessionState},
    queries::{self, OrderRow, PaymentRow},
    verify,
};
use crate::{
    Store,
    error::{During, Error},
    orders,
    viewer::Viewer,
    world::{from_timestamp, to_timestamp},
};
use domain::{
    ApiError, ErrorCode, OrderId, PaymentId,
    account::Email,
    order::{OrderNumber, OrderStatus},
    payment::{PaymentStarted, PaymentStatus},
};
use futures::{StreamExt, stream};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// Sessions closed at the same time.
const PARALLEL: usize = 16;
/// Most sessions of one order: more than anybody needs to find a card that works.
const MOST_SESSIONS: i64 = 30;
/// How long somebody who takes another provider waits for the first one.
const PATIENCE: Duration = Duration::from_secs(4);

pub(super) async fn init(
    store: &Store,
    viewer: &Viewer,
    order: OrderId,
    provider: &str,
) -> Result<PaymentStarted, Error> {
    let provider = provider::find(store, provider)
        .ok_or_else(|| ApiError::new(ErrorCode::BadRequest, "This shop does not take that kind of payment."))?;
    store.postgres("payments.init").await?;
    authorise(store, viewer, order).await?;
    // The row is committed before the provider is called: after a crash in between, the same key finds the same session.
    let payment = match begin(store, order, &*provider).await? {
        Begun::Ours(payment) => payment,
        Begun::Elsewhere(other) => {
            leave(store, other).await?;
            match begin(store, order, &*provider).await? {
                Begun::Ours(payment) => payment,
                Begun::Elsewhere(_) => return Err(not_payable("Another payment of this order is under way.").into()),
            }
        }
    };
    if let (Some(PaymentStatus::Open), Some(url)) = (payment.row.status(), payment.row.redirect_url) {
        return Ok(PaymentStarted { payment_id: payment.session.payment, redirect_url: url });
    }
    open(store, &*provider, &payment.session).await?;
    let row = queries::payment(store.pg(), payment.session.payment).await.during("payments.init")?;
    match row.map(|row| (row.status(), row.redirect_url)) {
        // By the ledger, not by this answer: should a provider ever make two sessions of one name, nobody sees the other.
        Some((Some(PaymentStatus::Open), Some(url))) => {
            Ok(PaymentStarted { payment_id: payment.session.payment, redirect_url: url })
        }
        Some((Some(PaymentStatus::Captured), _)) => Err(not_payable("This order is paid already.").into()),
        // The order ended, or its shopper took another provider, while this one was answering.
        _ => Err(not_payable("This payment is over. Please look at your order again.").into()),
    }
}

/// Closes what can be closed until `end`; whatever happens to the others, work in the outbox and the watchdog see to them.
pub(super) async fn close_all(store: &Store, orders: &[Uuid], end: Instant) {
    let all = async {
        let open = queries::open_sessions(store.pg(), orders).await.during("payments.close_all")?;
        let closing = stream::iter(open).map(|id| close(store, PaymentId::new(id))).buffer_unordered(PARALLEL);
        closing.for_each(|closed| async { drop(closed) }).await;
        Ok::<(), Error>(())
    };
    if let Ok(Err(error)) = tokio::time::timeout_at(end, all).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "sessions of orders that end are closed later");
    }
}

/// Closes the session of a payment at its provider. One that turns out paid, pays.
pub(super) async fn close(store: &Store, payment: PaymentId) -> Result<(), Error> {
    const OPERATION: &str = "payments.close";
    let Some(row) = queries::payment(store.pg(), payment).await.during(OPERATION)? else { return Ok(()) };
    if !row.may_bring_money() {
        return Ok(());
    }
    let provider = verify::configured(store, &row.provider)?;
    let provider_ref = match row.provider_ref.clone() {
        Some(known) => Some(known),
        None => name_it(store, &*provider, &row).await?.map(|session| session.provider_ref),
    };
    let state = match &provider_ref {
        Some(known) => close_known(&*provider, known).await?,
        None => SessionState::Closed,
    };
    match state {
        SessionState::Declined if row.status() == Some(PaymentStatus::Declined) => {
            queries::closed(store.pg(), payment, provider_ref.as_deref()).await.during(OPERATION)
        }
        SessionState::Closed => queries::closed(store.pg(), payment, provider_ref.as_deref()).await.during(OPERATION),
        SessionState::Open => Err(Error::unexpected(OPERATION, "the provider leaves the session open")),
        SessionState::Paid | SessionState::Declined => {
            let found = provider.retrieve(provider_ref.as_deref().unwrap_or_default()).await?;
            match found {
                Some(found) => verify::learn(store, &row, found).await.map(|_| ()),
                None => Ok(()),
            }
        }
        SessionState::Processing => Ok(()),
    }
}

/// A session that its provider does not know, say after the keys of tests, is as good as closed.
async fn close_known(provider: &dyn Provider, provider_ref: &str) -> Result<SessionState, Error> {
    match provider.close(provider_ref).await {
        Err(error @ Error::Unexpected { .. }) => match provider.retrieve(provider_ref).await? {
            Some(_) => Err(error),
            None => {
                tracing::warn!(provider = provider.name(), provider_ref, "the provider does not know this session");
                Ok(SessionState::Closed)
            }
        },
        state => state,
    }
}

/// Leaves a session for the sake of another provider's: it is closed first. When its provider does not answer, or not to
/// us, it is left behind. One that nobody was sent to is given up; one that somebody may be about to pay is asked about
/// until it is known to be closed, and should money come by both, the second goes back.
async fn leave(store: &Store, payment: PaymentId) -> Result<(), Error> {
    const OPERATION: &str = "payments.leave";
    let error = match tokio::time::timeout(PATIENCE, close(store, payment)).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error @ Error::Postgres { .. })) => return Err(error),
        Ok(Err(error)) => error.chain(),
        Err(_) => "no answer in time".to_owned(),
    };
    let is_left = queries::abandon(store.pg(), payment).await.during(OPERATION)?
        || queries::leave_behind(store.pg(), payment).await.during(OPERATION)?;
    if is_left {
        tracing::warn!(payment.id = %payment, error, "a session is left behind: its provider cannot close it now");
    }
    Ok(())
}

/// Nobody knows whether the provider made the session: asking again under the same key names it. `None`: it never made
/// one, and no longer makes one for an order whose time is over.
pub(super) async fn name_it(
    store: &Store,
    provider: &dyn Provider,
    row: &PaymentRow,
) -> Result<Option<Session>, Error> {
    const OPERATION: &str = "payments.close";
    let order = queries::order(store.pg(), OrderId::new(row.order_id)).await.during(OPERATION)?;
    let order = order.ok_or_else(|| Error::unexpected(OPERATION, "a payment without an order"))?;
    match open(store, provider, &described(store, &order, PaymentId::new(row.id))?).await {
        Ok(session) => Ok(Some(session)),
        Err(Error::Refused(refusal)) if refusal.code == ErrorCode::NotPayable => Ok(None),
        Err(error) => Err(error),
    }
}

async fn authorise(store: &Store, viewer: &Viewer, order: OrderId) -> Result<(), Error> {
    // An admin may look at every order, and pays none but their own.
    let payer = viewer.as_shopper();
    match queries::order(store.pg(), order).await.during("payments.init")? {
        Some(row) => {
            let owner =
                row.owner.parse().map_err(|_| Error::unexpected("payments.init", "an order without an owner"))?;
            if payer.may_see(order, &owner, &row.email) {
                Ok(())
            } else {
                Err(ApiError::not_found("this order").into())
            }
        }
        None => match orders::get(store, &payer, order).await? {
            Some(_) => Err(not_payable("Your copies are still being set aside. Please try again in a moment.").into()),
            None => Err(ApiError::not_found("this order").into()),
        },
    }
}

enum Begun {
    Ours(Box<Attempt>),
    /// An open session at another provider stands in the way.
    Elsewhere(PaymentId),
}

struct Attempt {
    row: PaymentRow,
    session: NewSession,
}

/// Finds the order's open payment or records a new one, under the order's lock.
async fn begin(store: &Store, order: OrderId, provider: &dyn Provider) -> Result<Begun, Error> {
    const OPERATION: &str = "payments.begin";
    let now = store.now();
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    let row = queries::lock_order(&mut *tx, order).await.during(OPERATION)?;
    let row = row.ok_or_else(|| ApiError::not_found("this order"))?;
    check_payable(&row, from_timestamp(row.expires_at) > now)?;
    check_currency(&row, provider)?;
    if let Some(open) = queries::open_payment(&mut *tx, order).await.during(OPERATION)? {
        let id = PaymentId::new(open.id);
        if open.provider != provider.name() {
            return Ok(Begun::Elsewhere(id));
        }
        let session = described(store, &row, id)?;
        return Ok(Begun::Ours(Box::new(Attempt { row: open, session })));
    }
    if queries::sessions(&mut *tx, order).await.during(OPERATION)? >= MOST_SESSIONS {
        return Err(not_payable("This order has seen too many tries to pay it. Please place it again.").into());
    }
    let id = PaymentId::new(store.uuid());
    let session = described(store, &row, id)?;
    let ask_at = to_timestamp(now.plus(verify::ask_every_ms(store)));
    queries::insert_payment(&mut *tx, &session, provider.name(), to_timestamp(now), ask_at).await.during(OPERATION)?;
    let row = queries::payment(&mut *tx, id).await.during(OPERATION)?;
    let row = row.ok_or_else(|| Error::unexpected(OPERATION, "an inserted payment is not there"))?;
    tx.commit().await.during(OPERATION)?;
    Ok(Begun::Ours(Box::new(Attempt { row, session })))
}

fn check_payable(order: &OrderRow, in_time: bool) -> Result<(), ApiError> {
    match order.status.parse() {
        Ok(OrderStatus::PaymentPending) if in_time => Ok(()),
        Ok(OrderStatus::PaymentPending | OrderStatus::Expired) => {
            Err(not_payable("The time to pay this order is over; its copies are back on the shelf."))
        }
        Ok(OrderStatus::Pending) => {
            Err(not_payable("Your copies are still being set aside. Please try again in a moment."))
        }
        Ok(OrderStatus::Cancelled | OrderStatus::Failed) => Err(not_payable("This order can no longer be paid.")),
        _ => Err(not_payable("This order is paid already.")),
    }
}

fn check_currency(order: &OrderRow, provider: &dyn Provider) -> Result<(), ApiError> {
    match order.amount() {
        Some(amount) if !provider.takes(amount.currency()) => {
            let message = format!("This way of paying does not take {}. Please choose another one.", order.currency);
            Err(ApiError::new(ErrorCode::BadRequest, message))
        }
        _ => Ok(()),
    }
}

/// Asks the provider for the session and writes its answer down.
async fn open(store: &Store, provider: &dyn Provider, session: &NewSession) -> Result<Session, Error> {
    let opened = provider.create(session).await?;
    let ask_at = to_timestamp(store.now().plus(verify::ask_every_ms(store)));
    queries::opened(store.pg(), session.payment, &opened.provider_ref, &opened.redirect_url, ask_at)
        .await
        .during("payments.opened")?;
    Ok(opened)
}

/// The session's terms, from the order's row alone.
fn described(store: &Store, order: &OrderRow, payment: PaymentId) -> Result<NewSession, Error> {
    let broken = |what: &str| Error::unexpected("payments.describe", format!("order {} has no {what}", order.id));
    let page = format!("{}/orders/{}", store.config().base_url, order.id);
    Ok(NewSession {
        payment,
        order: OrderId::new(order.id),
        number: OrderNumber::parse(&order.number).map_err(|_| broken("number"))?,
        amount: order.amount().ok_or_else(|| broken("amount"))?,
        email: Email::parse(&order.email).map_err(|_| broken("e-mail address"))?,
        // The order page says "confirming" to somebody who comes back before the webhook.
        return_url: format!("{page}?paying=1"),
        cancel_url: page,
        deadline: from_timestamp(order.expires_at),
    })
}

fn not_payable(message: &str) -> ApiError {
    ApiError::new(ErrorCode::NotPayable, message)
}
