//! What can go wrong below the pages: a refusal meant for the person, or a failure meant for the log.

use domain::{ApiError, ErrorCode};

/// The error of every use case.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The person is told exactly this.
    #[error("refused: {0}")]
    Refused(#[from] ApiError),
    #[error("{operation}: postgres failed")]
    Postgres {
        operation: &'static str,
        #[source]
        source: sqlx::Error,
    },
    #[error("{operation}: redis failed")]
    Redis {
        operation: &'static str,
        #[source]
        source: redis::RedisError,
    },
    #[error("{operation}: http failed")]
    Http {
        operation: &'static str,
        #[source]
        source: reqwest::Error,
    },
    /// A payment provider does not let the shop in; only an operator can mend a key.
    #[error("{operation}: {message}")]
    NoAccess { operation: &'static str, message: String },
    #[error("{operation}: the message did not leave")]
    Message {
        operation: &'static str,
        #[source]
        source: crate::mail::Failure,
    },
    /// What the work began with is no longer so: it begins anew.
    #[error("{operation}: {message}")]
    Overtaken { operation: &'static str, message: &'static str },
    /// Data or an answer that is not what our own writers write.
    #[error("{operation}: {message}")]
    Unexpected { operation: &'static str, message: String },
}

impl Error {
    pub fn unexpected(operation: &'static str, message: impl Into<String>) -> Self {
        Self::Unexpected { operation, message: message.into() }
    }

    /// What a client may see: refusals as they are, everything else without internals.
    pub fn to_api(&self) -> ApiError {
        match self {
            Self::Refused(refusal) => refusal.clone(),
            Self::Redis { .. } => ApiError::not_ready(),
            Self::Http { .. } => ApiError::new(
                ErrorCode::ProviderUnavailable,
                "The payment provider does not answer right now. Nothing was charged; please try again in a minute.",
            ),
            Self::NoAccess { .. } => ApiError::new(
                ErrorCode::ProviderUnavailable,
                "This way of paying does not work right now. Nothing was charged; please choose another one, or try again later.",
            ),
            Self::Postgres { source, .. } if is_outage(source) || is_crowded(source) => ApiError::not_ready(),
            Self::Postgres { .. } | Self::Message { .. } | Self::Overtaken { .. } | Self::Unexpected { .. } => {
                ApiError::internal()
            }
        }
    }

    /// The error and what caused it, for records that have one column for it.
    pub(crate) fn chain(&self) -> String {
        chain(self)
    }

    /// Postgres cannot be reached, as opposed to: it said no.
    pub(crate) fn is_postgres_away(&self) -> bool {
        matches!(self, Self::Postgres { source, .. } if is_outage(source))
    }

    /// Somebody else keeps a row locked for too long.
    pub(crate) fn is_locked(&self) -> bool {
        let Self::Postgres { source, .. } = self else { return false };
        source.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == LOCK_TIMED_OUT)
    }

    /// A server is away or not itself yet, as opposed to: it said no.
    pub fn is_away(&self) -> bool {
        crate::jobs::is_away(self)
    }

    /// Whether this is the person's business and not a fault of ours.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

/// An error and what caused it, in one text; a cause that the text names already is not said again.
pub fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |cause| cause.source()).fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.contains(&cause) { text } else { format!("{text}: {cause}") }
    })
}

/// Postgres cannot be reached, as opposed to: it said no.
pub(crate) fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => true,
        // 57P0x: shutting down or starting up; 53300: too many connections.
        sqlx::Error::Database(db) => db.code().is_some_and(|c| c.starts_with("57P") || c == "53300"),
        _ => false,
    }
}

/// Postgres gave the statement up for the sake of others: a deadlock, or a wait that took too long (a rebuild of the
/// gate keeps everybody waiting). After an outage many deliveries are behind good work, so this must not park it.
pub(crate) fn is_crowded(error: &sqlx::Error) -> bool {
    const CROWDED: [&str; 5] = ["40001", "40P01", LOCK_TIMED_OUT, "57014", IDLE_TIMED_OUT];
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| CROWDED.contains(&&*code))
}

/// SQLSTATE of a transaction in which nothing was said for too long: this process, or the machine, stood still.
const IDLE_TIMED_OUT: &str = "25P03";

/// SQLSTATE of a lock that was not had in time.
const LOCK_TIMED_OUT: &str = "55P03";

/// Names the operation that failed, once, where the failure enters our code.
pub trait During<T> {
    fn during(self, operation: &'static str) -> Result<T, Error>;
}

impl<T> During<T> for Result<T, sqlx::Error> {
    fn during(self, operation: &'static str) -> Result<T, Error> {
        self.map_err(|source| Error::Postgres { operation, source })
    }
}

impl<T> During<T> for Result<T, redis::RedisError> {
    fn during(self, operation: &'static str) -> Result<T, Error> {
        self.map_err(|source| Error::Redis { operation, source })
    }
}

impl<T> During<T> for Result<T, reqwest::Error> {
    fn during(self, operation: &'static str) -> Result<T, Error> {
        self.map_err(|source| Error::Http { operation, source })
    }
}

impl<T> During<T> for Result<T, serde_json::Error> {
    fn during(self, operation: &'static str) -> Result<T, Error> {
        self.map_err(|source| Error::unexpected(operation, source.to_string()))
    }
}

impl<T> During<T> for Result<T, sqlx::migrate::MigrateError> {
    fn during(self, operation: &'static str) -> Result<T, Error> {
        self.map_err(|source| match source {
            sqlx::migrate::MigrateError::Execute(source) => Error::Postgres { operation, source },
            other => Error::unexpected(operation, other.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_slept_in_a_transaction_may_come_again() {
        let store = crate::testkit::store().await;
        let mut tx = store.pg().begin().await.unwrap();
        let brief = "SET LOCAL idle_in_transaction_session_timeout = '20ms'";
        sqlx::raw_sql(brief).execute(&mut *tx).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let error = sqlx::raw_sql("SELECT 1").execute(&mut *tx).await.during("test").unwrap_err();
        assert!(error.is_away() && error.to_api().code == ErrorCode::NotReady, "{error:?}");
    }
}
