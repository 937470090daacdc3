//! Limits of a local log.
//!
//! Knows: numbers and where they come from. Must not know: who enforces them. Start at [`LogConfig`].

use std::path::PathBuf;
use std::time::Duration;

/// A KiB.
const KIB: usize = 1024;
/// A MiB.
const MIB: usize = 1024 * KIB;

/// Where a local log lies and how large it may become.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// Directory of the log; made when missing, locked while open.
    pub dir: PathBuf,
    /// A file that would pass this is followed by a new one; at most a quarter of `log_bytes_max`. One append larger than it has a file of its own.
    pub file_bytes: u64,
    /// Bytes of all files at which appends are refused.
    pub log_bytes_max: u64,
    /// Free bytes of the file system that appends must leave: they serve flush, roots and deletion.
    pub reserve_bytes: u64,
    /// Largest payload of a record.
    pub record_bytes_max: usize,
    /// Bytes of requests that may wait for the commit thread; more are refused.
    pub queue_bytes_max: usize,
    /// One write and fsync takes about this much at most; the rest waits for the next.
    pub group_bytes_max: usize,
    /// Payload bytes of recent durable records that are kept in memory for readers.
    pub tail_bytes_max: usize,
    /// How often a log that refuses appends tries whether it can write again.
    pub probe_interval: Duration,
}

impl LogConfig {
    /// A log in `dir` with the usual limits.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            file_bytes: 16 << 20,
            log_bytes_max: 1 << 30,
            reserve_bytes: 64 << 20,
            record_bytes_max: MIB,
            queue_bytes_max: 32 * MIB,
            group_bytes_max: 4 * MIB,
            tail_bytes_max: 16 * MIB,
            // well below the 10 s in which a log must heal after space returns
            probe_interval: Duration::from_secs(1),
        }
    }
}
