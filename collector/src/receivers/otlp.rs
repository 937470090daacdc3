//! `otlp`: OTLP over gRPC and over HTTP (protobuf and JSON), both protocols on both ports.
//!
//! Knows: its keys, its two servers. Must not know: what stands behind its outputs. A request passes `http` or `grpc`
//! (transport), `body` (bounded reading), `inflate` (bounded decompression), `intake` (validation and hand-over), and is
//! answered in its own encoding. Start at [`OtlpConfig`], then `intake`.

mod body;
mod config;
mod cors;
mod grpc;
mod http;
mod inflate;
mod intake;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use futures_util::future::BoxFuture;
use runtime_service::serve::{Limits, Server};
use runtime_service::{Address, Listeners};

pub(crate) use config::OtlpConfig;

use self::intake::Intake;
use crate::component::{Component, Host, Outputs, ReceiverConfig};
use crate::config::ComponentId;
use crate::endpoint::{self, Endpoint};

impl ReceiverConfig for OtlpConfig {
    fn validate(&self) -> Vec<String> {
        self.problems()
    }

    fn build(&self, id: &ComponentId, outputs: Outputs, host: &Host) -> anyhow::Result<Arc<dyn Component>> {
        let mut ports = Vec::new();
        if let Some(grpc) = &self.protocols.grpc.0 {
            let limits = Limits {
                streams_max: grpc.max_concurrent_streams,
                connection_age_max: grpc.connection_age_max(),
                ..Limits::default()
            };
            ports.push(Port { what: "OTLP gRPC", endpoint: parse(&grpc.endpoint)?, limits });
        }
        if let Some(http) = &self.protocols.http.0 {
            let mut limits = Limits { header_timeout: http.header_timeout(), ..Limits::default() };
            if let Some(grpc) = &self.protocols.grpc.0 {
                limits.streams_max = grpc.max_concurrent_streams;
            }
            ports.push(Port { what: "OTLP HTTP", endpoint: parse(&http.endpoint)?, limits });
        }
        let intake = Arc::new(Intake::new(self, id, outputs, host));
        Ok(Arc::new(Otlp {
            ports,
            intake,
            host: host.clone(),
            bound: Mutex::default(),
            servers: Mutex::default(),
        }))
    }
}

fn parse(text: &str) -> anyhow::Result<Endpoint> {
    Endpoint::parse(text).map_err(anyhow::Error::msg)
}

struct Port {
    what: &'static str,
    endpoint: Endpoint,
    limits: Limits,
}

struct Otlp {
    ports: Vec<Port>,
    intake: Arc<Intake>,
    host: Host,
    bound: Mutex<Vec<(&'static str, Listeners, Limits)>>,
    servers: Mutex<Vec<Server>>,
}

/// Requests under way when the drain begins have this long to be answered.
const DRAIN_MAX: Duration = Duration::from_secs(5);

impl Component for Otlp {
    fn bind(&self) -> BoxFuture<'_, anyhow::Result<Vec<Address>>> {
        Box::pin(async {
            let mut addresses = Vec::new();
            for port in &self.ports {
                let listeners = endpoint::bind(&self.host.ctx, port.what, &port.endpoint).await?;
                addresses.push(Address { what: port.what, url: format!("http://{}", listeners.addr()) });
                let mut bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
                bound.push((port.what, listeners, port.limits.clone()));
            }
            Ok(addresses)
        })
    }

    fn start(&self) -> anyhow::Result<()> {
        let bound = std::mem::take(&mut *self.bound.lock().unwrap_or_else(PoisonError::into_inner));
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        for (what, listeners, limits) in bound {
            let intake = self.intake.clone();
            let router = Router::new().fallback(move |request: Request| {
                let intake = intake.clone();
                async move { intake.answer(request).await }
            });
            servers.push(Server::start(&self.host.tasks, what, listeners, router, limits));
        }
        Ok(())
    }

    fn stop(&self) -> BoxFuture<'_, anyhow::Result<()>> {
        let servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async move {
            let all = futures_util::future::join_all(servers.iter().map(Server::stop));
            if tokio::time::timeout(DRAIN_MAX, all).await.is_err() {
                let open: usize = servers.iter().map(Server::connections).sum();
                tracing::warn!(open, "connections were still open when the drain's time was over");
            }
            Ok(())
        })
    }
}
