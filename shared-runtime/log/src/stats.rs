//! Numbers of a local log, for metrics and for whoever flushes.
//!
//! Knows: numbers. Must not know: metric names. Start at [`LogStats`].

use runtime_engine::{Offset, Partition};

/// A look at a local log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogStats {
    /// Bytes of all files.
    pub bytes: u64,
    /// Bytes at which appends are refused.
    pub limit_bytes: u64,
    /// Files.
    pub files: usize,
    /// First offset that can be read.
    pub oldest: Offset,
    /// When every partition's root has passed this, the oldest file goes.
    pub oldest_file_end: Offset,
    /// The partition that holds the oldest file back, by the offsets of the last `release`.
    pub oldest_holder: Option<Partition>,
    /// Everything below is durable.
    pub durable_end: Offset,
    /// Files given up after a failed write or fsync, since the log was opened.
    pub poisoned_files: u64,
    /// Records found damaged, since the log was opened.
    pub quarantined_records: u64,
    /// Bytes of torn tails cut at open.
    pub cut_tail_bytes: u64,
    /// Group commits (one write, one fsync each) since the log was opened.
    pub commits: u64,
    /// Records made durable since the log was opened.
    pub appended_records: u64,
    /// Payload bytes made durable since the log was opened, before compression.
    pub appended_bytes: u64,
    /// Whether the log takes appends, as far as it knows.
    pub writable: bool,
}

impl LogStats {
    /// Whether half of the byte limit is used: time to flush [`LogStats::oldest_holder`].
    #[must_use]
    pub fn is_half_used(&self) -> bool {
        self.bytes >= self.limit_bytes / 2
    }
}
