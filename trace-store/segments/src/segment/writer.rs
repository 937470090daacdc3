//! Writing a segment: spans in order in, four finished parts out.
//!
//! Knows: the order of parts, row groups, exact duplicates. Must not know: where the spans come from. Holds one batch of
//! rows and one compressed row group, whatever the segment's size.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use runtime_engine::{Error, ObjectDraft, ObjectSink, PartMeta, PartWrite, Result, Time};
use shared_proto::otlp::view::SpanView;

use super::columns::SpanColumns;
use super::extra::Extra;
use super::layout::{
    Layout, PAGE_ROWS, ROW_GROUP_ROWS, properties, red_properties, spans_properties, traces_properties,
};
use super::outline::Outline;
use super::tables_part::{TablesBuilder, schema as tables_schema};
use super::traces::TracesColumns;
use crate::names::STATUS_ERROR;
use crate::red::{self, PartWriter, Sums};

/// Names of the parts, in the order of `ObjectMeta.parts`.
pub(crate) const PARTS: [&str; 4] = ["spans", "traces", "tables", "red"];
/// OTLP bytes after which a batch ends before its rows are full: string columns address 2 GiB.
pub(crate) const BATCH_BYTES_MAX: usize = 32 << 20;
/// Compressed bytes after which a row group ends before its rows are full.
const ROW_GROUP_BYTES_MAX: usize = 64 << 20;

/// OTLP bytes after which a row group ends: no batch of it can overflow its offsets or a reader's memory.
const ROW_GROUP_OTLP_BYTES_MAX: usize = 256 << 20;

type Part = ArrowWriter<Box<dyn PartWrite>>;

/// A segment being written.
pub(crate) struct SegmentWriter<'s> {
    sink: &'s mut dyn ObjectSink,
    spans: Part,
    traces: Part,
    columns: SpanColumns,
    trace_columns: TracesColumns,
    /// The tables, to which callers add what their spans refer to.
    pub(crate) tables: TablesBuilder,
    row_group: u32,
    row_group_rows: usize,
    row_group_bytes: usize,
    repeats: Repeats,
    sums: Sums,
    extra: Extra,
}

/// The spans with the key of the last one, to recognise the same span sent twice.
#[derive(Default)]
pub(crate) struct Repeats {
    /// Trace id, start, span id.
    key: (u128, u64, u64),
    contents: Vec<(u32, u32, Vec<u8>)>,
    len: usize,
}

impl Repeats {
    /// Whether the very same span was seen right before; remembers it otherwise.
    pub(crate) fn is_repeated(
        &mut self,
        trace_id: [u8; 16],
        span: &SpanView<'_>,
        resource: u32,
        scope: u32,
    ) -> bool {
        let span_id = span.span_id.first_chunk().map_or(0, |id| u64::from_be_bytes(*id));
        let key = (u128::from_be_bytes(trace_id), span.start_unix_nano, span_id);
        if self.key != key {
            self.key = key;
            self.len = 0;
        }
        let seen = self.contents.get(..self.len).unwrap_or_default();
        if seen.iter().any(|(r, s, bytes)| (*r, *s) == (resource, scope) && bytes == span.bytes()) {
            return true;
        }
        if self.len == self.contents.len() {
            self.contents.push((resource, scope, span.bytes().to_vec()));
        } else if let Some((r, s, bytes)) = self.contents.get_mut(self.len) {
            (*r, *s) = (resource, scope);
            bytes.clear();
            bytes.extend_from_slice(span.bytes());
        }
        self.len += 1;
        false
    }
}

pub(crate) fn parquet_error(e: ParquetError) -> Error {
    match e {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(io) => Error::Io(*io),
            Err(other) => Error::Io(std::io::Error::other(other)),
        },
        other => Error::Io(std::io::Error::other(other)),
    }
}

pub(crate) fn arrow_error(e: ArrowError) -> Error {
    parquet_error(ParquetError::from(e))
}

fn part(
    sink: &mut dyn ObjectSink,
    name: &'static str,
    schema: SchemaRef,
    properties: WriterProperties,
) -> Result<Part> {
    ArrowWriter::try_new(sink.create(name)?, schema, Some(properties)).map_err(parquet_error)
}

fn finish(part: Part) -> Result<PartMeta> {
    part.into_inner().map_err(parquet_error)?.finish()
}

/// A part of rows under way.
pub(crate) struct RowsWriter(Part);

impl RowsWriter {
    /// Appends rows.
    ///
    /// # Errors
    /// The sink's.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.0.write(batch).map_err(parquet_error)
    }

    /// Rows to come belong to the next row group.
    ///
    /// # Errors
    /// The sink's.
    pub(crate) fn end_row_group(&mut self) -> Result<()> {
        self.0.flush().map_err(parquet_error)
    }
}

impl<'s> SegmentWriter<'s> {
    /// Starts a segment.
    ///
    /// # Errors
    /// The sink's.
    pub(crate) fn new(sink: &'s mut dyn ObjectSink, layout: Arc<Layout>, sums: Sums) -> Result<Self> {
        let [spans, traces, _, _] = PARTS;
        let trace_columns = TracesColumns::new();
        Ok(Self {
            spans: part(sink, spans, Arc::clone(&layout.schema), spans_properties().map_err(parquet_error)?)?,
            traces: part(sink, traces, trace_columns.schema(), traces_properties().map_err(parquet_error)?)?,
            sink,
            columns: SpanColumns::new(layout),
            trace_columns,
            tables: TablesBuilder::default(),
            row_group: 0,
            row_group_rows: 0,
            row_group_bytes: 0,
            repeats: Repeats::default(),
            sums,
            extra: Extra::default(),
        })
    }

