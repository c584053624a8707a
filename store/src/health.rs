//! Whether this process can serve: Postgres, its migrations, Redis and its policy.

use crate::{
    Store,
    error::{During, Error},
};
use sqlx::migrate::{Migrate, Migrator};
use std::time::Duration;

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// Longest wait for all answers together: a load balancer asks every few seconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// One thing that readiness depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    pub name: &'static str,
    /// `None`: fine; otherwise one sentence that says what to do.
    pub problem: Option<String>,
}

impl Probe {
    pub fn new(name: &'static str, problem: Option<String>) -> Self {
        Self { name, problem }
    }
}

/// Postgres answers, all migrations applied, Redis answers, `noeviction`, AOF on, gate loaded. At most 3 s.
pub async fn ready(store: &Store) -> Vec<Probe> {
    let (schema, redis) = tokio::join!(
        tokio::time::timeout(PATIENCE, schema_problem(store)),
        tokio::time::timeout(PATIENCE, redis_problems(store)),
    );
    let mut probes = match schema {
        Ok(Ok(problem)) => vec![Probe::new("postgres", None), Probe::new("migrations", problem)],
        _ => vec![Probe::new(
            "postgres",
            Some("Postgres does not answer: look at DATABASE_URL and at the server.".into()),
        )],
    };
    probes.extend(match redis {
        Ok(Ok(probes)) => probes,
        _ => vec![Probe::new("redis", Some("Redis does not answer: look at REDIS_URL and at the server.".into()))],
    });
    probes
}

/// What keeps this binary from working on that database; `None`: every migration it knows is applied.
pub async fn schema_problem(store: &Store) -> Result<Option<String>, Error> {
    let mut connection = store.pg().acquire().await.during("health.schema")?;
    let known: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await
        .during("health.schema")?;
    let applied = match known {
        true => connection.list_applied_migrations("_sqlx_migrations").await.during("health.schema")?,
        false => Vec::new(),
    };
    let missing = MIGRATIONS.iter().filter(|known| !applied.iter().any(|done| done.version == known.version)).count();
    Ok((missing > 0).then(|| {
        format!("The database lacks {missing} of {} migrations: run `bazar migrate`.", MIGRATIONS.iter().count())
    }))
}

/// How many migrations are applied, of how many this binary knows.
pub(crate) async fn migrations(store: &Store) -> Result<String, Error> {
    const OPERATION: &str = "health.migrations";
    let mut connection = store.pg().acquire().await.during(OPERATION)?;
    let applied = connection.list_applied_migrations("_sqlx_migrations").await.during(OPERATION)?;
    let latest = applied.iter().map(|done| done.version).max().unwrap_or_default();
    Ok(format!("{} of {}, the latest is {latest}", applied.len(), MIGRATIONS.iter().count()))
}

/// INFO rather than CONFIG: hosted Redis often refuses the latter.
async fn redis_problems(store: &Store) -> Result<Vec<Probe>, Error> {
    let keys = store.keys();
    let (info, (epoch, loaded_in)): (String, (Option<String>, Option<String>)) = redis::pipe()
        .cmd("INFO")
        .mget(&[keys.epoch(), keys.run_id()])
        .query_async(&mut store.redis())
        .await
        .during("health.redis")?;
    let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    let policy = field("maxmemory_policy").unwrap_or("unknown");
    let policy = (policy != "noeviction")
        .then(|| format!("Redis may throw carts and stock away (maxmemory-policy {policy}): set noeviction."));
    let aof = (field("aof_enabled") != Some("1"))
        .then(|| "Redis forgets everything at a restart: set appendonly yes.".to_owned());
    let is_loaded = epoch.is_some() && loaded_in.as_deref() == field("run_id");
    let gate = (!is_loaded).then(|| "The stock gate is not loaded yet; a worker loads it within seconds.".to_owned());
    Ok(vec![
        Probe::new("redis", None),
        Probe::new("redis.policy", policy),
        Probe::new("redis.aof", aof),
        Probe::new("gate", gate),
    ])
}
