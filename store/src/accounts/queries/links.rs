//! SQL of links that prove an address.

use crate::world::to_timestamp;
use domain::{AccountId, UnixMillis};
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

pub(in crate::accounts) struct NewLink<'a> {
    pub id: Uuid,
    pub purpose: &'static str,
    pub account: Option<AccountId>,
    pub email: &'a str,
    pub created_at: UnixMillis,
    pub expires_at: UnixMillis,
}

/// Unless so many were written since then for this address, or by this account.
pub(in crate::accounts) async fn insert(
    db: impl PgExecutor<'_>,
    link: &NewLink<'_>,
    since: UnixMillis,
    most: i64,
) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO account_links (id, purpose, account_id, email, created_at, expires_at)
         SELECT $1, $2, $3, $4, $5, $6
         WHERE (SELECT count(*) FROM account_links
                WHERE purpose = $2 AND (email = $4 OR account_id = $3) AND created_at > $7) < $8",
        link.id,
        link.purpose,
        link.account.map(AccountId::get),
        link.email,
        to_timestamp(link.created_at),
        to_timestamp(link.expires_at),
        to_timestamp(since),
        most
    );
    Ok(inserted.execute(db).await?.rows_affected() == 1)
}

/// A link that still works, and to whom it goes; of a reset only when there is an account with that address.
pub(in crate::accounts) struct Good {
    pub account_id: i64,
    pub email: String,
    pub name: String,
    pub created_at: OffsetDateTime,
}

pub(in crate::accounts) async fn good(
    db: impl PgExecutor<'_>,
    id: Uuid,
    purpose: &str,
    now: UnixMillis,
) -> Result<Option<Good>, sqlx::Error> {
    sqlx::query_as!(
        Good,
        "SELECT account.id AS account_id, link.email, account.name, link.created_at
         FROM account_links link
         JOIN accounts account ON account.id = link.account_id OR (link.account_id IS NULL AND account.email = link.email)
         WHERE link.id = $1 AND link.purpose = $2 AND link.used_at IS NULL AND link.expires_at > $3",
        id,
        purpose,
        to_timestamp(now)
    )
    .fetch_optional(db)
    .await
}

/// False: somebody was quicker, or its time is over.
pub(in crate::accounts) async fn spend(
    db: impl PgExecutor<'_>,
    id: Uuid,
    now: UnixMillis,
) -> Result<bool, sqlx::Error> {
    let spent = sqlx::query!(
        "UPDATE account_links SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND expires_at > $2",
        id,
        to_timestamp(now)
    );
    Ok(spent.execute(db).await?.rows_affected() == 1)
}

/// After a new password no older link opens the account any more, whoever asked for it.
pub(in crate::accounts) async fn spend_all(
    db: impl PgExecutor<'_>,
    account: i64,
    now: UnixMillis,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE account_links SET used_at = $2
         WHERE used_at IS NULL AND (account_id = $1 OR email = (SELECT email FROM accounts WHERE id = $1))",
        account,
        to_timestamp(now)
    )
    .execute(db)
    .await?;
    Ok(())
}
