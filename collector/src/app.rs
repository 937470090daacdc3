//! Puts a collector together: graph, own metrics, the order of start and drain.
//!
//! Knows: the whole. Must not know: details of any part. Start at [`build`].

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use runtime_service::serve::{Limits, Server};
use runtime_service::{Address, Admin, Context, Listeners, Running, Tasks};

use crate::component::{Component, Host, Printer};
use crate::config::Config;
use crate::endpoint::{self, Endpoint};
use crate::graph::{self, Graph};
use crate::metrics::Metrics;

/// Requests under way are answered within this once the drain begins.
const INTAKE_DRAIN_MAX: Duration = Duration::from_secs(6);
/// Queues and files after that.
const EXPORT_DRAIN_MAX: Duration = Duration::from_secs(5);

/// A collector that is built and bound, not started.
pub struct App {
    graph: Graph,
    host: Host,
    addresses: Vec<Address>,
    admin: Option<(Listeners, Admin)>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

/// Builds the graph and binds every listener; nothing is served yet.
pub fn build(config: Config, ctx: Context) -> BoxFuture<'static, anyhow::Result<App>> {
    build_with(config, ctx, Arc::new(Mutex::new(std::io::stderr())))
}

/// Like [`build`], with `debug` exporters printing to `printer`.
pub fn build_with(
    config: Config,
    ctx: Context,
    printer: Arc<Mutex<dyn Write + Send>>,
) -> BoxFuture<'static, anyhow::Result<App>> {
    Box::pin(async move {
        let host = host(ctx, printer);
        let graph = make(&config, &host)?;
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        let mut addresses = Vec::new();
        for component in graph.receivers.iter().chain(&graph.extensions) {
            addresses.extend(component.bind().await?);
        }
        let admin = match &config.service.metrics_endpoint {
            None => None,
            Some(at) => {
                let at = Endpoint { host: at.host.clone(), port: at.port };
                let listeners = endpoint::bind(&host.ctx, "own metrics", &at).await?;
                addresses.push(Address {
                    what: "own metrics",
                    url: format!("http://{}/metrics", listeners.addr()),
                });
                Some((listeners, admin(&config, &host)))
            }
        };
        Ok(App { graph, host, addresses, admin })
    })
}

fn host(ctx: Context, printer: Printer) -> Host {
    let tasks = Tasks::new(ctx.shutdown.clone());
    Host { ctx, tasks, metrics: Metrics::default(), printer, ready: Arc::new(AtomicBool::new(false)) }
}

fn make(config: &Config, host: &Host) -> anyhow::Result<Graph> {
    let plan = graph::plan(config, &crate::components::standard())
        .map_err(|problems| anyhow::anyhow!("failed to build pipelines: {}", problems.join("\n")))?;
    graph::build(config, &plan, host).map_err(|error| error.context("failed to build pipelines"))
}

/// Builds the graph and throws it away: what `validate` does beyond loading.
///
/// # Errors
/// When a component cannot be built, naming it.
pub fn dry_run(config: &Config, ctx: Context) -> anyhow::Result<()> {
    make(config, &host(ctx, Arc::new(Mutex::new(std::io::sink())))).map(|_| ())
}

fn admin(config: &Config, host: &Host) -> Admin {
    let mut admin = Admin::new("collector", config.shown.clone());
    admin.registry.register_collector(Box::new(host.metrics.clone()));
    let ready = host.ready.clone();
    admin.ready_write =
        Arc::new(
            move || {
                if ready.load(Ordering::Acquire) { Ok(()) } else { Err("receivers do not run".to_owned()) }
            },
        );
    admin
}

impl App {
    /// Where it listens: `OTLP gRPC`, `OTLP HTTP`, `health check`, `own metrics`.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Starts everything: own endpoints and exporters first, receivers last. The drain goes the other way: receivers
    /// stop taking and answer what is under way, then processors and exporters end.
    ///
    /// # Errors
    /// When a component cannot start, such as a `file` exporter whose path cannot be opened.
    pub fn start(self) -> anyhow::Result<Running> {
        let App { graph, host, addresses, admin } = self;
        let mut own = Vec::new();
        if let Some((listeners, admin)) = admin {
            own.push(Server::start(&host.tasks, "own metrics", listeners, admin.router(), Limits::default()));
        }
        for component in
            graph.extensions.iter().chain(&graph.exporters).chain(&graph.processors).chain(&graph.receivers)
        {
            component.start()?;
        }
        host.ready.store(true, Ordering::Release);
        let mut running = Running::new("collector", host.tasks.clone());
        running.addresses = addresses;
        let ready = host.ready.clone();
        running.step("collector: stop intake", INTAKE_DRAIN_MAX, async move {
            ready.store(false, Ordering::Release);
            stop_all(graph.receivers).await
        });
        running.step("collector: drain exporters", EXPORT_DRAIN_MAX, async move {
            stop_all(graph.processors).await?;
            stop_all(graph.exporters).await
        });
        running.step("collector: stop own endpoints", Duration::from_secs(2), async move {
            let servers = futures_util::future::join_all(own.iter().map(Server::stop));
            let _keep_alive_connections_are_cut = tokio::time::timeout(Duration::from_secs(1), servers).await;
            stop_all(graph.extensions).await
        });
        Ok(running)
    }
}

async fn stop_all(components: Vec<Arc<dyn Component>>) -> anyhow::Result<()> {
    let outcomes = futures_util::future::join_all(components.iter().map(|component| component.stop())).await;
    outcomes.into_iter().collect()
}
