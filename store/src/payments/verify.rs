//! `payments.verify`: the watchdog. Webhooks may be lost; so every session that could still bring money is asked about, and
//! every refund that nobody confirmed. What the provider says goes the way of its webhooks, under an event of ours.

use super::{
    ASKED, Received, inbox,
    provider::{self, EventKind, Provider, ProviderEvent, RefundState, Session, SessionState},
    queries::{self, PaymentRow},
    session,
};
use crate::{
    Store,
    error::{During, Error},
    jobs::Job,
    world::to_timestamp,
};
use async_trait::async_trait;
use domain::{OrderId, PaymentId, RefundId, order::OrderStatus, payment::PaymentStatus};
use futures::{StreamExt, stream};
use serde_json::json;
use std::time::Duration;

const OPERATION: &str = "payments.verify";
/// Sessions, and refunds, of one round.
const BATCH: i64 = 32;
/// Calls at the same time.
const PARALLEL: usize = 8;
/// Pause when nothing was due.
const IDLE: Duration = Duration::from_secs(1);

/// Asks the providers.
pub struct VerifyPayments;

/// What is asked about.
pub enum Question {
    Session(PaymentId),
    Refund(RefundId),
}

#[async_trait]
impl Job for VerifyPayments {
    type Batch = Vec<Question>;

    fn name(&self) -> &'static str {
        OPERATION
    }

    fn pieces(&self, batch: &Self::Batch) -> u64 {
        batch.len() as u64
    }

    /// The next question about the same is the lease of this one.
    async fn fetch(&self, store: &Store) -> Result<Option<Self::Batch>, Error> {
        let now = store.now();
        let (due, next) = (to_timestamp(now), to_timestamp(now.plus(ask_every_ms(store))));
        let sessions = queries::lease_questions(store.pg(), due, next, BATCH).await.during(OPERATION)?;
        let refunds = queries::lease_refund_questions(store.pg(), due, next, BATCH).await.during(OPERATION)?;
        let sessions = sessions.into_iter().map(|id| Question::Session(PaymentId::new(id)));
        let refunds = refunds.into_iter().map(|id| Question::Refund(RefundId::new(id)));
        let batch: Vec<Question> = sessions.chain(refunds).collect();
        if batch.is_empty() {
            tokio::time::sleep(IDLE).await;
            return Ok(None);
        }
        Ok(Some(batch))
    }

    async fn handle(&self, store: &Store, batch: Self::Batch) -> Result<(), Error> {
        let asked = stream::iter(batch).map(|question| ask(store, question)).buffer_unordered(PARALLEL);
        let asked: Vec<Result<(), Error>> = asked.collect().await;
        asked.into_iter().collect()
    }
}

/// When the same is asked about again, in milliseconds.
pub(super) fn ask_every_ms(store: &Store) -> i64 {
    i64::try_from(store.config().ask_payments_every.as_millis()).unwrap_or(i64::MAX / 2)
}

/// One that fails is asked again at its next turn, and keeps nobody else.
async fn ask(store: &Store, question: Question) -> Result<(), Error> {
    let (asked, what, id) = match question {
        Question::Session(id) => (about_session(store, id).await, "session", id.get()),
        Question::Refund(id) => (about_refund(store, id).await, "refund", id.get()),
    };
    if let Err(error) = asked {
        if error.is_postgres_away() {
            return Err(error);
        }
        tracing::warn!(what, %id, error = &error as &dyn std::error::Error, "nobody could tell");
    }
    Ok(())
}

