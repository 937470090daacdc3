//! What an operator may choose, with defaults: raw as in YAML, validated as the rooms want it.
//!
//! Knows: every key, its unit, its default, its bounds (`docs/config.md`). Must not know: how the limits are kept.
//! Start at [`Config`].

use std::path::Path;
use std::time::Duration;

use runtime_engine::Policy;
use runtime_log::LogConfig;
use runtime_service::config::{ConfigError, ConfigErrors, Period, Size, Sources, load, redacted};
use runtime_store::StoreConfig;
use serde::{Deserialize, Serialize};

/// Name of the store in positions and paths.
pub(crate) const STORE: &str = "traces";
/// Name of the service, of its folder, and of its `YC_TRACE_STORE_…` variables.
pub(crate) const SERVICE: &str = "trace-store";
/// More partitions than this are a mistake.
pub(crate) const PARTITIONS_MAX: u32 = 256;

/// The file `trace-store.yaml`; every key may be left out. Environment: `YC_TRACE_STORE_<KEY>`, nested keys joined
/// with `_`; flags: `--set key=value`, nested keys joined with `.`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// gRPC: OTLP write and `trace_store.v1` read. 17281.
    pub grpc_port: u16,
    /// Admin endpoints. 17282.
    pub admin_port: u16,
    /// Partitions of the store; may grow later, not shrink. 4.
    pub partitions: u32,
    /// How long spans are kept; `null` for ever. 7d.
    pub retention: Option<Period>,
    /// Stored bytes that are kept at most, over all partitions; the oldest go first. `null`: no bound.
    pub retention_bytes: Option<Size>,
    /// The log that makes writes durable.
    pub log: LogKeys,
    /// The newest spans, in memory.
    pub head: HeadKeys,
    /// Merging of small objects.
    pub compaction: CompactionKeys,
    /// Bounds of writes.
    pub writes: WriteKeys,
    /// Bounds of reads.
    pub reads: ReadKeys,
}

/// `log:`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogKeys {
    /// Writes are refused while the log holds more; flushes free it. 1GiB.
    pub bytes_max: Size,
    /// Size of one log file. 16MiB.
    pub file_bytes: Size,
    /// Free disk space that writes leave to flushes and deletions. 24MiB.
    pub reserve_bytes: Size,
    /// Largest record; one larger span is rejected. 1MiB.
    pub record_bytes_max: Size,
}

/// `head:`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeadKeys {
    /// Memory of all heads; writes are refused beyond it. 96MiB.
    pub bytes_max: Size,
    /// Payload bytes after which a head is flushed. 16MiB.
    pub generation_bytes: Size,
    /// Age of its oldest record at which a head is flushed. 5m.
    pub generation_age: Period,
}

/// `compaction:`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompactionKeys {
    /// Share of one core, over 0 and up to 1. 0.25.
    pub cpu_share: f64,
    /// Objects of one level that are merged into one. 8.
    pub fan_in: usize,
    /// No merge makes a larger object. 256MiB.
    pub object_bytes_max: Size,
    /// How long a replaced object stays for readers of other processes. 1m.
    pub grace: Period,
}

/// `writes:`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WriteKeys {
    /// Largest request, decompressed. 16MiB.
    pub body_bytes_max: Size,
    /// Bytes of requests under way; more are refused with a retry hint. 64MiB.
    pub intake_bytes_max: Size,
}

/// `reads:`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadKeys {
    /// Threads that answer reads; `null`: one per core, at least 2.
    pub workers: Option<usize>,
    /// Reads that wait for a thread; more are refused with a retry hint. 256.
    pub waiting_max: usize,
    /// How long a read waits for the position it asks for, when it does not say. 5s.
    pub wait_max: Period,
    /// A reader that takes nothing for this long is cut off. 30s.
    pub stall_max: Period,
    /// Traces that one call may ask for by id or search. 10000.
    pub traces_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            grpc_port: 17281,
            admin_port: 17282,
            partitions: 4,
            retention: Some(Period(Duration::from_secs(7 * 24 * 3600))),
            retention_bytes: None,
            log: LogKeys::default(),
            head: HeadKeys::default(),
            compaction: CompactionKeys::default(),
            writes: WriteKeys::default(),
            reads: ReadKeys::default(),
        }
    }
}

