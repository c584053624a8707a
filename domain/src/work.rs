//! The work behind the shop as its people see it: what waits, what failed, what comes round by the clock.

use crate::UnixMillis;
use serde::{Deserialize, Serialize};

/// All that is at work now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkView {
    /// Processes with workers that were heard of within some seconds.
    pub processes: u32,
    pub sources: Vec<SourceView>,
    pub stuck: Vec<StuckView>,
    /// There are more of them than are listed.
    pub more_stuck: bool,
    pub schedules: Vec<ScheduleView>,
}

/// A kind of work, what waits of it, and the worker that does it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceView {
    /// The worker's name: `outbox.mail`.
    pub name: String,
    /// What it does, for people.
    pub title: String,
    /// `None`: it has no queue, it keeps watch.
    pub waiting: Option<i64>,
    /// For how long the piece that waits longest has been due.
    pub late_ms: i64,
    /// Pieces done within the last minute, and rounds that failed.
    pub per_minute: i64,
    pub failed_per_minute: i64,
    pub error: Option<Said>,
    pub pace: Pace,
}

/// What went wrong last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub at: Option<UnixMillis>,
    pub text: String,
}

/// How a worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// It looks for work, or does some.
    Well,
    /// It is there, and work has been due for over a minute.
    Behind,
    /// It has been at one piece for over a minute.
    Long,
    /// Nobody has heard of it.
    Silent,
}

/// A piece of work that failed and will be tried again, or that workers died with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StuckView {
    /// Where it is: one of the names that [`StuckView::source`] takes in the request to free it.
    pub source: String,
    pub key: String,
    /// What it is, for people.
    pub title: String,
    /// Failed attempts.
    pub attempts: i64,
    /// Times that somebody took it up and was not heard of again.
    pub leases: i64,
    /// When it is tried next; `None`: nobody knows.
    pub next_at: Option<UnixMillis>,
    pub error: Option<String>,
}

/// What comes round by the clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleView {
    pub name: String,
    pub title: String,
    /// `every 3 minutes`
    pub every: String,
    pub is_running: bool,
    pub last_started_at: Option<UnixMillis>,
    pub last_finished_at: Option<UnixMillis>,
    /// `None`: it is not planned yet.
    pub next_at: Option<UnixMillis>,
    pub last_error: Option<String>,
    /// What the last good turn counted: `drift.found 2`.
    pub report: Vec<(String, String)>,
}

/// A page of dead letters, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LettersPage {
    /// Of which source they are; empty: of all.
    pub source: String,
    /// The page begins before this id; `None`: with the newest.
    pub before: Option<i64>,
    pub letters: Vec<LetterRow>,
    /// Where the next page begins.
    pub next: Option<i64>,
    /// How many there are of each source that has any.
    pub counts: Vec<(String, i64)>,
}

/// Work that kept failing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterRow {
    pub id: i64,
    pub source: String,
    pub key: String,
    pub error: String,
    pub attempts: i64,
    pub first_failed_at: Option<UnixMillis>,
    pub last_failed_at: Option<UnixMillis>,
    pub parked_at: UnixMillis,
}

/// One dead letter, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterView {
    pub row: LetterRow,
    /// JSON for people to read.
    pub payload: String,
    /// `parked`, `retried` or `discarded`.
    pub state: String,
    pub ended_at: Option<UnixMillis>,
    /// Why it was discarded.
    pub reason: Option<String>,
    /// What discarding it brings about.
    pub consequence: String,
    pub may_retry: bool,
}

/// Queues and letters on one page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkPage {
    pub work: WorkView,
    pub letters: LettersPage,
    /// This person may try again, discard and run.
    pub may_run: bool,
}