async fn about_session(store: &Store, id: PaymentId) -> Result<(), Error> {
    let Some(row) = queries::payment(store.pg(), id).await.during(OPERATION)? else { return Ok(()) };
    if !row.may_bring_money() {
        return Ok(());
    }
    let order = queries::order(store.pg(), OrderId::new(row.order_id)).await.during(OPERATION)?;
    let is_payable = order.is_some_and(|order| order.status.parse() == Ok(OrderStatus::PaymentPending));
    if !is_payable || row.status() == Some(PaymentStatus::Closing) {
        return session::close(store, id).await;
    }
    let provider = configured(store, &row.provider)?;
    let found = match &row.provider_ref {
        Some(known) => provider.retrieve(known).await?,
        None => session::name_it(store, &*provider, &row).await?,
    };
    let Some(found) = found else {
        tracing::error!(payment.id = %id, provider = provider.name(), "the provider does not know a session of this shop");
        return Ok(());
    };
    match found.state {
        SessionState::Open | SessionState::Processing => Ok(()),
        SessionState::Paid | SessionState::Declined | SessionState::Closed => {
            learn(store, &row, found).await.map(|_| ())
        }
    }
}

/// Takes in where a session stands, by the provider's answer to a question.
pub(super) async fn learn(store: &Store, row: &PaymentRow, session: Session) -> Result<Received, Error> {
    let (kind, word) = match session.state {
        SessionState::Paid => (EventKind::Captured, "paid"),
        SessionState::Declined => (EventKind::Declined, "declined"),
        SessionState::Closed => (EventKind::Closed, "closed"),
        SessionState::Open | SessionState::Processing => return Ok(Received::Ignored),
    };
    let event = ProviderEvent {
        id: format!("{ASKED}{}:{word}", row.id),
        name: format!("asked.{word}"),
        kind,
        provider_ref: session.provider_ref,
        capture_ref: session.capture_ref,
        payment: Some(PaymentId::new(row.id)),
        order: Some(OrderId::new(row.order_id)),
        // Without money only the session matters.
        amount: session.amount.or_else(|| row.amount().filter(|_| word != "paid")),
        refund_ref: None,
    };
    told(store, &row.provider, &event).await
}

async fn about_refund(store: &Store, id: RefundId) -> Result<(), Error> {
    let Some(row) = queries::refund(store.pg(), id).await.during(OPERATION)? else { return Ok(()) };
    let (Some(refund_ref), "requested") = (&row.provider_ref, row.status.as_str()) else { return Ok(()) };
    let payment = queries::payment(store.pg(), PaymentId::new(row.payment_id)).await.during(OPERATION)?;
    let payment = payment.ok_or_else(|| Error::unexpected(OPERATION, "a refund without a payment"))?;
    let kind = match configured(store, &payment.provider)?.refund_state(refund_ref).await? {
        Some(RefundState::Succeeded) => EventKind::RefundSucceeded(Some(id)),
        Some(RefundState::Failed) => EventKind::RefundFailed(Some(id)),
        Some(RefundState::Pending) => return Ok(()),
        None => return Err(Error::unexpected(OPERATION, "the provider does not know a refund of this shop")),
    };
    let word = if matches!(kind, EventKind::RefundFailed(_)) { "failed" } else { "succeeded" };
    let event = ProviderEvent {
        id: format!("{ASKED}{id}:{word}"),
        name: format!("asked.refund_{word}"),
        kind,
        provider_ref: payment.provider_ref.clone().unwrap_or_default(),
        refund_ref: Some(refund_ref.clone()),
        payment: Some(PaymentId::new(payment.id)),
        order: Some(OrderId::new(payment.order_id)),
        amount: row.amount(),
        capture_ref: None,
    };
    told(store, &payment.provider, &event).await.map(|_| ())
}

/// What a provider answered, taken in like its webhooks, once.
pub(super) async fn told(store: &Store, provider: &str, event: &ProviderEvent) -> Result<Received, Error> {
    let received =
        inbox::take(store, provider, event, &json!({"asked": event.name, "about": event.provider_ref})).await?;
    if received == Received::Applied {
        tracing::info!(provider, event = event.name, "learned by asking what no webhook had told");
        metrics::counter!("payments_learned_by_asking_total").increment(1);
    }
    Ok(received)
}

pub(super) fn configured(store: &Store, name: &str) -> Result<Box<dyn Provider>, Error> {
    provider::find(store, name)
        .ok_or_else(|| Error::unexpected(OPERATION, format!("provider {name} is not configured")))
}
