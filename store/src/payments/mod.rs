//! Payments: sessions at providers, their webhooks, and what money does to an order.

pub mod again;
mod answer;
mod back;
mod breaker;
mod effect;
pub(crate) mod give_back;
pub mod inbox;
mod late;
mod let_go;
pub mod provider;
mod queries;
pub mod razorpay;
pub mod reconcile;
pub mod refund;
pub mod sandbox_client;
mod session;
pub mod signature;
pub mod stripe;
mod verify;

pub(crate) use breaker::Breakers;
pub use inbox::{RetryWaiting, quarantined};
pub use let_go::let_go;
pub(crate) use queries::undecided;
pub use verify::VerifyPayments;

use crate::{Store, error::Error, viewer::Viewer};
use domain::{OrderId, PaymentId, payment::PaymentStarted};
use provider::{Headers, ProviderEvent};

/// Largest body of a webhook, in bytes.
pub const MAX_WEBHOOK: usize = 256 * 1024;
/// How the ids of our own events begin, those of questions and of statements.
const ASKED: &str = "asked:";
const LISTED: &str = "listed:";
/// Longest id and longest name of an event, in bytes.
const MAX_EVENT_ID: usize = 200;
const MAX_EVENT_NAME: usize = 100;

/// Opens (or returns the open) session for the order at that provider; only PAYMENT_PENDING, only its owner.
pub async fn init(store: &Store, viewer: &Viewer, order: OrderId, provider: &str) -> Result<PaymentStarted, Error> {
    session::init(store, viewer, order, provider).await
}

/// Closes the session of a payment at its provider, so that an order that ended is not paid any more. One that turns
/// out paid, pays.
pub async fn close(store: &Store, payment: PaymentId) -> Result<(), Error> {
    session::close(store, payment).await
}

/// Closes the sessions of these orders, whose time is over, as far as that is possible before `end`.
pub(crate) async fn close_all(store: &Store, orders: &[uuid::Uuid], end: tokio::time::Instant) {
    session::close_all(store, orders, end).await;
}

/// Decides about money that came for an order that had ended: it buys the same copies again, or goes back. Once decided,
/// nothing happens any more.
pub async fn decide_late(store: &Store, payment: PaymentId) -> Result<(), Error> {
    late::decide(store, payment).await
}

/// Names of the configured providers that take this shop's currency, for the pay buttons.
pub fn providers(store: &Store) -> Vec<&'static str> {
    let takes = |name: &&str| provider::find(store, name).is_some_and(|it| it.takes(store.config().currency));
    provider::NAMES.into_iter().filter(takes).collect()
}

/// What became of a webhook; every one of these is answered 2xx.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    Applied,
    /// Seen before, or of a kind we do not need.
    Ignored,
    /// Kept until its order is in Postgres.
    Waiting,
    /// Wrong amount, currency or order; an admin looks at it.
    Quarantined,
}

/// Why a webhook was turned away.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error("no such provider")]
    UnknownProvider,
    /// Missing, malformed, stale or wrong signature, or a body that is no event: 400.
    #[error("webhook refused: {0}")]
    Bad(&'static str),
    /// Ours to mend: 5xx, so that the provider sends it again.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// Checks the signature over the raw body, then records event and effect in one transaction.
/// `headers` looks a header up by its lower-case name.
pub async fn receive(
    store: &Store,
    provider: &str,
    headers: Headers<'_>,
    body: &[u8],
) -> Result<Received, WebhookError> {
    let provider = provider::find(store, provider).ok_or(WebhookError::UnknownProvider)?;
    provider.authenticate(headers, body, store.now()).map_err(WebhookError::Bad)?;
    let event = provider.read(headers, body).map_err(WebhookError::Bad)?;
    check_bounds(&event).map_err(WebhookError::Bad)?;
    // Postgres keeps no NUL in JSON; a 5xx would make the provider send it for ever.
    if body.windows(6).any(|six| six == b"\\u0000") {
        return Err(WebhookError::Bad("a NUL character"));
    }
    let payload = serde_json::from_slice(body).map_err(|_| WebhookError::Bad("not an event"))?;
    Ok(inbox::take(store, provider.name(), &event, &payload).await?)
}

fn check_bounds(event: &ProviderEvent) -> Result<(), &'static str> {
    match (event.id.len(), event.name.len()) {
        // Not every provider signs the id: nobody may take one of ours beforehand.
        _ if event.id.starts_with(ASKED) || event.id.starts_with(LISTED) => Err("an id of the shop's own"),
        (1..=MAX_EVENT_ID, ..=MAX_EVENT_NAME) => Ok(()),
        (0, _) => Err("an event without an id"),
        _ => Err("not an event"),
    }
}
