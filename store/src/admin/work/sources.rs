//! What waits at each source of work, and how its worker is.

use super::queries;
use crate::{
    Store,
    error::{During, Error},
    jobs::{self, pulse::Workers, schedule},
    orders,
    world::{from_timestamp, to_timestamp},
};
use domain::{
    UnixMillis,
    work::{Pace, Said, SourceView},
};
use std::collections::HashMap;

const OPERATION: &str = "admin.work_sources";
/// Work that has been due for longer is a sign that its worker cannot follow.
const BEHIND_MS: i64 = 60_000;
/// One round that takes longer is worth a look.
const LONG_MS: i64 = 60_000;
/// Workers look for work every second or so; after failures in a row they rest for some.
const SILENT_MS: i64 = 30_000;

/// Workers in the order of what matters most, what they do, and the queues they drain; none: they keep watch.
const SOURCES: [(&str, &str, &[&str]); 18] = [
    ("orders.persist", "Accepted orders, to write down", &["placed"]),
    ("orders.expire", "Unpaid orders whose time is over", &["expiries"]),
    ("stock.gate_ops", "Copies that go back on sale", &["gate_ops"]),
    ("stock.load", "Watch over the gate", &[]),
    ("payments.inbox", "Webhooks that wait for their order", &["webhooks"]),
    ("payments.verify", "Payments and refunds to ask about", &["questions"]),
    ("outbox.payments", "Wishes for payment providers", &["payment.close", "refund.request"]),
    ("outbox.late_money", "Money that came late", &["payment.late"]),
    ("outbox.notices", "News of orders, for open pages", &["order.changed"]),
    ("outbox.mail", "Mails", &["mail.send"]),
    ("outbox.sms", "Short messages", &["sms.send"]),
    ("carts.persist", "Carts, to write down", &["carts"]),
    ("carts.told", "Carts to tell of changed books", &["book.changed"]),
    ("sandbox.deliver", "Webhooks of Sandbox Pay", &["sandbox"]),
    ("catalog.import", "Files of books", &[]),
    ("health.runs", "Checks and repairs asked for", &["runs"]),
    ("jobs.gauges", "Figures for alarms", &[]),
    ("jobs.pulse", "This page's figures", &[]),
];

/// One queue.
#[derive(Debug, Default)]
struct Queue {
    waiting: i64,
    first_due: Option<UnixMillis>,
    error: Option<String>,
}

pub(super) async fn all(store: &Store, workers: &Workers) -> Result<Vec<SourceView>, Error> {
    let (queues, now) = (queues(store).await?, store.now());
    let is_sandbox = store.config().sandbox.is_some();
    let known = SOURCES.iter().filter(|(name, ..)| is_sandbox || *name != "sandbox.deliver");
    let mut views: Vec<SourceView> = known
        .map(|(name, title, drains)| {
            let drained = drains.iter().filter_map(|queue| queues.get(*queue));
            view((name, title), (!drains.is_empty()).then(|| drained.collect()), workers, now)
        })
        .collect();
    // A worker that this list does not know yet; the schedules have a list of their own.
    let is_listed = |job: &str| SOURCES.iter().any(|(name, ..)| *name == job) || schedule::is_one(job);
    let others = workers.states.keys().filter(|job| !is_listed(job));
    views.extend(others.map(|job| view((job, job), None, workers, now)));
    Ok(views)
}

fn view((name, title): (&str, &str), queues: Option<Vec<&Queue>>, workers: &Workers, now: UnixMillis) -> SourceView {
    let of = |counts: &HashMap<String, i64>| counts.get(name).copied().unwrap_or(0);
    let first_due = queues.iter().flatten().filter_map(|queue| queue.first_due).min();
    let late_ms = first_due.map_or(0, |due| now.since(due).max(0));
    let waits = queues.iter().flatten().find_map(|queue| queue.error.clone());
    let last = workers.errors.get(name);
    let error = match (waits, last) {
        (Some(text), _) => Some(Said { at: None, text }),
        (None, Some(last)) => Some(Said { at: Some(UnixMillis::new(last.at)), text: last.said.clone() }),
        (None, None) => None,
    };
    SourceView {
        name: name.to_owned(),
        title: title.to_owned(),
        waiting: queues.map(|queues| queues.iter().map(|queue| queue.waiting).sum()),
        late_ms,
        per_minute: of(&workers.done),
        failed_per_minute: of(&workers.failed),
        error,
        pace: pace(name, workers, late_ms, now),
    }
}

fn pace(name: &str, workers: &Workers, late_ms: i64, now: UnixMillis) -> Pace {
    let Some(state) = workers.states.get(name) else { return Pace::Silent };
    match state.busy_since {
        since if since > 0 && now.get() - since > LONG_MS => Pace::Long,
        0 if now.get() - state.seen > SILENT_MS => Pace::Silent,
        _ if late_ms > BEHIND_MS => Pace::Behind,
        _ => Pace::Well,
    }
}

async fn queues(store: &Store) -> Result<HashMap<String, Queue>, Error> {
    let pg = store.postgres(OPERATION).await?;
    let rows = queries::queues(pg, to_timestamp(store.now())).await.during(OPERATION)?;
    let mut queues: HashMap<String, Queue> = rows
        .into_iter()
        .map(|row| {
            let first_due = row.first_due.map(from_timestamp);
            (row.queue, Queue { waiting: row.waiting, first_due, error: row.error })
        })
        .collect();
    let (dirty, late_ms) = jobs::dirty_carts(store).await?;
    let carts = Queue { waiting: count(dirty), first_due: Some(store.now().plus(-late_ms)), error: None };
    queues.insert("carts".to_owned(), carts);
    let placed = orders::placed::waiting(store).await?;
    queues.insert("placed".to_owned(), Queue { waiting: count(placed.count), first_due: placed.first, error: None });
    Ok(queues)
}

fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::pulse::State;

    #[test]
    fn how_a_worker_is() {
        let now = UnixMillis::new(1_000_000);
        let of = |seen, busy_since, late_ms| {
            let states = [("a".to_owned(), State { seen: now.get() - seen, busy_since })].into();
            pace("a", &Workers { states, ..Workers::default() }, late_ms, now)
        };
        assert_eq!(of(1_000, 0, 0), Pace::Well);
        assert_eq!(of(1_000, 0, BEHIND_MS + 1), Pace::Behind);
        assert_eq!(of(SILENT_MS + 1, 0, 0), Pace::Silent);
        assert_eq!(of(SILENT_MS + 1, now.get() - 10, 0), Pace::Well, "at work");
        assert_eq!(of(SILENT_MS + 1, now.get() - LONG_MS - 1, 0), Pace::Long);
        assert_eq!(pace("b", &Workers::default(), 0, now), Pace::Silent);
    }
}
