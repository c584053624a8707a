//! A fresh shop for one test: a database of its own and a key prefix of its own on the servers that the tests run on.
//!
//! `BAZAR_TEST_DATABASE_URL` and `BAZAR_TEST_REDIS_URL` name the servers; `make test` starts and throws them away.

use crate::{
    Store,
    config::{SandboxConfig, Secret, StoreConfig},
    error::Error,
    mail::{MailConfig, Sender, Way},
    world::SystemWorld,
};
use domain::{
    Currency, Minor,
    order::{DeliveryDays, DeliveryRule},
    tax::Taxes,
};
use redis::aio::{ConnectionLike, MultiplexedConnection};
use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection};
use std::{sync::Arc, time::Duration};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");

/// A migrated, empty shop.
pub async fn store() -> Store {
    store_with(|_| {}).await
}

/// The same with some settings changed.
pub async fn store_with(change: impl FnOnce(&mut StoreConfig)) -> Store {
    let mut config = config(&fresh_database().await);
    change(&mut config);
    Store::connect(config, Arc::new(SystemWorld)).await.expect("connect to the test servers")
}

/// The settings of a test shop on that database.
pub fn config(database_url: &str) -> StoreConfig {
    let key_prefix = format!("t{}:", unique());
    let mails = std::env::temp_dir().join(format!("bazar-mails-{}", key_prefix.trim_end_matches(':')));
    StoreConfig {
        database_url: database_url.to_owned(),
        pool_size: 8,
        redis_url: redis_url(),
        key_prefix,
        base_url: "http://127.0.0.1:1".into(),
        business: vec!["Book Bazar".into()],
        currency: Currency::Inr,
        taxes: Taxes::default(),
        delivery: DeliveryRule { fee: Minor::new(4_900), free_from: Minor::new(99_900) },
        delivery_days: DeliveryDays::default(),
        order_ttl: Duration::from_secs(900),
        min_time_to_pay: Duration::from_secs(300),
        held_copies_per_address: 0,
        ask_payments_every: Duration::from_secs(120),
        number_secret: Secret::new("test"),
        mail: MailConfig {
            way: Way::Files(mails),
            from: Sender::parse("Book Bazar <books@shop.example>").expect("a sender"),
            link_secret: Secret::new("test-links"),
            reply_timeout: MailConfig::REPLY_TIMEOUT,
        },
        sms: None,
        abandoned_after: Duration::from_secs(604_800),
        stripe: None,
        razorpay: None,
        sandbox: Some(SandboxConfig {
            public_url: "http://127.0.0.1:1/sandbox".into(),
            base_url: "http://127.0.0.1:1/sandbox".into(),
            api_key: Secret::new("test-key"),
            webhook_secrets: vec![Secret::new("test-webhook")],
            webhook_url: "http://127.0.0.1:1/webhooks/sandbox".into(),
            late_after: Duration::from_secs(905),
        }),
    }
}

/// The store's own way to Redis.
pub fn redis(store: &Store) -> impl ConnectionLike + Clone + Send + Sync + 'static + use<> {
    store.redis()
}

/// The run of Redis that the store is connected to, and the connection that ends in it.
pub async fn redis_run(store: &Store) -> Result<(Arc<str>, MultiplexedConnection), Error> {
    let run = store.redis_run().await?;
    Ok((run.id, run.connection))
}

/// Another of the server's sixteen databases each time: who looks through all keys of one meets fewer of other tests'.
pub fn redis_url() -> String {
    let server = std::env::var("BAZAR_TEST_REDIS_URL").expect("BAZAR_TEST_REDIS_URL: run the tests by `make test`");
    let database = unique().chars().next().and_then(|digit| digit.to_digit(16)).unwrap_or(0);
    format!("{}/{database}", server.trim_end_matches('/'))
}

/// A new database copied from the migrated template; returns its URL.
pub async fn fresh_database() -> String {
    let server =
        std::env::var("BAZAR_TEST_DATABASE_URL").expect("BAZAR_TEST_DATABASE_URL: run the tests by `make test`");
    let mut admin = PgConnection::connect(&server).await.expect("connect to the test Postgres");
    // Only one test makes the template, or copies it: Postgres refuses to copy a database that is in use.
    sqlx::query("SELECT pg_advisory_lock(77001)").execute(&mut admin).await.expect("lock the template");
    let template = template();
    ensure_template(&mut admin, &server, &template).await;
    let name = format!("bazar_t_{}", unique());
    let create = format!("CREATE DATABASE {name} TEMPLATE {template}");
    sqlx::query(sqlx::AssertSqlSafe(create)).execute(&mut admin).await.expect("copy the template");
    sqlx::query("SELECT pg_advisory_unlock(77001)").execute(&mut admin).await.expect("unlock the template");
    with_database(&server, &name)
}

/// The migrated database that all others are copied from; another schema has another one.
fn template() -> String {
    let mut hash = Sha256::new();
    MIGRATIONS.iter().for_each(|migration| hash.update(&migration.checksum));
    format!("bazar_template_{}", &hex::encode(hash.finalize())[..12])
}

async fn ensure_template(admin: &mut PgConnection, server: &str, name: &str) {
    let known: Option<(String,)> = sqlx::query_as("SELECT datname::text FROM pg_database WHERE datname = $1")
        .bind(name)
        .fetch_optional(&mut *admin)
        .await
        .expect("look for the template");
    if known.is_none() {
        let create = format!("CREATE DATABASE {name}");
        sqlx::query(sqlx::AssertSqlSafe(create)).execute(&mut *admin).await.expect("create the template");
    }
    // Also when it is there: whoever made it may have died before the end.
    let mut template = PgConnection::connect(&with_database(server, name)).await.expect("connect to the template");
    MIGRATIONS.run(&mut template).await.expect("migrate the template");
    template.close().await.expect("leave the template");
}

/// The same server, another database.
fn with_database(server: &str, name: &str) -> String {
    let (base, query) = server.split_once('?').map_or((server, String::new()), |(b, q)| (b, format!("?{q}")));
    let host = base.rsplit_once('/').map_or(base, |(host, _)| host);
    format!("{host}/{name}{query}")
}

#[expect(clippy::disallowed_methods, reason = "tests need names nobody else has")]
fn unique() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
