//! How long somebody who works in the shop stays logged in: a shift, which ends after its hours, or before them when
//! nothing was asked of the shop for a while. Shoppers' sessions know nothing of it.

use axum_login::tower_sessions::{Session, session::Error};
use domain::UnixMillis;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// In the session.
const SHIFT: &str = "shift";
/// A session is written again after this part of the idle time.
const PARTS: i64 = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the login on.
    pub longest: Duration,
    /// From the last request on.
    pub idle: Duration,
}

/// When they logged in, and when they last asked for something.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Shift {
    since: UnixMillis,
    seen: UnixMillis,
}

/// At a login of somebody who works in the shop.
pub async fn begin(session: &Session, now: UnixMillis) -> Result<(), Error> {
    session.insert(SHIFT, Shift { since: now, seen: now }).await
}

/// Also of a login that never began one: nobody knows how old it is.
pub async fn is_over(session: &Session, limits: Limits, now: UnixMillis) -> Result<bool, Error> {
    let shift: Option<Shift> = session.get(SHIFT).await?;
    Ok(shift.is_none_or(|shift| shift.is_over(limits, now)))
}

/// When it will be over, should nothing be asked of the shop any more; `None`: there is none.
pub async fn ends(session: &Session, limits: Limits) -> Result<Option<UnixMillis>, Error> {
    let shift: Option<Shift> = session.get(SHIFT).await?;
    Ok(shift.map(|shift| shift.ends(limits)))
}

/// A person asked something of the shop.
pub async fn go_on(session: &Session, limits: Limits, now: UnixMillis) -> Result<(), Error> {
    match session.get::<Shift>(SHIFT).await? {
        Some(shift) if now.since(shift.seen) > millis(limits.idle) / PARTS => {
            session.insert(SHIFT, Shift { seen: now, ..shift }).await
        }
        _ => Ok(()),
    }
}

impl Shift {
    fn ends(self, limits: Limits) -> UnixMillis {
        self.since.plus(millis(limits.longest)).min(self.seen.plus(millis(limits.idle)))
    }

    fn is_over(self, limits: Limits, now: UnixMillis) -> bool {
        now >= self.ends(limits)
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_ends_by_its_hours_or_by_silence() {
        let limits = Limits { longest: Duration::from_secs(100), idle: Duration::from_secs(10) };
        let shift = |seen| Shift { since: UnixMillis::new(0), seen: UnixMillis::new(seen) };
        for (seen, now, is_over) in
            [(0, 9_999, false), (0, 10_000, true), (95_000, 99_999, false), (95_000, 100_000, true)]
        {
            assert_eq!(shift(seen).is_over(limits, UnixMillis::new(now)), is_over, "{seen} {now}");
        }
    }
}
