//! One request into the partitions of a log.
//!
//! Knows: `docs/wire.md`, "Splitting a traces request". Must not know: the log itself.
//! Start at [`split_traces`]: a first pass notes where each span lies and where it goes (`index`), a second writes
//! the parts (`write`), each span's bytes copied once.

mod index;
mod write;

use bytes::Bytes;

use super::{Malformed, Rejected};
use index::Index;
use write::Writer;

/// One log record's worth of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The partition of every trace in `payload`.
    pub partition: u32,
    /// `TracesData` bytes.
    pub payload: Bytes,
    /// Spans in `payload`.
    pub spans: u64,
}

/// A request split by trace id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// In the order of partitions; a partition has several when one would exceed the record limit.
    pub parts: Vec<Part>,
    /// Spans that fit into no record, or whose ids are missing or zero.
    pub rejected: Option<Rejected>,
}

/// Splits a traces request by trace id: every span goes, unchanged, into a part of its partition, under copies of
/// its resource and scope.
///
/// Meant for what [`super::admit`] let through; the spans are not validated again beyond what splitting reads.
/// A request that is one part as it is comes back as the same bytes.
///
/// # Errors
/// [`Malformed`] when the structure down to the ids of spans is broken.
pub fn split_traces(bytes: &Bytes, partitions: u32, record_bytes_max: usize) -> Result<Split, Malformed> {
    let index = Index::of(bytes, partitions)?;
    if let Some(partition) = index.only_partition()
        && bytes.len() <= record_bytes_max
    {
        let part = Part { partition, payload: bytes.clone(), spans: index.spans.len() as u64 };
        return Ok(Split { parts: vec![part], rejected: None });
    }
    Writer::new(bytes, &index, record_bytes_max).split()
}