impl Default for LogKeys {
    fn default() -> Self {
        Self {
            bytes_max: Size(1 << 30),
            file_bytes: Size(16 << 20),
            reserve_bytes: Size(24 << 20),
            record_bytes_max: Size(1 << 20),
        }
    }
}

impl Default for HeadKeys {
    fn default() -> Self {
        Self {
            bytes_max: Size(96 << 20),
            generation_bytes: Size(16 << 20),
            generation_age: Period(Duration::from_secs(300)),
        }
    }
}

impl Default for CompactionKeys {
    fn default() -> Self {
        Self {
            cpu_share: 0.25,
            fan_in: 8,
            object_bytes_max: Size(256 << 20),
            grace: Period(Duration::from_secs(60)),
        }
    }
}

impl Default for WriteKeys {
    fn default() -> Self {
        Self { body_bytes_max: Size(16 << 20), intake_bytes_max: Size(64 << 20) }
    }
}

impl Default for ReadKeys {
    fn default() -> Self {
        Self {
            workers: None,
            waiting_max: 256,
            wait_max: Period(Duration::from_secs(5)),
            stall_max: Period(Duration::from_secs(30)),
            traces_max: 10_000,
        }
    }
}

impl Config {
    /// Loads files, environment and flags, and validates them.
    ///
    /// # Errors
    /// Everything that is wrong, together.
    pub fn load(sources: &Sources) -> Result<Self, ConfigErrors> {
        let config: Self = load(sources)?;
        config.validate().map(|()| config)
    }

    /// The sources of this service from the process' flags.
    #[must_use]
    pub fn sources(args: &runtime_service::Args) -> Sources {
        Sources::from_args(SERVICE, args)
    }

    /// As YAML: what `/config` shows.
    #[must_use]
    pub fn shown(&self) -> String {
        redacted(self)
    }

    /// Checks the bounds of every key.
    ///
    /// # Errors
    /// Every key that is out of bounds.
    pub fn validate(&self) -> Result<(), ConfigErrors> {
        let mut errors = ConfigErrors::default();
        let mut check = |holds: bool, key: &str, message: String| {
            if !holds {
                let (file, key) = (SERVICE.to_owned(), key.to_owned());
                errors.push(ConfigError { file, line: 0, key, message });
            }
        };
        let (log, head) = (&self.log, &self.head);
        check(
            (1..=PARTITIONS_MAX).contains(&self.partitions),
            "partitions",
            format!("{} is out of range, expected 1 to {PARTITIONS_MAX}", self.partitions),
        );
        check(
            self.retention.is_none_or(|r| !r.0.is_zero()),
            "retention",
            "must be longer than zero; `null` keeps for ever".to_owned(),
        );
        check(
            log.record_bytes_max.0 >= 1 << 10 && log.record_bytes_max <= log.file_bytes,
            "log.record_bytes_max",
            format!(
                "{} is out of range, expected 1KiB to `log.file_bytes` ({})",
                log.record_bytes_max, log.file_bytes
            ),
        );
        check(
            log.bytes_max.0 >= 2 * log.file_bytes.0,
            "log.bytes_max",
            format!("{} is less than two log files ({} each)", log.bytes_max, log.file_bytes),
        );
        check(
            head.bytes_max.0 >= 1 << 20 && head.generation_bytes.0 > 0,
            "head.bytes_max",
            format!("{} is out of range, expected 1MiB or more, and generations over 0", head.bytes_max),
        );
        check(
            self.compaction.cpu_share > 0.0 && self.compaction.cpu_share <= 1.0,
            "compaction.cpu_share",
            format!("{} is out of range, expected over 0 and up to 1", self.compaction.cpu_share),
        );
        check(
            self.compaction.fan_in >= 2,
            "compaction.fan_in",
            format!("{} is out of range, expected 2 or more", self.compaction.fan_in),
        );
        check(
            self.writes.body_bytes_max.0 >= 1 << 10,
            "writes.body_bytes_max",
            format!("{} is out of range, expected 1KiB or more", self.writes.body_bytes_max),
        );
        check(
            self.reads.workers.is_none_or(|n| n >= 1) && self.reads.traces_max >= 1,
            "reads",
            "`workers` and `traces_max` must be 1 or more".to_owned(),
        );
        errors.into_result()
    }

