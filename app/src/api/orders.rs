//! Orders: placed once per key, shown to their owner, cancelled until paid.

#[cfg(feature = "ssr")]
use super::args;
use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::Caller;
#[cfg(feature = "ssr")]
use domain::address::Address;
use domain::{
    address::AddressForm,
    order::{OrderList, OrderView, Placed},
};
use leptos::{prelude::*, server_fn::codec::GetUrl};

/// `address_id` of who types another address than those of the book.
pub const TYPED: &str = "new";
#[cfg(feature = "ssr")]
const GONE: &str = "This address is no longer in your book. Please choose another one.";

/// `address_id`: one of the account's book, instead of the fields of an address.
#[server(name = PlaceOrder, prefix = "/api", endpoint = "orders/place")]
pub async fn place(
    #[server(flatten)] address: AddressForm,
    #[server(default)] address_id: String,
    #[server(default)] keep_address: String,
    #[server(default)] email: String,
    #[server(default)] expected_total: String,
    #[server(default)] idempotency_key: String,
) -> Result<Placed, AppError> {
    let caller = Caller::current()?;
    let keep = args::flag("keep_address", &keep_address)?;
    let key = args::idempotency_key(caller.header("idempotency-key"), &idempotency_key)?;
    let expected_total = args::amount("expected_total", &expected_total)?;
    let email = caller.account().map_or(email, |account| account.email.to_string());
    let chosen = chosen(&caller, &address_id).await?;
    let is_typed = chosen.is_none();
    let (address, email) = check(chosen, &address, &email)?;
    let owner = caller.owner();
    let request = domain::order::PlaceOrder { address: address.clone(), email, expected_total };
    let placed = store::orders::place(caller.store(), &owner, request, key, caller.network()).await?;
    caller.remember(placed.order_id, owner);
    if keep && is_typed {
        self::keep(&caller, &address).await;
    }
    Ok(placed)
}

/// An address of one's own book; `None`: one was typed.
#[cfg(feature = "ssr")]
async fn chosen(caller: &Caller, id: &str) -> Result<Option<Address>, AppError> {
    let Some(account) = caller.account().filter(|_| !id.is_empty() && id != TYPED) else { return Ok(None) };
    let gone = || domain::ApiError::fields([("address_id".to_owned(), GONE.to_owned())].into());
    let id = id.parse().map_err(|_| gone())?;
    match store::accounts::addresses::get(caller.store(), account.id, id).await {
        Err(error) if error.is_refusal() => Err(gone().into()),
        found => Ok(Some(found?)),
    }
}

/// The order stands, whatever becomes of this.
#[cfg(feature = "ssr")]
async fn keep(caller: &Caller, address: &Address) {
    let Some(account) = caller.account() else { return };
    let kept = store::accounts::addresses::save(caller.store(), account.id, None, address, false).await;
    if let Err(error) = kept {
        tracing::warn!(error = &error as &dyn std::error::Error, "an address is not kept");
    }
}

/// Address and e-mail, with every wrong field of both in one answer.
#[cfg(feature = "ssr")]
fn check(chosen: Option<Address>, typed: &AddressForm, email: &str) -> Result<(Address, String), domain::ApiError> {
    use domain::account::Email;
    let address = chosen.map_or_else(|| Address::parse(typed), Ok);
    match (address, Email::parse(email)) {
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
        let fields = check(None, &AddressForm::default(), "nobody").err().map(|error| error.fields);
        let fields = fields.unwrap_or_default();
        assert!(fields.contains_key("email") && fields.contains_key("city"), "{fields:?}");
    }
}
