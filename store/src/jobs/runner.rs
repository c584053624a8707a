//! The adapter to apalis: each [`Job`] becomes a `CustomBackend`, whose tasks are the job's batches.
//!
//! apalis ends a worker when its fetcher yields nothing or an error, and sets no bound to what runs at once. So the
//! fetcher below only ever yields batches and waits through everything else; concurrency is a layer; handlers run on
//! tasks of their own, where a panic is caught; and a worker that ends all the same is started again, for ever.

use super::{Job, backoff};
use crate::{Store, error::Error};
use apalis::{
    layers::WorkerBuilderExt,
    prelude::{BackendBuilder, Monitor, ParallelizeExt, Task, WorkerBuilder},
};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use std::{convert::Infallible, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Failures in a row after which pauses no longer grow: a source is never left alone for longer than some seconds.
const MAX_STEPS: i32 = 4;
/// Pause after a job with nothing to do that did not pause itself.
const BREATH: Duration = Duration::from_millis(5);

/// Runs one job until `stop`; returns when its last batch is done.
pub(super) fn supervise<J: Job>(store: Store, job: J, stop: CancellationToken) -> BoxFuture<'static, ()> {
    let job = Arc::new(job);
    async move {
        let mut ended = 0;
        while !stop.is_cancelled() {
            let over = CancellationToken::new();
            let monitor = monitor(store.clone(), Arc::clone(&job), stop.clone(), over.clone());
            let context = monitor.context();
            let tell = async {
                over.cancelled().await;
                // A worker whose source has ended waits to be told, for ever if need be.
                let _ = context.shutdown();
                std::future::pending::<Infallible>().await
            };
            let outcome = tokio::select! {
                outcome = AssertUnwindSafe(monitor.run()).catch_unwind() => outcome,
                never = tell => match never {},
            };
            if !stop.is_cancelled() {
                ended += 1;
                tracing::error!(job = job.name(), ended, ?outcome, "a worker ended by itself; starting it again");
                metrics::counter!("job_workers_restarted_total", "job" => job.name()).increment(1);
                pause(&store, ended, &stop).await;
            }
        }
    }
    .boxed()
}

fn monitor<J: Job>(store: Store, job: Arc<J>, stop: CancellationToken, over: CancellationToken) -> Monitor {
    Monitor::new()
        .register(move |run| {
            let (fetching, handling) = ((store.clone(), Arc::clone(&job)), (store.clone(), Arc::clone(&job)));
            let (stop, over) = (stop.clone(), over.clone());
            let backend = BackendBuilder::new()
                .database(fetching)
                .fetcher(move |(store, job): &mut (Store, Arc<J>), _, _| {
                    batches(store.clone(), Arc::clone(job), stop.clone(), over.clone()).boxed()
                })
                .sink(|_, _| futures::sink::drain::<Task<J::Batch>>());
            #[expect(clippy::expect_used, reason = "database, fetcher, sink and configuration are all given above")]
            let backend = backend.build().expect("a complete backend");
            WorkerBuilder::new(format!("{}-{run}", job.name()))
                .backend(backend)
                .concurrency(job.concurrency())
                .parallelize(tokio::spawn)
                .catch_panic()
                .build(move |batch: J::Batch| handle(handling.0.clone(), Arc::clone(&handling.1), batch))
        })
        .should_restart(|_, _| true)
}

/// Batch after batch until `stop`; what is being fetched then is still handed out, so that nothing read is left lying.
/// After the last one it says so by `over`.
fn batches<J: Job>(
    store: Store,
    job: Arc<J>,
    stop: CancellationToken,
    over: CancellationToken,
) -> impl futures::Stream<Item = Result<Option<Task<J::Batch>>, Infallible>> + Send {
    stream::unfold((store, job, stop, over), |(store, job, stop, over)| async move {
        let mut failures = 0;
        while !stop.is_cancelled() {
            store.pulse().seen(job.name(), store.now());
            let fetched = AssertUnwindSafe(job.fetch(&store)).catch_unwind().await;
            match fetched.unwrap_or_else(|_| Err(Error::unexpected("jobs.fetch", "panicked"))) {
                Ok(Some(batch)) => return Some((Ok(Some(Task::new(batch))), (store, job, stop, over))),
                Ok(None) => {
                    failures = 0;
                    tokio::time::sleep(BREATH).await;
                }
                Err(error) => {
                    failures += 1;
                    fail(&store, job.name(), "fetch", failures, &error);
                    pause(&store, failures, &stop).await;
                }
            }
        }
        over.cancel();
        None
    })
}

async fn handle<J: Job>(store: Store, job: Arc<J>, batch: J::Batch) -> Result<(), Error> {
    let (started, pieces) = (tokio::time::Instant::now(), job.pieces(&batch));
    let in_hand = InHand::of(&store, job.name());
    let outcome = job.handle(&store, batch).await;
    drop(in_hand);
    metrics::histogram!("job_duration_seconds", "job" => job.name()).record(started.elapsed().as_secs_f64());
    match outcome {
        Ok(()) => {
            metrics::counter!("jobs_done_total", "job" => job.name()).increment(1);
            store.pulse().did(job.name(), pieces);
        }
        Err(error) => {
            fail(&store, job.name(), "handle", 1, &error);
            // The work is still due at its source: without a pause it would be fetched again at once.
            tokio::time::sleep(backoff(1, store.uuid())).await;
        }
    }
    Ok(())
}

/// A round that counts as in hand until it is dropped, by a panic too.
struct InHand<'a>(&'a Store, &'static str);

impl<'a> InHand<'a> {
    fn of(store: &'a Store, job: &'static str) -> Self {
        store.pulse().begins(job, store.now());
        Self(store, job)
    }
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.0.pulse().ends(self.1);
    }
}

fn fail(store: &Store, job: &'static str, step: &'static str, failures: i32, error: &Error) {
    store.pulse().failed(job, store.now(), error);
    metrics::counter!("jobs_failed_total", "job" => job).increment(1);
    tracing::error!(job, step, failures, error = error as &dyn std::error::Error, "a job failed");
}

async fn pause(store: &Store, failures: i32, stop: &CancellationToken) {
    let pause = backoff(failures.min(MAX_STEPS), store.uuid());
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        () = stop.cancelled() => {}
    }
}
