//! Summaries of traces: counts, root, completeness, first error, matched spans, from everything that a snapshot holds.
//!
//! Knows: what is summed up, and the narrow columns it needs. Must not know: other partitions, which may hold more of a
//! trace. Start at [`summaries`]; `sum` adds up, `source` reads.

mod source;
mod sum;

use std::sync::Arc;

use runtime_engine::{Result, Snapshot, Stop};

use super::condition::Conditions;
use super::scan::{HeadScan, Match, SegmentScan};
use super::{Cost, SearchQuery};
use crate::Traces;
use sum::Sums;

/// Matched spans that a summary names.
const MATCHED_MAX: usize = 10;

/// A trace summed up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Which trace.
    pub trace_id: [u8; 16],
    /// First start (Unix ns).
    pub start: u64,
    /// Last end (Unix ns); of a span that ends before it starts, the start.
    pub end: u64,
    /// The earliest span without a parent.
    pub root: Option<RootSpan>,
    /// The earliest span whose parent is not there.
    pub orphan: Option<RootSpan>,
    /// Spans, duplicates included until they are compacted.
    pub spans: u32,
    /// Spans with status ERROR.
    pub errors: u32,
    /// Spans whose parent is not there.
    pub orphans: u32,
    /// By name.
    pub services: Vec<ServiceCount>,
    /// The earliest span with status ERROR.
    pub error: Option<ErrorSpan>,
    /// The first matching spans by start, at most 10.
    pub matched: Vec<[u8; 8]>,
    /// Start of the oldest matching span; 0 when none matches.
    pub matched_oldest: u64,
    /// Start of the newest matching span; 0 when none matches.
    pub matched_newest: u64,
}

/// A span that a trace is known by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RootSpan {
    /// As [`super::services`] tells it.
    pub service: Arc<str>,
    /// As [`super::operations`] tells it.
    pub operation: String,
    /// Unix ns.
    pub start: u64,
}

/// A service's share of a trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceCount {
    /// As [`super::services`] tells it.
    pub service: Arc<str>,
    /// Its spans.
    pub spans: u32,
    /// Its spans with status ERROR.
    pub errors: u32,
}

/// A span that failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorSpan {
    /// Status message; if that is empty, type and message of the first exception event.
    pub text: String,
    /// As [`super::services`] tells it.
    pub service: Arc<str>,
    /// As [`super::operations`] tells it.
    pub operation: String,
    /// Unix ns.
    pub start: u64,
}

/// Traces summed up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summaries {
    /// Of the traces that are there, by id.
    pub traces: Vec<Summary>,
    /// False when there were too many spans to look for their parents: `orphans` is 0 then.
    pub are_orphans_counted: bool,
}

/// Summaries of the traces that are there. `matching` says which spans count as matched; its order, limit, place
/// and the duration of the trace play no part.
///
/// # Errors
/// A damaged segment, a failed read, or [`runtime_engine::Error::Stopped`].
pub fn summaries(
    snap: &Snapshot<Traces>,
    ids: &[[u8; 16]],
    matching: Option<&SearchQuery>,
    stop: &Stop,
    cost: &mut Cost,
) -> Result<Summaries> {
    let mut ids: Vec<[u8; 16]> = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let ids: Arc<[[u8; 16]]> = ids.into();
    let mut sums = Sums::new(&ids);
    for segment in &snap.objects {
        source::add_segment(segment, &ids, &mut sums, stop, cost)?;
    }
    for head in &snap.heads {
        source::add_head(head, &ids, &mut sums, cost)?;
    }
    source::explain_errors(snap, &mut sums, cost)?;
    if let Some(query) = matching {
        matches(snap, &ids, query, cost)?.into_iter().for_each(|found| sums.matched(found));
    }
    let (traces, are_orphans_counted) = sums.finish();
    Ok(Summaries { traces, are_orphans_counted })
}

fn matches(
    snap: &Snapshot<Traces>,
    ids: &Arc<[[u8; 16]]>,
    query: &SearchQuery,
    cost: &mut Cost,
) -> Result<Vec<Match>> {
    let conditions = Arc::new(Conditions::new(query));
    let mut found = Vec::new();
    for segment in &snap.objects {
        if let Some(scan) = SegmentScan::new(segment, &conditions)? {
            scan.matches_of(ids, cost, &mut found)?;
        }
    }
    for head in &snap.heads {
        let scan = HeadScan::new(head, Arc::clone(&conditions))?;
        for id in ids.iter() {
            scan.matches_of(id, cost, &mut found)?;
        }
    }
    Ok(found)
}
