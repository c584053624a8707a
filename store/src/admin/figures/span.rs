//! A time that somebody chose, in whole days of the shop's own time (India: no summer time).

use domain::{ApiError, ErrorCode, UnixMillis};
use std::collections::BTreeMap;
use time::{Date, Month, OffsetDateTime, UtcOffset};

const DAY_MS: i64 = 24 * 3600 * 1000;
const HOUR_MS: i64 = 3600 * 1000;
/// Half past five.
const OFFSET_S: i32 = (5 * 60 + 30) * 60;
/// Longest time, in days.
const MOST_DAYS: i64 = 366;
/// Up to so many days each has a bar of its own; after that each week.
const MOST_BARS: i64 = 92;

/// The last so many days, today included; or the days that were typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Span {
    Last(u16),
    Days { first: Date, last: Date },
}

/// What one bar of a chart stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Hour,
    Day,
    Week,
}

impl Span {
    /// `period`: `today`, `7`, `30` or `90`; empty: from and to as `2026-11-21`, both empty: a week.
    pub fn parse(period: &str, from: &str, to: &str) -> Result<Self, ApiError> {
        match (period, from, to) {
            ("today", ..) => return Ok(Self::Last(1)),
            ("7", ..) | ("", "", "") => return Ok(Self::Last(7)),
            ("30", ..) => return Ok(Self::Last(30)),
            ("90", ..) => return Ok(Self::Last(90)),
            _ => {}
        }
        let mut wrong = BTreeMap::new();
        let mut day = |name: &str, text: &str| {
            let parsed = read(text).filter(|day| (2000..2200).contains(&day.year()));
            if parsed.is_none() {
                wrong.insert(name.to_owned(), "A day like 2026-11-21.".to_owned());
            }
            parsed.unwrap_or(Date::MIN)
        };
        let (first, last) = (day("from", from), day("to", to));
        if !wrong.is_empty() {
            return Err(ApiError::fields(wrong));
        }
        let days = (last - first).whole_days() + 1;
        let said = match days {
            ..=0 => "The first day comes after the last one.",
            _ if days > MOST_DAYS => "At most a year at once.",
            _ => return Ok(Self::Days { first, last }),
        };
        Err(ApiError::new(ErrorCode::InvalidFields, said).field("from", said))
    }

    /// From the first midnight until now, or until the last one.
    pub(super) fn moments(self, now: UnixMillis) -> (UnixMillis, UnixMillis) {
        match self {
            Self::Last(days) => (midnight(now).plus(-(i64::from(days) - 1) * DAY_MS), now),
            Self::Days { first, .. } => (start_of(first), self.end(now)),
        }
    }

    /// The midnight after its last day.
    pub(super) fn end(self, now: UnixMillis) -> UnixMillis {
        match self {
            Self::Last(_) => midnight(now).plus(DAY_MS),
            Self::Days { last, .. } => start_of(last).plus(DAY_MS),
        }
    }

    fn days(self) -> i64 {
        match self {
            Self::Last(days) => i64::from(days),
            Self::Days { first, last } => (last - first).whole_days() + 1,
        }
    }

    pub(super) const fn period(self) -> &'static str {
        match self {
            Self::Last(1) => "today",
            Self::Last(7) => "7",
            Self::Last(30) => "30",
            Self::Last(90) => "90",
            _ => "",
        }
    }

    pub(super) fn first_day(self, now: UnixMillis) -> String {
        iso(date(self.moments(now).0))
    }

    pub(super) fn last_day(self, now: UnixMillis) -> String {
        iso(date(self.end(now).plus(-1)))
    }

    pub(super) fn label(self, now: UnixMillis) -> String {
        match self {
            Self::Last(1) => "today".to_owned(),
            Self::Last(days) => format!("the last {days} days"),
            Self::Days { .. } if self.days() == 1 => day(date(self.moments(now).0)),
            Self::Days { first, last } => format!("{} to {}", day(first), day(last)),
        }
    }

    pub(super) fn before_label(self) -> String {
        match (self, self.days()) {
            (Self::Last(1), _) => "yesterday until this time".to_owned(),
            (_, 1) => "the day before".to_owned(),
            (_, days) => format!("the {days} days before"),
        }
    }

    pub(super) fn step(self) -> Step {
        match self.days() {
            1 => Step::Hour,
            ..=MOST_BARS => Step::Day,
            _ => Step::Week,
        }
    }

    /// When each bar begins, and what is written under it.
    pub(super) fn steps(self, now: UnixMillis) -> Vec<(UnixMillis, String)> {
        let (from, end) = (self.moments(now).0, self.end(now));
        let (first, every) = match self.step() {
            Step::Hour => (from, HOUR_MS),
            Step::Day => (from, DAY_MS),
            Step::Week => {
                let since_monday = i64::from(date(from).weekday().number_days_from_monday());
                (from.plus(-since_monday * DAY_MS), 7 * DAY_MS)
            }
        };
        let label = |at: UnixMillis| match self.step() {
            Step::Hour => format!("{}:00", at.since(from) / HOUR_MS),
            Step::Day | Step::Week => short(date(at)),
        };
        let starts = std::iter::successors(Some(first), |at| Some(at.plus(every)).filter(|at| *at < end));
        starts.map(|at| (at, label(at))).collect()
    }
}

