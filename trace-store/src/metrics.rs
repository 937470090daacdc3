//! The service's own metrics: counters of requests, and the store's numbers at each scrape.
//!
//! Knows: names, units, prometheus-client. Must not know: how anything is counted elsewhere. Start at [`Metrics`];
//! the store's numbers are in [`StoreNumbers`].

use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use runtime_service::{Budget, Kind};
use runtime_store::{PartitionStats, Store, StoreStats};
use trace_segments::Traces;

/// Upper bounds of the acknowledgement latency, in seconds; the target is 20 ms at p99.
const ACK_SECONDS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 1.0, 5.0];

/// Counters of requests.
#[derive(Debug)]
pub(crate) struct Metrics {
    exports: Family<Outcome, Counter>,
    reads: Family<Outcome, Counter>,
    accepted_spans: Counter,
    rejected_spans: Counter,
    repaired_texts: Counter,
    ack_seconds: Histogram,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

impl Outcome {
    fn of(failure: Option<Kind>) -> Self {
        let outcome = match failure {
            None => "ok",
            Some(Kind::Exhausted | Kind::Unavailable | Kind::DeadlineExceeded) => "refused",
            Some(Kind::Internal) => "failed",
            Some(_) => "invalid",
        };
        Self { outcome }
    }
}

impl Metrics {
    /// Registers all counters.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            exports: Family::default(),
            reads: Family::default(),
            accepted_spans: Counter::default(),
            rejected_spans: Counter::default(),
            repaired_texts: Counter::default(),
            ack_seconds: Histogram::new(ACK_SECONDS),
        };
        let m = &metrics;
        registry.register("trace_store_exports", "Write requests by outcome", m.exports.clone());
        registry.register("trace_store_reads", "Read requests by outcome", m.reads.clone());
        registry.register("trace_store_accepted_spans", "Spans made durable", m.accepted_spans.clone());
        registry.register(
            "trace_store_rejected_spans",
            "Spans left out of accepted requests",
            m.rejected_spans.clone(),
        );
        registry.register(
            "trace_store_repaired_texts",
            "Texts that were not UTF-8 and were stored with U+FFFD",
            m.repaired_texts.clone(),
        );
        registry.register(
            "trace_store_ack_seconds",
            "Time from a decoded write request to its answer",
            m.ack_seconds.clone(),
        );
        metrics
    }

    pub(crate) fn export_done(&self, failure: Option<Kind>, took: Duration) {
        self.exports.get_or_create(&Outcome::of(failure)).inc();
        if failure.is_none() {
            self.ack_seconds.observe(took.as_secs_f64());
        }
    }

    pub(crate) fn read_done(&self, failure: Option<Kind>) {
        self.reads.get_or_create(&Outcome::of(failure)).inc();
    }

    pub(crate) fn accepted(&self, spans: u64, rejected: u64, repaired_texts: u64) {
        self.accepted_spans.inc_by(spans);
        self.rejected_spans.inc_by(rejected);
        self.repaired_texts.inc_by(repaired_texts);
    }
}

/// The store's numbers, asked at each scrape.
pub(crate) struct StoreNumbers {
    pub(crate) store: Store<Traces>,
    pub(crate) intake: Budget,
}

impl std::fmt::Debug for StoreNumbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoreNumbers")
    }
}

/// Name, help, value.
type Row = (&'static str, &'static str, u64);

/// Name, help, and the value of each partition.
type PartitionRow = (&'static str, &'static str, fn(&PartitionStats) -> u64);

const PARTITION_GAUGES: [PartitionRow; 8] = [
    ("trace_store_root_version", "Version of the partition's root", |p| p.root_version),
    ("trace_store_root_epoch", "Epoch of the partition's root", |p| p.root_epoch),
    ("trace_store_root_offset", "Log records below this are in objects", |p| p.root_offset.0),
    ("trace_store_position_offset", "Log records below this are visible to reads", |p| p.position.0),
    ("trace_store_objects", "Live objects", |p| count(p.objects)),
    ("trace_store_object_bytes", "Stored bytes of live objects", |p| p.object_bytes),
    ("trace_store_removed_objects", "Replaced objects that wait for deletion", |p| count(p.removed_objects)),
    ("trace_store_quarantined", "Damaged objects, manifests and log records", |p| count(p.quarantined)),
];

