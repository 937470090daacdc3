//! Building and wiring: the only place that binds and spawns.
//!
//! Knows: which rooms there are. Must not know: what a request means. Start at [`build`].

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::BoxFuture;
use runtime_service::config::Sources;
use runtime_service::serve::{Limits, Server};
use runtime_service::{
    Address, Admin, Context, Listeners, Pool, Running, Tasks, bind, connect, run_main_from,
};

use crate::backend::Backend;
use crate::config::Config;
use crate::jaeger;
use crate::metrics::Metrics;

/// Name of the service.
const SERVICE: &str = "query-api";
/// Where the trace-store of the same stack listens, before the port offset.
const TRACE_STORE_PORT: u16 = 17281;
/// How long answers under way may take to finish when the process stops.
const DRAIN_DEADLINE: Duration = Duration::from_secs(10);

/// The query-api program, with arguments from wherever it is started.
pub fn main_from(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    run_main_from(
        SERVICE,
        arguments,
        |args| Ok(Config::load(&Sources::from_args(SERVICE, args))?),
        |config, ctx| Box::pin(async move { Ok(build(config, ctx).await?.start()) }),
    )
}

/// A built service: ports are bound, nothing runs yet.
pub struct App {
    backend: Arc<Backend>,
    jaeger: (Listeners, axum::Router),
    admin: (Listeners, axum::Router),
    tasks: Tasks,
}

/// Binds the ports and wires the rooms.
///
/// # Errors
/// When a port is taken or a backend's address is not one.
pub fn build(config: Config, ctx: Context) -> BoxFuture<'static, anyhow::Result<App>> {
    Box::pin(async move {
        let endpoints =
            config.trace_stores.clone().unwrap_or_else(|| vec![ctx.local_endpoint(TRACE_STORE_PORT)]);
        let stores = endpoints
            .iter()
            .map(|endpoint| Ok((endpoint.clone(), connect(&ctx, endpoint)?)))
            .collect::<anyhow::Result<Vec<_>>>()
            .context("query-api: `trace_stores`")?;
        let mut admin = Admin::new(SERVICE, config.shown.clone());
        let metrics = Arc::new(Metrics::register(&mut admin.registry));
        let backend = Arc::new(Backend::new(stores, &config, Arc::clone(&metrics)));
        let ready = Arc::clone(&backend);
        admin.ready_read = Arc::new(move || ready.ready());
        let jaeger_port = bind::listen(&ctx, "Jaeger HTTP", config.jaeger_port).await?;
        let admin_port = bind::listen(&ctx, "query-api admin", config.admin_port).await?;
        let writers = Pool::new("answers", config.limits.requests_max, config.limits.requests_max * 10);
        let room = jaeger::Room::new(&config, Arc::clone(&backend), writers, metrics);
        let routes = jaeger::routes(room);
        Ok(App {
            backend,
            jaeger: (jaeger_port, routes),
            admin: (admin_port, admin.router()),
            tasks: Tasks::new(ctx.shutdown),
        })
    })
}

impl App {
    /// Starts serving.
    #[must_use]
    pub fn start(self) -> Running {
        let mut running = Running::new(SERVICE, self.tasks.clone());
        self.tasks.spawn_vital("holders", self.backend.watch());
        let serve = |name, (listeners, router): (Listeners, axum::Router)| {
            Server::start(&self.tasks, name, listeners, router, Limits::default())
        };
        let jaeger = serve("jaeger http", self.jaeger);
        let admin = serve("query-api admin", self.admin);
        for (what, server) in [("Jaeger HTTP", &jaeger), ("query-api admin", &admin)] {
            running.addresses.push(Address { what, url: format!("http://{}", server.addr()) });
        }
        let (jaeger, admin) = (jaeger.stop(), admin.stop());
        running.step("finish answers", DRAIN_DEADLINE, async move {
            jaeger.await;
            Ok(())
        });
        running.step("stop admin", Duration::from_secs(1), async move {
            admin.await;
            Ok(())
        });
        running
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("jaeger", &self.jaeger.0)
            .field("admin", &self.admin.0)
            .finish_non_exhaustive()
    }
}
