//! The two sides of a log, the same for every medium.
//!
//! Knows: appends, reads, positions. Must not know: files, Kafka. Start at [`LogWriter`].

use std::time::Duration;

use runtime_engine::{Offset, Partition};

use crate::{AppendError, Batch, NewRecord, ReadError};

/// Called once with the outcome of an append, on a thread of the log: it must not block.
pub type AppendDone = Box<dyn FnOnce(Result<Vec<Offset>, AppendError>) + Send>;

/// The writing side.
pub trait LogWriter: Send + Sync {
    /// Appends all records, or refuses all. `done` gets their offsets, in order, once they are durable.
    fn append(&self, records: Vec<NewRecord>, done: AppendDone);
}

/// The reading side. Only durable records are delivered.
pub trait LogReader: Send + Sync {
    /// Records of a partition from `from` on, at least one if there is one, about `bytes_max` payload bytes at most.
    ///
    /// # Errors
    /// [`ReadError::Truncated`] when `from` is below the oldest record kept; [`ReadError::Io`].
    fn read(&self, partition: Partition, from: Offset, bytes_max: usize) -> Result<Batch, ReadError>;

    /// Everything below is durable.
    fn durable_end(&self) -> Offset;

    /// Blocks until the durable end is past `seen`, or the time is over, or the log is closed; answers the end.
    fn wait(&self, seen: Offset, timeout: Duration) -> Offset;
}
