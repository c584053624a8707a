//! SQL of changes that the holder of an account is told of.

use crate::world::to_timestamp;
use domain::{AccountId, UnixMillis};
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

/// For the account's address of now, unless that is the new one already.
pub(in crate::accounts) async fn insert(
    db: impl PgExecutor<'_>,
    id: Uuid,
    account: AccountId,
    what: &str,
    new_email: &str,
    now: UnixMillis,
) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO account_changes (id, account_id, what, email, changed_at)
         SELECT $1, id, $3, email, $5 FROM accounts WHERE id = $2 AND email <> $4",
        id,
        account.get(),
        what,
        new_email,
        to_timestamp(now)
    );
    Ok(inserted.execute(db).await?.rows_affected() == 1)
}

pub(in crate::accounts) struct Told {
    pub email: String,
    pub name: String,
    pub changed_at: OffsetDateTime,
}

pub(in crate::accounts) async fn by_id(db: impl PgExecutor<'_>, id: Uuid) -> Result<Option<Told>, sqlx::Error> {
    sqlx::query_as!(
        Told,
        "SELECT change.email, account.name, change.changed_at
         FROM account_changes change JOIN accounts account ON account.id = change.account_id WHERE change.id = $1",
        id
    )
    .fetch_optional(db)
    .await
}
