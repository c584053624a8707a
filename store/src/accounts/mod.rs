//! People and their passwords.

use crate::{Store, error::Error};
use domain::{
    AccountId,
    account::{AccountView, Registration},
};
use std::sync::Arc;

/// What is kept in the process.
#[derive(Default)]
pub struct Cache {}

/// An account as the session layer needs it; cached briefly, so a cart edit costs no query.
#[derive(Debug, Clone)]
pub struct Account {
    pub view: AccountView,
    /// Changes with the password: sessions opened before are no longer valid (axum-login's session_auth_hash).
    pub auth_hash: Vec<u8>,
}

/// Creates a shopper. Refused (`invalid_fields`, field `email`) when the address is taken.
pub async fn register(store: &Store, registration: Registration) -> Result<Arc<Account>, Error> {
    todo!()
}

/// The account when the password fits, `None` otherwise: same answer, same time for unknown addresses.
pub async fn verify(store: &Store, email: &str, password: &str) -> Result<Option<Arc<Account>>, Error> {
    todo!()
}

pub async fn get(store: &Store, id: AccountId) -> Result<Option<Arc<Account>>, Error> {
    todo!()
}

/// Creates an admin, or makes an existing account one and sets its password.
pub async fn create_admin(store: &Store, registration: Registration) -> Result<Arc<Account>, Error> {
    todo!()
}
