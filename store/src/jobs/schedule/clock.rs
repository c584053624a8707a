//! When a schedule comes round next.

use domain::UnixMillis;
use uuid::Uuid;

const DAY_MS: i64 = 24 * 3600 * 1000;
/// Turns are late by up to a tenth of their period at random, but by no more than this: what began together (the
/// processes of one deployment, the jobs of one night) does not stay together.
const MOST_LATE_MS: i64 = 120_000;

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    Seconds(u32),
    /// Once a day, UTC.
    DailyAt {
        hour: u8,
        minute: u8,
    },
}

impl Every {
    /// The next turn after `now`.
    pub(super) fn next(self, now: UnixMillis, random: Uuid) -> UnixMillis {
        let (on_time, period) = match self {
            Self::Seconds(seconds) => {
                let period = i64::from(seconds.max(1)) * 1000;
                (now.plus(period), period)
            }
            Self::DailyAt { hour, minute } => {
                let at = (i64::from(hour) * 60 + i64::from(minute)) * 60_000;
                let wait = (at - now.get()).rem_euclid(DAY_MS);
                (now.plus(if wait == 0 { DAY_MS } else { wait }), DAY_MS)
            }
        };
        let chance = i64::from(random.as_bytes()[0]);
        on_time.plus((period / 10).min(MOST_LATE_MS) * chance / 255)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIDNIGHT: UnixMillis = UnixMillis::new(20_000 * DAY_MS);

    #[test]
    fn seconds_come_round_a_little_late() {
        let every = Every::Seconds(180);
        assert_eq!(every.next(MIDNIGHT, Uuid::nil()).since(MIDNIGHT), 180_000);
        assert_eq!(every.next(MIDNIGHT, Uuid::max()).since(MIDNIGHT), 198_000);
        assert_eq!(Every::Seconds(0).next(MIDNIGHT, Uuid::nil()).since(MIDNIGHT), 1000);
    }

    #[test]
    fn days_come_round_at_their_time_and_never_twice() {
        let (every, half_past_two) = (Every::DailyAt { hour: 2, minute: 30 }, 150 * 60_000);
        assert_eq!(every.next(MIDNIGHT, Uuid::nil()), MIDNIGHT.plus(half_past_two));
        let now = MIDNIGHT.plus(half_past_two);
        assert_eq!(every.next(now, Uuid::nil()), now.plus(DAY_MS));
        assert_eq!(every.next(now.plus(60_000), Uuid::max()), now.plus(DAY_MS + MOST_LATE_MS));
    }
}
