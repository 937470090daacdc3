//! Which records of a block of records hold a trace.
//!
//! Built once when a block is full, so that a look by id costs a binary search per block. Must not know: spans.

use super::HeadRecord;

/// Records per block.
pub(crate) const BLOCK_RECORDS: usize = 64;
/// What one entry weighs.
pub(crate) const ENTRY_BYTES: usize = 16;

/// Sorted (fold of the trace id, record in the block); one entry per trace and record.
#[derive(Debug)]
pub(crate) struct TraceIndex(Box<[(u64, u8)]>);

fn fold(trace_id: &[u8; 16]) -> u64 {
    let id = u128::from_be_bytes(*trace_id);
    let low = u64::try_from(id & u128::from(u64::MAX)).unwrap_or(0);
    let high = u64::try_from(id >> 64).unwrap_or(0);
    low ^ high.rotate_left(32)
}

impl TraceIndex {
    pub(crate) fn new<'a>(block: impl Iterator<Item = &'a HeadRecord>) -> Self {
        let mut entries = Vec::new();
        for (record, i) in block.zip(0_u8..) {
            let mut last = None;
            for span in &record.spans {
                if last != Some(span.trace_id) {
                    last = Some(span.trace_id);
                    entries.push((fold(&span.trace_id), i));
                }
            }
        }
        entries.sort_unstable();
        Self(entries.into_boxed_slice())
    }

    /// Candidates, ascending; a fold may be shared by different traces.
    pub(crate) fn records_of(&self, trace_id: &[u8; 16]) -> impl Iterator<Item = usize> {
        let wanted = fold(trace_id);
        let from = self.0.partition_point(|(fold, _)| *fold < wanted);
        let entries = self.0.get(from..).unwrap_or_default();
        entries.iter().take_while(move |(fold, _)| *fold == wanted).map(|(_, record)| usize::from(*record))
    }
}
