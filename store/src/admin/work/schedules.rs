//! What comes round by the clock: when it did, when it will, and what it found.

use super::queries::{self, ScheduleRow};
use crate::{
    Store,
    admin::audit::{self, Action},
    error::{During, Error},
    jobs::schedule::{self, Every},
    viewer::Viewer,
    world::{from_timestamp, to_timestamp},
};
use domain::{ApiError, work::ScheduleView};
use serde_json::Value;

const OPERATION: &str = "admin.schedules";
/// Figures of a report that are shown.
const MOST_FIGURES: usize = 12;
/// Of India, where the shop's people look at the clock.
const OFFSET_MINUTES: u32 = 330;

const TITLES: [(&str, &str); 10] = [
    ("carts.retry_parked", "Carts that were given up get another chance"),
    ("carts.abandoned", "Mails about forgotten carts"),
    ("carts.reconcile", "Compare the latest carts"),
    ("carts.reconcile_all", "Compare all carts"),
    ("carts.restore", "Bring back carts that Redis lost"),
    ("prune", "Throw away what is old and over"),
    ("stock.reconcile", "Compare the books that moved lately"),
    ("stock.reconcile_all", "Compare all books"),
    ("payments.reconcile", "Compare with the providers' statements"),
    ("refunds.again", "Ask again for refunds that were not made"),
];

pub(super) async fn all(store: &Store) -> Result<Vec<ScheduleView>, Error> {
    let rows = queries::schedules(store.postgres(OPERATION).await?).await.during(OPERATION)?;
    let now = to_timestamp(store.now());
    let views = schedule::all().into_iter().map(|schedule| {
        let row = rows.iter().find(|row| row.name == schedule.name);
        let title = TITLES.iter().find(|(name, _)| *name == schedule.name).map_or(schedule.name, |(_, title)| title);
        let moment = |pick: fn(&ScheduleRow) -> Option<time::OffsetDateTime>| row.and_then(pick).map(from_timestamp);
        ScheduleView {
            name: schedule.name.to_owned(),
            title: title.to_owned(),
            every: every(schedule.every),
            is_running: row.is_some_and(|row| row.leased_until.is_some_and(|until| until > now)),
            last_started_at: moment(|row| row.last_started_at),
            last_finished_at: moment(|row| row.last_finished_at),
            next_at: moment(|row| Some(row.next_at)),
            last_error: row.and_then(|row| row.last_error.clone()),
            report: row.and_then(|row| row.last_report.as_ref()).map(figures).unwrap_or_default(),
        }
    });
    Ok(views.collect())
}

/// Has the next turn begin now.
pub async fn run_now(store: &Store, admin: &Viewer, name: &str) -> Result<(), Error> {
    const OPERATION: &str = "admin.run_schedule";
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    if !schedule::make_due(store, &mut *tx, name).await? {
        return Err(ApiError::not_found("that schedule").into());
    }
    audit::note(&mut *tx, store, admin, Action::ScheduleRun, ("schedule", &name), Value::Null, Value::Null).await?;
    tx.commit().await.during(OPERATION)?;
    store.views().work.forget().await;
    Ok(())
}

fn every(every: Every) -> String {
    match every {
        Every::Seconds(3600) => "every hour".to_owned(),
        Every::Seconds(seconds) if seconds.is_multiple_of(60) => format!("every {} minutes", seconds / 60),
        Every::Seconds(seconds) => format!("every {seconds} seconds"),
        Every::DailyAt { hour, minute } => {
            let at = (u32::from(hour) * 60 + u32::from(minute) + OFFSET_MINUTES) % (24 * 60);
            format!("every day at {}:{:02}", at / 60, at % 60)
        }
    }
}

/// The numbers of a report, with what they are of, and what it says in words.
fn figures(report: &Value) -> Vec<(String, String)> {
    let mut figures = Vec::new();
    gather("", report, &mut figures);
    figures.truncate(MOST_FIGURES);
    figures
}

fn gather(name: &str, value: &Value, figures: &mut Vec<(String, String)>) {
    let words = |name: &str| name.replace('_', " ");
    match value {
        Value::Object(fields) => fields.iter().for_each(|(field, value)| {
            let name = if name.is_empty() { field.clone() } else { format!("{name} {field}") };
            gather(&name, value, figures);
        }),
        // Nothing of a kind is no news, except for what was looked at.
        Value::Number(number) if number.as_i64() == Some(0) && name.contains(' ') => {}
        Value::Number(number) => figures.push((words(name), number.to_string())),
        Value::String(text) => figures.push((words(name), text.clone())),
        Value::Array(lines) if !lines.is_empty() => figures.push((words(name), lines.len().to_string())),
        Value::Array(_) | Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn turns_are_said_in_the_shops_own_time() {
        assert_eq!(every(Every::Seconds(180)), "every 3 minutes");
        assert_eq!(every(Every::Seconds(3600)), "every hour");
        assert_eq!(every(Every::DailyAt { hour: 3, minute: 0 }), "every day at 8:30");
        assert_eq!(every(Every::DailyAt { hour: 23, minute: 45 }), "every day at 5:15");
    }

    #[test]
    fn every_schedule_has_a_title() {
        for schedule in schedule::all() {
            assert!(TITLES.iter().any(|(name, _)| *name == schedule.name), "{}", schedule.name);
        }
    }

    #[test]
    fn a_report_is_its_figures() {
        let report = json!({
            "books": 0, "drift": { "found": 2, "repaired": 2 }, "lost_entries": { "found": 0, "repaired": 0 },
            "skipped": null, "lines": ["a", "b"],
        });
        let said: Vec<String> = figures(&report).into_iter().map(|(name, figure)| format!("{name} {figure}")).collect();
        assert_eq!(said, ["books 0", "drift found 2", "drift repaired 2", "lines 2"]);
    }
}
