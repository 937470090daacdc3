//! `debug`: prints what flows by; done when printed.
//!
//! Knows: its keys, sampling of messages. Must not know: where the printer leads. `basic` prints counts, `normal` adds
//! the batch as OTLP/JSON on one line, `detailed` indents it. Start at [`DebugConfig`].

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use runtime_service::{Kind, Status};
use serde::Deserialize;
use tokio::time::Instant;

use super::otlp_json::to_json;
use crate::calendar::rfc3339;
use crate::component::{Exporter, ExporterConfig, Host, Printer};
use crate::config::{ComponentId, Section};
use crate::metrics::ExporterMetrics;
use crate::pipeline::{Ack, Batch, Consumer, Outcome};

/// `exporters::debug`.
#[derive(Debug, Deserialize)]
#[serde(default)]
// A queue in front of a printer is accepted; printing waits for nothing.
pub(crate) struct DebugConfig {
    verbosity: Verbosity,
    sampling_initial: u64,
    sampling_thereafter: u64,
    use_internal_logger: bool,
    output_paths: Vec<String>,
    sending_queue: Section<super::sending::QueueConfig>,
}

impl Default for DebugConfig {
    fn default() -> Self {
        DebugConfig {
            verbosity: Verbosity::Basic,
            sampling_initial: 2,
            sampling_thereafter: 1,
            use_internal_logger: true,
            output_paths: Vec::new(),
            sending_queue: Section::default(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verbosity {
    Basic,
    Normal,
    Detailed,
}

impl ExporterConfig for DebugConfig {
    fn validate(&self) -> Vec<String> {
        self.sending_queue.0.as_ref().map(|queue| queue.validate()).unwrap_or_default()
    }

    fn build(&self, id: &ComponentId, host: &Host) -> anyhow::Result<Exporter> {
        let debug = Debug {
            id: id.to_string(),
            verbosity: self.verbosity,
            printer: host.printer.clone(),
            metrics: host.metrics.exporter(id),
            sampling: Mutex::new(Sampling {
                initial: self.sampling_initial,
                thereafter: self.sampling_thereafter,
                second: Instant::now(),
                seen: 0,
            }),
        };
        Ok(Exporter { consumer: Arc::new(debug), component: None })
    }
}

/// Of each second's messages the first few are printed, then every n-th.
struct Sampling {
    initial: u64,
    thereafter: u64,
    second: Instant,
    seen: u64,
}

impl Sampling {
    fn prints(&mut self) -> bool {
        if self.second.elapsed() >= Duration::from_secs(1) {
            self.second = Instant::now();
            self.seen = 0;
        }
        self.seen += 1;
        let beyond = self.seen.saturating_sub(self.initial);
        beyond == 0 || (self.thereafter > 0 && beyond.is_multiple_of(self.thereafter))
    }
}

struct Debug {
    id: String,
    verbosity: Verbosity,
    printer: Printer,
    metrics: ExporterMetrics,
    sampling: Mutex<Sampling>,
}

impl Debug {
    fn print(&self, batch: &Batch) -> Outcome {
        if !self.sampling.lock().unwrap_or_else(PoisonError::into_inner).prints() {
            return Ok(Ack::default());
        }
        let title = match batch.signal.as_str() {
            "traces" => "Traces",
            "metrics" => "Metrics",
            _ => "Logs",
        };
        let (at, id, noun, items) = (rfc3339(SystemTime::now()), &self.id, batch.signal.items(), batch.items);
        let mut text =
            format!("{at}\tinfo\t{title}\t{{\"exporter\": \"{id}\", \"{noun}\": {items}}}\n").into_bytes();
        if self.verbosity != Verbosity::Basic {
            let mut json = Vec::new();
            to_json(batch, &mut json)?;
            if self.verbosity == Verbosity::Detailed {
                json = indent(&json);
            }
            text.append(&mut json);
            text.push(b'\n');
        }
        let mut printer = self.printer.lock().unwrap_or_else(PoisonError::into_inner);
        printer.write_all(&text).and_then(|()| printer.flush()).map_err(|error| {
            Status::retryable(Kind::Unavailable, format!("exporter {id} cannot print: {error}"))
        })?;
        Ok(Ack::default())
    }
}

fn indent(json: &[u8]) -> Vec<u8> {
    let value = serde_json::from_slice::<serde_json::Value>(json);
    let pretty = value.and_then(|value| serde_json::to_vec_pretty(&value));
    pretty.unwrap_or_else(|_deeper_than_the_parser_goes| json.to_vec())
}

impl Consumer for Debug {
    fn consume(&self, batch: Batch) -> BoxFuture<'_, Outcome> {
        let outcome = self.print(&batch);
        let counted = if outcome.is_ok() { &self.metrics.sent } else { &self.metrics.send_failed };
        counted.of(batch.signal).add(batch.items);
        Box::pin(std::future::ready(outcome))
    }
}
