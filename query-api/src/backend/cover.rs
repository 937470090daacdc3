//! What an answer covers and what it took.
//!
//! Knows: states that partitions send with their parts. Must not know: what the answer is.

use serde::Serialize;
use shared_proto::trace_store::v1::ReadState;

use super::{Partial, Positions};

/// A merged answer and what it covers.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    /// What was asked for.
    pub(crate) value: T,
    /// What that includes.
    pub(crate) cover: Cover,
}

/// What an answer includes, lacks, and took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cover {
    /// What it lacks.
    pub(crate) partial: Partial,
    /// The last record of each partition that it includes.
    pub(crate) positions: Positions,
    /// What stores had to read.
    pub(crate) cost: Cost,
}

/// What stores had to read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Cost {
    /// Stored objects, once per partition that read them.
    pub(crate) objects: u64,
    /// Bytes of these.
    pub(crate) bytes: u64,
    /// Spans looked at.
    pub(crate) spans: u64,
}

impl<T> Answer<T> {
    /// The same cover around something else.
    pub(crate) fn map<U>(self, make: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { value: make(self.value), cover: self.cover }
    }
}

impl Cover {
    /// Adds the part that came from a partition.
    pub(super) fn add(&mut self, partition: u32, state: &ReadState) {
        self.partial.note(partition, &state.partial);
        if let Some(last) = state.position.checked_sub(1) {
            self.positions.raise(partition, last);
        }
        if let Some(cost) = &state.cost {
            self.cost.objects += cost.objects;
            self.cost.bytes += cost.bytes;
            self.cost.spans += cost.spans;
        }
    }

    /// Adds what another read for the same answer covers.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.partial.merge(&other.partial);
        self.positions.merge(&other.positions);
        self.cost.objects += other.cost.objects;
        self.cost.bytes += other.cost.bytes;
        self.cost.spans += other.cost.spans;
    }
}
