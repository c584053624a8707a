//! What the process says about itself: logs, a span per request, metrics.

mod metrics;
mod requests;

pub use metrics::Metrics;
pub use requests::track;

use crate::config::LogFormat;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Libraries speak up only when something is wrong; their spans per request would repeat ours.
const DEFAULT_FILTER: &str = "info,apalis_core=warn,sqlx=warn,fred=warn,tower_sessions=warn,tower_sessions_core=warn,axum_login=warn,tower_http=warn,hyper=warn";

/// Logs go to standard error; standard output belongs to the answers of commands. `RUST_LOG` filters.
pub fn start_logs(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let registry = tracing_subscriber::registry().with(filter);
    // A second subscriber is refused (only tests could try); the first one stays.
    let _ = match format {
        LogFormat::Json => {
            let json = fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
            registry.with(json.with_writer(std::io::stderr)).try_init()
        }
        LogFormat::Text => {
            let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
            registry.with(fmt::layer().with_ansi(colours).with_writer(std::io::stderr)).try_init()
        }
    };
}
