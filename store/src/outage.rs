//! Whether Postgres answers: one opinion for the whole process, so that not every request finds it out by waiting.
//!
//! A failure or an answer that is late only raises a doubt; a probe on a connection of its own decides. While the doubt
//! lasts (half a second at most) who has something else to go on with does so, and who has not waits for the verdict.
//! While Postgres is known to be away nobody waits, and the probe goes on until it answers.

use crate::error::{Error, is_outage};
use sqlx::{ConnectOptions, Connection, postgres::PgConnectOptions};
use std::{future::Future, time::Duration};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

/// Longest wait of who has something else to go on with; an answer that takes longer raises a doubt.
pub(crate) const BRIEF: Duration = Duration::from_secs(1);
/// Longest wait of who has not: for a connection of the pool, and for the statement.
pub(crate) const LONG: Duration = Duration::from_secs(8);

const PROBE_PATIENCE: Duration = Duration::from_millis(500);
const PROBE_EVERY: Duration = Duration::from_millis(400);
/// Between two verdicts, however many doubts there are.
const REST: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Answers,
    Doubted,
    Away,
}

/// The one opinion; its probe ends with it.
pub(crate) struct Outage {
    state: watch::Sender<State>,
    _prober: AbortOnDropHandle<()>,
}

impl Outage {
    pub fn of(server: PgConnectOptions) -> Self {
        Self::decided_by(move || {
            let server = server.clone();
            async move { answers(&server).await }
        })
    }

    fn decided_by<P, F>(probe: P) -> Self
    where
        P: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = bool> + Send + 'static,
    {
        let state = watch::Sender::new(State::Answers);
        let prober = tokio::spawn(decide(state.clone(), probe));
        Self { state, _prober: AbortOnDropHandle::new(prober) }
    }

    /// Follows the opinion from elsewhere: whether there is no doubt right now.
    pub fn follow(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let state = self.state.subscribe();
        move || *state.borrow() == State::Answers
    }

    pub fn no_doubt(&self) -> bool {
        *self.state.borrow() == State::Answers
    }

    /// Whether Postgres answers, as soon as that is decided.
    pub async fn is_over(&self) -> bool {
        if self.no_doubt() {
            return true;
        }
        let mut state = self.state.subscribe();
        state.wait_for(|state| *state != State::Doubted).await.is_ok_and(|state| *state == State::Answers)
    }

    /// What `answer` brings, as an outage error when Postgres is away or takes longer than `patience`. The future may be
    /// dropped before its end: only for reads.
    pub async fn ask<T>(
        &self,
        operation: &'static str,
        patience: Duration,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let away = || Error::Postgres { operation, source: sqlx::Error::PoolTimedOut };
        if !self.is_over().await {
            return Err(away());
        }
        let gone = async {
            sleep(BRIEF).await;
            self.doubt();
            let _ = self.state.subscribe().wait_for(|state| *state == State::Away).await;
        };
        tokio::select! {
            answer = timeout(patience, answer) => match answer {
                Ok(Err(Error::Postgres { operation, source })) if is_outage(&source) => {
                    self.doubt();
                    Err(Error::Postgres { operation, source })
                }
                Ok(answer) => answer,
                Err(_) => {
                    self.doubt();
                    Err(away())
                }
            },
            () = gone => Err(away()),
        }
    }

    fn doubt(&self) {
        self.state.send_if_modified(|state| {
            let is_news = *state == State::Answers;
            if is_news {
                *state = State::Doubted;
            }
            is_news
        });
    }
}

/// Decides every doubt, for ever.
async fn decide<F: Future<Output = bool>>(state: watch::Sender<State>, probe: impl Fn() -> F) {
    let mut doubts = state.subscribe();
    while doubts.wait_for(|state| *state != State::Answers).await.is_ok() {
        while !timeout(PROBE_PATIENCE, probe()).await.unwrap_or(false) {
            if state.send_replace(State::Away) != State::Away {
                metrics::gauge!("postgres_away").set(1);
                tracing::warn!("postgres does not answer: going on with what redis and this process hold");
            }
            sleep(PROBE_EVERY).await;
        }
        if state.send_replace(State::Answers) == State::Away {
            metrics::gauge!("postgres_away").set(0);
            tracing::info!("postgres answers again");
        }
        sleep(REST).await;
    }
}

