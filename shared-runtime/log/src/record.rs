//! What goes into the log and what comes out.
//!
//! Knows: the fields of a record. Must not know: how they lie on a medium. Start at [`NewRecord`].

use std::sync::Arc;

use bytes::Bytes;
use runtime_engine::{Offset, Partition, Record, Time};

/// A record to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// Where it belongs.
    pub partition: Partition,
    /// Whose data it is.
    pub tenant: Arc<str>,
    /// Encoding of the payload, numbered in `shared-proto/docs/wire.md`.
    pub encoding: u8,
    /// The uncompressed payload.
    pub payload: Bytes,
}

/// A durable record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedRecord {
    /// Its position.
    pub offset: Offset,
    /// When the log took it, by the writer's clock.
    pub time: Time,
    /// Whose data it is.
    pub tenant: Arc<str>,
    /// Encoding of the payload, numbered in `shared-proto/docs/wire.md`.
    pub encoding: u8,
    /// The uncompressed payload.
    pub payload: Bytes,
}

impl OwnedRecord {
    /// The record as engines take it.
    #[must_use]
    pub fn as_record(&self) -> Record<'_> {
        Record { time: self.time, tenant: &self.tenant, encoding: self.encoding, payload: &self.payload }
    }
}

/// Answer to a read of one partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// The partition's records, ascending; empty with `next == durable_end` when the reader has caught up.
    pub records: Vec<OwnedRecord>,
    /// Where to go on: every record of the partition below this was delivered, now or before, or is damaged.
    pub next: Offset,
    /// The log's end when it was asked: everything below is durable.
    pub durable_end: Offset,
    /// Records between the start and `next` that are damaged and may have been this partition's.
    pub damaged: u64,
}
