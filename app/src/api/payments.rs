//! Starting a payment; the provider's webhook, not this, decides that an order is paid.

use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::Caller;
use domain::payment::PaymentStarted;
use leptos::prelude::*;

#[server(name = InitPayment, prefix = "/api", endpoint = "payments/init")]
pub async fn init(
    #[server(default)] order_id: String,
    #[server(default)] provider: String,
) -> Result<PaymentStarted, AppError> {
    let caller = Caller::current()?;
    let (viewer, order) = caller.viewer_of(&order_id)?;
    Ok(store::payments::init(caller.store(), &viewer, order, &provider).await?)
}