    pub(crate) fn store(&self) -> StoreConfig {
        let policy = Policy {
            retention: self.retention.map(|r| r.0),
            retention_bytes: self.retention_bytes.map(|s| s.0 / u64::from(self.partitions.max(1))),
            merge_fan_in: self.compaction.fan_in,
            object_bytes_max: self.compaction.object_bytes_max.0,
        };
        StoreConfig {
            name: STORE.into(),
            partitions: self.partitions,
            head_bytes_max: self.head.bytes_max.0,
            generation_bytes: self.head.generation_bytes.0,
            generation_age: self.head.generation_age.0,
            policy,
            compaction_cpu_share: self.compaction.cpu_share,
            grace: self.compaction.grace.0,
            ..StoreConfig::default()
        }
    }

    pub(crate) fn log(&self, dir: &Path) -> LogConfig {
        LogConfig {
            file_bytes: self.log.file_bytes.0,
            log_bytes_max: self.log.bytes_max.0,
            reserve_bytes: self.log.reserve_bytes.0,
            record_bytes_max: self.record_bytes_max(),
            ..LogConfig::new(dir)
        }
    }

    pub(crate) fn record_bytes_max(&self) -> usize {
        bytes(self.log.record_bytes_max)
    }

    pub(crate) fn body_bytes_max(&self) -> usize {
        bytes(self.writes.body_bytes_max)
    }

    pub(crate) fn read_workers(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(2, std::num::NonZero::get).max(2);
        self.reads.workers.unwrap_or_else(cores)
    }
}

fn bytes(size: Size) -> usize {
    usize::try_from(size.0).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_out_of_bounds_are_all_named() {
        let check = |sets: &[&str], expect: &str| {
            let sources = Sources {
                service: SERVICE,
                files: Vec::new(),
                sets: sets.iter().map(|s| (*s).to_owned()).collect(),
                env: Vec::new(),
            };
            let got =
                Config::load(&sources).map_or_else(|e| e.to_string(), |c| c.store().partitions.to_string());
            assert_eq!(got, expect, "{sets:?}");
        };
        check(&[], "4");
        check(&["partitions=16", "retention=null"], "16");
        check(
            &["partitions=0", "compaction.cpu_share=2", "log.bytes_max=1MiB"],
            "invalid configuration: 3 errors\n  \
             trace-store: `partitions`: 0 is out of range, expected 1 to 256\n  \
             trace-store: `log.bytes_max`: 1MiB is less than two log files (16MiB each)\n  \
             trace-store: `compaction.cpu_share`: 2 is out of range, expected over 0 and up to 1",
        );
        check(
            &["retentoin=1d"],
            "invalid configuration: --set: `retentoin`: unknown key `retentoin`; did you mean `retention`? known: \
             grpc_port, admin_port, partitions, retention, retention_bytes, log, head, compaction, writes, reads",
        );
    }

    #[test]
    fn the_shown_configuration_can_be_read_back() {
        let shown = Config::default().shown();
        let tree = runtime_service::config::parse(&shown, "shown").unwrap();
        assert_eq!(runtime_service::config::typed::<Config>(&tree).unwrap(), Config::default(), "{shown}");
    }

    #[test]
    fn the_document_names_every_key_with_its_default() {
        let document = include_str!("../docs/config.md");
        let rows: Vec<_> =
            document.lines().filter_map(|l| l.strip_prefix("| `")?.split_once("` | ")).collect();
        let shown = runtime_service::config::parse(&Config::default().shown(), "shown").unwrap();
        let mut expect = Vec::new();
        for entry in shown.entries().unwrap() {
            let text = |node: &runtime_service::config::Node| node.text().unwrap_or("null").to_owned();
            match entry.node.entries() {
                None => expect.push((entry.key.clone(), text(&entry.node))),
                Some(below) => {
                    expect.extend(below.iter().map(|e| (format!("{}.{}", entry.key, e.key), text(&e.node))))
                }
            }
        }
        let default = |rest: &str| rest.split(" |").next().unwrap_or("").trim_matches('`').to_owned();
        let got: Vec<_> = rows.into_iter().map(|(key, rest)| (key.to_owned(), default(rest))).collect();
        assert_eq!(got, expect);
    }
}
