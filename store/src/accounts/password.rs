//! Argon2id with its recommended cost (19 MiB, 2 passes), off the async threads and only a few at a time.

use crate::error::Error;
use argon2::{
    Argon2, PasswordHash, PasswordHasher, PasswordVerifier,
    password_hash::{self, SaltString},
};
use domain::{ApiError, ErrorCode, account::PASSWORD_MAX_BYTES};
use std::{num::NonZero, sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Longest wait for a turn; past it the shop is under a flood of logins.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// Compared with when there is no such account, so that the answer takes as long. Nobody knows its password.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$Ym9vay1iYXphci1ub2JvZHk$kH7dm9Wn4DUGaGPPJ8ZzJK1eTLbn8GL1p3yWlSnXhGQ";

pub(super) struct Hasher {
    turns: Arc<Semaphore>,
}

impl Default for Hasher {
    /// One per processor: more would only take memory.
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self { turns: Arc::new(Semaphore::new(processors)) }
    }
}

impl Hasher {
    /// A PHC string. `salt` only has to be new each time.
    pub async fn hash(&self, password: String, salt: uuid::Uuid) -> Result<String, Error> {
        self.run(move || {
            let salt = SaltString::encode_b64(salt.as_bytes())?;
            Ok(Argon2::default().hash_password(password.as_bytes(), &salt)?.to_string())
        })
        .await
    }

    /// Whether the password is the hashed one; never, but in the same time, without a hash.
    pub async fn fits(&self, password: String, hash: Option<String>) -> Result<bool, Error> {
        let possible = hash.is_some() && password.len() <= PASSWORD_MAX_BYTES;
        let matches = self.run(move || {
            let parsed = PasswordHash::new(hash.as_deref().unwrap_or(NOBODY))?;
            let password = password.as_bytes().get(..PASSWORD_MAX_BYTES).unwrap_or(password.as_bytes());
            match Argon2::default().verify_password(password, &parsed) {
                Err(password_hash::Error::Password) => Ok(false),
                other => other.map(|()| true),
            }
        });
        Ok(matches.await? && possible)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, password_hash::Error> + Send + 'static,
    ) -> Result<T, Error> {
        let turn = self.turn().await?;
        // The turn ends with the work, also when nobody waits for it any more.
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        });
        let result = done.await.map_err(|error| Error::unexpected("accounts.hash", error.to_string()))?;
        result.map_err(|error| Error::unexpected("accounts.hash", error.to_string()))
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, Error> {
        match tokio::time::timeout(MAX_WAIT, self.turns.clone().acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(ApiError::new(
                ErrorCode::TooManyRequests,
                "Very many people are logging in right now. Please try again in a minute.",
            )
            .into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_costs_what_everybody_costs() {
        let nobody = PasswordHash::new(NOBODY).expect("a hash");
        let salt = SaltString::encode_b64(b"0123456789abcdef").expect("a salt");
        let real = Argon2::default().hash_password(b"x", &salt).expect("hashed");
        assert_eq!((nobody.algorithm, nobody.version), (real.algorithm, real.version));
        assert_eq!(nobody.params, real.params);
        assert_eq!(nobody.hash.map(|h| h.len()), real.hash.map(|h| h.len()));
    }

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let hasher = Hasher::default();
        let hash = hasher.hash("correct horse".into(), uuid::Uuid::nil()).await.expect("hashed");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let fits = async |password: &str, hash| hasher.fits(password.into(), hash).await.expect("compared");
        assert!(fits("correct horse", Some(hash.clone())).await);
        assert!(!fits("correct horsE", Some(hash.clone())).await);
        assert!(!fits("correct horse", None).await);
        let longest = "p".repeat(PASSWORD_MAX_BYTES);
        let hash = hasher.hash(longest.clone(), uuid::Uuid::nil()).await.expect("hashed");
        assert!(fits(&longest, Some(hash.clone())).await);
        assert!(!fits(&(longest + "p"), Some(hash)).await, "what is cut off counts");
    }
}
