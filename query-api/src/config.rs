//! Configuration of query-api: as written, and as validated.
//!
//! Knows: keys, defaults, bounds. Must not know: what is done with them. Start at [`Config`].

use std::time::Duration;

use runtime_service::config::{self, ConfigError, ConfigErrors, Period, Size, Sources};
use serde::{Deserialize, Serialize};

/// Validated configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Jaeger's HTTP API.
    pub jaeger_port: u16,
    /// Admin endpoints.
    pub admin_port: u16,
    /// `host:port` of every trace-store; `None` means the one of this stack (17281 plus the port offset).
    pub trace_stores: Option<Vec<String>>,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// How much an answer may hold.
    pub limits: Limits,
    /// Clocks of spans are corrected by at most this; zero corrects nothing and only warns, like Jaeger.
    pub clock_skew_adjust_max: Duration,
    /// The effective configuration as YAML.
    pub shown: String,
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// One read of one partition, other holders included.
    pub read: Duration,
    /// After this another holder of the partition is asked too.
    pub hedge: Duration,
    /// How long a read waits for the position that its caller asked for.
    pub position: Duration,
}

/// How much an answer may hold.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Traces in one search.
    pub search_traces_max: u32,
    /// Spans shown of one trace; a longer one says that it is cut.
    pub trace_spans_max: usize,
    /// OTLP bytes gathered for one answer from one partition; what does not fit is left out, and the answer says so.
    pub answer_bytes_max: usize,
    /// OTLP bytes gathered for all answers under way; beyond it requests are refused for the moment.
    pub answers_bytes_max: usize,
    /// Spans shown of one skeleton; a longer trace says that it is cut.
    pub skeleton_spans_max: usize,
    /// Bytes of the skeletons that are kept, because rows of them will be asked for.
    pub skeletons_bytes_max: usize,
    /// Requests that are answered at once; more wait, up to ten times as many, then they are refused.
    pub requests_max: usize,
}

/// The configuration as written.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Raw {
    jaeger_port: u16,
    admin_port: u16,
    trace_stores: Option<Vec<String>>,
    timeouts: RawTimeouts,
    limits: RawLimits,
    clock_skew_adjust_max: Period,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct RawTimeouts {
    read: Period,
    hedge: Period,
    position: Period,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct RawLimits {
    search_traces_max: u32,
    trace_spans_max: u32,
    answer_bytes_max: Size,
    answers_bytes_max: Size,
    skeleton_spans_max: u32,
    skeletons_bytes_max: Size,
    requests_max: u32,
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            jaeger_port: 16686,
            admin_port: 8081,
            trace_stores: None,
            timeouts: RawTimeouts::default(),
            limits: RawLimits::default(),
            clock_skew_adjust_max: Period(Duration::ZERO),
        }
    }
}

impl Default for RawTimeouts {
    fn default() -> Self {
        Self {
            read: Period(Duration::from_secs(10)),
            hedge: Period(Duration::from_millis(200)),
            position: Period(Duration::from_secs(5)),
        }
    }
}

impl Default for RawLimits {
    fn default() -> Self {
        Self {
            // What Jaeger's UI offers at most.
            search_traces_max: 1_500,
            // Jaeger's UI is tested up to 80,000.
            trace_spans_max: 200_000,
            answer_bytes_max: Size(64 << 20),
            answers_bytes_max: Size(256 << 20),
            skeleton_spans_max: 1_500_000,
            // One of a million spans, or a hundred usual ones.
            skeletons_bytes_max: Size(96 << 20),
            requests_max: 16,
        }
    }
}

impl Default for Config {
    /// A single machine with no file at all.
    fn default() -> Self {
        Self::from_raw(&Raw::default())
    }
}

impl Config {
    /// Defaults, files, environment (`YC_QUERY_API_…`) and flags, validated.
    ///
    /// # Errors
    /// Everything that is wrong, together.
    pub fn load(sources: &Sources) -> Result<Self, ConfigErrors> {
        let raw: Raw = config::load(sources)?;
        raw.check()?;
        Ok(Self::from_raw(&raw))
    }

    fn from_raw(raw: &Raw) -> Self {
        let (timeouts, limits) = (&raw.timeouts, &raw.limits);
        let count = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        let bytes = |size: Size| usize::try_from(size.0).unwrap_or(usize::MAX);
        Self {
            jaeger_port: raw.jaeger_port,
            admin_port: raw.admin_port,
            trace_stores: raw.trace_stores.clone(),
            timeouts: Timeouts {
                read: timeouts.read.0,
                hedge: timeouts.hedge.0,
                position: timeouts.position.0,
            },
            limits: Limits {
                search_traces_max: limits.search_traces_max,
                trace_spans_max: count(limits.trace_spans_max),
                answer_bytes_max: bytes(limits.answer_bytes_max),
                answers_bytes_max: bytes(limits.answers_bytes_max),
                skeleton_spans_max: count(limits.skeleton_spans_max),
                skeletons_bytes_max: bytes(limits.skeletons_bytes_max),
                requests_max: count(limits.requests_max),
            },
            clock_skew_adjust_max: raw.clock_skew_adjust_max.0,
            shown: config::redacted(raw),
        }
    }
}

impl Raw {
    /// What no single key's type can say.
    fn check(&self) -> Result<(), ConfigErrors> {
        let mut errors = ConfigErrors::default();
        let mut refuse = |key: &str, message: &str| {
            let (file, key, message) = ("query-api".to_owned(), key.to_owned(), message.to_owned());
            errors.push(ConfigError { file, line: 0, key, message });
        };
        if self.trace_stores.as_ref().is_some_and(Vec::is_empty) {
            refuse("trace_stores", "the list is empty: name at least one `host:port`, or leave the key out");
        }
        let positive = [
            ("timeouts.read", self.timeouts.read.0.is_zero()),
            ("timeouts.position", self.timeouts.position.0.is_zero()),
            ("limits.search_traces_max", self.limits.search_traces_max == 0),
            ("limits.trace_spans_max", self.limits.trace_spans_max == 0),
            ("limits.answer_bytes_max", self.limits.answer_bytes_max.0 == 0),
            ("limits.answers_bytes_max", self.limits.answers_bytes_max.0 == 0),
            ("limits.skeleton_spans_max", self.limits.skeleton_spans_max == 0),
            ("limits.requests_max", self.limits.requests_max == 0),
        ];
        for (key, _) in positive.into_iter().filter(|(_, is_zero)| *is_zero) {
            refuse(key, "must be greater than 0");
        }
        errors.into_result()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(sets: &[&str]) -> Result<Config, ConfigErrors> {
        let sets = sets.iter().map(|s| (*s).to_owned()).collect();
        Config::load(&Sources { service: "query-api", files: Vec::new(), sets, env: Vec::new() })
    }

    #[test]
    fn defaults_need_no_file() {
        let config = load(&[]).unwrap();
        assert_eq!((config.jaeger_port, config.admin_port, config.trace_stores), (16686, 8081, None));
        assert_eq!(config.limits.search_traces_max, 1500);
        assert!(config.shown.contains("trace_spans_max: 200000"), "{}", config.shown);
    }

    #[test]
    fn all_impossible_values_are_named_together() {
        let error = load(&["trace_stores=[]", "limits.search_traces_max=0", "timeouts.read=0"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid configuration: 3 errors\n  \
             query-api: `trace_stores`: the list is empty: name at least one `host:port`, or leave the key out\n  \
             query-api: `timeouts.read`: must be greater than 0\n  \
             query-api: `limits.search_traces_max`: must be greater than 0"
        );
    }
}
