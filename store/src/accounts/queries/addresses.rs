//! SQL of address books.

use crate::world::to_timestamp;
use domain::{AccountId, UnixMillis, address::Address};
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

pub(in crate::accounts) struct Row {
    pub id: Uuid,
    pub address: Json<Address>,
    pub is_default: bool,
}

/// The default first, then as they were added.
pub(in crate::accounts) async fn list(db: impl PgExecutor<'_>, account: AccountId) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        r#"SELECT id, address AS "address: Json<Address>", is_default FROM account_addresses
           WHERE account_id = $1 ORDER BY is_default DESC, created_at, id"#,
        account.get()
    )
    .fetch_all(db)
    .await
}

/// Changes of one book come one after the other.
pub(in crate::accounts) async fn lock(db: impl PgExecutor<'_>, account: AccountId) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT id FROM accounts WHERE id = $1 FOR NO KEY UPDATE", account.get()).fetch_optional(db).await?;
    Ok(())
}

pub(in crate::accounts) async fn insert(
    db: impl PgExecutor<'_>,
    (id, account): (Uuid, AccountId),
    address: &Address,
    now: UnixMillis,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO account_addresses (id, account_id, address, is_default, created_at) VALUES ($1, $2, $3, false, $4)",
        id,
        account.get(),
        Json(address) as _,
        to_timestamp(now)
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(in crate::accounts) async fn update(
    db: impl PgExecutor<'_>,
    (id, account): (Uuid, AccountId),
    address: &Address,
) -> Result<bool, sqlx::Error> {
    let updated = sqlx::query!(
        "UPDATE account_addresses SET address = $3 WHERE id = $1 AND account_id = $2",
        id,
        account.get(),
        Json(address) as _
    );
    Ok(updated.execute(db).await?.rows_affected() == 1)
}

pub(in crate::accounts) async fn delete(
    db: impl PgExecutor<'_>,
    (id, account): (Uuid, AccountId),
) -> Result<bool, sqlx::Error> {
    let deleted = sqlx::query!("DELETE FROM account_addresses WHERE id = $1 AND account_id = $2", id, account.get());
    Ok(deleted.execute(db).await?.rows_affected() == 1)
}

/// The oldest one becomes the default when there is none.
pub(in crate::accounts) async fn some_default(db: impl PgExecutor<'_>, account: AccountId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE account_addresses SET is_default = true
         WHERE id = (SELECT id FROM account_addresses WHERE account_id = $1 ORDER BY created_at, id LIMIT 1)
           AND NOT EXISTS (SELECT FROM account_addresses WHERE account_id = $1 AND is_default)",
        account.get()
    )
    .execute(db)
    .await?;
    Ok(())
}

/// This one and no other, if it is the account's.
pub(in crate::accounts) async fn set_default(
    db: &mut PgConnection,
    (id, account): (Uuid, AccountId),
) -> Result<bool, sqlx::Error> {
    // Not in one statement: the index wants one default at any moment.
    sqlx::query!("UPDATE account_addresses SET is_default = false WHERE account_id = $1 AND is_default", account.get())
        .execute(&mut *db)
        .await?;
    let set = sqlx::query!(
        "UPDATE account_addresses SET is_default = true WHERE id = $1 AND account_id = $2",
        id,
        account.get()
    );
    Ok(set.execute(&mut *db).await?.rows_affected() == 1)
}
