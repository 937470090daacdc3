//! Jaeger's HTTP API on port 16686: v1 as Jaeger UI and Grafana use it, and reads of v3.
//!
//! Knows: routes, parameters, envelopes, error texts, statuses. Must not know: partitions, stores. Start at
//! [`routes`]; `v1` and `v3` are handlers, `answer` streams what they found.

mod answer;
mod params;
mod pretty;
mod refusal;
mod search;
mod v1;
mod v3;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use runtime_service::Pool;

use crate::backend::{Backend, Positions};
use crate::config::{Config, Limits};
use crate::metrics::Metrics;

use params::Params;
use refusal::Refusal;

/// Positions that an answer must include, as a write's answer gave them.
const POSITION_HEADER: &str = "x-yc-position";
/// The same as a query parameter, for clients that cannot set headers.
const POSITION_PARAM: &str = "min-position";

/// What handlers need.
#[derive(Debug)]
pub(crate) struct Room {
    backend: Arc<Backend>,
    /// Where traces are decoded and written.
    writers: Pool,
    limits: Limits,
    clock_skew_max: Duration,
    metrics: Arc<Metrics>,
}

impl Room {
    /// A room over `backend` that writes its answers in `writers`.
    pub(crate) fn new(config: &Config, backend: Arc<Backend>, writers: Pool, metrics: Arc<Metrics>) -> Self {
        Self {
            backend,
            writers,
            limits: config.limits,
            clock_skew_max: config.clock_skew_adjust_max,
            metrics,
        }
    }
}

/// All routes.
pub(crate) fn routes(room: Room) -> Router {
    let room = Arc::new(room);
    Router::new()
        .route("/", get(index))
        .route("/api/services", get(v1::services))
        .route("/api/services/{service}/operations", get(v1::operations_of))
        .route("/api/operations", get(v1::operations))
        .route("/api/traces", get(v1::search))
        .route("/api/traces/{id}", get(v1::trace))
        .route("/api/v3/services", get(v3::services))
        .route("/api/v3/operations", get(v3::operations))
        .route("/api/v3/traces", get(v3::search))
        .route("/api/v3/traces/{id}", get(v3::trace))
        .fallback(nowhere)
        .method_not_allowed_fallback(nowhere)
        .layer(middleware::from_fn_with_state(Arc::clone(&room), measured))
        .with_state(room)
}

async fn index() -> &'static str {
    "query-api serves Jaeger's HTTP API: /api/services, /api/operations, /api/traces, /api/traces/{id}, /api/v3/…\n"
}

/// Jaeger answers unknown API paths, and known ones with another method, with a plain 404.
async fn nowhere(uri: Uri) -> Response {
    if uri.path() == "/api" || uri.path().starts_with("/api/") {
        return (StatusCode::NOT_FOUND, "404 page not found\n").into_response();
    }
    let body = serde_json::json!({ "error": format!("nothing is served at {}", uri.path()) });
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

async fn measured(State(room): State<Arc<Room>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let began = Instant::now();
    let response = next.run(request).await;
    room.metrics.answered(&route, response.status().as_u16(), began.elapsed());
    response
}

/// The positions that the caller wants included.
fn positions(headers: &HeaderMap, params: &Params) -> Result<Positions, Refusal> {
    let mut positions = Positions::default();
    let from_headers = headers.get_all(POSITION_HEADER).iter().map(|v| v.to_str().unwrap_or("(no text)"));
    for text in from_headers.chain(params.all(POSITION_PARAM)) {
        positions.parse(text).map_err(|e| Refusal::invalid(e.to_string()))?;
    }
    Ok(positions)
}

/// Unix nanoseconds.
fn now() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX)
}
