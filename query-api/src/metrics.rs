//! query-api's own metrics.
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

/// Which store, by its endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Peer {
    /// As configured.
    pub(crate) endpoint: String,
}

/// Counters and histograms of one process.
#[derive(Debug)]
pub(crate) struct Metrics {
    requests: Family<Request, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
    /// Answers that lacked something.
    pub(crate) partial: Counter,
    /// Calls to stores that failed or were given up.
    pub(crate) store_failures: Family<Peer, Counter>,
    /// Second calls of a read because the first was slow.
    pub(crate) hedges: Counter,
}

fn durations() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 14))
}

impl Metrics {
    /// Registers everything as `query_api_…`.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(durations),
            partial: Counter::default(),
            store_failures: Family::default(),
            hedges: Counter::default(),
        };
        let registry = registry.sub_registry_with_prefix("query_api");
        registry.register("http_requests", "Answered HTTP requests", metrics.requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "Time until the head of an answer was ready",
            metrics.durations.clone(),
        );
        registry.register("partial_answers", "Answers that lacked something", metrics.partial.clone());
        registry.register("store_failures", "Calls to stores that failed", metrics.store_failures.clone());
        registry.register("hedged_reads", "Reads sent to a second holder", metrics.hedges.clone());
        metrics
    }

    /// Counts one answered request.
    pub(crate) fn answered(&self, route: &str, status: u16, took: Duration) {
        let route = route.to_owned();
        self.durations.get_or_create(&Route { route: route.clone() }).observe(took.as_secs_f64());
        self.requests.get_or_create(&Request { route, status }).inc();
    }
}
