//! What an operator may choose about a store, with the defaults of the design.
//!
//! Knows: limits and ages. Must not know: where the numbers come from (files, environment, flags: the service's).

use std::sync::Arc;
use std::time::Duration;

use runtime_engine::Policy;

use crate::OpenError;

const MIB: u64 = 1 << 20;

/// Limits and ages of one store.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// Name of the store, as it stands in positions and paths, such as `traces`.
    pub name: Arc<str>,
    /// Number of partitions, at least 1; the hash of a key decides which one takes a record.
    pub partitions: u32,
    /// Memory of all head generations of the store, sealed ones included. At half of it the largest generation is
    /// sealed, at all of it appends are refused.
    pub head_bytes_max: u64,
    /// Payload bytes that were handed to the log and are not durable yet; more are refused.
    pub inflight_bytes_max: u64,
    /// Payload bytes after which a generation ends: a function of the log, so that all holders end it alike.
    pub generation_bytes: u64,
    /// Span of record times after which a generation ends, and the age at which a writer flushes an idle one.
    pub generation_age: Duration,
    /// How much a replay step reads from the log at once.
    pub read_bytes: usize,
    /// Retention and compaction limits, handed to the engine.
    pub policy: Policy,
    /// Share of one core that compaction may use, `0 <` share `≤ 1`; 1 when a partition is behind.
    pub compaction_cpu_share: f64,
    /// Live objects of one partition above which compaction is behind and takes a whole core; at twice as many appends
    /// are refused.
    pub objects_behind: usize,
    /// How long a replaced object is kept for readers of other processes.
    pub grace: Duration,
    /// Seeded faults of the simulation; empty in production.
    #[cfg(feature = "simulation")]
    pub mutations: Vec<crate::Mutation>,
}

impl StoreConfig {
    /// # Errors
    /// [`OpenError::Config`] names the first key that no store can have.
    pub(crate) fn validate(&self) -> Result<(), OpenError> {
        let share = self.compaction_cpu_share;
        let wrong = [
            (self.partitions == 0, "partitions must be at least 1"),
            (self.head_bytes_max == 0, "head_bytes_max must be more than 0"),
            (self.generation_bytes == 0, "generation_bytes must be more than 0"),
            (self.read_bytes == 0, "read_bytes must be more than 0"),
            (!(share > 0.0 && share <= 1.0), "compaction_cpu_share must be more than 0 and at most 1"),
        ];
        match wrong.into_iter().find(|(is_wrong, _)| *is_wrong) {
            Some((_, detail)) => {
                Err(OpenError::Config { store: self.name.to_string(), detail: detail.to_owned() })
            }
            None => Ok(()),
        }
    }
}

impl Default for StoreConfig {
    /// The figures of the design (section 4): 4 partitions, 96 MiB of heads, generations of 16 MiB or 5 min, a quarter
    /// of a core for compaction.
    fn default() -> Self {
        Self {
            name: Arc::from("store"),
            partitions: 4,
            head_bytes_max: 96 * MIB,
            inflight_bytes_max: 32 * MIB,
            generation_bytes: 16 * MIB,
            generation_age: Duration::from_secs(300),
            read_bytes: 1 << 20,
            policy: Policy {
                retention: Some(Duration::from_secs(72 * 3600)),
                retention_bytes: None,
                merge_fan_in: 8,
                object_bytes_max: 256 * MIB,
            },
            compaction_cpu_share: 0.25,
            objects_behind: 256,
            grace: Duration::from_secs(60),
            #[cfg(feature = "simulation")]
            mutations: Vec::new(),
        }
    }
}
