//! `refunds.again`: every hour, refunds that are wanted and that nobody asks for any more are asked for again, whatever
//! became of their work: parked after its last attempt, let go by a hand, lost. What the shop owes stays wanted until
//! the provider says that it is back.

use crate::{
    Store,
    error::{During, Error},
    jobs::{
        Topic, dead_letters,
        schedule::{Every, Schedule, Scheduled},
    },
    world::to_timestamp,
};
use async_trait::async_trait;
use serde_json::{Value, json};

const OPERATION: &str = "refunds.again";
/// Refunds of one turn.
const MOST: i64 = 1_000;

/// The schedule.
pub struct AskAgain;

#[async_trait]
impl Scheduled for AskAgain {
    fn schedule(&self) -> Schedule {
        Schedule { name: OPERATION, every: Every::Seconds(3600) }
    }

    async fn run(&self, store: &Store) -> Result<Value, Error> {
        let again = sqlx::query!(
            "WITH idle AS (
               SELECT id::text AS key FROM refunds r WHERE status = 'requested' AND provider_ref IS NULL
                 AND NOT EXISTS (SELECT FROM outbox WHERE topic = $1 AND key = r.id::text)
               ORDER BY created_at LIMIT $4),
             letters AS (
               UPDATE dead_letters SET state = 'retried', reason = 'asked again every hour', ended_at = $3
               WHERE state = 'parked' AND source = $2 AND key IN (SELECT $1 || ':' || key FROM idle))
             INSERT INTO outbox (topic, key, due_at) SELECT $1, key, $3 FROM idle",
            Topic::RefundRequest.as_str(),
            dead_letters::OUTBOX,
            to_timestamp(store.now()),
            MOST
        );
        let asked = again.execute(store.pg()).await.during(OPERATION)?.rows_affected();
        if asked > 0 {
            tracing::warn!(asked, "refunds that nobody asked for any more are asked for again");
        }
        Ok(json!({ "asked": asked }))
    }
}