impl Step {
    /// As `date_trunc` calls it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
        }
    }
}

/// The midnight that this day began with.
pub(super) fn midnight(at: UnixMillis) -> UnixMillis {
    start_of(date(at))
}

fn offset() -> UtcOffset {
    UtcOffset::from_whole_seconds(OFFSET_S).unwrap_or(UtcOffset::UTC)
}

fn date(at: UnixMillis) -> Date {
    crate::world::to_timestamp(at).to_offset(offset()).date()
}

fn start_of(day: Date) -> UnixMillis {
    crate::world::from_timestamp(OffsetDateTime::new_in_offset(day, time::Time::MIDNIGHT, offset()))
}

/// `2026-11-21`
fn read(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()
}

fn iso(day: Date) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
}

fn short(day: Date) -> String {
    format!("{} {}", day.day(), &month(day.month())[..3])
}

fn day(day: Date) -> String {
    format!("{} {} {}", day.day(), month(day.month()), day.year())
}

fn month(month: Month) -> String {
    month.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 20 November 2025, 16:30:12 in India.
    const NOW: UnixMillis = UnixMillis::new(1_763_636_412_000);
    const MIDNIGHT: i64 = 1_763_577_000_000;

    #[test]
    fn days_begin_at_midnight_in_india() {
        let week = Span::parse("7", "", "").unwrap();
        assert_eq!(week.moments(NOW), (UnixMillis::new(MIDNIGHT - 6 * DAY_MS), NOW));
        assert_eq!((week.first_day(NOW), week.last_day(NOW)), ("2025-11-14".into(), "2025-11-20".into()));
        let typed = Span::parse("", "2025-11-20", "2025-11-20").unwrap();
        assert_eq!(typed.moments(NOW), (UnixMillis::new(MIDNIGHT), UnixMillis::new(MIDNIGHT + DAY_MS)));
        assert_eq!((typed.label(NOW), typed.before_label()), ("20 November 2025".into(), "the day before".into()));
    }

    #[test]
    fn what_was_typed_wrong_is_named() {
        for (from, to) in
            [("2025-11-21", "2025-11-20"), ("2025-01-01", "2026-02-01"), ("x", "2025-11-20"), ("2025-11-20", "")]
        {
            let wrong = Span::parse("", from, to).unwrap_err();
            assert!(!wrong.fields.is_empty(), "{from} {to}");
        }
        assert_eq!(Span::parse("", "", ""), Ok(Span::Last(7)));
    }

    #[test]
    fn each_bar_has_its_start() {
        let of = |period| Span::parse(period, "", "").unwrap().steps(NOW);
        let today = of("today");
        assert_eq!((today.len(), today[0].1.as_str(), today[23].1.as_str()), (24, "0:00", "23:00"));
        let month = of("30");
        assert_eq!((month.len(), month[29].1.as_str(), month[29].0.get()), (30, "20 Nov", MIDNIGHT));
        let year = Span::parse("", "2025-01-01", "2025-12-31").unwrap().steps(NOW);
        assert_eq!((year.len(), year[0].1.as_str()), (53, "30 Dec"), "weeks begin on Mondays");
    }
}
