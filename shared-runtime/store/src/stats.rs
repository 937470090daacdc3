//! The numbers that a store shows: counted here, named and exported by the service.

use std::time::Duration;

use runtime_engine::{Offset, Partition, Position, Time};
use runtime_log::LogStats;

/// What one holder of a partition knows of it: the answer of the `Holders` call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HolderState {
    /// How far its snapshot reaches.
    pub position: Position,
    /// End of the log as last seen.
    pub log_end: Offset,
    /// When the end of the log was last seen.
    pub seen: Time,
    /// The records that were in the log at start are not all in the snapshot yet.
    pub replaying: bool,
    /// Objects, manifests and log records that are damaged and not served.
    pub quarantined: usize,
}

/// The numbers of one partition.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionStats {
    /// The partition.
    pub partition: Partition,
    /// Whether this process may commit.
    pub writing: bool,
    /// Version of the root as last seen.
    pub root_version: u64,
    /// Epoch of the root as last seen.
    pub root_epoch: u64,
    /// Everything below is in objects.
    pub root_offset: Offset,
    /// Everything below is in the snapshot.
    pub position: Offset,
    /// Memory of its head generations.
    pub head_bytes: u64,
    /// Its head generations, the open one included.
    pub generations: usize,
    /// Age of the oldest record that is not in an object yet; zero when there is none.
    pub flush_age: Duration,
    /// Live objects.
    pub objects: usize,
    /// Stored bytes of live objects.
    pub object_bytes: u64,
    /// Replaced objects that wait for their grace period and their readers.
    pub removed_objects: usize,
    /// Damaged objects, manifests and log records.
    pub quarantined: usize,
    /// Counters.
    pub counters: Counters,
}

/// What has happened in one partition since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Records put into a head.
    pub records: u64,
    /// Records that the log or the engine called damaged.
    pub records_damaged: u64,
    /// Flushes committed.
    pub flushes: u64,
    /// Flushes that failed and are retried.
    pub flush_failures: u64,
    /// Merges committed.
    pub merges: u64,
    /// Merges abandoned, because an edit arrived or an input left.
    pub merges_abandoned: u64,
    /// Merges that failed.
    pub merge_failures: u64,
    /// Objects removed by retention.
    pub expired: u64,
    /// Commits that only moved the root.
    pub empty_commits: u64,
    /// Swaps whose outcome was unknown at first.
    pub swaps_unknown: u64,
    /// How often another writer took the partition.
    pub fenced: u64,
    /// Objects deleted: replaced ones and leftovers of older epochs.
    pub deleted: u64,
    /// Heads thrown away and built again from the log.
    pub rebuilds: u64,
}

/// The numbers of a store.
#[derive(Debug, Clone)]
pub struct StoreStats {
    /// The log's own.
    pub log: LogStats,
    /// Memory of all head generations.
    pub head_bytes: u64,
    /// Its limit.
    pub head_bytes_max: u64,
    /// Payload bytes that were handed to the log and are not durable yet.
    pub inflight_bytes: u64,
    /// Log records not yet in a snapshot, over all partitions: the replay lag (an upper bound: offsets, not records).
    pub replay_lag: u64,
    /// Appends refused because of a bound of the store.
    pub refused: u64,
    /// Why appends would be refused now; `None` when they are taken.
    pub refusing: Option<&'static str>,
    /// Every partition's.
    pub partitions: Vec<PartitionStats>,
}

impl StoreStats {
    /// Damaged objects, manifests and log records of all partitions.
    #[must_use]
    pub fn quarantined(&self) -> usize {
        self.partitions.iter().map(|p| p.quarantined).sum()
    }

    /// Live objects of all partitions.
    #[must_use]
    pub fn objects(&self) -> usize {
        self.partitions.iter().map(|p| p.objects).sum()
    }

    /// Age of the oldest record of the store that is not in an object yet.
    #[must_use]
    pub fn flush_age(&self) -> Duration {
        self.partitions.iter().map(|p| p.flush_age).max().unwrap_or_default()
    }
}
