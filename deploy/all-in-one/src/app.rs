//! Building and starting all services, in an order in which each finds its neighbours.
//!
//! Knows: build order (what is called before what calls), start order (receivers last), drain order (intake first).
//! Must not know: ports, keys, requests. Start at [`build`].

use std::ffi::OsString;
use std::fmt::Write as _;
use std::process::ExitCode;

use futures_util::future::BoxFuture;
use runtime_service::{Context, Program, Running, Tasks, probe, run_main_from};

use crate::Config;

/// Name of the process.
const NAME: &str = "yc-observability";
const PROGRAM: Program = Program {
    name: NAME,
    about: "The YC Platform Observability Stack in one process, on embedded storage",
    usage: Some(
        "yc-observability [OPTIONS]\n       yc-observability <collector|trace-store|query-api|dashboard-gateway> [OPTIONS]\n       yc-observability health <URL>",
    ),
};

/// All services, built and bound, not started.
#[derive(Debug)]
pub struct App {
    collector: collector::App,
    trace_store: trace_store::App,
    query_api: query_api::App,
    gateway: dashboard_gateway::App,
    ctx: Context,
}

/// The whole program: the first argument may name one service, whose program it is then.
#[must_use]
pub fn main_from(arguments: Vec<OsString>) -> ExitCode {
    let rest = || arguments.iter().skip(1).cloned();
    match arguments.first().and_then(|first| first.to_str()) {
        Some("collector") => collector::main_from(rest()),
        Some("trace-store") => trace_store::main_from(rest()),
        Some("query-api") => query_api::main_from(rest()),
        Some("dashboard-gateway") => dashboard_gateway::main_from(rest()),
        Some("health") => probe::main_from(rest()),
        _ => run_main_from(PROGRAM, arguments, Config::load, |config, ctx| {
            Box::pin(async move { build(config, ctx).await?.start() })
        }),
    }
}

/// Builds every service: the store first, so that its callers find it in the process.
///
/// # Errors
/// The first service's that cannot be built: a taken port, a locked data directory.
pub fn build(config: Config, ctx: Context) -> BoxFuture<'static, anyhow::Result<App>> {
    Box::pin(async move {
        let trace_store = trace_store::build(config.trace_store, ctx.clone()).await?;
        let query_api = query_api::build(config.query_api, ctx.clone()).await?;
        let gateway = dashboard_gateway::build(config.gateway, ctx.clone()).await?;
        let collector = collector::build(config.collector, ctx.clone()).await?;
        Ok(App { collector, trace_store, query_api, gateway, ctx })
    })
}

impl App {
    /// Starts every service, the collector last; the drain begins with it.
    ///
    /// # Errors
    /// When a component of the collector cannot start.
    pub fn start(self) -> anyhow::Result<Running> {
        let trace_store = self.trace_store.start();
        let query_api = self.query_api.start();
        let mut gateway = self.gateway.start();
        let open = gateway.banner.take().unwrap_or_default();
        let collector = self.collector.start()?;
        let tasks = Tasks::new(self.ctx.shutdown.clone());
        let mut all = Running::together(NAME, tasks, vec![collector, gateway, query_api, trace_store]);
        all.banner = Some(banner(&all, &self.ctx, &open));
        Ok(all)
    }
}

fn banner(running: &Running, ctx: &Context, open: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut text = format!("YC Platform Observability Stack {version}: {open}\n");
    for address in &running.addresses {
        let _strings_take_all = write!(text, "\n  {:<20} {}", address.what, address.url);
    }
    let _strings_take_all = write!(text, "\n  {:<20} {}\n\nstop with Ctrl-C", "data", ctx.data_dir.display());
    text
}