const PARTITION_COUNTERS: [PartitionRow; 10] = [
    ("trace_store_records", "Log records put into a head", |p| p.counters.records),
    ("trace_store_records_damaged", "Log records set aside as damaged", |p| p.counters.records_damaged),
    ("trace_store_flushes", "Flushes committed", |p| p.counters.flushes),
    ("trace_store_flush_failures", "Flushes that failed and are retried", |p| p.counters.flush_failures),
    ("trace_store_merges", "Merges committed", |p| p.counters.merges),
    ("trace_store_merge_failures", "Merges that failed", |p| p.counters.merge_failures),
    ("trace_store_expired_objects", "Objects removed by retention", |p| p.counters.expired),
    ("trace_store_deleted_objects", "Objects deleted from the medium", |p| p.counters.deleted),
    ("trace_store_fenced", "Times another writer took the partition", |p| p.counters.fenced),
    ("trace_store_rebuilds", "Heads built again from the log", |p| p.counters.rebuilds),
];

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn gauges(stats: &StoreStats, intake_bytes: u64) -> [Row; 11] {
    let log = &stats.log;
    [
        ("trace_store_log_bytes", "Bytes of all log files", log.bytes),
        ("trace_store_log_bytes_max", "Bytes of log at which writes are refused", log.limit_bytes),
        ("trace_store_log_files", "Log files", count(log.files)),
        ("trace_store_log_writable", "1 while the log takes writes", u64::from(log.writable)),
        ("trace_store_head_bytes", "Memory of all heads", stats.head_bytes),
        ("trace_store_head_bytes_max", "Memory of heads at which writes are refused", stats.head_bytes_max),
        ("trace_store_inflight_bytes", "Payload handed to the log and not durable yet", stats.inflight_bytes),
        ("trace_store_intake_bytes", "Bytes of write requests under way", intake_bytes),
        ("trace_store_replay_lag_records", "Durable log records not visible yet", stats.replay_lag),
        (
            "trace_store_flush_age_milliseconds",
            "Age of the oldest record not in an object",
            millis(stats.flush_age()),
        ),
        ("trace_store_quarantined_records", "Damaged log records", log.quarantined_records),
    ]
}

fn counters(stats: &StoreStats) -> [Row; 5] {
    let log = &stats.log;
    [
        ("trace_store_log_commits", "Group commits: one write, one fsync each", log.commits),
        ("trace_store_log_records", "Records made durable", log.appended_records),
        (
            "trace_store_log_appended_bytes",
            "Payload bytes made durable, before compression",
            log.appended_bytes,
        ),
        (
            "trace_store_log_poisoned_files",
            "Log files given up after a failed write or fsync",
            log.poisoned_files,
        ),
        ("trace_store_refused", "Appends refused because of a bound of the store", stats.refused),
    ]
}

fn millis(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}

impl Collector for StoreNumbers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let stats = self.store.stats();
        for (name, help, value) in gauges(&stats, self.intake.used()) {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        for (name, help, value) in counters(&stats) {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        for (name, help, read) in PARTITION_GAUGES {
            let kind = ConstGauge::new(0_u64).metric_type();
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for p in &stats.partitions {
                let labels = [("partition", p.partition.0)];
                ConstGauge::new(read(p)).encode(family.encode_family(&labels)?)?;
            }
        }
        for (name, help, read) in PARTITION_COUNTERS {
            let kind = ConstCounter::new(0_u64).metric_type();
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for p in &stats.partitions {
                let labels = [("partition", p.partition.0)];
                ConstCounter::new(read(p)).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
