//! `memory_limiter`: a bound on the bytes of requests under way.
//!
//! Knows: its keys, how much memory the machine or its control group has. Must not know: how a receiver reads. The
//! reference samples the process' memory and refuses after a body is held; here bytes are admitted one by one before
//! they are read (`admission.rs`), so `check_interval` and the collection keys have no effect. Pipelines that name the
//! same limiter share one budget of `limit − spike_limit`.

use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use crate::admission::Budget;
use crate::component::{Host, Processor, ProcessorConfig};
use crate::config::{ComponentId, GoDuration, PipelineId};
use crate::pipeline::Consumer;

const MIB: u64 = 1 << 20;
/// As the reference: a fifth of the limit is kept for what is not counted.
const SPIKE_PERCENT_DEFAULT: u64 = 20;
/// Assumed where the machine does not say.
const MEMORY_BYTES_FALLBACK: u64 = 1 << 30;

/// `processors::memory_limiter`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
// Collection keys are accepted; there is no collector of garbage to steer.
pub(crate) struct MemoryLimiterConfig {
    check_interval: GoDuration,
    limit_mib: u64,
    limit_percentage: u64,
    spike_limit_mib: u64,
    spike_limit_percentage: u64,
    min_gc_interval_when_soft_limited: GoDuration,
    min_gc_interval_when_hard_limited: GoDuration,
    max_gc_interval_when_soft_limited: GoDuration,
    max_gc_interval_when_hard_limited: GoDuration,
    #[serde(skip)]
    budget: OnceLock<Arc<Budget>>,
}

impl MemoryLimiterConfig {
    fn limit_bytes(&self, memory_bytes: u64) -> u64 {
        let percent = |part: u64| memory_bytes / 100 * part;
        let limit = match self.limit_mib {
            0 => percent(self.limit_percentage),
            mib => mib.saturating_mul(MIB),
        };
        let spike = match (self.limit_mib, self.spike_limit_mib, self.spike_limit_percentage) {
            (0, _, 0) => limit / 100 * SPIKE_PERCENT_DEFAULT,
            (0, _, part) => percent(part),
            (_, 0, _) => limit / 100 * SPIKE_PERCENT_DEFAULT,
            (_, mib, _) => mib.saturating_mul(MIB),
        };
        limit.saturating_sub(spike)
    }
}

impl ProcessorConfig for MemoryLimiterConfig {
    fn validate(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.check_interval.0.is_zero() {
            problems.push("'check_interval' must be greater than zero");
        }
        if self.limit_mib == 0 && self.limit_percentage == 0 {
            problems.push("'limit_mib' or 'limit_percentage' must be greater than zero");
        }
        if self.limit_percentage > 100 || self.spike_limit_percentage > 100 {
            problems.push(
                "'limit_percentage' and 'spike_limit_percentage' must be greater than zero and less than or equal to \
                 hundred",
            );
        }
        if self.limit_mib > 0 && self.spike_limit_mib >= self.limit_mib {
            problems.push("'spike_limit_mib' must be smaller than 'limit_mib'");
        }
        if self.limit_mib == 0
            && self.limit_percentage > 0
            && self.spike_limit_percentage >= self.limit_percentage
        {
            problems.push("'spike_limit_percentage' must be smaller than 'limit_percentage'");
        }
        problems.into_iter().map(str::to_owned).collect()
    }

    fn build(
        &self,
        id: &ComponentId,
        _pipeline: &PipelineId,
        next: Arc<dyn Consumer>,
        host: &Host,
    ) -> anyhow::Result<Processor> {
        let budget = self.budget.get_or_init(|| {
            let labels = vec![("processor", id.to_string())];
            let used = host.metrics.number("otelcol_processor_memory_limiter_used_bytes", labels);
            Arc::new(Budget::new(self.limit_bytes(memory_bytes()), used))
        });
        Ok(Processor { consumer: next, component: None, budget: Some(budget.clone()) })
    }
}

/// The memory that this process may use: its control group's limit, else the machine's memory.
fn memory_bytes() -> u64 {
    let number = |path: &str| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let group = number("/sys/fs/cgroup/memory.max")
        .or_else(|| number("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
        .filter(|bytes| *bytes > 0);
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| mem_total(&text));
    match (group, machine) {
        (Some(group), Some(machine)) => group.min(machine),
        (group, machine) => group.or(machine).unwrap_or(MEMORY_BYTES_FALLBACK),
    }
}

/// `MemTotal:  16384 kB`
fn mem_total(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_of_the_machine_or_absolute() {
        let check = |config: MemoryLimiterConfig, expect: u64| {
            assert_eq!(config.limit_bytes(1000 * MIB), expect, "{config:?}");
        };
        let config = MemoryLimiterConfig::default;
        check(MemoryLimiterConfig { limit_mib: 100, ..config() }, 80 * MIB);
        check(MemoryLimiterConfig { limit_mib: 100, spike_limit_mib: 30, ..config() }, 70 * MIB);
        check(
            MemoryLimiterConfig { limit_percentage: 80, spike_limit_percentage: 25, ..config() },
            550 * MIB,
        );
        check(MemoryLimiterConfig { limit_percentage: 50, ..config() }, 400 * MIB);
        assert_eq!(mem_total("MemTotal:       2048 kB\nMemFree: 1 kB\n"), Some(2 * MIB));
    }
}
