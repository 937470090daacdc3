//! Rates, errors and durations of spans, who calls whom, what failed: sums that stand beside the spans.
//!
//! Knows: which sums there are, and their bounds. Must not know: columns of spans, HTTP, other partitions. A head and a
//! flush count spans (`count`), a merge adds sums up and corrects them (`merge`), `part` is how they lie at rest, `query`
//! answers from all of them, and `join` finds the other ends of half edges. The tables are described in
//! `docs/segment-format.md`.

mod callee;
mod cells;
mod count;
mod failure;
mod join;
mod merge;
mod part;
mod query;
mod rows;
mod trace;

use std::sync::Arc;

use runtime_engine::Result;

pub(crate) use count::Count;
pub(crate) use join::{Found, SegmentSums, SpanKey, note};
pub(crate) use merge::Merge;
pub(crate) use part::{PartWriter, Stored, schema};
pub use query::{
    Callee, Edge, Edges, Failure, Failures, HalfEdge, Red, RedPoint, RedQuery, RedSeries, Version, Window,
    callers, edges, failures, red,
};
pub(crate) use rows::Summary;

use crate::segment::{Outline, Segment, TablesBuilder};

/// Nanoseconds of the time that a row of sums covers.
const MINUTE: u64 = 60_000_000_000;

/// The minute, since the Unix epoch, in which a span counts.
fn minute_of(start: u64) -> u32 {
    // 2^64 nanoseconds are some 300 million minutes
    u32::try_from(start / MINUTE).unwrap_or(u32::MAX)
}

/// An id of eight bytes as a number; what is no id, or zero, is none.
pub(crate) fn id_of(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|id| u64::from_be_bytes(*id)).filter(|id| *id != 0)
}

/// The sums of a segment that is being written.
pub(crate) enum Sums {
    /// Every span is counted.
    Counted(Box<Count>),
    /// The sums of the inputs are added up.
    Merged(Box<Merge>),
}

impl Sums {
    /// Sums of a segment made of spans.
    pub(crate) fn counted() -> Self {
        Self::Counted(Box::default())
    }

    /// Sums of a segment made of segments.
    ///
    /// # Errors
    /// A damaged input, a failed read.
    pub(crate) fn merged(inputs: &[Arc<Segment>]) -> Result<Self> {
        Ok(Self::Merged(Box::new(Merge::new(inputs)?)))
    }

    /// A span that is in the segment; `operation` is its ordinal in the tables.
    ///
    /// # Errors
    /// When its attributes or events cannot be read.
    pub(crate) fn span(&mut self, span: &Outline<'_>, operation: u32, tables: &TablesBuilder) -> Result<()> {
        match self {
            Self::Counted(count) => match tables.resource_at(span.resource) {
                Some(resource) => count.span(span, resource, operation),
                None => Ok(()),
            },
            Self::Merged(merge) => {
                merge.span(span, tables);
                Ok(())
            }
        }
    }

    /// A span that is left out because the very same one is in the segment already.
    pub(crate) fn repeated(&mut self, span: &Outline<'_>) {
        if let Self::Merged(merge) = self {
            merge.repeated(span);
        }
    }

    /// Writes everything.
    ///
    /// # Errors
    /// The sink's; a damaged input.
    pub(crate) fn finish(self, tables: &TablesBuilder, out: &mut PartWriter) -> Result<()> {
        match self {
            Self::Counted(count) => out.write(&count.finish()),
            Self::Merged(merge) => merge.finish(tables, out),
        }
    }
}
