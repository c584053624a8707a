//! Money that an admin sends back.

#[cfg(feature = "ssr")]
use super::args;
use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::Caller;
use domain::payment::RefundView;
use leptos::prelude::*;

/// Names the payment, or the order whose payment it is; an empty `amount` (minor units) is all that is left.
#[server(name = CreateRefund, prefix = "/api", endpoint = "admin/refunds/create")]
pub async fn create(
    #[server(default)] payment_id: String,
    #[server(default)] order_id: String,
    #[server(default)] amount: String,
    #[server(default)] reason: String,
    #[server(default)] restock: String,
    #[server(default)] idempotency_key: String,
) -> Result<RefundView, AppError> {
    use store::payments::refund::{self, Of, Wanted};
    let caller = Caller::current()?;
    caller.require_admin()?;
    let of = match (payment_id.as_str(), order_id.as_str()) {
        ("", order) => Of::Order(order.parse().map_err(|_| AppError::bad_request("“order_id” names no order."))?),
        (payment, "") => {
            Of::Payment(payment.parse().map_err(|_| AppError::bad_request("“payment_id” names no payment."))?)
        }
        _ => return Err(AppError::bad_request("Name the payment or the order, not both.")),
    };
    let key = args::idempotency_key(caller.header("idempotency-key"), &idempotency_key)?;
    let (amount, restock) = (args::amount("amount", &amount)?, args::flag("restock", &restock)?);
    Ok(refund::create(caller.store(), &Wanted { of, amount, reason, restock, key }).await?)
}
