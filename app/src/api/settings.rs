//! What people change about their own account; every function says what the form on its page sends.

use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::{Caller, User};
use domain::account::AccountView;
use leptos::prelude::*;
#[cfg(feature = "ssr")]
use store::accounts::{self, links};

#[server(name = ChangeName, prefix = "/api", endpoint = "account/profile")]
pub async fn profile(#[server(default)] name: String) -> Result<(), AppError> {
    let caller = Caller::current()?;
    Ok(accounts::change_name(caller.store(), caller.require_account()?.id, &name).await?)
}

/// Writes to the new address; it becomes the account's by the link in that mail.
#[server(name = ChangeEmail, prefix = "/api", endpoint = "account/email")]
pub async fn email(#[server(default)] email: String, #[server(default)] password: String) -> Result<(), AppError> {
    let caller = Caller::current()?;
    let account = caller.require_account()?;
    Ok(accounts::change_email(caller.store(), account, &parse_email(&email)?, &password).await?)
}

/// The mail about the account's address once more.
#[server(name = ResendEmail, prefix = "/api", endpoint = "account/email/resend")]
pub async fn resend() -> Result<(), AppError> {
    let caller = Caller::current()?;
    let account = caller.require_account()?;
    Ok(links::ask_to_verify(caller.store(), account.id, &account.email).await?)
}

#[server(name = VerifyEmail, prefix = "/api", endpoint = "account/email/verify")]
pub async fn verify(#[server(default)] token: String) -> Result<(), AppError> {
    let caller = Caller::current()?;
    Ok(links::verify_email(caller.store(), caller.require_account()?.id, &token).await?)
}

/// All other sessions end; this one goes on under a new id.
#[server(name = ChangePassword, prefix = "/api", endpoint = "account/password")]
pub async fn password(
    #[server(default)] current: String,
    #[server(default)] password: String,
) -> Result<AccountView, AppError> {
    let caller = Caller::current()?;
    let id = caller.require_account()?.id;
    let account = accounts::change_password(caller.store(), id, &current, &password).await?;
    caller.log_in(User::new(account)).await
}

/// The same answer in the same time, whether anybody has an account with that address or not.
#[server(name = ForgotPassword, prefix = "/api", endpoint = "account/password/forgot")]
pub async fn forgot(#[server(default)] email: String) -> Result<(), AppError> {
    let caller = Caller::current()?;
    Ok(links::forgot_password(caller.store(), &parse_email(&email)?).await?)
}

#[server(name = ResetPassword, prefix = "/api", endpoint = "account/password/reset")]
pub async fn reset(#[server(default)] token: String, #[server(default)] password: String) -> Result<(), AppError> {
    let caller = Caller::current()?;
    Ok(links::reset_password(caller.store(), &token, &password).await?)
}

/// Here, too.
#[server(name = SignOutEverywhere, prefix = "/api", endpoint = "account/sign_out_everywhere")]
pub async fn sign_out_everywhere() -> Result<(), AppError> {
    let caller = Caller::current()?;
    accounts::sign_out_everywhere(caller.store(), caller.require_account()?.id).await?;
    caller.log_out().await
}

#[cfg(feature = "ssr")]
fn parse_email(text: &str) -> Result<domain::account::Email, AppError> {
    let message = "This does not look like an e-mail address.";
    let wrong = |_| domain::ApiError::fields([("email".to_owned(), message.to_owned())].into());
    Ok(domain::account::Email::parse(text).map_err(wrong)?)
}
