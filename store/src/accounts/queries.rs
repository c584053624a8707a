//! SQL of accounts.

use super::Account;
use crate::world::to_timestamp;
use domain::{
    AccountId, UnixMillis,
    account::{AccountView, Email, Role},
};
use sqlx::PgPool;
use std::sync::Arc;

pub(super) async fn by_id(pg: &PgPool, id: AccountId) -> Result<Option<Arc<Account>>, sqlx::Error> {
    let row = sqlx::query_as!(
        AccountRow,
        "SELECT id, email, name, role, password_hash FROM accounts WHERE id = $1",
        id.get()
    );
    let row = row.fetch_optional(pg).await?;
    row.map(|row| Ok(row.into_account()?.0)).transpose()
}

/// The account and the hash of its password.
pub(super) async fn by_email(pg: &PgPool, email: &Email) -> Result<Option<(Arc<Account>, String)>, sqlx::Error> {
    let row = sqlx::query_as!(
        AccountRow,
        "SELECT id, email, name, role, password_hash FROM accounts WHERE email = $1",
        email.as_str()
    );
    row.fetch_optional(pg).await?.map(AccountRow::into_account).transpose()
}

/// Fails by `accounts_email_key` when the address is taken.
pub(super) async fn insert_shopper(
    pg: &PgPool,
    email: &Email,
    name: &str,
    password_hash: &str,
    now: UnixMillis,
) -> Result<Arc<Account>, sqlx::Error> {
    let row = sqlx::query_as!(
        AccountRow,
        "INSERT INTO accounts (email, name, password_hash, role, created_at) VALUES ($1, $2, $3, 'shopper', $4)
         RETURNING id, email, name, role, password_hash",
        email.as_str(),
        name,
        password_hash,
        to_timestamp(now)
    );
    Ok(row.fetch_one(pg).await?.into_account()?.0)
}

/// An existing account keeps its name.
pub(super) async fn upsert_admin(
    pg: &PgPool,
    email: &Email,
    name: &str,
    password_hash: &str,
    now: UnixMillis,
) -> Result<Arc<Account>, sqlx::Error> {
    let row = sqlx::query_as!(
        AccountRow,
        "INSERT INTO accounts (email, name, password_hash, role, created_at) VALUES ($1, $2, $3, 'admin', $4)
         ON CONFLICT (email) DO UPDATE SET role = 'admin', password_hash = excluded.password_hash
         RETURNING id, email, name, role, password_hash",
        email.as_str(),
        name,
        password_hash,
        to_timestamp(now)
    );
    Ok(row.fetch_one(pg).await?.into_account()?.0)
}

struct AccountRow {
    id: i64,
    email: String,
    name: String,
    role: String,
    password_hash: String,
}

impl AccountRow {
    fn into_account(self) -> Result<(Arc<Account>, String), sqlx::Error> {
        let view = AccountView {
            id: AccountId::new(self.id).map_err(unreadable)?,
            email: Email::parse(&self.email).map_err(unreadable)?,
            name: self.name,
            role: Role::parse(&self.role).ok_or_else(|| sqlx::Error::Decode("unknown role".into()))?,
        };
        Ok((Account::new(view, &self.password_hash), self.password_hash))
    }
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
