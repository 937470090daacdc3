//! The skeleton of a trace: its spans as columns in the order of a waterfall, adjusted like whole traces.
//!
//! Knows: `docs/skeleton.md`, what Jaeger adjusts. Must not know: HTTP, stores. Start at [`Draft`]: rows as stores sent
//! them are repaired and adjusted there, `waterfall` puts them in order, `critical_path` marks some, `encode` writes
//! the answer, `cache` keeps the last ones, because rows of them are asked for by number.

mod cache;
mod critical_path;
mod draft;
mod encode;
mod waterfall;

use std::time::Duration;

use crate::trace_id::TraceId;

pub(crate) use cache::{Cache, Kept};
pub(crate) use draft::Draft;
pub(crate) use encode::{Header, encode};

use super::adjust::clock_skew;

/// A row without a parent.
pub(crate) const ROOT: u32 = u32::MAX;
/// A row whose parent is not in the trace.
pub(crate) const ORPHAN: u32 = u32::MAX - 1;

/// Bits of `flags`.
pub(crate) mod flag {
    /// The kind's number.
    pub(crate) const KIND: u8 = 0b111;
    /// Status ERROR.
    pub(crate) const ERROR: u8 = 1 << 3;
    /// There are warnings about times, ids or parents.
    pub(crate) const WARNINGS: u8 = 1 << 6;
    /// On the critical path.
    pub(crate) const CRITICAL: u8 = 1 << 7;
}

/// What is odd about a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Note {
    /// It ended no later than it started.
    Backwards,
    /// An earlier span has its id.
    SameId,
    /// Its parent, by id, is not in the trace.
    Orphan(u64),
    /// Its clock is off by so many nanoseconds.
    Skew(i64),
}

/// How a row was before it was adjusted: what its span is asked for by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Span id.
    pub(crate) id: u64,
    /// Id of the parent; 0 = none.
    pub(crate) parent: u64,
    /// Unix nanoseconds.
    pub(crate) start: u64,
}

/// One row of a skeleton.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: u64,
    /// Id of the parent; 0 = none.
    pub(crate) parent_id: u64,
    /// Unix nanoseconds.
    pub(crate) start: u64,
    pub(crate) duration: u64,
    pub(crate) service: u32,
    pub(crate) operation: u32,
    pub(crate) flags: u8,
    pub(crate) origin: Origin,
    /// Row of the parent, [`ROOT`] or [`ORPHAN`].
    pub(crate) parent: u32,
    pub(crate) depth: u16,
    pub(crate) descendants: u32,
    pub(crate) children: u32,
}

/// A trace as rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Skeleton {
    pub(crate) id: TraceId,
    pub(crate) raw: bool,
    /// Names by index; sorted.
    pub(crate) services: Vec<String>,
    pub(crate) operations: Vec<String>,
    pub(crate) rows: Vec<Row>,
    /// By row, ascending; several of a row stand together.
    pub(crate) notes: Vec<(u32, Note)>,
    /// About the trace as a whole.
    pub(crate) warnings: Vec<String>,
    /// How many rows there would be, if some were left out.
    pub(crate) found: Option<usize>,
}

impl Skeleton {
    /// First start and last end; zeroes for no rows.
    pub(crate) fn times(&self) -> (u64, u64) {
        let start = self.rows.iter().map(|row| row.start).min().unwrap_or(0);
        let end = self.rows.iter().map(|row| row.start.saturating_add(row.duration)).max().unwrap_or(0);
        (start, end)
    }

    /// Changes when the rows do.
    pub(crate) fn version(&self) -> String {
        let mut hash = xxhash_rust::xxh3::Xxh3::new();
        for row in &self.rows {
            for number in [row.id, row.start, row.duration, row.origin.id, row.origin.start] {
                hash.update(&number.to_le_bytes());
            }
            hash.update(&row.parent.to_le_bytes());
        }
        format!("{:016x}", hash.digest())
    }

    /// A row by its number.
    pub(crate) fn row(&self, row: u32) -> Option<&Row> {
        self.rows.get(usize::try_from(row).ok()?)
    }

    /// What there is to say about a row, besides what its span says itself.
    pub(crate) fn warnings_of(&self, row: u32, skew_max: Duration) -> Vec<String> {
        let from = self.notes.partition_point(|(at, _)| *at < row);
        let notes = self.notes.iter().skip(from).take_while(|(at, _)| *at == row);
        let text = |note: Note| match note {
            Note::Backwards => None,
            Note::SameId => Some(clock_skew::DUPLICATE.to_owned()),
            Note::Orphan(parent) => Some(clock_skew::orphan(parent)),
            Note::Skew(delta) => Some(clock_skew::moved_by(delta, skew_max)),
        };
        notes.filter_map(|(_, note)| text(*note)).collect()
    }

    /// What it weighs in memory.
    pub(crate) fn bytes(&self) -> usize {
        let names = self.services.iter().chain(&self.operations).map(String::len).sum::<usize>();
        self.rows.len() * size_of::<Row>() + self.notes.len() * size_of::<(u32, Note)>() + names + 256
    }
}
