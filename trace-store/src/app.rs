//! Building and wiring: the only place that binds, opens and spawns.
//!
//! Knows: which rooms there are, the order of start and drain. Must not know: what a request means. Start at
//! [`build`].

use std::ffi::OsString;
use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::BoxFuture;
use runtime_files::{Clock, Files, OsFiles, SystemClock};
use runtime_service::grpc::{self, RawUnary};
use runtime_service::serve::{Limits, Server};
use runtime_service::{
    Address, Admin, Budget, Context, Listeners, Pool, Running, Tasks, bind, run_main_from,
};
use runtime_store::Store;
use shared_proto::codec::RawCodec;
use shared_proto::otlp;
use shared_proto::trace_store::v1::trace_store_server::TraceStoreServer;
use trace_segments::Traces;

use crate::config::SERVICE;
use crate::export::{Exporter, PATH};
use crate::metrics::{Metrics, StoreNumbers};
use crate::reads::Reader;
use crate::{Config, storage};

/// Requests under way may finish for this long when the process stops.
const INTAKE_DEADLINE: Duration = Duration::from_secs(5);
/// Heads are flushed for this long; what is left is replayed from the log at the next start.
const FLUSH_DEADLINE: Duration = Duration::from_secs(20);
/// gRPC messages of reads are answers to small questions.
const READ_REQUEST_BYTES_MAX: usize = 4 << 20;

/// A built service: its ports are bound and its store is open; nothing is served yet.
pub struct App {
    grpc: (Listeners, axum::Router),
    admin: (Listeners, axum::Router),
    store: Store<Traces>,
    tasks: Tasks,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("grpc", &self.grpc.0)
            .field("admin", &self.admin.0)
            .finish_non_exhaustive()
    }
}

/// Binds the ports, opens the data directory, wires the rooms, and registers the gRPC service in the process.
///
/// # Errors
/// A taken port; a data directory that is locked, of another version, or damaged beyond use.
pub fn build(config: Config, ctx: Context) -> BoxFuture<'static, anyhow::Result<App>> {
    build_on(config, ctx, Arc::new(OsFiles), Arc::new(SystemClock::new()))
}

/// The whole program, with arguments that do not hold the program's name.
pub fn main_from(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    run_main_from(
        SERVICE,
        arguments,
        |args| Ok(Config::load(&Config::sources(args))?),
        |config, ctx| Box::pin(async move { Ok(build(config, ctx).await?.start()) }),
    )
}

/// Like [`build`], on another file system and clock: for tests of a full or failing disk.
///
/// # Errors
/// As [`build`].
pub fn build_on(
    config: Config,
    ctx: Context,
    files: Arc<dyn Files>,
    clock: Arc<dyn Clock>,
) -> BoxFuture<'static, anyhow::Result<App>> {
    Box::pin(async move {
        config.validate()?;
        let grpc = bind::listen(&ctx, "trace-store gRPC", config.grpc_port).await?;
        let admin = bind::listen(&ctx, "trace-store admin", config.admin_port).await?;
        let (opening, dir) = (config.clone(), ctx.data_dir.clone());
        let store = tokio::task::spawn_blocking(move || storage::open(&opening, &dir, files, clock))
            .await
            .context("opening the data directory panicked")?
            .with_context(|| format!("{SERVICE} cannot open its data"))?;
        let surface = surface(&config, &store);
        ctx.inproc.register(&ctx.local_endpoint(config.grpc_port), surface.grpc.clone());
        Ok(App {
            grpc: (grpc, surface.grpc),
            admin: (admin, surface.admin.router()),
            store,
            tasks: Tasks::new(ctx.shutdown),
        })
    })
}

/// What the service shows to the outside.
struct Surface {
    grpc: axum::Router,
    admin: Admin,
}

fn surface(config: &Config, store: &Store<Traces>) -> Surface {
    let mut admin = Admin::new(SERVICE, config.shown());
    let metrics = Arc::new(Metrics::register(&mut admin.registry));
    let intake = Budget::new("the intake of trace-store", config.writes.intake_bytes_max.0);
    let numbers = StoreNumbers { store: store.clone(), intake: intake.clone() };
    admin.registry.register_collector(Box::new(numbers));
    let (reading, writing) = (store.clone(), store.clone());
    admin.ready_read = Arc::new(move || {
        let replayed = reading.is_replayed();
        replayed.then_some(()).ok_or_else(|| "the log is being replayed, answers are partial".to_owned())
    });
    admin.ready_write = Arc::new(move || {
        writing.ready_to_write().map_err(|e| e.to_string())?;
        let writable = writing.stats().log.writable;
        writable.then_some(()).ok_or_else(|| "the log cannot write: the disk is full or fails".to_owned())
    });

    let workers = config.read_workers();
    let exporter = Arc::new(Exporter {
        store: store.clone(),
        metrics: Arc::clone(&metrics),
        pool: Pool::new("the check of large writes", workers, config.reads.waiting_max),
        record_bytes_max: config.record_bytes_max(),
        limits: otlp::Limits::default(),
    });
    let export = RawUnary::new(RawCodec, config.body_bytes_max(), move |request| {
        Box::pin(Arc::clone(&exporter).export(request.into_inner()))
    });
    let reader = Reader {
        store: store.clone(),
        pool: Pool::new("reads", workers, config.reads.waiting_max),
        metrics,
        wait_max: config.reads.wait_max.0,
        stall_max: config.reads.stall_max.0,
        traces_max: config.reads.traces_max,
    };
    let reads = TraceStoreServer::new(reader).max_decoding_message_size(READ_REQUEST_BYTES_MAX);
    let grpc = grpc::router()
        .route_service(PATH, export.within(intake))
        .route_service("/trace_store.v1.TraceStore/{method}", reads);
    Surface { grpc, admin }
}

impl App {
    /// Serves.
    #[must_use]
    pub fn start(self) -> Running {
        let Self { grpc, admin, store, tasks } = self;
        let mut running = Running::new(SERVICE, tasks.clone());
        let grpc = Server::start(&tasks, "trace-store gRPC", grpc.0, grpc.1, Limits::default());
        let admin = Server::start(&tasks, "trace-store admin", admin.0, admin.1, Limits::default());
        for (what, server) in [("trace-store gRPC", &grpc), ("trace-store admin", &admin)] {
            running.addresses.push(Address { what, url: format!("http://{}", server.addr()) });
        }
        let (intake, last) = (grpc.stop(), admin.stop());
        running.step("stop the intake", INTAKE_DEADLINE, async move {
            intake.await;
            Ok(())
        });
        running.step("flush the heads", FLUSH_DEADLINE + Duration::from_secs(1), flush(store));
        running.step("stop the admin endpoints", Duration::from_secs(2), async move {
            last.await;
            Ok(())
        });
        running
    }
}

async fn flush(store: Store<Traces>) -> anyhow::Result<()> {
    let report = tokio::task::spawn_blocking(move || store.drain(FLUSH_DEADLINE)).await?;
    tracing::info!(released = report.released, unfinished = report.unfinished, "heads are flushed");
    if report.unfinished > 0 {
        anyhow::bail!("{} partitions will be replayed from the log at the next start", report.unfinished);
    }
    Ok(())
}
