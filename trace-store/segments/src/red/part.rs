//! The `red` part: rows of sums as Parquet.
//!
//! Knows: the columns, and that rows are sorted, so that tables and services lie in row groups of their own. Must not
//! know: what sums mean. Start at [`PartWriter`] and [`Stored`].

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, FixedSizeBinaryBuilder, Int32Builder, StringBuilder, UInt32Builder, UInt64Builder,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, FixedSizeBinaryArray, Int32Array, RecordBatch, StringArray, UInt32Array,
    UInt64Array,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::file::statistics::Statistics;
use runtime_engine::{Error, Result};

use super::rows::{Half, Key, Row, Summary, Table};
use crate::names::STATUS_ERROR;
use crate::segment::{self, Batches, Part, RowsWriter, Scan, typed};

/// Rows that are encoded, and decoded, at a time.
const BATCH_ROWS: usize = 8192;
/// Rows of a row group: a read of one service's operations takes those that have them.
const GROUP_ROWS: usize = 32_768;

const TABLE: usize = 0;
const SERVICE: usize = 1;

/// The columns.
pub(crate) fn schema() -> SchemaRef {
    let field = |name: &str, kind: DataType, nullable: bool| Field::new(name, kind, nullable);
    Arc::new(Schema::new(vec![
        field("table", DataType::Utf8, false),
        field("service", DataType::Utf8, false),
        field("name", DataType::Utf8, false),
        field("label", DataType::Utf8, false),
        field("text", DataType::Utf8, false),
        field("kind", DataType::Int32, false),
        field("status_code", DataType::Int32, false),
        field("unix_minute", DataType::UInt32, false),
        field("count", DataType::UInt64, false),
        field("duration_sum_nano", DataType::UInt64, false),
        field("durations", DataType::Binary, false),
        field("trace_id", DataType::FixedSizeBinary(16), true),
        field("parent_span_id", DataType::FixedSizeBinary(8), true),
        field("start_unix_nano", DataType::UInt64, true),
    ]))
}

/// Writes rows in order.
pub(crate) struct PartWriter {
    out: RowsWriter,
    columns: Builders,
    table: Option<Table>,
    group_rows: usize,
}

#[derive(Debug)]
struct Builders {
    rows: usize,
    texts: [StringBuilder; 5],
    kind: Int32Builder,
    status: Int32Builder,
    minute: UInt32Builder,
    count: UInt64Builder,
    duration_sum: UInt64Builder,
    durations: BinaryBuilder,
    trace_id: FixedSizeBinaryBuilder,
    parent: FixedSizeBinaryBuilder,
    start: UInt64Builder,
}

impl PartWriter {
    /// A writer over an empty part with the columns of [`schema`].
    pub(crate) fn new(out: RowsWriter) -> Self {
        let columns = Builders {
            rows: 0,
            texts: Default::default(),
            kind: Int32Builder::new(),
            status: Int32Builder::new(),
            minute: UInt32Builder::new(),
            count: UInt64Builder::new(),
            duration_sum: UInt64Builder::new(),
            durations: BinaryBuilder::new(),
            trace_id: FixedSizeBinaryBuilder::new(16),
            parent: FixedSizeBinaryBuilder::new(8),
            start: UInt64Builder::new(),
        };
        Self { out, columns, table: None, group_rows: 0 }
    }

    /// Writes a whole summary.
    ///
    /// # Errors
    /// The sink's.
    pub(crate) fn write(&mut self, summary: &Summary) -> Result<()> {
        for table in Table::ALL {
            for row in summary.rows_of(table) {
                self.row(&row)?;
            }
        }
        summary.halves.iter().try_for_each(|half| self.half(half))
    }

    /// Writes the next row.
    ///
    /// # Errors
    /// The sink's.
    pub(crate) fn row(&mut self, row: &Row<'_>) -> Result<()> {
        self.begin(row.key.table)?;
        self.columns.push(row);
        self.columns.trace_id.append_null();
        self.columns.parent.append_null();
        self.columns.start.append_null();
        Ok(())
    }

