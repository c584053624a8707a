//! Everything that touches Postgres, Redis or a payment provider, by capability.
//!
//! sqlx and redis are named in this crate only. Use cases stand in each capability's `mod.rs`, SQL in `queries.rs`,
//! script wrappers in `scripts.rs`, and each background job in a file of its own.

pub mod accounts;
pub mod admin;
mod cache;
pub mod carts;
pub mod catalog;
pub mod check;
pub mod config;
pub mod error;
pub mod health;
pub mod jobs;
pub mod keys;
mod link;
pub mod live;
pub mod mail;
mod messages;
pub mod orders;
mod outage;
pub mod payments;
pub mod sandbox;
pub mod sms;
mod spreadsheet;
pub mod stock;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod viewer;
pub mod world;

use config::StoreConfig;
use domain::UnixMillis;
use error::{During, Error};
use keys::Keys;
use link::{Link, Run};
use outage::Outage;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::{
    future::Future,
    str::FromStr,
    sync::{Arc, OnceLock},
    time::Duration,
};
use world::World;

/// Longest wait for one answer of Redis; a stuck server must not hold requests for longer.
pub const REDIS_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest run of one SQL statement.
pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for a row or a lock that somebody else holds: who ends an order gives way to others after that.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(4);
/// For a transaction that gives way sooner. A row may be waited for twice, first behind others who wait for it: both
/// waits must end before the statement does, or it is not known that the row was locked.
pub(crate) const BRIEF_LOCKS: &str = "SET LOCAL lock_timeout = '1s'";

/// The way to all data; cheap to clone, one per process.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    pg: sqlx::PgPool,
    outage: Outage,
    redis: Link,
    redis_client: redis::Client,
    keys: Keys,
    config: StoreConfig,
    world: Arc<dyn World>,
    http: reqwest::Client,
    catalog: catalog::Cache,
    accounts: accounts::Cache,
    carts: carts::Memo,
    mail: mail::Mail,
    sms: sms::Sms,
    breakers: payments::Breakers,
    pulse: jobs::pulse::Pulse,
    views: admin::Views,
    /// Names this process among those of the shop.
    process: OnceLock<uuid::Uuid>,
}

