//! `/metrics` for Prometheus, on a listener of its own: figures of the shop are nobody's business outside.

use crate::{config::MetricsAddr, failure::Failure};
use axum::{Router, routing::get};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Seconds; a cart edit takes one or two milliseconds, a page ten.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Histograms keep samples until somebody looks; nobody may ever.
const UPKEEP: Duration = Duration::from_secs(5);

/// The bound listener and what it serves.
pub struct Metrics {
    listener: Option<TcpListener>,
    handle: PrometheusHandle,
}

impl Metrics {
    pub async fn open(addr: MetricsAddr) -> Result<Self, Failure> {
        let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &BUCKETS);
        let handle = builder
            .and_then(PrometheusBuilder::install_recorder)
            .map_err(|error| Failure::said(format!("cannot collect metrics: {error}")))?;
        let listener = match addr {
            MetricsAddr::Off => None,
            MetricsAddr::Asked(addr) => Some(bind(addr).await?),
            MetricsAddr::Default(addr) => match bind(addr).await {
                Ok(listener) => Some(listener),
                Err(problem) => {
                    tracing::warn!("no metrics: {problem}; set BAZAR_METRICS_ADDR to another address, or to off");
                    None
                }
            },
        };
        Ok(Self { listener, handle })
    }

    pub async fn serve(self, stop: CancellationToken) -> Result<(), Failure> {
        let upkeep = keep_small(self.handle.clone(), stop.clone());
        let Some(listener) = self.listener else {
            upkeep.await;
            return Ok(());
        };
        let handle = self.handle;
        let router = Router::new().route("/metrics", get(move || std::future::ready(handle.render())));
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
        let (served, ()) = tokio::join!(served.into_future(), upkeep);
        served.map_err(|error| Failure::said(format!("the metrics listener failed: {error}")))
    }
}

async fn bind(addr: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(addr).await;
    bound.map_err(|error| Failure::said(format!("BAZAR_METRICS_ADDR: cannot listen on {addr}: {error}")))
}

async fn keep_small(handle: PrometheusHandle, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        tokio::select! {
            _ = ticks.tick() => handle.run_upkeep(),
            () = stop.cancelled() => return,
        }
    }
}
