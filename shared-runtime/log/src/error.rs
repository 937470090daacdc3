//! What can go wrong with a log.
//!
//! Knows: variants with evidence. Must not know: status codes. Start at [`AppendError`].

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use runtime_engine::Offset;

/// Why an append was refused. Nothing of it counts as written; after [`AppendError::Poisoned`] parts may still turn
/// up after a crash, as with any unknown outcome.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// Final: a smaller record is needed.
    #[error("{what} is {bytes} bytes long, more than the {limit_bytes} that a log record takes")]
    TooLarge {
        /// `payload` or `tenant`.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// What is allowed.
        limit_bytes: usize,
    },
    /// Retryable: flushes free the log.
    #[error("the log is full: {log_bytes} of {limit_bytes} bytes; flushing frees it")]
    LogFull {
        /// Bytes of all its files.
        log_bytes: u64,
        /// What is allowed.
        limit_bytes: u64,
    },
    /// Retryable: the file system has to get space.
    #[error(
        "the disk is full: {available_bytes} bytes free below {dir}, of which {reserve_bytes} are reserved; free some space"
    )]
    DiskFull {
        /// Directory of the log.
        dir: PathBuf,
        /// Free bytes.
        available_bytes: u64,
        /// What appends must leave.
        reserve_bytes: u64,
    },
    /// Retryable: a write or fsync failed; the log goes on in a new file once one succeeds.
    #[error("the log cannot write: {source}")]
    Poisoned {
        /// The failure.
        source: Arc<io::Error>,
    },
    /// Retryable: more requests wait for the disk than the budget takes.
    #[error("{queued_bytes} bytes wait for the log already, {limit_bytes} may")]
    Busy {
        /// Bytes that wait.
        queued_bytes: usize,
        /// What is allowed.
        limit_bytes: usize,
    },
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
}

impl AppendError {
    /// Whether the same records may be accepted later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        !matches!(self, Self::TooLarge { .. })
    }
}

/// Why a read was refused.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The records asked for are gone: damage, because files go only when every root has passed them.
    #[error("offset {from} is below the oldest log record {oldest}")]
    Truncated {
        /// What was asked for.
        from: Offset,
        /// The first offset that can be read.
        oldest: Offset,
    },
    /// The medium failed; the read may be tried again.
    #[error("cannot read the log")]
    Io(#[from] io::Error),
}

/// Why a log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error(
        "log directory {dir} is in use by another process; stop that process or choose another directory"
    )]
    Locked {
        /// The directory.
        dir: PathBuf,
        /// The lock's answer.
        #[source]
        source: io::Error,
    },
    /// Written by a later or foreign version.
    #[error(
        "{path} has log format version {found}, this program reads {supported}; use the program that wrote it"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// Ours.
        supported: u32,
    },
    /// The medium failed.
    #[error("cannot open the log")]
    Io(#[from] io::Error),
}