    /// Adds a span; they come by (trace id, start, span id), and the same one only once.
    ///
    /// # Errors
    /// The sink's, or [`Error::Corrupt`] when the span cannot be read.
    pub(crate) fn push(&mut self, span: &SpanView<'_>, resource: u32, scope: u32) -> Result<()> {
        let trace_id: [u8; 16] = span.trace_id.try_into().unwrap_or_default();
        if self.repeats.is_repeated(trace_id, span, resource, scope) {
            return Ok(());
        }
        let status = span.status().map_err(|e| Error::corrupt("span", e.to_string()))?;
        self.columns.push(span, status, resource, scope)?;
        self.note(&Outline {
            trace_id,
            span_id: span.span_id,
            parent_span_id: span.parent_span_id,
            start: span.start_unix_nano,
            end: span.end_unix_nano,
            name: span.name,
            kind: span.kind,
            status: status.map_or(0, |s| s.code),
            resource,
            message: Some(span),
        })?;
        let bytes = self.columns.bytes();
        let group_is_full = self.row_group_bytes + bytes >= ROW_GROUP_OTLP_BYTES_MAX;
        if group_is_full || self.columns.rows() >= self.room_rows() || bytes >= BATCH_BYTES_MAX {
            let batch = self.columns.finish()?;
            self.append(&batch, bytes)?;
        }
        Ok(())
    }

    /// Adds up a row; rows come in order, each before the batch that holds it is appended.
    ///
    /// # Errors
    /// The sink's.
    pub(crate) fn note(&mut self, row: &Outline<'_>) -> Result<()> {
        let operation = self.tables.operation(row.resource, row.name, row.kind, self.row_group);
        self.sums.span(row, operation, &self.tables)?;
        let begins = self.trace_columns.is_new(&row.trace_id);
        if begins {
            self.trace_columns.close(&self.tables).map_err(arrow_error)?;
        }
        self.trace_columns.push(row);
        let extra = &mut self.extra;
        if begins {
            extra.trace_id_min = extra.trace_id_min.min(row.trace_id);
            extra.trace_id_max = extra.trace_id_max.max(row.trace_id);
        }
        extra.start_min = extra.start_min.min(row.start);
        extra.start_max = extra.start_max.max(row.start);
        extra.end_max = extra.end_max.max(row.end).max(row.start);
        extra.spans += 1;
        extra.traces += u64::from(begins);
        extra.errors += u64::from(row.status == STATUS_ERROR);
        if self.trace_columns.rows() >= PAGE_ROWS {
            let batch = self.trace_columns.finish().map_err(arrow_error)?;
            self.traces.write(&batch).map_err(parquet_error)?;
        }
        Ok(())
    }

    /// Leaves out a row that is equal in everything to one that is in the segment.
    pub(crate) fn repeated(&mut self, row: &Outline<'_>) {
        self.sums.repeated(row);
    }

    /// How many rows the next batch may have: it ends with the page, or with the row group.
    pub(crate) fn room_rows(&self) -> usize {
        ROW_GROUP_ROWS.saturating_sub(self.row_group_rows).clamp(1, PAGE_ROWS)
    }

    /// Lets the runtime pause between two pieces of work.
    pub(crate) fn breathe(&mut self) {
        self.sink.breathe();
    }

    /// Appends a batch of rows that were noted; `bytes` is what it weighs in memory, about.
    ///
    /// # Errors
    /// The sink's.
    pub(crate) fn append(&mut self, batch: &RecordBatch, bytes: usize) -> Result<()> {
        self.row_group_rows += batch.num_rows();
        self.row_group_bytes += bytes;
        self.spans.write(batch).map_err(parquet_error)?;
        let is_full = self.row_group_rows >= ROW_GROUP_ROWS
            || self.row_group_bytes >= ROW_GROUP_OTLP_BYTES_MAX
            || self.spans.in_progress_size() >= ROW_GROUP_BYTES_MAX;
        if is_full {
            self.spans.flush().map_err(parquet_error)?;
            self.row_group += 1;
            self.row_group_rows = 0;
            self.row_group_bytes = 0;
        }
        Ok(())
    }

    /// Finishes the parts and adds the segment to the commit; nothing when no span was pushed.
    ///
    /// # Errors
    /// The sink's.
    pub(crate) fn finish(mut self, level: u8) -> Result<()> {
        if self.extra.spans == 0 {
            return Ok(());
        }
        if self.columns.rows() > 0 {
            let (bytes, batch) = (self.columns.bytes(), self.columns.finish()?);
            self.append(&batch, bytes)?;
        }
        self.trace_columns.close(&self.tables).map_err(arrow_error)?;
        let batch = self.trace_columns.finish().map_err(arrow_error)?;
        self.traces.write(&batch).map_err(parquet_error)?;
        let [_, _, tables_name, red_name] = PARTS;
        let of_red = red_properties().map_err(parquet_error)?;
        let mut red = PartWriter::new(RowsWriter(part(self.sink, red_name, red::schema(), of_red)?));
        self.sums.finish(&self.tables, &mut red)?;
        let red = red.into_inner()?.0;
        let properties = properties().map_err(parquet_error)?.build();
        let mut tables = part(self.sink, tables_name, tables_schema(), properties)?;
        tables.write(&self.tables.finish().batch().map_err(arrow_error)?).map_err(parquet_error)?;
        let parts = vec![finish(self.spans)?, finish(self.traces)?, finish(tables)?, finish(red)?];
        self.sink.add(ObjectDraft {
            parts,
            level,
            rows: self.extra.spans,
            time_min: Time(self.extra.start_min),
            time_max: Time(self.extra.end_max),
            extra: self.extra.encode(),
        })
    }
}
