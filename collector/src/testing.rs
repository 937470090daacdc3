//! Components for tests: a catalog of `nop` types, consumers that answer from a list.
//!
//! Knows: the seams of `component.rs` and `pipeline.rs`. Must not know: real components.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use runtime_service::Context;
use shared_proto::otlp::Signal;
use tokio::sync::Semaphore;

use crate::component::{
    ALL, Catalog, Component, ConnectorConfig, Exporter, ExporterConfig, ExtensionConfig, Factory, Host,
    Outputs, Processor, ProcessorConfig, ReceiverConfig,
};
use crate::config::{ComponentId, PipelineId};
use crate::decode_as;
use crate::metrics::Metrics;
use crate::pipeline::{Ack, Batch, Consumer, Outcome};

/// What happened, in order.
pub(crate) type Journal = Arc<Mutex<Vec<String>>>;

thread_local! {
    /// Where the `nop` components of this thread write what happens to them.
    pub(crate) static JOURNAL: Journal = Journal::default();
}

pub(crate) fn journal() -> Journal {
    JOURNAL.with(Arc::clone)
}

pub(crate) fn host() -> Host {
    let ctx = Context::ephemeral("data");
    Host {
        tasks: runtime_service::Tasks::new(ctx.shutdown.clone()),
        ctx,
        metrics: Metrics::default(),
        printer: Arc::new(Mutex::new(Vec::new())),
        ready: Arc::default(),
    }
}

pub(crate) fn batch(text: &str, items: u64) -> Batch {
    Batch { signal: Signal::Traces, bytes: Bytes::copy_from_slice(text.as_bytes()), items }
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Nop {
    text: String,
    number: u64,
    flag: bool,
}

struct Life(String, Journal);

impl Component for Life {
    fn start(&self) -> anyhow::Result<()> {
        self.1.lock().unwrap().push(format!("start {}", self.0));
        Ok(())
    }

    fn stop(&self) -> BoxFuture<'_, anyhow::Result<()>> {
        self.1.lock().unwrap().push(format!("stop {}", self.0));
        Box::pin(async { Ok(()) })
    }
}

/// Writes what it is given, then passes it on.
struct Passing {
    name: String,
    journal: Journal,
    next: Vec<Arc<dyn Consumer>>,
}

impl Consumer for Passing {
    fn consume(&self, batch: Batch) -> BoxFuture<'_, Outcome> {
        let at = batch.bytes.as_ptr();
        self.journal.lock().unwrap().push(format!("{} {} {at:?}", self.name, batch.signal));
        Box::pin(async move {
            for next in &self.next {
                next.consume(batch.clone()).await?;
            }
            Ok(Ack::default())
        })
    }
}

fn passing(name: String, next: Vec<Arc<dyn Consumer>>) -> Arc<dyn Consumer> {
    Arc::new(Passing { name, journal: journal(), next })
}

thread_local! {
    /// The outputs that each `nop` receiver of this thread was built with.
    pub(crate) static RECEIVERS: Mutex<Vec<(String, Outputs)>> = Mutex::default();
}

impl ReceiverConfig for Nop {
    fn build(&self, id: &ComponentId, outputs: Outputs, _host: &Host) -> anyhow::Result<Arc<dyn Component>> {
        RECEIVERS.with(|receivers| receivers.lock().unwrap().push((id.to_string(), outputs)));
        Ok(Arc::new(Life(format!("receiver {id}"), journal())))
    }
}

impl ProcessorConfig for Nop {
    fn build(
        &self,
        id: &ComponentId,
        pipeline: &PipelineId,
        next: Arc<dyn Consumer>,
        _host: &Host,
    ) -> anyhow::Result<Processor> {
        let component: Arc<dyn Component> =
            Arc::new(Life(format!("processor {id} in {pipeline}"), journal()));
        let consumer = passing(format!("{id} in {pipeline}"), vec![next]);
        Ok(Processor { consumer, component: Some(component), budget: None })
    }
}

impl ExporterConfig for Nop {
    fn validate(&self) -> Vec<String> {
        if self.text == "invalid" { vec!["text must not be \"invalid\"".to_owned()] } else { Vec::new() }
    }

    fn build(&self, id: &ComponentId, _host: &Host) -> anyhow::Result<Exporter> {
        let component: Arc<dyn Component> = Arc::new(Life(format!("exporter {id}"), journal()));
        Ok(Exporter { consumer: passing(format!("exporter {id}"), Vec::new()), component: Some(component) })
    }
}

impl ConnectorConfig for Nop {
    fn build(
        &self,
        id: &ComponentId,
        from: Signal,
        outputs: Outputs,
        _host: &Host,
    ) -> anyhow::Result<Arc<dyn Consumer>> {
        let next = outputs.get(&from).map(|output| output.consumer.clone());
        Ok(passing(format!("connector {id}"), next.into_iter().collect()))
    }
}

impl ExtensionConfig for Nop {
    fn build(&self, id: &ComponentId, _host: &Host) -> anyhow::Result<Arc<dyn Component>> {
        Ok(Arc::new(Life(format!("extension {id}"), journal())))
    }
}

const SAME: &[(Signal, Signal)] =
    &[(Signal::Traces, Signal::Traces), (Signal::Metrics, Signal::Metrics), (Signal::Logs, Signal::Logs)];

/// `nop` of every kind; processor `bf` for traces alone; connector `nop_conn` from each signal to itself; exporter
/// `otlp_grpc` with its alias.
pub(crate) fn catalog() -> Catalog {
    let turns: &[(Signal, Signal)] = &[];
    Catalog {
        receivers: vec![Factory { kind: "nop", alias: None, signals: ALL, turns, decode: decode_as!(Nop) }],
        processors: vec![
            Factory { kind: "nop", alias: None, signals: ALL, turns, decode: decode_as!(Nop) },
            Factory { kind: "bf", alias: None, signals: &[Signal::Traces], turns, decode: decode_as!(Nop) },
        ],
        exporters: vec![
            Factory { kind: "nop", alias: None, signals: ALL, turns, decode: decode_as!(Nop) },
            Factory { kind: "otlp_grpc", alias: Some("otlp"), signals: ALL, turns, decode: decode_as!(Nop) },
        ],
        connectors: vec![Factory {
            kind: "nop_conn",
            alias: None,
            signals: ALL,
            turns: SAME,
            decode: decode_as!(Nop),
        }],
        extensions: vec![Factory { kind: "nop", alias: None, signals: ALL, turns, decode: decode_as!(Nop) }],
    }
}

/// A consumer whose answers are given one permit at a time; it keeps what it got.
pub(crate) struct Gate {
    pub(crate) got: Mutex<Vec<Batch>>,
    pub(crate) permits: Semaphore,
    pub(crate) answer: Box<dyn Fn(&Batch) -> Outcome + Send + Sync>,
}

impl Gate {
    pub(crate) fn new(answer: impl Fn(&Batch) -> Outcome + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Gate { got: Mutex::default(), permits: Semaphore::new(0), answer: Box::new(answer) })
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        let got = self.got.lock().unwrap();
        got.iter().map(|batch| String::from_utf8(batch.bytes.to_vec()).unwrap()).collect()
    }
}

impl Consumer for Gate {
    fn consume(&self, batch: Batch) -> BoxFuture<'_, Outcome> {
        self.got.lock().unwrap().push(batch.clone());
        Box::pin(async move {
            self.permits.acquire().await.unwrap().forget();
            (self.answer)(&batch)
        })
    }
}
