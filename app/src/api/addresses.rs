//! The address book of an account.

#[cfg(feature = "ssr")]
use super::args;
use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::Caller;
use domain::address::{AddressForm, Entry};
use leptos::{prelude::*, server_fn::codec::GetUrl};
#[cfg(feature = "ssr")]
use store::accounts::addresses;

/// The default first.
#[server(name = ListAddresses, prefix = "/api", endpoint = "account/addresses", input = GetUrl)]
pub async fn list() -> Result<Vec<Entry>, AppError> {
    let caller = Caller::current()?;
    Ok(addresses::list(caller.store(), caller.require_account()?.id).await?)
}

/// Adds an address, or with an `id` writes that one anew.
#[server(name = SaveAddress, prefix = "/api", endpoint = "account/addresses/save")]
pub async fn save(
    #[server(flatten)] address: AddressForm,
    #[server(default)] id: String,
    #[server(default)] is_default: String,
) -> Result<(), AppError> {
    let caller = Caller::current()?;
    let account = caller.require_account()?.id;
    let id = if id.is_empty() { None } else { Some(args::address(&id)?) };
    let (address, is_default) = (domain::address::Address::parse(&address)?, args::flag("is_default", &is_default)?);
    Ok(addresses::save(caller.store(), account, id, &address, is_default).await?)
}

#[server(name = RemoveAddress, prefix = "/api", endpoint = "account/addresses/remove")]
pub async fn remove(#[server(default)] id: String) -> Result<(), AppError> {
    let caller = Caller::current()?;
    Ok(addresses::remove(caller.store(), caller.require_account()?.id, args::address(&id)?).await?)
}

#[server(name = DefaultAddress, prefix = "/api", endpoint = "account/addresses/default")]
pub async fn make_default(#[server(default)] id: String) -> Result<(), AppError> {
    let caller = Caller::current()?;
    Ok(addresses::make_default(caller.store(), caller.require_account()?.id, args::address(&id)?).await?)
}