/// Not by the pool: all its connections may be busy, or broken, while the server is well.
async fn answers(server: &PgConnectOptions) -> bool {
    let asked = async {
        let mut connection = server.connect().await?;
        sqlx::raw_sql("SELECT 1").execute(&mut connection).await?;
        connection.close().await
    };
    match asked.await {
        Ok(()) => true,
        // A server that refuses one more connection is there; one that is starting or stopping is not.
        Err(sqlx::Error::Database(refusal)) => refusal.code().is_some_and(|code| !code.starts_with("57P")),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::{
            Arc,
            atomic::{AtomicBool, AtomicUsize, Ordering},
        },
        time::Instant,
    };

    fn failure() -> Result<u32, Error> {
        Err(Error::Postgres { operation: "test", source: sqlx::Error::PoolTimedOut })
    }

    /// An opinion about a server that is there or not, and how often it was probed.
    fn outage(is_there: bool) -> (Outage, Arc<AtomicBool>, Arc<AtomicUsize>) {
        let (there, probes) = (Arc::new(AtomicBool::new(is_there)), Arc::new(AtomicUsize::new(0)));
        let (server, count) = (there.clone(), probes.clone());
        let outage = Outage::decided_by(move || {
            count.fetch_add(1, Ordering::Relaxed);
            let answer = server.load(Ordering::Relaxed);
            async move { answer }
        });
        (outage, there, probes)
    }

    #[tokio::test]
    async fn a_failure_is_believed_only_when_the_probe_fails_too() {
        let (outage, there, _) = outage(true);
        assert!(outage.ask("test", BRIEF, async { failure() }).await.is_err());
        assert!(!outage.no_doubt(), "doubted");
        assert_eq!(
            outage.ask("test", BRIEF, async { Ok(1) }).await.ok(),
            Some(1),
            "one broken connection is no outage"
        );
        there.store(false, Ordering::Relaxed);
        sleep(REST).await;
        assert!(outage.ask("test", BRIEF, async { failure() }).await.is_err());
        let started = Instant::now();
        assert!(outage.ask("test", LONG, async { Ok(1) }).await.is_err(), "not asked while it is away");
        assert!(started.elapsed() < BRIEF * 3);
        there.store(true, Ordering::Relaxed);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(outage.ask("test", BRIEF, async { Ok(2) }).await.ok(), Some(2), "over within a second");
    }

    #[tokio::test]
    async fn a_late_answer_is_waited_for_unless_postgres_is_away() {
        let (outage, there, probes) = outage(true);
        let late = || async {
            sleep(BRIEF * 2).await;
            Ok(1)
        };
        assert_eq!(outage.ask("test", LONG, late()).await.ok(), Some(1), "slow is not away");
        assert_eq!(probes.load(Ordering::Relaxed), 1);
        assert!(outage.ask("test", BRIEF, late()).await.is_err(), "who has a choice does not wait");
        sleep(Duration::from_secs(1)).await;
        there.store(false, Ordering::Relaxed);
        let started = Instant::now();
        let later = async {
            sleep(LONG).await;
            Ok(1)
        };
        assert!(outage.ask("test", LONG, later).await.is_err());
        assert!(started.elapsed() < LONG / 2, "given up with the verdict: {:?}", started.elapsed());
    }

    #[tokio::test]
    async fn refusals_of_statements_raise_no_doubt() {
        let (outage, ..) = outage(false);
        let refused = async { Err::<u32, _>(Error::unexpected("test", "broken")) };
        assert!(outage.ask("test", BRIEF, refused).await.is_err());
        assert!(outage.no_doubt());
    }

    #[tokio::test]
    async fn a_port_where_nobody_listens_does_not_answer() {
        let started = Instant::now();
        assert!(!answers(&PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(1)).await);
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}
