//! What a component is: its configuration, how it is built into the graph, how it starts and stops.
//!
//! Knows: the five kinds of components and the order of their life. Must not know: any particular one (the table is in
//! `components.rs`). A component is one file: a configuration struct, a factory in the table, run code. Start at
//! [`Component`], then at the `…Config` trait of the kind that you add.

use std::collections::HashMap;
use std::fmt::Debug;
use std::io::Write;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use runtime_service::{Address, Context, Tasks};
use shared_proto::otlp::Signal;

use crate::admission::{Admission, Budget};
use crate::config::tree::Node;
use crate::config::{ComponentId, PipelineId};
use crate::metrics::Metrics;
use crate::pipeline::Consumer;

/// Where `debug` prints.
pub(crate) type Printer = Arc<Mutex<dyn Write + Send>>;

/// What the collector lends to its components.
#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) ctx: Context,
    pub(crate) tasks: Tasks,
    pub(crate) metrics: Metrics,
    pub(crate) printer: Printer,
    /// Set once every receiver runs, cleared when the drain begins.
    pub(crate) ready: Arc<AtomicBool>,
}

/// A built component. `bind` takes ports, `start` begins the work, `stop` ends intake or drains.
pub(crate) trait Component: Send + Sync {
    fn bind(&self) -> BoxFuture<'_, anyhow::Result<Vec<Address>>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn start(&self) -> anyhow::Result<()> {
        Ok(())
    }

    fn stop(&self) -> BoxFuture<'_, anyhow::Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

/// Where a receiver or connector sends a signal: the pipelines' entry, and the budgets that guard it.
#[derive(Clone)]
pub(crate) struct Output {
    pub(crate) consumer: Arc<dyn Consumer>,
    pub(crate) admission: Admission,
}

/// A signal without an entry has no pipeline: it is refused, never dropped.
pub(crate) type Outputs = HashMap<Signal, Output>;

/// One configuration of a receiver.
pub(crate) trait ReceiverConfig: Debug + Send + Sync {
    fn validate(&self) -> Vec<String> {
        Vec::new()
    }

    fn build(&self, id: &ComponentId, outputs: Outputs, host: &Host) -> anyhow::Result<Arc<dyn Component>>;
}

/// A processor of one pipeline.
pub(crate) struct Processor {
    pub(crate) consumer: Arc<dyn Consumer>,
    pub(crate) component: Option<Arc<dyn Component>>,
    /// Bytes are admitted by this before the receiver reads a body.
    pub(crate) budget: Option<Arc<Budget>>,
}

/// One configuration of a processor; `build` is called once a pipeline.
pub(crate) trait ProcessorConfig: Debug + Send + Sync {
    fn validate(&self) -> Vec<String> {
        Vec::new()
    }

    fn build(
        &self,
        id: &ComponentId,
        pipeline: &PipelineId,
        next: Arc<dyn Consumer>,
        host: &Host,
    ) -> anyhow::Result<Processor>;
}

/// An exporter of all pipelines that name it.
pub(crate) struct Exporter {
    pub(crate) consumer: Arc<dyn Consumer>,
    pub(crate) component: Option<Arc<dyn Component>>,
}

/// One configuration of an exporter.
pub(crate) trait ExporterConfig: Debug + Send + Sync {
    fn validate(&self) -> Vec<String> {
        Vec::new()
    }

    fn build(&self, id: &ComponentId, host: &Host) -> anyhow::Result<Exporter>;
}

/// One configuration of a connector: an exporter of some pipelines, a receiver of others.
pub(crate) trait ConnectorConfig: Debug + Send + Sync {
    fn build(
        &self,
        id: &ComponentId,
        from: Signal,
        outputs: Outputs,
        host: &Host,
    ) -> anyhow::Result<Arc<dyn Consumer>>;
}

/// One configuration of an extension.
pub(crate) trait ExtensionConfig: Debug + Send + Sync {
    fn validate(&self) -> Vec<String> {
        Vec::new()
    }

    fn build(&self, id: &ComponentId, host: &Host) -> anyhow::Result<Arc<dyn Component>>;
}

/// A row of the component table.
pub(crate) struct Factory<C: ?Sized> {
    /// Such as `otlp_grpc`.
    pub(crate) kind: &'static str,
    /// The deprecated spelling, if there is one.
    pub(crate) alias: Option<&'static str>,
    /// Signals that it takes (for a connector: as an exporter).
    pub(crate) signals: &'static [Signal],
    /// For a connector: which signals it turns into which; empty otherwise.
    pub(crate) turns: &'static [(Signal, Signal)],
    pub(crate) decode: fn(&Node) -> Result<Box<C>, Vec<String>>,
}

/// Every type that this collector has.
pub(crate) struct Catalog {
    pub(crate) receivers: Vec<Factory<dyn ReceiverConfig>>,
    pub(crate) processors: Vec<Factory<dyn ProcessorConfig>>,
    pub(crate) exporters: Vec<Factory<dyn ExporterConfig>>,
    pub(crate) connectors: Vec<Factory<dyn ConnectorConfig>>,
    pub(crate) extensions: Vec<Factory<dyn ExtensionConfig>>,
}

/// All three signals.
pub(crate) const ALL: &[Signal] = &[Signal::Traces, Signal::Metrics, Signal::Logs];
