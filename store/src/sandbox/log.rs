//! What the hosted page shows of a payment's webhooks: each one, how often it was sent, and what the shop said.

use super::{
    press::Trick,
    queries::{self, LogRow},
};
use crate::{
    Store,
    error::{During, Error},
    world::from_timestamp,
};
use domain::UnixMillis;

/// Rows looked at: events of a payment are few, and each is sent a few times.
const MOST: i64 = 200;

/// A webhook of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    pub id: String,
    /// `payment.captured`
    pub kind: String,
    pub is_forged: bool,
    /// When it is sent next; `None`: it was taken, given up, or is never sent.
    pub next_at: Option<UnixMillis>,
    /// Oldest first.
    pub sendings: Vec<Sending>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    pub at: UnixMillis,
    /// The shop's answer, or why there was none.
    pub answer: Result<u16, String>,
}

/// Oldest first.
pub async fn log(store: &Store, payment: &str) -> Result<Vec<LogEntry>, Error> {
    let rows = queries::log(store.pg(), payment, MOST).await.during("sandbox.log")?;
    let mut log: Vec<LogEntry> = Vec::new();
    for row in rows {
        let sending = sending(&row);
        match log.last_mut() {
            Some(last) if last.id == row.id => last.sendings.extend(sending),
            _ => log.push(LogEntry {
                is_forged: row.trick.as_deref() == Some(Trick::Forged.as_str()),
                next_at: row.due_at.filter(|_| !row.is_done).map(from_timestamp),
                id: row.id,
                kind: row.kind,
                sendings: sending.into_iter().collect(),
            }),
        }
    }
    Ok(log)
}

fn sending(row: &LogRow) -> Option<Sending> {
    let status = row.status.and_then(|status| u16::try_from(status).ok());
    let answer = status.ok_or_else(|| row.error.clone().unwrap_or_else(|| "no answer".into()));
    row.at.map(|at| Sending { at: from_timestamp(at), answer })
}
