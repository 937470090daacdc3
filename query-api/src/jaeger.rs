//! Jaeger's HTTP API on port 16686: v1 as Jaeger UI and Grafana use it, and reads of v3; the web app beside it.
//!
//! Knows: routes, parameters, envelopes, error texts, statuses. Must not know: partitions, stores. Start at
//! [`routes`]; `v1` and `v3` are handlers, `call` is what each begins with, `answer` streams what they found. The app's
//! own API is in [`crate::yc`].

mod answer;
pub(crate) mod call;
mod dependencies;
mod metrics;
pub(crate) mod params;
mod pretty;
pub(crate) mod refusal;
pub(crate) mod search;
mod transform;
mod v1;
pub(crate) mod v3;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use runtime_service::Pool;

use crate::backend::Backend;
use crate::config::{Config, Limits};
use crate::metrics::Metrics;
use crate::trace::skeleton::Cache;
use crate::{overview, web, yc};

/// What handlers need.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) backend: Arc<Backend>,
    /// Where traces are decoded and written.
    pub(crate) writers: Pool,
    pub(crate) limits: Limits,
    pub(crate) clock_skew_max: Duration,
    /// Skeletons that were answered last: rows are asked for by their numbers.
    pub(crate) skeletons: Cache,
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
            skeletons: Cache::new(config.limits.skeletons_bytes_max),
            metrics,
        }
    }
}

/// All routes.
pub(crate) fn routes(room: Room) -> Router {
    let room = Arc::new(room);
    let transform = post(transform::transform).layer(DefaultBodyLimit::max(transform::BODY_BYTES_MAX));
    Router::new()
        .route("/api/services", get(v1::services))
        .route("/api/services/{service}/operations", get(v1::operations_of))
        .route("/api/operations", get(v1::operations))
        .route("/api/dependencies", get(dependencies::dependencies))
        .route("/api/metrics/calls", get(metrics::calls))
        .route("/api/metrics/errors", get(metrics::errors))
        .route("/api/metrics/latencies", get(metrics::latencies))
        .route("/api/traces", get(v1::search))
        .route("/api/traces/{id}", get(v1::trace))
        .route("/api/archive/{id}", post(v1::archive))
        .route("/api/transform", transform)
        .route("/api/v3/services", get(v3::services))
        .route("/api/v3/operations", get(v3::operations))
        .route("/api/v3/traces", get(v3::search))
        .route("/api/v3/traces/{id}", get(v3::trace))
        .route("/api/v3/trace-summaries", get(v3::summaries))
        .merge(yc::routes())
        .merge(overview::routes())
        .fallback(web::app)
        .method_not_allowed_fallback(web::nowhere)
        .layer(web::compression())
        .layer(middleware::from_fn_with_state(Arc::clone(&room), measured))
        .with_state(room)
}

async fn measured(State(room): State<Arc<Room>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let began = Instant::now();
    let response = next.run(request).await;
    room.metrics.answered(&route, response.status().as_u16(), began.elapsed());
    response
}

/// Nanoseconds of a parameter in milliseconds; what lies before the epoch is the epoch.
fn millis(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0).saturating_mul(1_000_000)
}

/// Unix nanoseconds.
pub(crate) fn now() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX)
}
