//! The command line: one file per subcommand. Answers go to standard output, everything else to standard error.

mod admin;
mod check;
mod dead_letters;
mod import;
mod migrate;
mod reconcile;
mod seed;

use crate::{
    config::Config,
    failure::Failure,
    serve::{self, Roles},
    telemetry,
};
use clap::{Parser, Subcommand};
use dead_letters::DeadLetters;
use std::{path::PathBuf, sync::Arc};
use store::{Store, world::SystemWorld};

/// Book Bazar: an online bookstore. Settings come from the environment; see .env.example.
#[derive(Parser)]
#[command(name = "bazar", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the shop and do its background work, in one process (the default)
    All,
    /// Only serve
    Web,
    /// Only do background work
    Worker,
    /// Bring the database up to date
    Migrate,
    /// Fill an empty shop with the demo books and logins
    Seed,
    /// Bring in books from a CSV file, all or nothing
    Import { file: PathBuf },
    /// Prove the shop's promises over live data; exit code 1 when one is broken
    Check,
    /// Find where Redis and Postgres (or, with `payments`, providers and ledger) differ, and mend it; exit code 1 when
    /// something could not be mended
    Reconcile {
        #[arg(value_enum, default_value = "all")]
        what: reconcile::What,
        /// How many days of payments are compared
        #[arg(long, default_value_t = store::payments::reconcile::DAYS, value_parser = clap::value_parser!(i64).range(1..=366))]
        days: i64,
    },
    /// Work that kept failing: list it, try it again, or let it go
    DeadLetters {
        #[command(subcommand)]
        command: Option<DeadLetters>,
    },
    /// Manage people who run the shop
    #[command(subcommand)]
    Admin(Admin),
}

#[derive(Subcommand)]
enum Admin {
    /// Create an admin, or make an existing account one; the password comes from BAZAR_ADMIN_PASSWORD or is asked for
    Create {
        email: String,
        /// How pages call them
        #[arg(long)]
        name: String,
    },
}

pub async fn run(cli: Cli) -> Result<(), Failure> {
    let config = Config::from_env()?;
    telemetry::start_logs(config.log);
    let command = cli.command.unwrap_or(Command::All);
    let serves = matches!(command, Command::All | Command::Web | Command::Worker);
    for line in config.warnings.iter().filter(|_| serves) {
        tracing::warn!("{line}");
    }
    match command {
        Command::All => serve::run(config, Roles { web: true, worker: true }).await,
        Command::Web => serve::run(config, Roles { web: true, worker: false }).await,
        Command::Worker => serve::run(config, Roles { web: false, worker: true }).await,
        Command::Migrate => migrate::run(&connect(&config).await?).await,
        Command::Seed => seed::run(&config, &ready(&config).await?).await,
        Command::Import { file } => import::run(&ready(&config).await?, &file).await,
        Command::Check => check::run(&ready(&config).await?).await,
        Command::Reconcile { what, days } => reconcile::run(&ready(&config).await?, what, days).await,
        Command::DeadLetters { command } => {
            dead_letters::run(&ready(&config).await?, command.unwrap_or(DeadLetters::List)).await
        }
        Command::Admin(Admin::Create { email, name }) => admin::create(&ready(&config).await?, &email, &name).await,
    }
}

pub async fn connect(config: &Config) -> Result<Store, Failure> {
    Ok(Store::connect(config.store.clone(), Arc::new(SystemWorld)).await?)
}

/// Connected, with a schema that this binary knows.
pub async fn ready(config: &Config) -> Result<Store, Failure> {
    let store = connect(config).await?;
    match store::health::schema_problem(&store).await? {
        None => Ok(store),
        Some(problem) => Err(Failure::Said(problem)),
    }
}
