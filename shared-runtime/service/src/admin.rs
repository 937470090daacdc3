//! The admin endpoints that every service has: `/health`, `/ready/read`, `/ready/write`, `/metrics`, `/config`,
//! `/buildinfo`.
//!
//! Knows: prometheus-client registries and readiness checks. Must not know: what is measured. Start at [`Admin`].

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::registry::Registry;
use serde_json::json;

/// `Ok` when ready, else why not (one line, public).
pub type Check = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What the admin endpoints of one service say.
pub struct Admin {
    /// Name of the service.
    pub name: &'static str,
    /// Its metrics; collectors registered here are asked at each scrape.
    pub registry: Registry,
    /// Whether it can answer reads.
    pub ready_read: Check,
    /// Whether it can take writes.
    pub ready_write: Check,
    /// The effective configuration, secrets redacted.
    pub config: String,
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Admin {
    /// An admin surface that is always ready; set the fields that differ.
    #[must_use]
    pub fn new(name: &'static str, config: String) -> Self {
        let ready: Check = Arc::new(|| Ok(()));
        Self {
            name,
            registry: Registry::default(),
            ready_read: Arc::clone(&ready),
            ready_write: ready,
            config,
        }
    }

    /// The routes.
    pub fn router(self) -> Router {
        Router::new()
            .route("/health", get(health))
            .route("/ready/read", get(|State(a): State<Arc<Self>>| async move { ready(&a.ready_read) }))
            .route("/ready/write", get(|State(a): State<Arc<Self>>| async move { ready(&a.ready_write) }))
            .route("/metrics", get(metrics))
            .route("/config", get(config))
            .route("/buildinfo", get(buildinfo))
            .with_state(Arc::new(self))
    }
}

async fn health(State(admin): State<Arc<Admin>>) -> Response {
    axum::Json(json!({ "status": "ok", "service": admin.name })).into_response()
}

fn ready(check: &Check) -> Response {
    match check() {
        Ok(()) => axum::Json(json!({ "ready": true })).into_response(),
        Err(reason) => {
            let body = axum::Json(json!({ "ready": false, "reason": reason }));
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], body).into_response()
        }
    }
}

async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    let mut text = String::new();
    if prometheus_client::encoding::text::encode(&mut text, &admin.registry).is_err() {
        return (StatusCode::INTERNAL_SERVER_ERROR, "metrics could not be written").into_response();
    }
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}

async fn config(State(admin): State<Arc<Admin>>) -> Response {
    ([(header::CONTENT_TYPE, "application/yaml; charset=utf-8")], admin.config.clone()).into_response()
}

async fn buildinfo(State(admin): State<Arc<Admin>>) -> Response {
    axum::Json(json!({
        "service": admin.name,
        "version": env!("CARGO_PKG_VERSION"),
        "target": format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        "debug_assertions": cfg!(debug_assertions),
    }))
    .into_response()
}
