//! dashboard-gateway's own metrics.
//!
//! Knows: names and labels. Must not know: who counts. Start at [`Metrics`].

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// Which route, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Request {
    /// The route's pattern.
    pub(crate) route: String,
    /// HTTP status.
    pub(crate) status: u16,
}

/// Which route.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Route {
    /// The route's pattern.
    pub(crate) route: String,
}

/// How a login ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Login {
    /// `ok`, `wrong`, `limited` or `busy`.
    pub(crate) outcome: &'static str,
}

/// Which data source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Upstream {
    /// `traces` or `metrics`.
    pub(crate) source: &'static str,
}

/// Counters and histograms of one process.
#[derive(Debug)]
pub(crate) struct Metrics {
    requests: Family<Request, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
    /// Logins by how they ended.
    pub(crate) logins: Family<Login, Counter>,
    /// Requests of somebody who may not.
    pub(crate) refused: Counter,
    /// Proxied requests that got no usable answer.
    pub(crate) upstream_failures: Family<Upstream, Counter>,
}

fn durations() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 14))
}

impl Metrics {
    /// Registers everything as `dashboard_gateway_…`.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(durations),
            logins: Family::default(),
            refused: Counter::default(),
            upstream_failures: Family::default(),
        };
        let registry = registry.sub_registry_with_prefix("dashboard_gateway");
        registry.register("http_requests", "Answered HTTP requests", metrics.requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "Time until the head of an answer was ready",
            metrics.durations.clone(),
        );
        registry.register("logins", "Logins by outcome", metrics.logins.clone());
        registry.register("refused_requests", "Requests of somebody who may not", metrics.refused.clone());
        registry.register(
            "upstream_failures",
            "Proxied requests that got no usable answer",
            metrics.upstream_failures.clone(),
        );
        metrics
    }

    /// Counts one answered request.
    pub(crate) fn answered(&self, route: &str, status: u16, took: Duration) {
        let route = route.to_owned();
        self.durations.get_or_create(&Route { route: route.clone() }).observe(took.as_secs_f64());
        self.requests.get_or_create(&Request { route, status }).inc();
    }

    /// Counts one login.
    pub(crate) fn login(&self, outcome: &'static str) {
        self.logins.get_or_create(&Login { outcome }).inc();
    }
}
