//! `bazar`: the one binary of Book Bazar. Serves the shop, works in the background, and answers at the command line.

mod commands;
mod config;
mod covers;
mod failure;
mod guard;
mod live;
mod router;
mod routes;
mod sandbox;
mod serve;
mod sessions;
mod site;
mod telemetry;
mod webhooks;

use clap::Parser;
use std::{process::ExitCode, time::Duration};

/// glibc's allocator keeps three blocks of 19 MiB per thread that ever hashed a password: 850 MiB after a hundred logins.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = commands::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("bazar: cannot start threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(commands::run(cli));
    // A password being hashed on a blocking thread must not hold up the exit.
    runtime.shutdown_timeout(Duration::from_millis(200));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            ExitCode::FAILURE
        }
    }
}
