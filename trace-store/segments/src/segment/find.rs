//! Services of single spans of a segment.
//!
//! Knows: blooms and page statistics of trace ids, the few columns that name a span. Must not know: why they are asked.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::{FixedSizeBinaryArray, Int32Array, UInt32Array};
use parquet::arrow::arrow_reader::RowFilter;
use runtime_engine::Result;

use super::{NARROW_ROWS, Scan, Segment, column, typed};
use crate::Cost;
use crate::red::{Found, SpanKey, id_of, note};

impl Segment {
    /// Services of those of the spans that are here. Pages that may hold one of their traces are read once.
    ///
    /// # Errors
    /// [`runtime_engine::Error::Corrupt`] or a failed read.
    pub(crate) fn services_of(&self, spans: &[SpanKey], cost: &mut Cost) -> Result<Found> {
        let mut found = Found::new();
        let mut traces: Vec<[u8; 16]> = spans.iter().map(|span| span.0).collect();
        traces.sort_unstable();
        traces.dedup();
        if traces.is_empty() || !traces.iter().any(|trace| self.extra.may_hold(trace)) {
            return Ok(found);
        }
        let traces: Arc<[[u8; 16]]> = traces.into();
        let wanted: HashSet<&SpanKey> = spans.iter().collect();
        let (row_groups, selection) = self.places_of(&traces, 0..self.spans.row_groups());
        if row_groups.is_empty() {
            return Ok(found);
        }
        let columns = [column::TRACE_ID, column::SPAN_ID, column::KIND, column::RESOURCE];
        let mut batches = self.spans.scan(Scan {
            row_groups,
            projection: self.spans.projection(columns),
            selection: Some(selection),
            filter: Some(RowFilter::new(vec![self.only(traces)])),
            batch_rows: NARROW_ROWS,
        })?;
        while let Some(batch) = batches.next(cost)? {
            let at = |i: usize| batch.columns().get(i);
            let trace_ids: &FixedSizeBinaryArray = typed(at(0), "trace_id")?;
            let span_ids: &FixedSizeBinaryArray = typed(at(1), "span_id")?;
            let kinds: &Int32Array = typed(at(2), "kind")?;
            let resources: &UInt32Array = typed(at(3), "resource")?;
            cost.spans += batch.num_rows() as u64;
            for row in 0..batch.num_rows() {
                let trace_id = trace_ids.value(row).first_chunk().copied().unwrap_or_default();
                let Some(span_id) = id_of(span_ids.value(row)) else { continue };
                if wanted.contains(&(trace_id, span_id)) {
                    let service = &self.resource(resources.value(row))?.service;
                    note(&mut found, (trace_id, span_id), service, kinds.value(row));
                }
            }
        }
        Ok(found)
    }
}