impl Store {
    /// Connects to Postgres and Redis; neither migrates nor loads anything.
    pub async fn connect(config: StoreConfig, world: Arc<dyn World>) -> Result<Self, Error> {
        let timeout_ms = STATEMENT_TIMEOUT.as_millis().to_string();
        let lock_ms = LOCK_TIMEOUT.as_millis().to_string();
        let options = PgConnectOptions::from_str(&config.database_url).during("postgres.parse_url")?;
        let options = options.application_name("bazar").options([
            ("statement_timeout", timeout_ms.as_str()),
            ("lock_timeout", lock_ms.as_str()),
            ("idle_in_transaction_session_timeout", "15000"),
            // Compiling a plan takes longer than running any of ours.
            ("jit", "off"),
        ]);
        let outage = Outage::of(options.clone());
        let no_doubt = outage.follow();
        let pg = PgPoolOptions::new()
            .max_connections(config.pool_size)
            .acquire_timeout(Duration::from_secs(3))
            // Instead of the pool's own ping: the same one round trip says more.
            .test_before_acquire(false)
            .before_acquire(|connection, _| Box::pin(is_outside_transaction(connection)))
            .after_release(move |connection, _| {
                let no_doubt = no_doubt();
                Box::pin(async move { Ok(no_doubt || is_alive(connection).await) })
            })
            .connect_with(options)
            .await
            .during("postgres.connect")?;
        let redis_client = redis::Client::open(config.redis_url.as_str()).during("redis.parse_url")?;
        let redis = Link::connect(&redis_client).await.during("redis.connect")?;
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(3))
            .timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .during("http.client")?;
        let keys = Keys::new(&config.key_prefix);
        let (catalog, accounts) = (catalog::Cache::default(), accounts::Cache::default());
        let carts = carts::Memo::default();
        let (mail, sms) = (mail::Mail::new(&config.mail), sms::Sms::new(config.sms.clone()));
        let inner = Inner {
            pg,
            outage,
            redis,
            redis_client,
            keys,
            config,
            world,
            http,
            catalog,
            accounts,
            carts,
            mail,
            sms,
            breakers: payments::Breakers::default(),
            pulse: jobs::pulse::Pulse::default(),
            views: admin::Views::default(),
            process: OnceLock::new(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Brings the schema up to date; safe to run from several processes at once.
    pub async fn migrate(&self) -> Result<(), Error> {
        sqlx::migrate!("../migrations").run(&self.inner.pg).await.during("postgres.migrate")
    }

    pub fn config(&self) -> &StoreConfig {
        &self.inner.config
    }

    pub fn now(&self) -> UnixMillis {
        self.inner.world.now()
    }

    /// An id nobody can guess.
    pub fn uuid(&self) -> uuid::Uuid {
        self.inner.world.uuid()
    }

    pub(crate) fn pg(&self) -> &sqlx::PgPool {
        &self.inner.pg
    }

    /// The pool for who cannot go on without Postgres: an outage error at once while it is known to be away, instead of
    /// the wait for a connection.
    pub(crate) async fn postgres(&self, operation: &'static str) -> Result<&sqlx::PgPool, Error> {
        match self.inner.outage.is_over().await {
            true => Ok(&self.inner.pg),
            false => Err(sqlx::Error::PoolTimedOut).during(operation),
        }
    }

    /// What a read of Postgres brings: an outage error at once while it is known to be away, and after `patience`
    /// ([`outage::BRIEF`] for who can go on without it) in any case. The future may be dropped before its end.
    pub(crate) async fn ask_postgres<T>(
        &self,
        operation: &'static str,
        patience: Duration,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        self.inner.outage.ask(operation, patience, answer).await
    }

    pub(crate) fn outage(&self) -> &Outage {
        &self.inner.outage
    }

    /// The shared, multiplexed connection; clone it per use. Never send a blocking command on it.
    pub(crate) fn redis(&self) -> Link {
        self.inner.redis.clone()
    }

    /// The same connection for as long as it reaches this run of Redis, and which run that is.
    pub(crate) async fn redis_run(&self) -> Result<Run, Error> {
        self.redis().run().await.during("redis.run")
    }

    /// For connections of one's own: blocking reads and subscriptions.
    pub(crate) fn redis_client(&self) -> &redis::Client {
        &self.inner.redis_client
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.inner.keys
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.inner.http
    }

    pub(crate) fn breakers(&self) -> &payments::Breakers {
        &self.inner.breakers
    }

    pub(crate) fn pulse(&self) -> &jobs::pulse::Pulse {
        &self.inner.pulse
    }

    /// What the pages behind the counter have counted lately.
    pub(crate) fn views(&self) -> &admin::Views {
        &self.inner.views
    }

    pub(crate) fn process(&self) -> uuid::Uuid {
        *self.inner.process.get_or_init(|| self.uuid())
    }

    pub(crate) fn mail(&self) -> &mail::Mail {
        &self.inner.mail
    }

    pub(crate) fn sms(&self) -> &sms::Sms {
        &self.inner.sms
    }

    pub(crate) fn catalog_cache(&self) -> &catalog::Cache {
        &self.inner.catalog
    }

    pub(crate) fn carts_memo(&self) -> &carts::Memo {
        &self.inner.carts
    }

    pub(crate) fn accounts_cache(&self) -> &accounts::Cache {
        &self.inner.accounts
    }
}

/// Whether this idle connection is fit for use. Sqlx leaves a transaction open when the future of a BEGIN is dropped (a
/// client that hangs up, a timeout), and what the next user writes without one of its own would never be committed.
async fn is_outside_transaction(connection: &mut sqlx::PgConnection) -> Result<bool, sqlx::Error> {
    // A simple query outside a transaction starts its own at that very moment.
    let row = sqlx::raw_sql("SELECT now() = statement_timestamp()").fetch_one(connection).await?;
    sqlx::Row::try_get(&row, 0)
}

/// Asked only while Postgres is in doubt: a connection that hangs must not hold its place in the pool for long.
async fn is_alive(connection: &mut sqlx::PgConnection) -> bool {
    tokio::time::timeout(outage::BRIEF, sqlx::Connection::ping(connection)).await.is_ok_and(|pong| pong.is_ok())
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn a_connection_left_in_a_transaction_is_not_handed_on() {
        let store = crate::testkit::store_with(|config| config.pool_size = 1).await;
        let mut connection = store.pg().acquire().await.expect("a connection");
        // What a dropped `begin()` leaves behind: the server has begun, the pool does not know.
        sqlx::raw_sql("BEGIN").execute(&mut *connection).await.expect("begin");
        assert!(!super::is_outside_transaction(&mut connection).await.expect("ask"));
        drop(connection);
        let mut next = store.pg().acquire().await.expect("a connection");
        assert!(super::is_outside_transaction(&mut next).await.expect("ask"));
    }
}
