//! Finding matching spans in one source: a head or a segment.
//!
//! Knows: what a scan is asked for and what it finds. Must not know: what a match means; that is `condition`'s, for both
//! sources. Start at `segment`; `places` says where in a segment an attribute can be.

mod head;
mod places;
mod segment;

pub(crate) use head::HeadScan;
pub(crate) use segment::SegmentScan;

/// Starts of spans that can still get into the answer, bounds included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

impl Window {
    fn contains(self, start: u64) -> bool {
        (self.first..=self.last).contains(&start)
    }
}

/// A span of a trace matched: keep the newest, as spans of a trace come together.
fn note(found: &mut Vec<(u64, [u8; 16])>, start: u64, id: [u8; 16]) {
    match found.last_mut() {
        Some((newest, last)) if *last == id => *newest = (*newest).max(start),
        _ => found.push((start, id)),
    }
}
