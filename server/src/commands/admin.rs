//! `bazar admin create`: the first admin of a shop cannot be made by another one.

use crate::failure::Failure;
use domain::account::Registration;
use std::io::IsTerminal;
use store::{Store, accounts};

pub async fn create(store: &Store, email: &str, name: &str) -> Result<(), Failure> {
    let password = password()?;
    let registration = Registration::parse(email, &password, name).map_err(|refusal| {
        let fields: Vec<_> = refusal.fields.iter().map(|(field, why)| format!("{field}: {why}")).collect();
        Failure::said(fields.join("\n"))
    })?;
    let account = accounts::create_admin(store, registration).await?;
    println!("{} is an owner of the shop", account.view.email);
    Ok(())
}

/// From the environment for scripts; never as an argument, which every user of the machine could read.
fn password() -> Result<String, Failure> {
    if let Ok(password) = std::env::var("BAZAR_ADMIN_PASSWORD") {
        return Ok(password);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::said("nobody to ask for a password: set BAZAR_ADMIN_PASSWORD"));
    }
    rpassword::prompt_password("Password: ").map_err(|error| Failure::said(format!("no password was typed: {error}")))
}
