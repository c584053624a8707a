//! Moments and durations as people read them, in the shop's own time (India), the same on server and browser.

use domain::UnixMillis;

/// India has one time zone and no summer time.
const OFFSET_MS: i64 = (5 * 60 + 30) * 60 * 1000;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

struct Civil {
    year: i64,
    /// 1 to 12.
    month: usize,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

/// The calendar by Howard Hinnant's days-to-civil algorithm; a date library would outweigh the rest of this module.
fn civil(at: UnixMillis) -> Civil {
    let seconds = (at.get() + OFFSET_MS).div_euclid(1000);
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    Civil {
        year,
        month: usize::try_from(month).unwrap_or(1),
        day: doy - (153 * mp + 2) / 5 + 1,
        hour: rest / 3600,
        minute: rest / 60 % 60,
        second: rest % 60,
    }
}

/// `20 November 2025`
pub fn date(at: UnixMillis) -> String {
    let c = civil(at);
    format!("{} {} {}", c.day, MONTHS[c.month - 1], c.year)
}

/// `4:45 pm`
pub fn clock(at: UnixMillis) -> String {
    let c = civil(at);
    let (hour, half) = twelve(c.hour);
    format!("{hour}:{:02} {half}", c.minute)
}

/// `20 Nov, 4:30 pm`
pub fn moment(at: UnixMillis) -> String {
    let c = civil(at);
    format!("{} {}, {}", c.day, &MONTHS[c.month - 1][..3], clock(at))
}

/// `20 Nov, 16:30`, for columns.
pub fn short(at: UnixMillis) -> String {
    let c = civil(at);
    format!("{} {}, {:02}:{:02}", c.day, &MONTHS[c.month - 1][..3], c.hour, c.minute)
}

/// `2025-11-20T16:30:12+05:30`, for machines.
pub fn iso(at: UnixMillis) -> String {
    let c = civil(at);
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}+05:30", c.year, c.month, c.day, c.hour, c.minute, c.second)
}

/// The first moment of a day of the calendar: `2026-11-21`.
#[cfg(feature = "ssr")]
pub fn start_of_day(text: &str) -> Option<UnixMillis> {
    let mut parts = text.splitn(3, '-');
    let mut part = |length: usize| {
        let part = parts.next().filter(|part| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()));
        part?.parse::<i64>().ok()
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day - 1 - 719_468;
    let at = UnixMillis::new(days * 86_400_000 - OFFSET_MS);
    // A day that is none, like the 31st of June, would come back as another one.
    let c = civil(at);
    let is_day = (c.year, i64::try_from(c.month).ok()?, c.day) == (year, month, day);
    is_day.then_some(at)
}

/// `9:26`, or `1:09:26` from an hour on; never below `0:00`.
pub fn countdown(left_ms: i64) -> String {
    // Up: the last second is shown as 0:01, and 0:00 means over.
    let seconds = left_ms.max(0).saturating_add(999) / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// `40 s`, `12 min`, `5 h`, `3 d`: how long something has taken.
pub fn span(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    match seconds {
        0..90 => format!("{seconds} s"),
        90..5_400 => format!("{} min", (seconds + 30) / 60),
        5_400..129_600 => format!("{} h", (seconds + 1_800) / 3600),
        _ => format!("{} d", (seconds + 43_200) / 86_400),
    }
}

/// How much of the time from `start` to `end` is left at `now`, 0 to 100.
pub fn percent_left(start: UnixMillis, end: UnixMillis, now: UnixMillis) -> i64 {
    (end.since(now).saturating_mul(100) / end.since(start).max(1)).clamp(0, 100)
}

fn twelve(hour: i64) -> (i64, &'static str) {
    let half = if hour < 12 { "am" } else { "pm" };
    (if hour % 12 == 0 { 12 } else { hour % 12 }, half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countdowns_are_minutes_and_seconds() {
        let shown = [(900_000, "15:00"), (899_001, "15:00"), (566_000, "9:26"), (1, "0:01"), (0, "0:00"), (-5, "0:00")];
        for (left, text) in shown {
            assert_eq!(countdown(left), text);
        }
        assert_eq!(countdown(3_600_000), "1:00:00");
    }

    #[test]
    fn moments_are_in_indian_time() {
        let at = UnixMillis::new(1_763_636_412_000); // 2025-11-20T11:00:12Z
        assert_eq!(iso(at), "2025-11-20T16:30:12+05:30");
        assert_eq!((date(at), clock(at)), ("20 November 2025".into(), "4:30 pm".into()));
        assert_eq!((moment(at), short(at)), ("20 Nov, 4:30 pm".into(), "20 Nov, 16:30".into()));
        assert_eq!(iso(UnixMillis::new(0)), "1970-01-01T05:30:00+05:30");
        assert_eq!(iso(UnixMillis::new(951_762_600_000)), "2000-02-29T00:00:00+05:30");
        assert_eq!(clock(UnixMillis::new(951_762_600_000)), "12:00 am");
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn days_of_the_calendar_begin_at_midnight() {
        for day in ["2026-11-21", "2000-02-29", "1999-12-31", "2026-01-01", "2024-03-01"] {
            let at = start_of_day(day).map(iso);
            assert_eq!(at, Some(format!("{day}T00:00:00+05:30")));
        }
        for none in ["2026-02-29", "2026-13-01", "2026-00-10", "2026-6-1", "21-11-2026", "soon", ""] {
            assert_eq!(start_of_day(none), None, "{none}");
        }
    }

    #[test]
    fn spans_are_short() {
        let said = [-5, 89_999, 90_000, 5_399_000, 5_400_000, 129_600_000].map(span);
        assert_eq!(said, ["0 s", "89 s", "2 min", "90 min", "2 h", "2 d"]);
    }

    #[test]
    fn what_is_left_stays_between_the_ends() {
        let percent = |now| percent_left(UnixMillis::new(0), UnixMillis::new(1000), UnixMillis::new(now));
        assert_eq!([percent(-10), percent(0), percent(370), percent(2000)], [100, 100, 63, 0]);
    }
}
