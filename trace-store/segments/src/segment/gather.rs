//! Rows of segments becoming batches of another one, column by column.
//!
//! Knows: how a batch of one layout becomes one of another ([`Fit`]), and how runs of rows are copied ([`Gather`]). Must
//! not know: the order of rows, or which of them are duplicates.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, FixedSizeBinaryArray, Int32Array, Int64Array, RecordBatch, StringArray, UInt32Array,
    UInt64Array, make_array,
};
use arrow_data::ArrayData;
use arrow_data::transform::MutableArrayData;
use arrow_schema::SchemaRef;
use runtime_engine::Result;

mod fit;

pub(crate) use fit::Fit;

use super::attributes::typed;
use super::layout::column;
use super::outline::Outline;
use super::writer::{SegmentWriter, arrow_error};

/// Rows are sorted by this: trace id, start, span id.
pub(crate) type Key = (u128, u64, u64);

/// A batch that has the columns of the output, and its ordinals of resources and scopes.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) batch: RecordBatch,
    columns: Vec<ArrayData>,
    bytes: usize,
    trace_ids: FixedSizeBinaryArray,
    span_ids: FixedSizeBinaryArray,
    parents: FixedSizeBinaryArray,
    starts: UInt64Array,
    durations: Int64Array,
    names: StringArray,
    kinds: Int32Array,
    status_codes: Int32Array,
    resources: UInt32Array,
}

impl Rows {
    /// Looks at a batch of the output's layout.
    ///
    /// # Errors
    /// [`runtime_engine::Error::Corrupt`] when a column is not what it should be.
    fn new(batch: RecordBatch) -> Result<Self> {
        let at = |i: usize| batch.columns().get(i);
        Ok(Self {
            columns: batch.columns().iter().map(|c| c.to_data()).collect(),
            bytes: batch.get_array_memory_size(),
            trace_ids: typed::<FixedSizeBinaryArray>(at(column::TRACE_ID), "trace_id")?.clone(),
            span_ids: typed::<FixedSizeBinaryArray>(at(column::SPAN_ID), "span_id")?.clone(),
            parents: typed::<FixedSizeBinaryArray>(at(column::PARENT_SPAN_ID), "parent_span_id")?.clone(),
            starts: typed::<UInt64Array>(at(column::START), "start_unix_nano")?.clone(),
            durations: typed::<Int64Array>(at(column::DURATION), "duration_nano")?.clone(),
            names: typed::<StringArray>(at(column::NAME), "name")?.clone(),
            kinds: typed::<Int32Array>(at(column::KIND), "kind")?.clone(),
            status_codes: typed::<Int32Array>(at(column::STATUS_CODE), "status_code")?.clone(),
            resources: typed::<UInt32Array>(at(column::RESOURCE), "resource")?.clone(),
            batch,
        })
    }

    /// Rows in it.
    pub(crate) fn len(&self) -> usize {
        self.trace_ids.len()
    }

    /// The key of a row.
    pub(crate) fn key(&self, row: usize) -> Key {
        let span_id = self.span_ids.value(row).first_chunk().map_or(0, |id| u64::from_be_bytes(*id));
        (u128::from_be_bytes(self.trace_id(row)), self.starts.value(row), span_id)
    }

    fn trace_id(&self, row: usize) -> [u8; 16] {
        self.trace_ids.value(row).first_chunk().copied().unwrap_or_default()
    }

    /// What is summed up of a row.
    pub(crate) fn outline(&self, row: usize) -> Outline<'_> {
        let start = self.starts.value(row);
        Outline {
            trace_id: self.trace_id(row),
            span_id: self.span_ids.value(row),
            parent_span_id: if self.parents.is_null(row) { &[] } else { self.parents.value(row) },
            start,
            end: start.wrapping_add(self.durations.value(row).cast_unsigned()),
            name: self.names.value(row),
            kind: self.kinds.value(row),
            status: if self.status_codes.is_valid(row) { self.status_codes.value(row) } else { 0 },
            resource: self.resources.value(row),
            message: None,
        }
    }
}

/// Runs of rows, in the order of the output, that are not written yet.
#[derive(Debug, Default)]
pub(crate) struct Gather {
    sources: Vec<Arc<Rows>>,
    /// Source and rows of it.
    runs: Vec<(usize, Range<usize>)>,
    rows: usize,
    bytes: usize,
}

impl Gather {
    /// Rows in it.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// What the batches weigh that its rows are from: an upper bound of the rows' own weight.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds rows after those that are there.
    pub(crate) fn add(&mut self, rows: &Arc<Rows>, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        self.rows += range.len();
        let known = self.sources.iter().rposition(|source| Arc::ptr_eq(source, rows));
        let source = known.unwrap_or_else(|| {
            self.bytes += rows.bytes;
            self.sources.push(Arc::clone(rows));
            self.sources.len() - 1
        });
        match self.runs.last_mut() {
            Some((last, run)) if *last == source && run.end == range.start => run.end = range.end,
            _ => self.runs.push((source, range)),
        }
    }

    /// Appends the rows to a segment; starts anew.
    ///
    /// # Errors
    /// The sink's, or [`runtime_engine::Error::Corrupt`] when the rows cannot stand in one batch.
    pub(crate) fn write(&mut self, writer: &mut SegmentWriter<'_>, schema: &SchemaRef) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        for (source, run) in &self.runs {
            let Some(rows) = self.sources.get(*source) else { continue };
            for row in run.clone() {
                writer.note(&rows.outline(row))?;
            }
        }
        let columns = (0..schema.fields().len()).map(|c| self.column(c)).collect::<Result<Vec<_>>>()?;
        let batch = RecordBatch::try_new(Arc::clone(schema), columns).map_err(arrow_error)?;
        *self = Self::default();
        writer.append(&batch, batch.get_array_memory_size())
    }

    fn column(&self, ordinal: usize) -> Result<ArrayRef> {
        let sources = self.sources.iter().filter_map(|rows| rows.columns.get(ordinal)).collect();
        let mut column = MutableArrayData::new(sources, false, self.rows);
        for (source, run) in &self.runs {
            column.try_extend(*source, run.start, run.end).map_err(arrow_error)?;
        }
        Ok(make_array(column.freeze()))
    }
}
