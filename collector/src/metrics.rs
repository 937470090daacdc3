//! The collector's own numbers, under the names that dashboards of the OpenTelemetry Collector know.
//!
//! Knows: names, labels, the text encoding. Must not know: what components do. Counters carry no `_total`, as the
//! reference's default reader writes them, hence their exposed type is `unknown`. Start at [`Metrics`].

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use shared_proto::otlp::Signal;

use crate::config::ComponentId;
use crate::process;

/// `label="value"` pairs of one series.
type Labels = Vec<(&'static str, String)>;

/// One number; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Number(Arc<AtomicU64>);

impl Number {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn sub(&self, less: u64) {
        self.0.fetch_sub(less, Ordering::Relaxed);
    }

    /// Adds unless that would pass `limit`; then the value as it is.
    pub(crate) fn add_within(&self, more: u64, limit: u64) -> Result<(), u64> {
        let fits = |value: u64| value.checked_add(more).filter(|sum| *sum <= limit);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).map(|_before| ())
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// All series of a collector; clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics(Arc<Mutex<BTreeMap<String, BTreeMap<Labels, Number>>>>);

impl Metrics {
    /// The series `name{labels}`, made at the first call.
    pub(crate) fn number(&self, name: &str, labels: Labels) -> Number {
        let mut families = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        families.entry(name.to_owned()).or_default().entry(labels).or_default().clone()
    }

    /// `otelcol_<what>_<items>` for each signal.
    pub(crate) fn per_signal(&self, what: &str, labels: &Labels) -> PerSignal {
        let one = |signal: Signal| {
            self.number(&format!("otelcol_{what}_{}", signal.items_metric()), labels.clone())
        };
        PerSignal { traces: one(Signal::Traces), metrics: one(Signal::Metrics), logs: one(Signal::Logs) }
    }

    pub(crate) fn receiver(&self, id: &ComponentId, transport: &'static str) -> ReceiverMetrics {
        let labels = vec![("receiver", id.to_string()), ("transport", transport.to_owned())];
        ReceiverMetrics {
            accepted: self.per_signal("receiver_accepted", &labels),
            refused: self.per_signal("receiver_refused", &labels),
            refused_requests: self.number("otelcol_receiver_refused_requests", labels),
        }
    }

    pub(crate) fn exporter(&self, id: &ComponentId) -> ExporterMetrics {
        let labels = vec![("exporter", id.to_string())];
        ExporterMetrics {
            sent: self.per_signal("exporter_sent", &labels),
            send_failed: self.per_signal("exporter_send_failed", &labels),
            enqueue_failed: self.per_signal("exporter_enqueue_failed", &labels),
            queue_size: self.number("otelcol_exporter_queue_size", labels.clone()),
            queue_capacity: self.number("otelcol_exporter_queue_capacity", labels.clone()),
            in_flight: self.number("otelcol_exporter_in_flight_requests", labels),
        }
    }
}

/// One number a signal.
#[derive(Clone, Debug)]
pub(crate) struct PerSignal {
    traces: Number,
    metrics: Number,
    logs: Number,
}

impl PerSignal {
    pub(crate) fn of(&self, signal: Signal) -> &Number {
        match signal {
            Signal::Traces => &self.traces,
            Signal::Metrics => &self.metrics,
            Signal::Logs => &self.logs,
        }
    }
}

/// What a receiver counts.
#[derive(Clone, Debug)]
pub(crate) struct ReceiverMetrics {
    pub(crate) accepted: PerSignal,
    pub(crate) refused: PerSignal,
    /// Requests refused before their items were known.
    pub(crate) refused_requests: Number,
}

/// What an exporter counts.
#[derive(Clone, Debug)]
pub(crate) struct ExporterMetrics {
    pub(crate) sent: PerSignal,
    pub(crate) send_failed: PerSignal,
    pub(crate) enqueue_failed: PerSignal,
    pub(crate) queue_size: Number,
    pub(crate) queue_capacity: Number,
    pub(crate) in_flight: Number,
}

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let families = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, series) in families.iter() {
            let help = name.trim_start_matches("otelcol_").replace('_', " ");
            let mut family = encoder.encode_descriptor(name, &help, None, MetricType::Unknown)?;
            for (labels, number) in series {
                let value = i64::try_from(number.get()).unwrap_or(i64::MAX);
                ConstGauge::new(value).encode(family.encode_family(labels)?)?;
            }
        }
        drop(families);
        process(&mut encoder)
    }
}

fn process(encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
    let sample = process::sample();
    let mut number = |name: &str, help: &str, value: f64| {
        ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Unknown)?)
    };
    let rss = u32::try_from(sample.rss_bytes / 1024).map_or(0.0, f64::from) * 1024.0;
    number("otelcol_process_uptime", "seconds since the start", sample.uptime_seconds)?;
    number("otelcol_process_cpu_seconds", "user and system CPU seconds", sample.cpu_seconds)?;
    number("otelcol_process_memory_rss", "resident bytes", rss)
}
