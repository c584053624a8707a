//! `bazar dead-letters`: shows the work that kept failing, tries it again, or lets it go.

use crate::failure::Failure;
use clap::Subcommand;
use store::{
    Store,
    jobs::dead_letters::{self, DeadLetter, Ended},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

#[derive(Subcommand)]
pub enum DeadLetters {
    /// Show what is parked, the oldest first (the default)
    List,
    /// Try one again
    Retry { id: i64 },
    /// Try everything of one source again: outbox, gate_ops, cart, sandbox_events, webhook_inbox or expiry
    RetryAll { source: String },
    /// Let one go
    Discard {
        id: i64,
        /// Kept with the letter
        #[arg(long)]
        reason: String,
    },
}

pub async fn run(store: &Store, command: DeadLetters) -> Result<(), Failure> {
    match command {
        DeadLetters::List => list(store).await,
        DeadLetters::Retry { id } => tell(id, "tried again", dead_letters::retry(store, id).await?),
        DeadLetters::RetryAll { source } => {
            let all = dead_letters::retry_all(store, &source).await?;
            println!("{} are tried again", all.retried);
            if all.failed == 0 { Ok(()) } else { Err(Failure::said(format!("{} could not be: see above", all.failed))) }
        }
        DeadLetters::Discard { id, reason } => tell(id, "discarded", dead_letters::discard(store, id, &reason).await?),
    }
}

async fn list(store: &Store) -> Result<(), Failure> {
    let (mut after, mut count) = (0, 0);
    loop {
        let page = dead_letters::list(store, after).await?;
        let Some(last) = page.last() else { break };
        (after, count) = (last.id, count + page.len());
        page.iter().for_each(show);
    }
    if count == 0 {
        println!("nothing is parked");
    }
    Ok(())
}

fn show(letter: &DeadLetter) {
    let at = |at: Option<OffsetDateTime>| at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_else(|| "?".to_owned());
    let (first, last) = (at(letter.first_failed_at), at(letter.last_failed_at));
    println!("{} {} {}: {} attempts from {first} to {last}", letter.id, letter.source, letter.key, letter.attempts);
    println!("    {}", letter.error);
    println!("    {}", letter.payload);
}

fn tell(id: i64, what: &str, ended: Ended) -> Result<(), Failure> {
    match ended {
        Ended::Now => println!("{id} is {what}"),
        Ended::Before => println!("{id} had ended before: nothing to do"),
        Ended::Never => return Err(Failure::said(format!("there is no dead letter {id}"))),
    }
    Ok(())
}
