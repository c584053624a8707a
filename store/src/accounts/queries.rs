//! SQL of accounts.

pub(super) mod addresses;
pub(super) mod changes;
pub(super) mod links;

use super::Account;
use crate::world::to_timestamp;
use domain::{
    AccountId, UnixMillis,
    account::{AccountView, Email, Role},
};
use sqlx::{PgExecutor, PgPool};
use std::sync::Arc;

pub(super) async fn by_id(pg: &PgPool, id: AccountId) -> Result<Option<Arc<Account>>, sqlx::Error> {
    let row = sqlx::query_as!(
        AccountRow,
        r#"SELECT id, email, name, role, password_hash, sign_outs, email_verified_at IS NOT NULL AS "is_verified!"
           FROM accounts WHERE id = $1"#,
        id.get()
    );
    let row = row.fetch_optional(pg).await?;
    row.map(|row| Ok(row.into_account()?.0)).transpose()
}

/// The account and the hash of its password.
pub(super) async fn by_email(pg: &PgPool, email: &Email) -> Result<Option<(Arc<Account>, String)>, sqlx::Error> {
    let row = sqlx::query_as!(
        AccountRow,
        r#"SELECT id, email, name, role, password_hash, sign_outs, email_verified_at IS NOT NULL AS "is_verified!"
           FROM accounts WHERE email = $1"#,
        email.as_str()
    );
    row.fetch_optional(pg).await?.map(AccountRow::into_account).transpose()
}

/// Fails by `accounts_email_key` when the address is taken.
pub(super) async fn insert_shopper(
    db: impl PgExecutor<'_>,
    email: &Email,
    name: &str,
    password_hash: &str,
    now: UnixMillis,
) -> Result<Arc<Account>, sqlx::Error> {
    let row = sqlx::query_as!(
        AccountRow,
        r#"INSERT INTO accounts (email, name, password_hash, role, created_at) VALUES ($1, $2, $3, 'shopper', $4)
           RETURNING id, email, name, role, password_hash, sign_outs, email_verified_at IS NOT NULL AS "is_verified!""#,
        email.as_str(),
        name,
        password_hash,
        to_timestamp(now)
    );
    Ok(row.fetch_one(db).await?.into_account()?.0)
}

/// An existing account keeps its name.
pub(super) async fn upsert_admin(
    db: impl PgExecutor<'_>,
    email: &Email,
    name: &str,
    password_hash: &str,
    now: UnixMillis,
) -> Result<Arc<Account>, sqlx::Error> {
    let row = sqlx::query_as!(
        AccountRow,
        r#"INSERT INTO accounts (email, name, password_hash, role, created_at) VALUES ($1, $2, $3, 'owner', $4)
           ON CONFLICT (email) DO UPDATE SET role = 'owner', password_hash = excluded.password_hash
           RETURNING id, email, name, role, password_hash, sign_outs, email_verified_at IS NOT NULL AS "is_verified!""#,
        email.as_str(),
        name,
        password_hash,
        to_timestamp(now)
    );
    Ok(row.fetch_one(db).await?.into_account()?.0)
}

/// The hash of its password.
pub(super) async fn password_hash(db: impl PgExecutor<'_>, id: AccountId) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!("SELECT password_hash FROM accounts WHERE id = $1", id.get()).fetch_optional(db).await
}

pub(super) async fn set_name(db: impl PgExecutor<'_>, id: AccountId, name: &str) -> Result<bool, sqlx::Error> {
    let set = sqlx::query!("UPDATE accounts SET name = $2 WHERE id = $1", id.get(), name).execute(db).await?;
    Ok(set.rows_affected() == 1)
}

/// Unless it is another one than `was` by now.
pub(super) async fn set_password(
    db: impl PgExecutor<'_>,
    id: AccountId,
    was: &str,
    hash: &str,
) -> Result<bool, sqlx::Error> {
    let set = sqlx::query!(
        "UPDATE accounts SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
        id.get(),
        was,
        hash
    );
    Ok(set.execute(db).await?.rows_affected() == 1)
}

/// By somebody who reads the mails of that address, which is theirs by that. `None`: nobody has an account with it.
pub(super) async fn reset_password(
    db: impl PgExecutor<'_>,
    email: &str,
    hash: &str,
    now: UnixMillis,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "UPDATE accounts SET password_hash = $2, email_verified_at = coalesce(email_verified_at, $3)
         WHERE email = $1 RETURNING id",
        email,
        hash,
        to_timestamp(now)
    )
    .fetch_optional(db)
    .await
}

/// Fails by `accounts_email_key` when somebody else has an account with it.
pub(super) async fn set_verified_email(
    db: impl PgExecutor<'_>,
    id: AccountId,
    email: &str,
    now: UnixMillis,
) -> Result<bool, sqlx::Error> {
    let set = sqlx::query!(
        "UPDATE accounts SET email = $2, email_verified_at = $3 WHERE id = $1",
        id.get(),
        email,
        to_timestamp(now)
    );
    Ok(set.execute(db).await?.rows_affected() == 1)
}

pub(super) async fn count_sign_out(db: impl PgExecutor<'_>, id: AccountId) -> Result<bool, sqlx::Error> {
    let set = sqlx::query!("UPDATE accounts SET sign_outs = sign_outs + 1 WHERE id = $1", id.get());
    Ok(set.execute(db).await?.rows_affected() == 1)
}

struct AccountRow {
    id: i64,
    email: String,
    name: String,
    role: String,
    password_hash: String,
    sign_outs: i32,
    is_verified: bool,
}

impl AccountRow {
    fn into_account(self) -> Result<(Arc<Account>, String), sqlx::Error> {
        let view = AccountView {
            id: AccountId::new(self.id).map_err(unreadable)?,
            email: Email::parse(&self.email).map_err(unreadable)?,
            name: self.name,
            role: Role::parse(&self.role).ok_or_else(|| sqlx::Error::Decode("unknown role".into()))?,
            is_verified: self.is_verified,
        };
        Ok((Account::new(view, &self.password_hash, self.sign_outs), self.password_hash))
    }
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
