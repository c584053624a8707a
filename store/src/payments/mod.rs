//! Payments: sessions at providers, their webhooks, and what money does to an order.

use crate::{Store, error::Error, viewer::Viewer};
use domain::{OrderId, payment::PaymentStarted};

/// Opens (or returns the open) session for the order at that provider; only PAYMENT_PENDING, only its owner.
pub async fn init(store: &Store, viewer: &Viewer, order: OrderId, provider: &str) -> Result<PaymentStarted, Error> {
    todo!()
}

/// Names of the configured providers, for the pay buttons.
pub fn providers(store: &Store) -> Vec<&'static str> {
    todo!()
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
/// `header` looks a header up by its lower-case name.
pub async fn receive(
    store: &Store,
    provider: &str,
    header: &(dyn for<'a> Fn(&'a str) -> Option<String> + Sync),
    body: &[u8],
) -> Result<Received, WebhookError> {
    todo!()
}
