//! Orders: placed once per key, shown to their owner, cancelled until paid.

#[cfg(feature = "ssr")]
use super::args;
use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::Caller;
use domain::{
    address::AddressForm,
    order::{OrderList, OrderView, Placed},
};
use leptos::{prelude::*, server_fn::codec::GetUrl};

#[server(name = PlaceOrder, prefix = "/api", endpoint = "orders/place")]
pub async fn place(
    #[server(flatten)] address: AddressForm,
    #[server(default)] email: String,
    #[server(default)] expected_total: String,
    #[server(default)] idempotency_key: String,
) -> Result<Placed, AppError> {
    let caller = Caller::current()?;
    let key = args::idempotency_key(caller.header("idempotency-key"), &idempotency_key)?;
    let expected_total = args::amount("expected_total", &expected_total)?;
    let email = caller.account().map_or(email, |account| account.email.to_string());
    let (address, email) = check(&address, &email)?;
    let owner = caller.owner();
    let request = domain::order::PlaceOrder { address, email, expected_total };
    let placed = store::orders::place(caller.store(), &owner, request, key, caller.network()).await?;
    caller.remember(placed.order_id, owner);
    Ok(placed)
}

/// Address and e-mail, with every wrong field of both in one answer.
#[cfg(feature = "ssr")]
fn check(address: &AddressForm, email: &str) -> Result<(domain::address::Address, String), domain::ApiError> {
    use domain::account::Email;
    match (domain::address::Address::parse(address), Email::parse(email)) {
        (Ok(address), Ok(email)) => Ok((address, email.to_string())),
        (address, email) => {
            let mut fields = address.err().map(|error| error.fields).unwrap_or_default();
            if email.is_err() {
                fields.insert("email".into(), "This does not look like an e-mail address.".into());
            }
            Err(domain::ApiError::fields(fields))
        }
    }
}

#[server(name = ListOrders, prefix = "/api", endpoint = "orders", input = GetUrl)]
pub async fn list() -> Result<OrderList, AppError> {
    let caller = Caller::current()?;
    match caller.viewer() {
        Some(viewer) => Ok(store::orders::list(caller.store(), &viewer).await?),
        None => Ok(OrderList { orders: Vec::new(), is_whole: true }),
    }
}

#[server(name = GetOrder, prefix = "/api", endpoint = "orders/get", input = GetUrl)]
pub async fn get(#[server(default)] id: String) -> Result<OrderView, AppError> {
    let caller = Caller::current()?;
    let (viewer, order) = caller.viewer_of(&id)?;
    let order = store::orders::get(caller.store(), &viewer, order).await?;
    order.ok_or_else(|| domain::ApiError::not_found("that order").into())
}

#[server(name = CancelOrder, prefix = "/api", endpoint = "orders/cancel")]
pub async fn cancel(#[server(default)] order_id: String) -> Result<OrderView, AppError> {
    let caller = Caller::current()?;
    let (viewer, order) = caller.viewer_of(&order_id)?;
    Ok(store::orders::cancel(caller.store(), &viewer, order).await?)
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn wrong_fields_of_address_and_email_come_together() {
        let fields = check(&AddressForm::default(), "nobody").err().map(|error| error.fields);
        let fields = fields.unwrap_or_default();
        assert!(fields.contains_key("email") && fields.contains_key("city"), "{fields:?}");
    }
}