    /// Writes half an edge; these come last.
    ///
    /// # Errors
    /// The sink's.
    pub(crate) fn half(&mut self, half: &Half) -> Result<()> {
        self.begin(Table::Half)?;
        let status = if half.is_error { STATUS_ERROR } else { 0 };
        let minute = super::minute_of(half.start);
        let key = Key {
            table: Table::Half,
            service: &half.service,
            name: "",
            label: "",
            text: "",
            kind: half.kind,
            status,
            minute,
        };
        self.columns.push(&Row { key, count: 1, duration_sum: half.duration, durations: &[] });
        let wrong = |e: arrow_schema::ArrowError| segment::arrow_error(e);
        self.columns.trace_id.append_value(half.trace_id).map_err(wrong)?;
        self.columns.parent.append_value(half.parent.to_be_bytes()).map_err(wrong)?;
        self.columns.start.append_value(half.start);
        Ok(())
    }

    /// Ends batches and row groups where they have to end.
    fn begin(&mut self, table: Table) -> Result<()> {
        let is_full = self.group_rows >= GROUP_ROWS || self.table.is_some_and(|last| last != table);
        if is_full || self.columns.rows >= BATCH_ROWS {
            self.flush()?;
        }
        if is_full {
            self.out.end_row_group()?;
            self.group_rows = 0;
        }
        self.table = Some(table);
        self.group_rows += 1;
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if self.columns.rows > 0 {
            let batch = self.columns.finish().map_err(segment::arrow_error)?;
            self.out.write(&batch)?;
        }
        Ok(())
    }

    /// The part with everything in it, to be finished.
    ///
    /// # Errors
    /// The sink's.
    pub(crate) fn into_inner(mut self) -> Result<RowsWriter> {
        self.flush()?;
        Ok(self.out)
    }
}

impl Builders {
    fn push(&mut self, row: &Row<'_>) {
        let Key { table, service, name, label, text, kind, status, minute } = row.key;
        for (builder, text) in self.texts.iter_mut().zip([table.name(), service, name, label, text]) {
            builder.append_value(text);
        }
        self.kind.append_value(kind);
        self.status.append_value(status);
        self.minute.append_value(minute);
        self.count.append_value(row.count);
        self.duration_sum.append_value(row.duration_sum);
        self.durations.append_value(row.durations);
        self.rows += 1;
    }

    fn finish(&mut self) -> crate::Built<RecordBatch> {
        self.rows = 0;
        let mut columns: Vec<ArrayRef> = Vec::new();
        for texts in &mut self.texts {
            columns.push(Arc::new(texts.finish()));
        }
        columns.push(Arc::new(self.kind.finish()));
        columns.push(Arc::new(self.status.finish()));
        columns.push(Arc::new(self.minute.finish()));
        columns.push(Arc::new(self.count.finish()));
        columns.push(Arc::new(self.duration_sum.finish()));
        columns.push(Arc::new(self.durations.finish()));
        columns.push(Arc::new(self.trace_id.finish()));
        columns.push(Arc::new(self.parent.finish()));
        columns.push(Arc::new(self.start.finish()));
        RecordBatch::try_new(schema(), columns)
    }
}

/// The `red` part of an open segment.
pub(crate) struct Stored {
    part: Part,
}

impl Stored {
    /// Checks that a part is one.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when its columns are others.
    pub(crate) fn new(part: Part) -> Result<Self> {
        if part.metadata.schema().fields() != schema().fields() {
            return Err(part.corrupt("its columns are not those of the format"));
        }
        Ok(Self { part })
    }

    /// The rows of some tables, in order; where services are named, only of row groups that may have them.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the footer contradicts itself.
    pub(crate) fn scan(&self, tables: &[Table], services: &[String]) -> Result<Cursor<'_>> {
        let groups = 0..self.part.row_groups();
        let wanted = groups.filter(|group| {
            let has = |column: usize, text: &str| self.may_hold(*group, column, text.as_bytes());
            tables.iter().any(|table| has(TABLE, table.name()))
                && (services.is_empty() || services.iter().any(|service| has(SERVICE, service)))
        });
        let scan = Scan {
            row_groups: wanted.collect(),
            projection: parquet::arrow::ProjectionMask::all(),
            selection: None,
            filter: None,
            batch_rows: BATCH_ROWS,
        };
        Ok(Cursor { batches: self.part.scan(scan)?, columns: None, at: 0 })
    }

    fn may_hold(&self, group: usize, column: usize, text: &[u8]) -> bool {
        let group = self.part.metadata.metadata().row_groups().get(group);
        let statistics = group.and_then(|g| g.columns().get(column)).and_then(|c| c.statistics());
        let Some(Statistics::ByteArray(bounds)) = statistics else { return true };
        bounds.min_bytes_opt().is_none_or(|min| min <= text)
            && bounds.max_bytes_opt().is_none_or(|max| max >= text)
    }
}

