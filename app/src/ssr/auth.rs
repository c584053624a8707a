//! Who is logged in: axum-login over the store's accounts.

use axum_login::{AuthUser, AuthnBackend, UserId};
use domain::{AccountId, account::AccountView};
use std::sync::Arc;
use store::{Store, accounts, error::Error};

/// A logged-in person, as the session layer holds them.
#[derive(Debug, Clone)]
pub struct User(Arc<accounts::Account>);

impl User {
    pub fn new(account: Arc<accounts::Account>) -> Self {
        Self(account)
    }

    pub fn view(&self) -> &AccountView {
        &self.0.view
    }
}

impl AuthUser for User {
    type Id = i64;

    fn id(&self) -> i64 {
        self.0.view.id.get()
    }

    fn session_auth_hash(&self) -> &[u8] {
        &self.0.auth_hash
    }
}

/// What the login form sends.
#[derive(Clone)]
pub struct Credentials {
    pub email: String,
    pub password: String,
}

/// Looks people up for axum-login.
#[derive(Clone)]
pub struct Backend {
    store: Store,
}

impl Backend {
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Backend")
    }
}

impl AuthnBackend for Backend {
    type User = User;
    type Credentials = Credentials;
    type Error = Error;

    async fn authenticate(&self, given: Credentials) -> Result<Option<User>, Error> {
        Ok(accounts::verify(&self.store, &given.email, &given.password).await?.map(User))
    }

    async fn get_user(&self, id: &UserId<Self>) -> Result<Option<User>, Error> {
        let Ok(id) = AccountId::new(*id) else { return Ok(None) };
        Ok(accounts::get(&self.store, id).await?.map(User))
    }
}

pub type AuthSession = axum_login::AuthSession<Backend>;
