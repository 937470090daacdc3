//! What a store stands on: a log, objects, roots and a clock, each behind its trait.
//!
//! Knows: the five handles. Must not know: which medium is behind them, except in [`Media::local`].

use std::io;
use std::sync::Arc;

use runtime_engine::Offset;
use runtime_files::Clock;
use runtime_log::{LocalLog, LogReader, LogStats, LogWriter};
use runtime_objects::{Objects, Roots};

/// Whoever keeps the log: it is told what the roots have passed.
pub trait LogKeeper: Send + Sync {
    /// The committed offset of every partition, by its number: what is wholly below the lowest may go.
    fn release(&self, partition_offsets: &[Offset]);

    /// No offset below `floor` is given out from now on.
    fn raise_floor(&self, floor: Offset);

    /// Numbers.
    fn stats(&self) -> LogStats;

    /// Commits what waits and takes no more.
    fn close(&self);
}

impl LogKeeper for LocalLog {
    fn release(&self, partition_offsets: &[Offset]) {
        Self::release(self, partition_offsets);
    }

    fn raise_floor(&self, floor: Offset) {
        Self::raise_floor(self, floor);
    }

    fn stats(&self) -> LogStats {
        Self::stats(self)
    }

    fn close(&self) {
        Self::close(self);
    }
}

/// The handles.
#[derive(Clone)]
pub struct Media {
    /// Takes records.
    pub writer: Arc<dyn LogWriter>,
    /// Gives durable records.
    pub reader: Arc<dyn LogReader>,
    /// Frees the log.
    pub keeper: Arc<dyn LogKeeper>,
    /// Immutable objects.
    pub objects: Arc<dyn Objects>,
    /// The roots of the partitions.
    pub roots: Arc<dyn Roots>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl Media {
    /// The embedded media: starts the commit thread of `log`.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn local(
        log: LocalLog,
        objects: Arc<dyn Objects>,
        roots: Arc<dyn Roots>,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let (writer, reader) = log.start()?;
        Ok(Self { writer, reader, keeper: Arc::new(log), objects, roots, clock })
    }
}
