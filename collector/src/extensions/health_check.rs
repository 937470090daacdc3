//! `health_check`: answers on 13133 whether the collector runs.
//!
//! Knows: its keys, the body that the reference answers. Must not know: pipelines. Start at [`HealthCheckConfig`].

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::future::BoxFuture;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use runtime_service::serve::{Limits, Server};
use runtime_service::{Address, Listeners};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use crate::calendar::rfc3339;
use crate::component::{Component, ExtensionConfig, Host};
use crate::config::ComponentId;
use crate::endpoint::{self, Endpoint};

/// `extensions::health_check`.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct HealthCheckConfig {
    endpoint: String,
    path: String,
    response_body: Option<Bodies>,
    check_collector_pipeline: CheckPipeline,
}

impl Default for HealthCheckConfig {
    fn default() -> Self {
        HealthCheckConfig {
            endpoint: "localhost:13133".to_owned(),
            path: "/".to_owned(),
            response_body: None,
            check_collector_pipeline: CheckPipeline::default(),
        }
    }
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
struct Bodies {
    healthy: String,
    unhealthy: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
// The reference accepts these two and does nothing with them either.
struct CheckPipeline {
    enabled: bool,
    interval: String,
    exporter_failure_threshold: u64,
}

impl ExtensionConfig for HealthCheckConfig {
    fn validate(&self) -> Vec<String> {
        let mut problems: Vec<String> = Endpoint::parse(&self.endpoint).err().into_iter().collect();
        if !self.path.starts_with('/') {
            problems.push("path must start with /".to_owned());
        }
        if self.check_collector_pipeline.enabled {
            problems.push("check_collector_pipeline is not available: leave it out".to_owned());
        }
        problems
    }

    fn build(&self, _id: &ComponentId, host: &Host) -> anyhow::Result<Arc<dyn Component>> {
        Ok(Arc::new(HealthCheck {
            endpoint: Endpoint::parse(&self.endpoint).map_err(anyhow::Error::msg)?,
            path: self.path.clone(),
            bodies: self.response_body.clone(),
            host: host.clone(),
            bound: Mutex::default(),
            server: Mutex::default(),
        }))
    }
}

struct HealthCheck {
    endpoint: Endpoint,
    path: String,
    bodies: Option<Bodies>,
    host: Host,
    bound: Mutex<Option<Listeners>>,
    server: Mutex<Option<Server>>,
}

#[derive(Clone)]
struct Health {
    host: Host,
    bodies: Option<Bodies>,
    since: SystemTime,
    begin: Instant,
}

async fn health(State(health): State<Arc<Health>>) -> Response {
    let up = health.host.ready.load(Ordering::Acquire);
    let code = if up { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    if let Some(bodies) = &health.bodies {
        let body = if up { bodies.healthy.clone() } else { bodies.unhealthy.clone() };
        return (code, [(CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response();
    }
    let body = if up {
        let uptime = health.begin.elapsed();
        let uptime = format!("{}.{:03}s", uptime.as_secs(), uptime.subsec_millis());
        json!({ "status": "Server available", "upSince": rfc3339(health.since), "uptime": uptime })
    } else {
        json!({ "status": "Server not available", "upSince": "0001-01-01T00:00:00Z", "uptime": "" })
    };
    (code, axum::Json(body)).into_response()
}

impl Component for HealthCheck {
    fn bind(&self) -> BoxFuture<'_, anyhow::Result<Vec<Address>>> {
        Box::pin(async {
            let listeners = endpoint::bind(&self.host.ctx, "health check", &self.endpoint).await?;
            let address =
                Address { what: "health check", url: format!("http://{}{}", listeners.addr(), self.path) };
            *self.bound.lock().unwrap_or_else(PoisonError::into_inner) = Some(listeners);
            Ok(vec![address])
        })
    }

    fn start(&self) -> anyhow::Result<()> {
        let Some(listeners) = self.bound.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return Ok(());
        };
        let state = Health {
            host: self.host.clone(),
            bodies: self.bodies.clone(),
            since: SystemTime::now(),
            begin: Instant::now(),
        };
        let router = Router::new().route(&self.path, get(health)).with_state(Arc::new(state));
        let server = Server::start(&self.host.tasks, "health check", listeners, router, Limits::default());
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
        Ok(())
    }

    fn stop(&self) -> BoxFuture<'_, anyhow::Result<()>> {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        Box::pin(async move {
            if let Some(server) = server {
                let _keep_alive_connections_are_cut =
                    tokio::time::timeout(Duration::from_secs(1), server.stop()).await;
            }
            Ok(())
        })
    }
}
