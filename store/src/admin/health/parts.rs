//! What the shop stands on: Postgres, Redis, the providers, the mail; and of which versions all that is.

use super::queries;
use crate::{
    Store,
    error::{During, Error},
    health::{self, Probe},
    payments,
    world::{from_timestamp, to_timestamp},
};
use domain::{health::PartView, payment::provider_title};
use std::time::Duration;

const OPERATION: &str = "admin.health_parts";
/// Longest wait for what Postgres or Redis say of themselves.
const PATIENCE: Duration = Duration::from_secs(2);
/// Money that came within this time is told of.
const LATELY_MS: i64 = 30 * 24 * 3600 * 1000;
/// The commit that this was built from, when the build said so.
const COMMIT: Option<&str> = option_env!("BAZAR_COMMIT");

/// Whoever does not answer is a part with a problem.
pub(super) async fn all(store: &Store) -> Vec<PartView> {
    let (probes, postgres, redis, mail, providers) = tokio::join!(
        health::ready(store),
        answered(postgres(store)),
        answered(redis(store)),
        answered(mail(store)),
        answered(providers(store)),
    );
    let problems = |names: &[&str]| -> Vec<String> {
        probes
            .iter()
            .filter(|probe| names.contains(&probe.name))
            .filter_map(|Probe { problem, .. }| problem.clone())
            .collect()
    };
    let mut parts = vec![
        part("Postgres", problems(&["postgres", "migrations"]), postgres.unwrap_or_default()),
        part("Redis", problems(&["redis", "redis.policy", "redis.aof", "gate"]), redis.unwrap_or_default()),
    ];
    parts.extend(providers.unwrap_or_default());
    parts.extend(mail);
    parts.push(part("Book Bazar", Vec::new(), versions()));
    parts
}

async fn answered<T>(answer: impl Future<Output = Result<T, Error>>) -> Option<T> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "a part of the shop says nothing of itself");
            None
        }
        Err(_) => None,
    }
}

type Facts = Vec<(String, String)>;

fn part(title: &str, problems: Vec<String>, facts: Facts) -> PartView {
    PartView { title: title.to_owned(), problems, facts }
}

fn fact(name: &str, value: impl ToString) -> (String, String) {
    (name.to_owned(), value.to_string())
}

async fn postgres(store: &Store) -> Result<Facts, Error> {
    let pg = store.postgres(OPERATION).await?;
    let server = queries::server(pg).await.during(OPERATION)?;
    let up_ms = store.now().since(from_timestamp(server.started_at));
    Ok(vec![
        fact("Version", server.version),
        fact("Up for", span(up_ms)),
        fact("Size", server.size),
        fact("Connections", format!("{} of {}", server.connections, server.most_connections)),
        fact("Migrations", health::migrations(store).await?),
    ])
}

async fn redis(store: &Store) -> Result<Facts, Error> {
    let info: String = redis::cmd("INFO").query_async(&mut store.redis()).await.during(OPERATION)?;
    let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    let text = |name: &str| field(name).unwrap_or("unknown").to_owned();
    let up_ms = field("uptime_in_seconds").and_then(|up| up.parse::<i64>().ok()).unwrap_or_default() * 1000;
    Ok(vec![
        fact("Version", text("redis_version")),
        fact("Up for", span(up_ms)),
        fact("Memory", text("used_memory_human")),
        fact("Clients", text("connected_clients")),
        fact("Last save of the log", text("aof_last_write_status")),
    ])
}

async fn mail(store: &Store) -> Result<PartView, Error> {
    let mails = queries::mails(store.postgres(OPERATION).await?).await.during(OPERATION)?;
    let problem = mails.last_error.map(|error| format!("Mails wait because of this: {error}"));
    let facts = vec![
        fact("Way", store.config().mail.way.name()),
        fact("Waiting", mails.waiting),
        fact("Given up", mails.given_up),
    ];
    Ok(part("Mail", problem.into_iter().collect(), facts))
}

async fn providers(store: &Store) -> Result<Vec<PartView>, Error> {
    let since = to_timestamp(store.now().plus(-LATELY_MS));
    let rows = queries::providers(store.postgres(OPERATION).await?, since).await.during(OPERATION)?;
    let views = payments::providers(store).into_iter().map(|name| {
        let row = rows.iter().find(|row| row.provider == name);
        let is_away = store.breakers().is_open(name);
        let problem = is_away.then(|| "It does not answer; nobody waits for it until it does.".to_owned());
        let last = row.and_then(|row| row.last_captured_at).map(|at| store.now().since(from_timestamp(at)));
        let last = last.map_or_else(|| "none in 30 days".to_owned(), |ago| format!("{} ago", span(ago)));
        let facts = vec![
            fact("Circuit, seen from here", if is_away { "open" } else { "closed" }),
            fact("Sessions it may be paid by", row.map_or(0, |row| row.open)),
            fact("Last money", last),
        ];
        part(provider_title(name), problem.into_iter().collect(), facts)
    });
    Ok(views.collect())
}

fn versions() -> Facts {
    let mut facts = vec![fact("Version", env!("CARGO_PKG_VERSION"))];
    facts.extend(COMMIT.map(|commit| fact("Commit", commit)));
    facts
}

/// `3 days`, `5 hours`, `12 minutes`, `40 seconds`
fn span(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_in_the_largest_unit_that_says_enough() {
        let said = [0, 1_000, 119_000, 120_000, 7_200_000, 200_000_000].map(span);
        assert_eq!(said, ["0 seconds", "1 second", "119 seconds", "2 minutes", "2 hours", "2 days"]);
    }
}
