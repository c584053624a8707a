//! People, their passwords and addresses, and what proves that a mail address is theirs.

pub mod addresses;
pub(crate) mod changes;
mod copy;
mod demo;
pub mod links;
mod password;
mod queries;
mod settings;

pub use demo::{DemoLogin, seed_demo};
pub use settings::{change_email, change_name, change_password, sign_out_everywhere};

use crate::{
    Store,
    admin::audit::{self, Action},
    cache::{self, Aged},
    error::{During, Error, is_outage},
    live, outage,
};
use domain::{
    AccountId, ApiError,
    account::{AccountView, Email, Registration},
};
use password::Hasher;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

const FRESH: Duration = Duration::from_secs(60);
const MAX_CACHED: usize = 10_000;

/// What is kept in the process.
pub struct Cache {
    accounts: Aged<AccountId, Arc<Account>>,
    hasher: Hasher,
}

impl Default for Cache {
    fn default() -> Self {
        let accounts = Aged::new(FRESH, MAX_CACHED);
        Self { accounts, hasher: Hasher::default() }
    }
}

impl Cache {
    /// This account's role, name or password changed.
    pub fn drop_one(&self, id: AccountId) {
        self.accounts.drop_one(&id);
    }

    /// Messages saying so may have been missed.
    pub fn drop_all(&self) {
        self.accounts.drop_all();
    }
}

/// An account as the session layer needs it; cached briefly, so a cart edit costs no query.
#[derive(Clone)]
pub struct Account {
    pub view: AccountView,
    /// Changes with the password and when somebody signs out everywhere: sessions opened before are no longer valid
    /// (axum-login's session_auth_hash).
    pub auth_hash: Vec<u8>,
}

/// Neither the address nor anything of the password ends up in a log.
impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("id", &self.view.id).field("role", &self.view.role).finish_non_exhaustive()
    }
}

impl Account {
    /// A digest, because the session store has no business with the password's hash.
    fn new(view: AccountView, password_hash: &str, sign_outs: i32) -> Arc<Self> {
        let hash = Sha256::new().chain_update(password_hash).chain_update(sign_outs.to_be_bytes());
        Arc::new(Self { view, auth_hash: hash.finalize().to_vec() })
    }
}

/// Creates a shopper and asks by mail whether the address is theirs. Refused (`invalid_fields`, field `email`) when the
/// address is taken.
pub async fn register(store: &Store, registration: Registration) -> Result<Arc<Account>, Error> {
    const OPERATION: &str = "accounts.register";
    let Registration { email, password, name } = registration;
    // Not after the work of hashing.
    let pg = store.postgres(OPERATION).await?;
    let hash = hasher(store).hash(password, store.uuid()).await?;
    let mut tx = pg.begin().await.during(OPERATION)?;
    let inserted = queries::insert_shopper(&mut *tx, &email, &name, &hash, store.now()).await;
    let account = inserted.map_err(|error| taken_or(OPERATION, error))?;
    links::write_to_verify(store, &mut tx, account.view.id, &email).await?;
    tx.commit().await.during(OPERATION)?;
    copy::keep(store, &account).await;
    Ok(account)
}

/// The account when the password fits, `None` otherwise: same answer, same time for unknown addresses.
pub async fn verify(store: &Store, email: &str, password: &str) -> Result<Option<Arc<Account>>, Error> {
    const OPERATION: &str = "accounts.verify";
    let known = match Email::parse(email) {
        Ok(email) => {
            let ask = async { queries::by_email(store.pg(), &email).await.during(OPERATION) };
            store.ask_postgres(OPERATION, outage::LONG, ask).await?
        }
        Err(_) => None,
    };
    let (account, hash) = known.unzip();
    let fits = hasher(store).fits(password.to_owned(), hash).await?;
    let account = account.filter(|_| fits);
    if let Some(account) = &account {
        copy::keep(store, account).await;
    }
    Ok(account)
}

/// At most a minute old; while Postgres is away as this process, or Redis, has it.
pub async fn get(store: &Store, id: AccountId) -> Result<Option<Arc<Account>>, Error> {
    const OPERATION: &str = "accounts.get";
    let (accounts, now) = (&store.accounts_cache().accounts, store.now());
    let look = || accounts.look(&id, now).map(Some);
    let load = async {
        let ticket = accounts.ticket(now);
        let account = queries::by_id(store.pg(), id).await.during(OPERATION)?;
        match &account {
            Some(account) => {
                accounts.put(id, account.clone(), ticket);
                copy::keep(store, account).await;
            }
            None => accounts.drop_one(&id),
        }
        Ok(account)
    };
    match cache::read(store.outage(), &accounts.turns, OPERATION, look, load).await {
        Err(Error::Postgres { operation, source }) if is_outage(&source) => {
            let ticket = accounts.ticket(now).in_doubt();
            let account = copy::read(store, id).await?.ok_or(Error::Postgres { operation, source })?;
            accounts.put(id, account.clone(), ticket);
            Ok(Some(account))
        }
        answer => answer,
    }
}

/// Creates an owner, or makes an existing account one and sets its password. The first owner of a shop comes by this.
pub async fn create_admin(store: &Store, registration: Registration) -> Result<Arc<Account>, Error> {
    const OPERATION: &str = "accounts.create_admin";
    let Registration { email, password, name } = registration;
    let hash = hasher(store).hash(password, store.uuid()).await?;
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    let account = queries::upsert_admin(&mut *tx, &email, &name, &hash, store.now()).await.during(OPERATION)?;
    let (id, after) = (account.view.id, serde_json::json!({ "role": account.view.role }));
    audit::note_command(&mut *tx, store, Action::StaffRole, ("account", &id), after).await?;
    tx.commit().await.during(OPERATION)?;
    sessions_ended(store, id).await?;
    Ok(account)
}

/// After the commit of another role, name, address or password: nobody goes on with the old one.
async fn changed(store: &Store, id: AccountId) -> Result<(), Error> {
    store.accounts_cache().drop_one(id);
    copy::discard(store, id).await
}

/// The same when sessions ended by it: their open sockets look, and close.
pub(crate) async fn sessions_ended(store: &Store, id: AccountId) -> Result<(), Error> {
    changed(store, id).await?;
    live::login_ended(store, id).await
}

fn hasher(store: &Store) -> &Hasher {
    &store.accounts_cache().hasher
}

/// One address, one account.
fn taken_or(operation: &'static str, error: sqlx::Error) -> Error {
    match error {
        sqlx::Error::Database(db) if db.constraint() == Some("accounts_email_key") => {
            wrong("email", "There is an account with this address already. Log in, or use another address.")
        }
        error => Error::Postgres { operation, source: error },
    }
}

fn wrong(field: &str, message: &str) -> Error {
    ApiError::fields(BTreeMap::from([(field.to_owned(), message.to_owned())])).into()
}
