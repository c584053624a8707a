//! A circuit breaker for each provider: after some failures in a row nobody waits for it any more. One caller at a time
//! tries whether it is back.

use super::provider::{Headers, NewSession, Page, Provider, ProviderEvent, RefundState, Session, SessionState};
use crate::{Store, error::Error};
use async_trait::async_trait;
use domain::{ApiError, Currency, ErrorCode, Money, RefundId, UnixMillis};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Failures in a row after which the circuit is open.
const MOST_FAILURES: u32 = 5;
/// First and longest time for which nobody asks.
const FIRST_REST_MS: i64 = 2_000;
const LONGEST_REST_MS: i64 = 30_000;
/// Until somebody else may try when the one who tries says nothing: longer than any call takes.
const TRIAL_MS: i64 = 12_000;

/// The circuits of one process.
#[derive(Default)]
pub(crate) struct Breakers(Mutex<HashMap<&'static str, Circuit>>);

#[derive(Default)]
struct Circuit {
    failures: u32,
    /// Nobody asks until then.
    closed_to: Option<UnixMillis>,
}

impl Breakers {
    /// Whether a call may be made now.
    fn admit(&self, provider: &'static str, now: UnixMillis) -> Result<(), Error> {
        match self.circuits().get_mut(provider) {
            Some(circuit) if circuit.failures >= MOST_FAILURES && circuit.closed_to.is_some_and(|end| now < end) => {
                Err(unavailable())
            }
            Some(circuit) if circuit.failures >= MOST_FAILURES => {
                circuit.closed_to = Some(now.plus(TRIAL_MS));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn report(&self, provider: &'static str, is_away: bool, now: UnixMillis) {
        let mut circuits = self.circuits();
        let circuit = circuits.entry(provider).or_default();
        if !is_away {
            if circuit.failures >= MOST_FAILURES {
                tracing::info!(provider, "the payment provider is back");
            }
            *circuit = Circuit::default();
        } else {
            circuit.failures = circuit.failures.saturating_add(1);
            let doublings = circuit.failures.saturating_sub(MOST_FAILURES).min(8);
            circuit.closed_to = Some(now.plus((FIRST_REST_MS << doublings).min(LONGEST_REST_MS)));
            if circuit.failures == MOST_FAILURES {
                tracing::warn!(provider, "the payment provider is away: nobody waits for it any more");
            }
        }
        let is_open = f64::from(u8::from(circuit.failures >= MOST_FAILURES));
        metrics::gauge!("payment_provider_away", "provider" => provider).set(is_open);
    }

    /// Whether nobody waits for this provider now.
    pub fn is_open(&self, provider: &'static str) -> bool {
        self.circuits().get(provider).is_some_and(|circuit| circuit.failures >= MOST_FAILURES)
    }

    fn circuits(&self) -> MutexGuard<'_, HashMap<&'static str, Circuit>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unavailable() -> Error {
    let message = "This payment provider does not answer right now. Nothing was charged; please try again in a minute, \
        or choose another way to pay.";
    ApiError::new(ErrorCode::ProviderUnavailable, message).into()
}

/// A provider behind its breaker.
pub(super) struct Guarded {
    pub store: Store,
    pub provider: Box<dyn Provider>,
}

impl Guarded {
    async fn call<T>(&self, answer: impl Future<Output = Result<T, Error>> + Send) -> Result<T, Error> {
        let (breakers, name) = (self.store.breakers(), self.provider.name());
        breakers.admit(name, self.store.now())?;
        let answer = answer.await;
        let is_away = match &answer {
            Err(Error::Http { .. }) => true,
            Err(Error::Refused(refusal)) => refusal.code == ErrorCode::ProviderUnavailable,
            _ => false,
        };
        breakers.report(name, is_away, self.store.now());
        answer
    }
}

#[async_trait]
impl Provider for Guarded {
    fn name(&self) -> &'static str {
        self.provider.name()
    }

    fn takes(&self, currency: Currency) -> bool {
        self.provider.takes(currency)
    }

    async fn create(&self, session: &NewSession) -> Result<Session, Error> {
        self.call(self.provider.create(session)).await
    }

    async fn retrieve(&self, provider_ref: &str) -> Result<Option<Session>, Error> {
        self.call(self.provider.retrieve(provider_ref)).await
    }

    async fn close(&self, provider_ref: &str) -> Result<SessionState, Error> {
        self.call(self.provider.close(provider_ref)).await
    }

    async fn refund(&self, refund: RefundId, provider_ref: &str, amount: Money) -> Result<String, Error> {
        self.call(self.provider.refund(refund, provider_ref, amount)).await
    }

    async fn refund_state(&self, refund_ref: &str) -> Result<Option<RefundState>, Error> {
        self.call(self.provider.refund_state(refund_ref)).await
    }

    async fn list(&self, from: UnixMillis, until: UnixMillis, after: &str) -> Result<Page, Error> {
        self.call(self.provider.list(from, until, after)).await
    }

    async fn source(&self, capture_ref: &str) -> Result<Option<ProviderEvent>, Error> {
        self.call(self.provider.source(capture_ref)).await
    }

    fn authenticate(&self, headers: Headers<'_>, body: &[u8], now: UnixMillis) -> Result<(), &'static str> {
        self.provider.authenticate(headers, body, now)
    }

    fn read(&self, headers: Headers<'_>, body: &[u8]) -> Result<ProviderEvent, &'static str> {
        self.provider.read(headers, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(ms: i64) -> UnixMillis {
        UnixMillis::new(ms)
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_one_tries() {
        let breakers = Breakers::default();
        let admits = |ms| breakers.admit("p", at(ms)).is_ok();
        for failure in 0..4 {
            breakers.report("p", true, at(failure));
        }
        breakers.report("p", false, at(4));
        for failure in 0..5 {
            assert!(admits(10 + failure), "one answer closes it");
            breakers.report("p", true, at(10));
        }
        assert!(!admits(10) && !admits(2_009) && breakers.admit("q", at(10)).is_ok());
        assert!(admits(2_010));
        assert!(!admits(2_011), "one at a time");
        breakers.report("p", true, at(2_020));
        assert!(!admits(6_019) && admits(6_020) && admits(6_020 + TRIAL_MS), "longer, and a trial without a word");
        breakers.report("p", false, at(7_000));
        assert!(admits(7_000) && admits(7_001));
        for _ in 0..100 {
            breakers.report("p", true, at(8_000));
        }
        assert!(admits(8_000 + LONGEST_REST_MS));
    }
}
