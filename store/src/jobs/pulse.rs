//! `jobs.pulse`: how the workers are. Each job counts in its process what it does and what goes wrong; once a second the
//! process says so in Redis, where the page about work finds all processes. What a process that dies had not said is lost.

use super::{Job, due::Due};
use crate::{
    Store,
    error::{During, Error},
};
use async_trait::async_trait;
use domain::UnixMillis;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

const EVERY_MS: i64 = 1_000;
const PAUSE: Duration = Duration::from_millis(250);
/// A process that was not heard of for so long is gone.
const GONE_MS: i64 = 15_000;
/// Counts of a minute are of no use after this.
const COUNTS_LIFE_S: i64 = 180;
const MINUTE_MS: i64 = 60_000;
/// Longest error kept, in characters.
const MAX_ERROR: usize = 500;

/// What the jobs of this process did since the process last told.
#[derive(Default)]
pub(crate) struct Pulse(Mutex<HashMap<&'static str, Beat>>);

#[derive(Default)]
struct Beat {
    done: i64,
    failed: i64,
    seen: i64,
    /// Rounds in hand, and since when there is one.
    in_hand: usize,
    busy_since: i64,
    error: Option<LastError>,
}

/// How a job is, as processes tell it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// When it last looked for work, ms.
    pub seen: i64,
    /// Since when it is at its present round, ms; 0: it is at none.
    pub busy_since: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastError {
    pub at: i64,
    pub said: String,
}

/// All processes together.
#[derive(Debug, Default)]
pub(crate) struct Workers {
    pub processes: usize,
    pub states: BTreeMap<String, State>,
    pub errors: HashMap<String, LastError>,
    /// Pieces done in the last minute, and rounds that failed.
    pub done: HashMap<String, i64>,
    pub failed: HashMap<String, i64>,
}

impl Pulse {
    /// It looks for work.
    pub fn seen(&self, job: &'static str, now: UnixMillis) {
        self.beats().entry(job).or_default().seen = now.get();
    }

    pub fn begins(&self, job: &'static str, now: UnixMillis) {
        let mut beats = self.beats();
        let beat = beats.entry(job).or_default();
        if beat.in_hand == 0 {
            beat.busy_since = now.get();
        }
        beat.in_hand += 1;
    }

    pub fn ends(&self, job: &'static str) {
        let mut beats = self.beats();
        let beat = beats.entry(job).or_default();
        beat.in_hand = beat.in_hand.saturating_sub(1);
    }

    pub fn did(&self, job: &'static str, pieces: u64) {
        self.beats().entry(job).or_default().done += i64::try_from(pieces).unwrap_or(i64::MAX);
    }

    pub fn failed(&self, job: &'static str, now: UnixMillis, error: &Error) {
        let said = error.chain().chars().take(MAX_ERROR).collect();
        let mut beats = self.beats();
        let beat = beats.entry(job).or_default();
        beat.failed += 1;
        beat.error = Some(LastError { at: now.get(), said });
    }

    fn beats(&self) -> MutexGuard<'_, HashMap<&'static str, Beat>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The job `jobs.pulse`.
#[derive(Default)]
pub(crate) struct TellPulse {
    due: Due,
}

#[async_trait]
impl Job for TellPulse {
    type Batch = ();

    fn name(&self) -> &'static str {
        "jobs.pulse"
    }

    async fn fetch(&self, store: &Store) -> Result<Option<()>, Error> {
        Ok(self.due.comes(store, EVERY_MS, PAUSE).await)
    }

    async fn handle(&self, store: &Store, (): ()) -> Result<(), Error> {
        tell(store).await
    }
}

/// Says what happened since the last time, and that this process lives.
pub(crate) async fn tell(store: &Store) -> Result<(), Error> {
    let (keys, now) = (store.keys(), store.now());
    let minute = now.get().div_euclid(MINUTE_MS);
    let (done, failed) = (keys.work_done(minute), keys.work_failed(minute));
    let mut states = BTreeMap::new();
    let mut pipe = redis::pipe();
    for (job, beat) in store.pulse().beats().iter_mut() {
        let busy_since = if beat.in_hand > 0 { beat.busy_since } else { 0 };
        states.insert((*job).to_owned(), State { seen: beat.seen, busy_since });
        for (key, count) in [(&done, &mut beat.done), (&failed, &mut beat.failed)] {
            if *count > 0 {
                pipe.hincr(key, *job, std::mem::take(count)).ignore();
            }
        }
        if let Some(error) = beat.error.take() {
            pipe.hset(keys.work_errors(), *job, json(&error)?).ignore();
        }
    }
    let process = store.process().to_string();
    pipe.zadd(keys.work_processes(), &process, now.get()).ignore();
    pipe.cmd("ZREMRANGEBYSCORE").arg(keys.work_processes()).arg("-inf").arg(now.plus(-GONE_MS).get()).ignore();
    let life = GONE_MS / 1000;
    pipe.cmd("SET").arg(keys.work_process(&process)).arg(json(&states)?).arg("EX").arg(life).ignore();
    pipe.expire(done, COUNTS_LIFE_S).ignore().expire(failed, COUNTS_LIFE_S).ignore();
    pipe.exec_async(&mut store.redis()).await.during("jobs.pulse")
}

/// What all processes said.
pub(crate) async fn read(store: &Store) -> Result<Workers, Error> {
    const OPERATION: &str = "jobs.read_pulse";
    type Counts = HashMap<String, i64>;
    let (keys, now) = (store.keys(), store.now());
    let minute = now.get().div_euclid(MINUTE_MS);
    let mut pipe = redis::pipe();
    pipe.zrangebyscore(keys.work_processes(), now.plus(-GONE_MS).get(), "+inf").hgetall(keys.work_errors());
    for key in [keys.work_done(minute), keys.work_done(minute - 1)] {
        pipe.hgetall(key);
    }
    for key in [keys.work_failed(minute), keys.work_failed(minute - 1)] {
        pipe.hgetall(key);
    }
    type Answer = (Vec<String>, HashMap<String, String>, Counts, Counts, Counts, Counts);
    let (processes, errors, done, done_before, failed, failed_before): Answer =
        pipe.query_async(&mut store.redis()).await.during(OPERATION)?;
    let mut workers = Workers { processes: processes.len(), ..Workers::default() };
    if !processes.is_empty() {
        let keys: Vec<String> = processes.iter().map(|process| keys.work_process(process)).collect();
        let told: Vec<Option<String>> =
            redis::cmd("MGET").arg(keys).query_async(&mut store.redis()).await.during(OPERATION)?;
        let told = told.iter().flatten().filter_map(|told| serde_json::from_str::<BTreeMap<String, State>>(told).ok());
        told.flatten().for_each(|(job, state)| workers.add(job, state));
    }
    workers.errors =
        errors.into_iter().filter_map(|(job, error)| Some((job, serde_json::from_str(&error).ok()?))).collect();
    let passed = now.get().rem_euclid(MINUTE_MS);
    workers.done = last_minute(done, done_before, passed);
    workers.failed = last_minute(failed, failed_before, passed);
    Ok(workers)
}

impl Workers {
    fn add(&mut self, job: String, state: State) {
        let known = self.states.entry(job).or_default();
        known.seen = known.seen.max(state.seen);
        known.busy_since = match (known.busy_since, state.busy_since) {
            (0, since) | (since, 0) => since,
            (one, other) => one.min(other),
        };
    }
}

/// This minute until now, and the part of the last one that is within sixty seconds.
fn last_minute(mut now: HashMap<String, i64>, before: HashMap<String, i64>, passed_ms: i64) -> HashMap<String, i64> {
    for (job, count) in before {
        *now.entry(job).or_default() += count * (MINUTE_MS - passed_ms) / MINUTE_MS;
    }
    now
}

fn json(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value).during("jobs.pulse")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_all_processes_do_is_seen_from_each() {
        let store = crate::testkit::store().await;
        assert_eq!(read(&store).await.unwrap().processes, 0);
        let (pulse, now) = (store.pulse(), store.now());
        pulse.seen("a.job", now);
        pulse.did("a.job", 3);
        pulse.begins("a.job", now.plus(-5_000));
        pulse.failed("b.job", now, &Error::unexpected("b.job", "no luck"));
        tell(&store).await.unwrap();
        pulse.did("a.job", 4);
        pulse.ends("a.job");
        tell(&store).await.unwrap();
        let workers = read(&store).await.unwrap();
        assert_eq!((workers.processes, workers.states["a.job"].seen), (1, now.get()));
        assert_eq!(workers.states["a.job"].busy_since, 0);
        assert_eq!(workers.errors["b.job"].said, "b.job: no luck");
        assert_eq!((workers.done["a.job"], workers.failed["b.job"]), (7, 1));
    }

    #[test]
    fn a_minute_slides_and_the_one_that_is_longest_at_it_counts() {
        let counts = |count| HashMap::from([("a".to_owned(), count)]);
        assert_eq!(last_minute(counts(10), counts(60), 15_000)["a"], 10 + 45);
        assert_eq!(last_minute(HashMap::new(), counts(60), 60_000)["a"], 0);
        let mut workers = Workers::default();
        for (seen, busy_since) in [(1, 0), (3, 900), (2, 500), (0, 0)] {
            workers.add("a".into(), State { seen, busy_since });
        }
        assert_eq!(workers.states["a"], State { seen: 3, busy_since: 500 });
    }
}
