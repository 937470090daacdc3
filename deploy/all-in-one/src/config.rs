//! The configuration of all services from one set of flags.
//!
//! Knows: which flags go to which service. Must not know: their keys. Start at [`Config::load`].

use runtime_service::Args;
use runtime_service::config::Sources;

/// What each service is configured to do.
#[derive(Debug)]
pub struct Config {
    pub(crate) collector: collector::Config,
    pub(crate) trace_store: trace_store::Config,
    pub(crate) query_api: query_api::Config,
    pub(crate) gateway: dashboard_gateway::Config,
}

impl Config {
    /// `--config` files are the collector's (`otel-collector-config.yaml`); `--set trace-store.key=value`,
    /// `--set query-api.key=value` and `--set dashboard-gateway.key=value` go to these services, every other `--set` to
    /// the collector; `YC_TRACE_STORE_…`, `YC_QUERY_API_…` and `YC_DASHBOARD_GATEWAY_…` variables work as in processes
    /// of their own.
    ///
    /// # Errors
    /// Everything that is wrong in any of them, together.
    pub fn load(args: &Args) -> anyhow::Result<Self> {
        let mut errors = Vec::new();
        let trace_store = trace_store::Config::load(&sources("trace-store", args));
        let query_api = query_api::Config::load(&sources("query-api", args));
        let gateway = dashboard_gateway::Config::with_flags(sources("dashboard-gateway", args), args);
        let gateway = dashboard_gateway::Config::load(&gateway);
        let mut rest = args.clone();
        let others = ["trace-store.", "query-api.", "dashboard-gateway."];
        rest.set.retain(|set| !others.iter().any(|prefix| set.starts_with(prefix)));
        let collector = collector::Config::load(&collector::Sources::from_args(&rest));
        errors.extend(trace_store.as_ref().err().map(ToString::to_string));
        errors.extend(query_api.as_ref().err().map(ToString::to_string));
        errors.extend(gateway.as_ref().err().map(ToString::to_string));
        errors.extend(collector.as_ref().err().map(ToString::to_string));
        match (collector, trace_store, query_api, gateway) {
            (Ok(collector), Ok(trace_store), Ok(query_api), Ok(gateway)) => {
                Ok(Self { collector, trace_store, query_api, gateway })
            }
            _ => anyhow::bail!("{}", errors.join("\n")),
        }
    }
}

/// No files; of the flags those that begin with the service's name.
fn sources(service: &'static str, args: &Args) -> Sources {
    let mut sources = Sources::from_args(service, args);
    sources.files.clear();
    let own = |set: &String| set.strip_prefix(service)?.strip_prefix('.').map(str::to_owned);
    sources.sets = sources.sets.iter().filter_map(own).collect();
    sources
}