/// Rows one after the other.
pub(crate) struct Cursor<'s> {
    batches: Batches<'s>,
    columns: Option<Columns>,
    at: usize,
}

struct Columns {
    /// By row.
    tables: Vec<Table>,
    texts: [StringArray; 4],
    kind: Int32Array,
    status: Int32Array,
    minute: UInt32Array,
    count: UInt64Array,
    duration_sum: UInt64Array,
    durations: BinaryArray,
    trace_id: FixedSizeBinaryArray,
    parent: FixedSizeBinaryArray,
    start: UInt64Array,
}

impl Cursor<'_> {
    /// Goes to the next row; false at the end.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a failed read.
    pub(crate) fn advance(&mut self, cost: &mut crate::Cost) -> Result<bool> {
        self.at += 1;
        while self.columns.as_ref().is_none_or(|columns| self.at >= columns.tables.len()) {
            let Some(batch) = self.batches.next(cost)? else {
                self.columns = None;
                return Ok(false);
            };
            self.columns = Some(Columns::new(&batch)?);
            self.at = 0;
        }
        Ok(true)
    }

    /// The row at hand.
    pub(crate) fn row(&self) -> Option<Row<'_>> {
        let columns = self.columns.as_ref()?;
        let at = self.at;
        let [service, name, label, text] = columns.texts.each_ref().map(|texts| texts.value(at));
        let key = Key {
            table: *columns.tables.get(at)?,
            service,
            name,
            label,
            text,
            kind: columns.kind.value(at),
            status: columns.status.value(at),
            minute: columns.minute.value(at),
        };
        Some(Row {
            key,
            count: columns.count.value(at),
            duration_sum: columns.duration_sum.value(at),
            durations: columns.durations.value(at),
        })
    }

    /// The row at hand, if it is half an edge.
    pub(crate) fn half(&self) -> Option<Half> {
        let columns = self.columns.as_ref()?;
        let row = self.row().filter(|row| row.key.table == Table::Half)?;
        let at = self.at;
        if columns.trace_id.is_null(at) || columns.parent.is_null(at) || columns.start.is_null(at) {
            return None;
        }
        Some(Half {
            trace_id: *columns.trace_id.value(at).first_chunk()?,
            parent: u64::from_be_bytes(*columns.parent.value(at).first_chunk()?),
            service: row.key.service.into(),
            kind: row.key.kind,
            is_error: row.key.status == STATUS_ERROR,
            start: columns.start.value(at),
            duration: row.duration_sum,
        })
    }
}

impl Columns {
    fn new(batch: &RecordBatch) -> Result<Self> {
        let columns = batch.columns();
        let text = |at: usize| typed::<StringArray>(columns.get(at), "a text of red").cloned();
        let names = text(TABLE)?;
        let mut tables = Vec::with_capacity(names.len());
        for name in names.iter().flatten() {
            let table = Table::of_name(name);
            tables.push(
                table.ok_or_else(|| Error::corrupt("segment red", format!("a row is of table {name:?}")))?,
            );
        }
        Ok(Self {
            tables,
            texts: [text(1)?, text(2)?, text(3)?, text(4)?],
            kind: typed::<Int32Array>(columns.get(5), "kind")?.clone(),
            status: typed::<Int32Array>(columns.get(6), "status_code")?.clone(),
            minute: typed::<UInt32Array>(columns.get(7), "unix_minute")?.clone(),
            count: typed::<UInt64Array>(columns.get(8), "count")?.clone(),
            duration_sum: typed::<UInt64Array>(columns.get(9), "duration_sum_nano")?.clone(),
            durations: typed::<BinaryArray>(columns.get(10), "durations")?.clone(),
            trace_id: typed::<FixedSizeBinaryArray>(columns.get(11), "trace_id")?.clone(),
            parent: typed::<FixedSizeBinaryArray>(columns.get(12), "parent_span_id")?.clone(),
            start: typed::<UInt64Array>(columns.get(13), "start_unix_nano")?.clone(),
        })
    }
}
