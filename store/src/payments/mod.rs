//! Payments: sessions at providers, their webhooks, and what money does to an order.

mod effect;
pub mod inbox;
pub mod provider;
mod queries;
pub mod refund;
pub mod sandbox_client;
mod session;
pub mod signature;

pub use inbox::RetryWaiting;

use crate::{Store, error::Error, viewer::Viewer};
use domain::{OrderId, PaymentId, payment::PaymentStarted};
use provider::Headers;
use sandbox_client::SandboxClient;

/// Largest body of a webhook, in bytes.
pub const MAX_WEBHOOK: usize = 256 * 1024;

/// Opens (or returns the open) session for the order at that provider; only PAYMENT_PENDING, only its owner.
pub async fn init(store: &Store, viewer: &Viewer, order: OrderId, provider: &str) -> Result<PaymentStarted, Error> {
    session::init(store, viewer, order, provider).await
}

/// Closes the session of a payment at its provider, so that an order that ended is not paid any more. One that turns
/// out paid is left to its webhook.
pub async fn close(store: &Store, payment: PaymentId) -> Result<(), Error> {
    session::close(store, payment).await
}

/// Names of the configured providers, for the pay buttons.
pub fn providers(store: &Store) -> Vec<&'static str> {
    store.config().sandbox.iter().map(|_| SandboxClient::NAME).collect()
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
    let event = provider.read(body).map_err(WebhookError::Bad)?;
    // Postgres keeps no NUL in JSON; a 5xx would make the provider send it for ever.
    if body.windows(6).any(|six| six == b"\\u0000") {
        return Err(WebhookError::Bad("a NUL character"));
    }
    let payload = serde_json::from_slice(body).map_err(|_| WebhookError::Bad("not an event"))?;
    Ok(inbox::take(store, provider.name(), &event, &payload).await?)
}
