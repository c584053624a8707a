//! The long-running commands: start the parts, wait for a signal, let everything in hand finish within ten seconds.

use crate::{config::Config, failure::Failure, live::Sockets, router, sessions::Sessions, telemetry::Metrics};
use app::ssr::{AppState, Assets, Shop};
use axum::serve::ListenerExt;
use axum_extra::extract::cookie::Key;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use store::{Store, live::Hub};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    task::JoinSet,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// Jobs give up after 8 s of their own; supervisors kill after 10 s.
const DRAIN: Duration = Duration::from_secs(9);
/// Longest wait for Postgres and Redis before the start is given up; whoever supervises the process begins anew then.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks for them.
const PAUSE: Duration = Duration::from_millis(500);
/// Longest wait for the catalogue before the doors open.
const WARM_UP: Duration = Duration::from_secs(10);

/// What this process does.
#[derive(Debug, Clone, Copy)]
pub struct Roles {
    pub web: bool,
    pub worker: bool,
}

type Parts = JoinSet<(&'static str, Result<(), Failure>)>;

pub async fn run(config: Config, roles: Roles) -> Result<(), Failure> {
    let stop = CancellationToken::new();
    // Before anything takes time: a signal during the start must end it, too.
    let signals = stop_on_signal(stop.clone())?;
    let mut parts = tokio::select! {
        parts = start(&config, roles, &stop) => parts?,
        () = stop.cancelled() => {
            tracing::info!("stopped before it was open");
            return Ok(());
        }
    };
    let outcome = first_end(&mut parts, &stop).await;
    stop.cancel();
    drain(&mut parts).await;
    signals.abort();
    tracing::info!("stopped");
    outcome
}

async fn start(config: &Config, roles: Roles, stop: &CancellationToken) -> Result<Parts, Failure> {
    let metrics = Metrics::open(config.metrics).await?;
    let store = patiently(PATIENCE, || crate::commands::ready(config)).await?;
    let mut parts: Parts = JoinSet::new();
    spawn(&mut parts, "metrics", metrics.serve(stop.clone()));
    if roles.web {
        warm_up(&store).await;
        start_web(&mut parts, config, store.clone(), stop.clone()).await?;
        spawn(&mut parts, "catalog", keep_warm(store.clone(), stop.clone()));
    }
    if roles.worker {
        let jobs = store::jobs::run(store, stop.clone());
        spawn(&mut parts, "jobs", async move { Ok(jobs.await?) });
        tracing::info!("working");
    }
    Ok(parts)
}

/// Servers that are away (the machine starts, or an outage lasts) are waited for; whatever else is wrong ends the start.
async fn patiently<T, F>(patience: Duration, open: impl Fn() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let end = Instant::now() + patience;
    loop {
        match open().await {
            Err(failure) if failure.may_pass() && Instant::now() < end => {
                tracing::warn!(%failure, "a server does not answer: waiting for it");
                tokio::time::sleep(PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}

fn spawn(parts: &mut Parts, name: &'static str, part: impl Future<Output = Result<(), Failure>> + Send + 'static) {
    parts.spawn(async move { (name, part.await) });
}

async fn start_web(parts: &mut Parts, config: &Config, store: Store, stop: CancellationToken) -> Result<(), Failure> {
    let sessions = Sessions::connect(&config.session_redis_url).await?;
    let listener = TcpListener::bind(config.addr)
        .await
        .map_err(|error| Failure::said(format!("BAZAR_ADDR: cannot listen on {}: {error}", config.addr)))?;
    let sockets = Sockets::new(Arc::new(config.base_url.clone()), config.shift, stop.clone());
    let state = AppState::new(Shop {
        hub: Hub::start(store.clone(), stop.clone()),
        store,
        cookie_key: Key::from(&config.cookie_key),
        secure_cookies: config.secure_cookies(),
        leptos_options: config.site.clone(),
        assets: Arc::new(Assets::read(&config.site)),
    });
    let router = router::build(config, state, sessions.clone(), sockets.clone());
    tracing::info!(addr = %config.addr, url = %config.base_url, "open");
    spawn(parts, "web", async move {
        // Without it a small answer waits for the client's delayed acknowledgement: 40 ms per page.
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let served = axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await;
        sockets.open.close();
        sockets.open.wait().await;
        sessions.close().await;
        served.map_err(|error| Failure::said(format!("the listener failed: {error}")))
    });
    Ok(())
}

/// Before the doors open and the workers ask for their work; [`keep_warm`] says what is wrong, should it fail.
async fn warm_up(store: &Store) {
    let _ = tokio::time::timeout(WARM_UP, store::catalog::warm(store)).await;
}

/// In the background, so that nobody waits for it.
async fn keep_warm(store: Store, stop: CancellationToken) -> Result<(), Failure> {
    stop.run_until_cancelled(store::catalog::keep_warm(&store)).await;
    Ok(())
}

/// Waits for the signal; a part that ends before it takes the process down, so that its supervisor starts a whole one.
async fn first_end(parts: &mut Parts, stop: &CancellationToken) -> Result<(), Failure> {
    tokio::select! {
        () = stop.cancelled() => Ok(()),
        ended = parts.join_next() => match ended {
            _ if stop.is_cancelled() => Ok(()),
            Some(Ok((name, Err(failure)))) => Err(Failure::said(format!("{name} ended: {failure}"))),
            Some(Ok((name, Ok(())))) => Err(Failure::said(format!("{name} ended by itself"))),
            Some(Err(error)) => Err(Failure::said(format!("a part of the process broke: {error}"))),
            None => Ok(()),
        },
    }
}

async fn drain(parts: &mut Parts) {
    let all = async {
        while let Some(ended) = parts.join_next().await {
            match ended {
                Ok((_, Ok(()))) => {}
                Ok((name, Err(failure))) => tracing::error!(part = name, %failure, "did not stop cleanly"),
                Err(error) => tracing::error!(%error, "a part broke while stopping"),
            }
        }
    };
    if tokio::time::timeout(DRAIN, all).await.is_err() {
        tracing::warn!("some work did not end in time; it is recorded and will be found again");
        parts.abort_all();
    }
}

/// SIGTERM and SIGINT ask to stop; the second one insists.
fn stop_on_signal(stop: CancellationToken) -> Result<tokio::task::JoinHandle<()>, Failure> {
    let failed = |error| Failure::said(format!("cannot listen for signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    Ok(tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("stopping: open requests and jobs may finish");
        stop.cancel();
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        std::process::exit(130);
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ApiError;
    use std::cell::Cell;
    use store::error::Error;

    /// A start that finds its servers away so often before it succeeds; how it ended, and the looks it took.
    async fn start(
        away: u32,
        patience: Duration,
        otherwise: Result<(), fn() -> Failure>,
    ) -> (Result<(), Failure>, u32) {
        let looks = Cell::new(0);
        let open = || async {
            looks.set(looks.get() + 1);
            match looks.get() <= away {
                true => Err(Failure::Store(Error::Refused(ApiError::not_ready()))),
                false => otherwise.map_err(|failure| failure()),
            }
        };
        (patiently(patience, open).await, looks.get())
    }

    #[tokio::test]
    async fn a_start_waits_for_servers_and_for_nothing_else() {
        assert!(matches!(start(2, PATIENCE, Ok(())).await, (Ok(()), 3)));
        assert!(matches!(start(u32::MAX, PAUSE / 2, Ok(())).await, (Err(_), 2)), "given up in the end");
        assert!(matches!(start(1, PATIENCE, Err(|| Failure::said("a wrong password"))).await, (Err(_), 2)));
    }
}
