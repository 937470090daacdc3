//! The seam itself: what the runtime asks of an engine, and what it hands in.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use crate::{Edit, Job, ObjectDraft, ObjectMeta, Offset, PartMeta, Policy, Record, Result, Time};

/// What became of a record that was given to a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It is in the head, which now weighs `head_bytes`.
    Taken {
        /// Memory that the head holds, as the budget counts it.
        head_bytes: u64,
    },
    /// The head is full and did not take it: seal it and give the record to the next generation.
    Full,
}

/// Cooperative stop of long engine work.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks the work to end soon.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the work was asked to end.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Random reads of one stored part. Every byte returned has passed its checksum.
pub trait ReadAt: Send + Sync {
    /// Length of the part.
    fn len_bytes(&self) -> u64;

    /// Reads many ranges in one round trip, in the order asked.
    ///
    /// # Errors
    /// `InvalidData` when a checksum does not match, `UnexpectedEof` for a range beyond the end.
    fn read_ranges(&self, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>>;
}

/// One part being written.
pub trait PartWrite: Write + Send {
    /// Makes the part durable and says what it became.
    ///
    /// # Errors
    /// The medium's; the part does not exist then.
    fn finish(self: Box<Self>) -> Result<PartMeta>;
}

/// Where an engine puts the objects that one commit will make visible.
pub trait ObjectSink {
    /// Starts a part; several may be open at once.
    ///
    /// # Errors
    /// The medium's.
    fn create(&mut self, part: &'static str) -> Result<Box<dyn PartWrite>>;

    /// Adds a whole object (its parts are finished) to the commit.
    ///
    /// # Errors
    /// When the draft names no part.
    fn add(&mut self, draft: ObjectDraft) -> Result<()>;

    /// Called between pieces of work of a few milliseconds: the runtime may pause here, to keep background work at its
    /// share of the processor.
    fn breathe(&mut self) {}
}

/// An engine owns bytes and nothing else: synchronous, and given time, bytes and callbacks.
pub trait Engine: Send + Sync + 'static {
    /// An opened immutable object: footer, filters and index resident.
    type Object: Send + Sync + 'static;
    /// One generation of the head: one writer, bounded.
    type Head: Send + 'static;
    /// Readers' cheap, consistent look at a head.
    type View: Clone + Send + Sync + 'static;

    /// A new generation. `live` and `before` are for engines whose head continues state of earlier data.
    ///
    /// # Errors
    /// When that state cannot be read.
    fn head(
        &self,
        live: &[Arc<Self::Object>],
        before: Option<&Self::Head>,
        limit_bytes: u64,
    ) -> Result<Self::Head>;

    /// Puts a record into the head. The same log gives the same head.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`] when the payload is not what its encoding says; the head is unchanged then.
    fn apply(&self, head: &mut Self::Head, at: Offset, record: Record<'_>) -> Result<Applied>;

    /// A look at everything applied so far.
    fn view(&self, head: &Self::Head) -> Self::View;

    /// Writes a sealed generation as one or more objects of one commit. May be called again after an error.
    ///
    /// # Errors
    /// The sink's.
    fn flush(&self, sealed: &Self::Head, out: &mut dyn ObjectSink) -> Result<()>;

    /// Opens a stored object; `parts` are in the order of `meta.parts`.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`] when it is not readable as this engine's format.
    fn open(&self, meta: &ObjectMeta, parts: &[Arc<dyn ReadAt>]) -> Result<Self::Object>;

    /// What to merge or remove next, if anything.
    fn plan(&self, live: &[ObjectMeta], edits: &[Edit], policy: &Policy, now: Time) -> Option<Job>;

    /// Runs a [`Job::Merge`]; `inputs` are in the order of the job's ids.
    ///
    /// # Errors
    /// [`crate::Error::Stopped`] when `stop` was raised; the inputs' and the sink's otherwise.
    fn run(
        &self,
        job: &Job,
        inputs: &[Arc<Self::Object>],
        out: &mut dyn ObjectSink,
        stop: &Stop,
    ) -> Result<()>;
}
