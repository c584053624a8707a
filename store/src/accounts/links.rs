//! Links in mails that prove whose an address is: one makes it the account's, the other sets a new password. What they
//! name is a row that ends with its time or its first use; the signature in the link is kept nowhere.

use super::{
    changes::{self, Change},
    hasher, queries, sessions_ended, settings, wrong,
};
use crate::{
    Store,
    error::{During, Error},
    mail, messages,
    world::from_timestamp,
};
use domain::{AccountId, ApiError, ErrorCode, UnixMillis, account::Email, account::check_password};
use queries::links::{Good, NewLink};
use uuid::Uuid;

const HOUR_MS: i64 = 3_600_000;
/// Mails of one purpose to one address, or for one account, in an hour.
const MOST: i64 = 5;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Verify,
    Reset,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Reset => "reset",
        }
    }

    const fn life_ms(self) -> i64 {
        match self {
            Self::Verify => 48 * HOUR_MS,
            Self::Reset => HOUR_MS,
        }
    }

    const fn door(self) -> mail::Purpose {
        match self {
            Self::Verify => mail::Purpose::VerifyEmail,
            Self::Reset => mail::Purpose::ResetPassword,
        }
    }
}

/// Whom a mail about an account goes to.
pub(crate) struct Reader {
    pub email: Email,
    pub name: String,
    pub written_at: UnixMillis,
}

/// A mail to that address asks the account's holder whether they read it. Refused after a few in an hour.
pub async fn ask_to_verify(store: &Store, account: AccountId, email: &Email) -> Result<(), Error> {
    const OPERATION: &str = "accounts.ask_to_verify";
    let mut tx = store.postgres(OPERATION).await?.begin().await.during(OPERATION)?;
    if !write_to_verify(store, &mut tx, account, email).await? {
        let message =
            format!("We sent {MOST} mails within the hour. Look into the folder for junk, or try again later.");
        return Err(ApiError::new(ErrorCode::TooManyRequests, message).into());
    }
    tx.commit().await.during(OPERATION)
}

/// False: enough were written.
pub(super) async fn write_to_verify(
    store: &Store,
    tx: &mut sqlx::PgTransaction<'_>,
    account: AccountId,
    email: &Email,
) -> Result<bool, Error> {
    write(store, tx, Purpose::Verify, Some(account), email).await
}

/// A mail with a way to a new password, should there be an account with that address. Whether there is one decides only
/// what becomes of the mail, so nobody learns it from the answer, nor from how long it takes.
pub async fn forgot_password(store: &Store, email: &Email) -> Result<(), Error> {
    const OPERATION: &str = "accounts.forgot_password";
    let mut tx = store.postgres(OPERATION).await?.begin().await.during(OPERATION)?;
    write(store, &mut tx, Purpose::Reset, None, email).await?;
    tx.commit().await.during(OPERATION)
}

async fn write(
    store: &Store,
    tx: &mut sqlx::PgTransaction<'_>,
    purpose: Purpose,
    account: Option<AccountId>,
    email: &Email,
) -> Result<bool, Error> {
    let (id, now) = (store.uuid(), store.now());
    let link = NewLink {
        id,
        purpose: purpose.as_str(),
        account,
        email: email.as_str(),
        created_at: now,
        expires_at: now.plus(purpose.life_ms()),
    };
    let written = queries::links::insert(&mut **tx, &link, now.plus(-HOUR_MS), MOST).await.during("accounts.write")?;
    if written {
        let kind = match purpose {
            Purpose::Verify => messages::VERIFY_EMAIL,
            Purpose::Reset => messages::RESET_PASSWORD,
        };
        messages::enqueue(tx, kind, id, now).await?;
    }
    Ok(written)
}

/// For the mail: whom to write to, as long as the link works and anybody has that account.
pub(crate) async fn reader(store: &Store, purpose: Purpose, id: Uuid) -> Result<Option<Reader>, Error> {
    let good = queries::links::good(store.pg(), id, purpose.as_str(), store.now()).await.during("accounts.reader")?;
    let reader = |good: Good| {
        let written_at = from_timestamp(good.created_at);
        Some(Reader { email: Email::parse(&good.email).ok()?, name: good.name, written_at })
    };
    Ok(good.and_then(reader))
}

/// The address that this link would make the account's; looking changes nothing. `None`: it is another account's, used,
/// or too old.
pub async fn to_verify(store: &Store, account: AccountId, token: &str) -> Result<Option<String>, Error> {
    let good = good(store, Purpose::Verify, token).await?;
    Ok(good.filter(|(_, good)| good.account_id == account.get()).map(|(_, good)| good.email))
}

/// The address becomes the account's. Only for somebody logged in to that very account: who gets such a mail about an
/// account that a stranger made with their address confirms nothing by pressing its button.
pub async fn verify_email(store: &Store, account: AccountId, token: &str) -> Result<(), Error> {
    const OPERATION: &str = "accounts.verify_email";
    let found = good(store, Purpose::Verify, token).await?;
    let (id, good) = found.filter(|(_, good)| good.account_id == account.get()).ok_or_else(over)?;
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    spend(store, &mut tx, id).await?;
    settings::set_email(store, &mut tx, account, &good.email).await?;
    tx.commit().await.during(OPERATION)?;
    super::changed(store, account).await
}

/// Whether this link still leads to a new password.
pub async fn may_reset(store: &Store, token: &str) -> Result<bool, Error> {
    Ok(good(store, Purpose::Reset, token).await?.is_some())
}

/// A new password by a link; all sessions and all other links end. The address is proven by it.
pub async fn reset_password(store: &Store, token: &str, password: &str) -> Result<(), Error> {
    const OPERATION: &str = "accounts.reset_password";
    check_password(password).map_err(|message| wrong("password", &message))?;
    let (id, good) = good(store, Purpose::Reset, token).await?.ok_or_else(over)?;
    let hash = hasher(store).hash(password.to_owned(), store.uuid()).await?;
    let now = store.now();
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    spend(store, &mut tx, id).await?;
    let account = queries::reset_password(&mut *tx, &good.email, &hash, now).await.during(OPERATION)?;
    let account = account.ok_or_else(over)?;
    queries::links::spend_all(&mut *tx, account, now).await.during(OPERATION)?;
    let account = AccountId::new(account).map_err(|_| Error::unexpected(OPERATION, "no account id"))?;
    changes::tell(store, &mut tx, account, Change::Password).await?;
    tx.commit().await.during(OPERATION)?;
    sessions_ended(store, account).await
}

async fn good(store: &Store, purpose: Purpose, token: &str) -> Result<Option<(Uuid, Good)>, Error> {
    const OPERATION: &str = "accounts.link";
    let Some(id) = mail::opened(store, purpose.door(), token) else { return Ok(None) };
    let pg = store.postgres(OPERATION).await?;
    let good = queries::links::good(pg, id, purpose.as_str(), store.now()).await.during(OPERATION)?;
    Ok(good.map(|good| (id, good)))
}

async fn spend(store: &Store, tx: &mut sqlx::PgTransaction<'_>, id: Uuid) -> Result<(), Error> {
    let spent = queries::links::spend(&mut **tx, id, store.now()).await.during("accounts.spend_link")?;
    if spent { Ok(()) } else { Err(over()) }
}

fn over() -> Error {
    let message = "This link was used already, or its time is over. You can ask for a new one.";
    ApiError::new(ErrorCode::NotFound, message).into()
}
