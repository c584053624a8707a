//! For load balancers: `/healthz` says that the process lives, `/readyz` that it can sell, and if not, what to do.

use crate::sessions::Sessions;
use app::ssr::AppState;
use axum::{Extension, Json, extract::State, response::IntoResponse};
use http::StatusCode;
use serde_json::json;

pub async fn healthz() -> &'static str {
    "ok\n"
}

pub async fn readyz(State(state): State<AppState>, Extension(sessions): Extension<Sessions>) -> impl IntoResponse {
    let (mut probes, session_probe) = tokio::join!(store::health::ready(&state.store), sessions.probe());
    probes.push(session_probe);
    let is_ready = probes.iter().all(|probe| probe.problem.is_none());
    let probes: serde_json::Map<_, _> = probes
        .into_iter()
        .map(|probe| (probe.name.to_owned(), probe.problem.map_or(json!("ok"), Into::into)))
        .collect();
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": is_ready, "probes": probes })))
}
