//! Registering, logging in and out. Where a plain form goes afterwards (its field `next`) is for [`crate::ssr::forms`].

use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::{Caller, User};
use domain::account::AccountView;
use leptos::prelude::*;

/// Makes an account and logs in.
#[server(name = Register, prefix = "/api", endpoint = "account/register")]
pub async fn register(
    #[server(default)] email: String,
    #[server(default)] password: String,
    #[server(default)] name: String,
) -> Result<AccountView, AppError> {
    let caller = Caller::current()?;
    let registration = domain::account::Registration::parse(&email, &password, &name)?;
    let account = store::accounts::register(caller.store(), registration).await?;
    caller.log_in(User::new(account)).await
}

/// Logs in. Wrong passwords and unknown addresses get the same answer in the same time.
#[server(name = Login, prefix = "/api", endpoint = "account/login")]
pub async fn login(
    #[server(default)] email: String,
    #[server(default)] password: String,
) -> Result<AccountView, AppError> {
    let caller = Caller::current()?;
    match store::accounts::verify(caller.store(), &email, &password).await? {
        Some(account) => caller.log_in(User::new(account)).await,
        None => Err(AppError::new(
            domain::ErrorCode::BadCredentials,
            "That e-mail and password do not match. Check the spelling, or register if you are new here.",
        )),
    }
}

/// Logs out and forgets the guest and the receipts of this browser.
#[server(name = Logout, prefix = "/api", endpoint = "account/logout")]
pub async fn logout() -> Result<(), AppError> {
    Caller::current()?.log_out().await
}
