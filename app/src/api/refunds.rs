//! Money that an admin sends back.

#[cfg(feature = "ssr")]
use super::args;
use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::Caller;
#[cfg(feature = "ssr")]
use domain::Permission;
use domain::{order::OrderView, payment::RefundView};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ssr")]
use store::payments::refund::{self, Of, Wanted};

/// What is wanted. It names the payment, or the order whose payment it is. `amount` is in minor units, `typed_amount` as
/// people write it; neither: all that is left.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RefundForm {
    payment_id: String,
    order_id: String,
    amount: String,
    typed_amount: String,
    reason: String,
    restock: String,
    ask: String,
    agreed: String,
}

/// With `ask` nothing happens before `agreed` is the mark that `needs_confirmation` gave.
#[server(name = CreateRefund, prefix = "/api", endpoint = "admin/refunds/create")]
pub async fn create(
    #[server(flatten)] form: RefundForm,
    #[server(default)] idempotency_key: String,
) -> Result<RefundView, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::Refund)?;
    let key = args::idempotency_key(caller.header("idempotency-key"), &idempotency_key)?;
    let RefundForm { payment_id, order_id, amount, typed_amount, reason, restock, ask, agreed } = form;
    let field = if amount.is_empty() { "typed_amount" } else { "amount" };
    let amount = args::amount("amount", &amount)?.or(args::typed_amount("typed_amount", &typed_amount)?);
    let restock = args::flag("restock", &restock)?;
    let agreed = args::flag("ask", &ask)?.then_some(agreed);
    let wanted = Wanted { of: named(&payment_id, &order_id)?, amount, reason, restock, key, agreed };
    let made = refund::create(caller.store(), &admin, &wanted).await;
    made.map_err(|error| {
        let mut error = AppError::from(error);
        if let Some(wrong) = error.0.fields.remove("amount") {
            error.0.fields.insert(field.to_owned(), wrong);
        }
        error
    })
}

#[cfg(feature = "ssr")]
fn named(payment: &str, order: &str) -> Result<Of, AppError> {
    match (payment, order) {
        ("", order) => Ok(Of::Order(order.parse().map_err(|_| AppError::bad_request("“order_id” names no order."))?)),
        (payment, "") => {
            Ok(Of::Payment(payment.parse().map_err(|_| AppError::bad_request("“payment_id” names no payment."))?))
        }
        _ => Err(AppError::bad_request("Name the payment or the order, not both.")),
    }
}

/// Asks the provider again for a refund that it has not made; answers with the order.
#[server(name = RetryRefund, prefix = "/api", endpoint = "admin/refunds/retry")]
pub async fn retry(
    #[server(default)] refund_id: String,
    #[server(default)] order_id: String,
) -> Result<OrderView, AppError> {
    let caller = Caller::current()?;
    let admin = caller.require(Permission::Refund)?;
    let refund = refund_id.parse().map_err(|_| AppError::bad_request("“refund_id” names no refund."))?;
    refund::retry(caller.store(), &admin, refund).await?;
    super::admin::order(order_id).await
}
