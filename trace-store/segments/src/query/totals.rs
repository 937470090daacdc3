//! What traces come to: first start, last end, spans, errors, over everything that a snapshot holds of them.
//!
//! Knows: the `traces` part of segments, one row per trace, and heads. Must not know: what totals are for.

use std::collections::HashMap;

use arrow_array::{FixedSizeBinaryArray, UInt32Array, UInt64Array};
use runtime_engine::{Error, Result, Snapshot, Stop};

use super::Cost;
use super::order::Order;
use crate::Traces;
use crate::names::STATUS_ERROR;
use crate::segment::{NARROW_ROWS, Scan, typed};

/// Columns of a `traces` part that are read: id, start, end, spans, errors.
const COLUMNS: [usize; 5] = [0, 1, 2, 5, 6];

/// The sums of one trace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Totals {
    start: u64,
    end: u64,
    spans: u64,
    errors: u64,
}

impl Default for Totals {
    fn default() -> Self {
        Self { start: u64::MAX, end: 0, spans: 0, errors: 0 }
    }
}

impl Totals {
    pub(crate) fn duration(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// What an order goes by that is not one of starts.
    pub(crate) fn rank(&self, order: Order) -> u64 {
        match order {
            Order::Spans => self.spans,
            Order::Errors => self.errors,
            Order::Newest | Order::Oldest | Order::Longest => self.duration(),
        }
    }

    fn add(&mut self, other: Self) {
        self.start = self.start.min(other.start);
        self.end = self.end.max(other.end);
        self.spans += other.spans;
        self.errors += other.errors;
    }
}

/// The totals of traces.
///
/// # Errors
/// A damaged segment, a failed read, or [`Error::Stopped`].
pub(crate) fn totals(
    snap: &Snapshot<Traces>,
    ids: impl Iterator<Item = [u8; 16]>,
    stop: &Stop,
    cost: &mut Cost,
) -> Result<HashMap<[u8; 16], Totals>> {
    let mut totals: HashMap<[u8; 16], Totals> = ids.map(|id| (id, Totals::default())).collect();
    for segment in &snap.objects {
        if stop.is_stopped() {
            return Err(Error::Stopped);
        }
        let part = segment.traces()?;
        let mut batches = part.scan(Scan {
            row_groups: (0..part.row_groups()).collect(),
            projection: part.projection(COLUMNS),
            selection: None,
            filter: None,
            batch_rows: NARROW_ROWS,
        })?;
        while let Some(batch) = batches.next(cost)? {
            let columns = batch.columns();
            let ids: &FixedSizeBinaryArray = typed(columns.first(), "trace_id")?;
            let starts: &UInt64Array = typed(columns.get(1), "start_unix_nano")?;
            let ends: &UInt64Array = typed(columns.get(2), "end_unix_nano")?;
            let spans: &UInt32Array = typed(columns.get(3), "span_count")?;
            let errors: &UInt32Array = typed(columns.get(4), "error_count")?;
            for row in 0..batch.num_rows() {
                let Some(total) = totals.get_mut(ids.value(row)) else { continue };
                total.add(Totals {
                    start: starts.value(row),
                    end: ends.value(row),
                    spans: spans.value(row).into(),
                    errors: errors.value(row).into(),
                });
            }
        }
    }
    for head in &snap.heads {
        for span in head.records(0..head.len()).flat_map(|record| &record.spans) {
            let Some(total) = totals.get_mut(&span.trace_id) else { continue };
            let errors = u64::from(span.status == STATUS_ERROR);
            total.add(Totals { start: span.start, end: span.end.max(span.start), spans: 1, errors });
        }
    }
    Ok(totals)
}
