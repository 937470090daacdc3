//! Which partitions have records in a file: what lets a reader pass over it.
//!
//! Knows: first, last and count for each partition. Must not know: bytes. Start at [`Spans`].

use runtime_engine::{Offset, Partition};

use super::format::PartitionSpan;

/// The partitions of one file, sorted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spans(Vec<PartitionSpan>);

impl Spans {
    /// Notes a record; offsets come ascending.
    pub(crate) fn add(&mut self, partition: Partition, offset: Offset) {
        match self.0.binary_search_by_key(&partition, |span| span.partition) {
            Ok(at) => {
                if let Some(span) = self.0.get_mut(at) {
                    span.last = offset;
                    span.records = span.records.saturating_add(1);
                }
            }
            Err(at) => {
                self.0.insert(at, PartitionSpan { partition, records: 1, first: offset, last: offset })
            }
        }
    }

    /// Whether the file may hold records of the partition from `from` on.
    pub(crate) fn reaches(&self, partition: Partition, from: Offset) -> bool {
        let found = self.0.binary_search_by_key(&partition, |span| span.partition);
        found.ok().and_then(|at| self.0.get(at)).is_some_and(|span| span.last >= from)
    }

    pub(crate) fn as_slice(&self) -> &[PartitionSpan] {
        &self.0
    }
}

impl From<Vec<PartitionSpan>> for Spans {
    fn from(mut spans: Vec<PartitionSpan>) -> Self {
        spans.sort_unstable_by_key(|span| span.partition);
        Self(spans)
    }
}
