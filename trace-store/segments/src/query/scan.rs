//! Finding matching spans in one source: a head or a segment.
//!
//! Knows: what a scan is asked for and what it finds. Must not know: what a match means; that is `condition`'s, for both
//! sources. Start at `segment`; `places` says where in a segment an attribute can be.

mod head;
mod places;
mod segment;

pub(crate) use head::HeadScan;
pub(crate) use segment::SegmentScan;

use super::order::{ByStart, Ranked};

/// Starts of spans that can still get into the answer, bounds included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) by: ByStart,
}

impl Window {
    /// Every start.
    pub(crate) const ALL: Self = Self { first: 0, last: u64::MAX, by: ByStart::Newest };

    fn contains(self, start: u64) -> bool {
        (self.first..=self.last).contains(&start)
    }

    /// A span of a trace matched: keep the best score, as spans of a trace come together.
    fn note(self, found: &mut Vec<Ranked>, start: u64, id: [u8; 16]) {
        let score = self.by.score(start);
        match found.last_mut() {
            Some((best, last)) if *last == id => *best = (*best).max(score),
            _ => found.push((score, id)),
        }
    }
}

/// A matching span of one of the traces that were asked about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Match {
    pub(crate) trace_id: [u8; 16],
    pub(crate) start: u64,
    pub(crate) span_id: [u8; 8],
}
