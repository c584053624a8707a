//! Whether this process can serve: Postgres, its migrations, Redis and its policy.

use crate::Store;

/// One thing that readiness depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    pub name: &'static str,
    /// `None`: fine; otherwise one sentence that says what to do.
    pub problem: Option<String>,
}

/// Postgres answers, all migrations applied, Redis answers, `noeviction`, AOF on, gate loaded. At most 3 s.
pub async fn ready(store: &Store) -> Vec<Probe> {
    todo!()
}
