//! Asking a provider for money to go back. Only its own word (`refund.succeeded`) makes a refund confirmed.

use super::{provider, queries, verify};
use crate::{
    Store,
    error::{During, Error},
    world::to_timestamp,
};
use domain::{PaymentId, RefundId};

/// Asks for the refund; a repeat asks for the same one again, which the provider makes once.
pub async fn request(store: &Store, refund: RefundId) -> Result<(), Error> {
    const OPERATION: &str = "payments.refund";
    let broken = |message: &str| Error::unexpected(OPERATION, message);
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
