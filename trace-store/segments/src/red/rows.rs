//! Rows of sums, and a summary of them in memory.
//!
//! Knows: keys, their order, how names are shared. Must not know: spans, Parquet. Start at [`Row`].

use std::ops::Range;
use std::sync::Arc;

/// What a row is about; the order of the rows of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Table {
    /// Spans of a service.
    Service,
    /// Spans of an operation.
    Operation,
    /// Calls of one service by another.
    Edge,
    /// Spans that failed, by why.
    Failure,
    /// Spans of a version of a service.
    Version,
    /// Spans that other tables lack, by what was full.
    LeftOut,
    /// One span whose parent is not here.
    Half,
}

impl Table {
    pub(crate) const ALL: [Self; 7] =
        [Self::Service, Self::Operation, Self::Edge, Self::Failure, Self::Version, Self::LeftOut, Self::Half];

    /// How it is called at rest.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Operation => "operation",
            Self::Edge => "edge",
            Self::Failure => "failure",
            Self::Version => "version",
            Self::LeftOut => "left_out",
            Self::Half => "half",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }
}

/// What the spans of a row have in common; rows of a part are sorted by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key<'a> {
    pub(crate) table: Table,
    /// The service of the spans; of an edge, the callee.
    pub(crate) service: &'a str,
    /// An operation; of an edge, the caller; of a version, the version.
    pub(crate) name: &'a str,
    /// Of a failure, its type; of an edge to what sends no spans, what it is.
    pub(crate) label: &'a str,
    /// Of a failure, its text.
    pub(crate) text: &'a str,
    pub(crate) kind: i32,
    pub(crate) status: i32,
    pub(crate) minute: u32,
}

/// One row of sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    pub(crate) key: Key<'a>,
    pub(crate) count: u64,
    pub(crate) duration_sum: u64,
    /// Packed; empty where durations are not summed.
    pub(crate) durations: &'a [u8],
}

/// A span whose parent is not in the same head or segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Half {
    pub(crate) trace_id: [u8; 16],
    pub(crate) parent: u64,
    pub(crate) service: Arc<str>,
    pub(crate) kind: i32,
    pub(crate) is_error: bool,
    pub(crate) start: u64,
    pub(crate) duration: u64,
}

/// A row whose names are ordinals of the names of its summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HeldKey {
    pub(crate) table: Table,
    pub(crate) service: u32,
    pub(crate) name: u32,
    pub(crate) label: u32,
    pub(crate) text: u32,
    pub(crate) kind: i32,
    pub(crate) status: i32,
    pub(crate) minute: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) key: HeldKey,
    pub(crate) count: u64,
    pub(crate) duration_sum: u64,
    pub(crate) durations: Range<usize>,
}

/// All rows of a head, or of a segment before it is written.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    /// Sorted.
    names: Vec<Arc<str>>,
    /// Sorted.
    rows: Vec<Held>,
    packed: Vec<u8>,
    pub(crate) halves: Vec<Half>,
}

impl Summary {
    /// Sorts rows whose names are ordinals of `names`, which may be in any order.
    pub(crate) fn new(names: &[Arc<str>], mut rows: Vec<Held>, packed: Vec<u8>, halves: Vec<Half>) -> Self {
        let mut order: Vec<u32> = (0..).take(names.len()).collect();
        let name = |at: &u32| names.get(*at as usize).map_or("", |name| name);
        order.sort_unstable_by(|a, b| name(a).cmp(name(b)));
        let mut ranks = vec![0; names.len()];
        for (rank, at) in (0..).zip(&order) {
            if let Some(slot) = ranks.get_mut(*at as usize) {
                *slot = rank;
            }
        }
        let rank = |at: &mut u32| *at = ranks.get(*at as usize).copied().unwrap_or(0);
        for row in &mut rows {
            let key = &mut row.key;
            for name in [&mut key.service, &mut key.name, &mut key.label, &mut key.text] {
                rank(name);
            }
        }
        rows.sort_unstable_by_key(|row| row.key);
        let names = order.iter().filter_map(|at| names.get(*at as usize).cloned()).collect();
        Self { names, rows, packed, halves }
    }

    /// The rows of a table, in order.
    pub(crate) fn rows_of(&self, table: Table) -> impl Iterator<Item = Row<'_>> {
        let from = self.rows.partition_point(|row| row.key.table < table);
        let to = self.rows.partition_point(|row| row.key.table <= table);
        (from..to).filter_map(|at| self.row(at))
    }

    /// A row by its number.
    pub(crate) fn row(&self, at: usize) -> Option<Row<'_>> {
        let Held { key, count, duration_sum, durations } = self.rows.get(at)?;
        let name = |at: u32| self.names.get(at as usize).map_or("", |name| name);
        let key = Key {
            table: key.table,
            service: name(key.service),
            name: name(key.name),
            label: name(key.label),
            text: name(key.text),
            kind: key.kind,
            status: key.status,
            minute: key.minute,
        };
        let durations = self.packed.get(durations.clone()).unwrap_or_default();
        Some(Row { key, count: *count, duration_sum: *duration_sum, durations })
    }
}
