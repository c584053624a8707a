//! Time and randomness, passed in so that tests can hold them still.

use domain::UnixMillis;
use uuid::Uuid;

/// Where the clock and chance come from.
pub trait World: Send + Sync + 'static {
    fn now(&self) -> UnixMillis;
    /// An id nobody can guess.
    fn uuid(&self) -> Uuid;
}

/// The real ones.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemWorld;

impl World for SystemWorld {
    #[expect(clippy::disallowed_methods, reason = "the one place where the clock is read")]
    fn now(&self) -> UnixMillis {
        let millis = time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
        UnixMillis::new(i64::try_from(millis).unwrap_or(i64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where ids are drawn")]
    fn uuid(&self) -> Uuid {
        Uuid::new_v4()
    }
}

/// The same moment as Postgres' timestamptz.
pub(crate) fn to_timestamp(at: UnixMillis) -> time::OffsetDateTime {
    let nanos = i128::from(at.get()) * 1_000_000;
    time::OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(time::OffsetDateTime::UNIX_EPOCH)
}

/// Postgres' timestamptz, cut to milliseconds.
pub(crate) fn from_timestamp(at: time::OffsetDateTime) -> UnixMillis {
    UnixMillis::new(i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).unwrap_or(i64::MAX))
}
