//! Columns becoming spans again: a batch of a `spans` part with all its columns, read row by row as OTLP.
//!
//! Knows: the inverse of `columns`. Must not know: where the batch came from.

use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, FixedSizeBinaryArray, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, UInt32Array, UInt64Array,
};
use runtime_engine::{Error, Result};
use shared_proto::otlp::view::AnyValueView;

use super::attributes::{AttributesColumn, list, row_range, typed, write_attribute};
use super::columns::FROM_LIST;
use super::layout::{Layout, column};
use crate::proto;

/// A batch of whole rows.
#[derive(Debug)]
pub(crate) struct SpanRows<'a> {
    pub(crate) trace_ids: &'a FixedSizeBinaryArray,
    span_ids: &'a FixedSizeBinaryArray,
    parents: &'a FixedSizeBinaryArray,
    pub(crate) starts: &'a UInt64Array,
    durations: &'a Int64Array,
    names: &'a StringArray,
    kinds: &'a Int32Array,
    status: (&'a Int32Array, &'a StringArray),
    trace_states: &'a StringArray,
    numbers: Numbers<'a>,
    order: &'a BinaryArray,
    attributes: AttributesColumn<'a>,
    events: EventsColumn<'a>,
    links: LinksColumn<'a>,
    dedicated: Vec<DedicatedColumn<'a>>,
}

#[derive(Debug)]
struct Numbers<'a> {
    flags: &'a UInt32Array,
    dropped_attributes: &'a UInt32Array,
    dropped_events: &'a UInt32Array,
    dropped_links: &'a UInt32Array,
    resource: &'a UInt32Array,
    scope: &'a UInt32Array,
}

/// The duration of a span by its columns; 0 where the end lies before the start.
pub(crate) fn duration_of(start: u64, stored: i64) -> u64 {
    start.wrapping_add(stored.cast_unsigned()).saturating_sub(start)
}

impl<'a> SpanRows<'a> {
    /// Looks at a batch that has every column of the layout.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when a column is not what it should be.
    pub(crate) fn new(batch: &'a RecordBatch, layout: &'a Layout) -> Result<Self> {
        let columns = batch.columns();
        let at = |i: usize| columns.get(i);
        let dedicated = columns.get(column::DEDICATED..).unwrap_or_default();
        let dedicated = layout.dedicated.iter().zip(dedicated);
        Ok(Self {
            trace_ids: typed(at(column::TRACE_ID), "trace_id")?,
            span_ids: typed(at(column::SPAN_ID), "span_id")?,
            parents: typed(at(column::PARENT_SPAN_ID), "parent_span_id")?,
            starts: typed(at(column::START), "start_unix_nano")?,
            durations: typed(at(column::DURATION), "duration_nano")?,
            names: typed(at(column::NAME), "name")?,
            kinds: typed(at(column::KIND), "kind")?,
            status: (
                typed(at(column::STATUS_CODE), "status_code")?,
                typed(at(column::STATUS_MESSAGE), "status_message")?,
            ),
            trace_states: typed(at(column::TRACE_STATE), "trace_state")?,
            numbers: Numbers {
                flags: typed(at(column::FLAGS), "flags")?,
                dropped_attributes: typed(at(column::DROPPED_ATTRIBUTES), "dropped_attributes_count")?,
                dropped_events: typed(at(column::DROPPED_EVENTS), "dropped_events_count")?,
                dropped_links: typed(at(column::DROPPED_LINKS), "dropped_links_count")?,
                resource: typed(at(column::RESOURCE), "resource")?,
                scope: typed(at(column::SCOPE), "scope")?,
            },
            order: typed(at(column::ATTRIBUTE_ORDER), "attribute_order")?,
            attributes: AttributesColumn::new(at(column::ATTRIBUTES), "attributes")?,
            events: EventsColumn::new(at(column::EVENTS))?,
            links: LinksColumn::new(at(column::LINKS))?,
            dedicated: dedicated
                .map(|(d, array)| DedicatedColumn::new(&d.key, array))
                .collect::<Result<_>>()?,
        })
    }

    /// Rows in it.
    pub(crate) fn len(&self) -> usize {
        self.trace_ids.len()
    }

    pub(crate) fn span_id(&self, row: usize) -> &'a [u8] {
        self.span_ids.value(row)
    }

    pub(crate) fn resource(&self, row: usize) -> u32 {
        self.numbers.resource.value(row)
    }

    pub(crate) fn scope(&self, row: usize) -> u32 {
        self.numbers.scope.value(row)
    }

    /// Appends a row as the body of an OTLP `Span` message, fields ascending.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the order of attributes names columns that the row does not have.
    pub(crate) fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<()> {
        let start = self.starts.value(row);
        let end = start.wrapping_add(self.durations.value(row).cast_unsigned());
        proto::bytes(out, 1, self.trace_ids.value(row));
        proto::bytes(out, 2, self.span_ids.value(row));
        proto::bytes_unless_empty(out, 3, self.trace_states.value(row).as_bytes());
        if self.parents.is_valid(row) {
            proto::bytes(out, 4, self.parents.value(row));
        }
        proto::bytes_unless_empty(out, 5, self.names.value(row).as_bytes());
        proto::enum_unless_zero(out, 6, self.kinds.value(row));
        if start != 0 {
            proto::fixed64(out, 7, start);
        }
        if end != 0 {
            proto::fixed64(out, 8, end);
        }
        self.write_attributes(row, out)?;
        proto::number_unless_zero(out, 10, self.numbers.dropped_attributes.value(row));
        self.events.write(row, out);
        proto::number_unless_zero(out, 12, self.numbers.dropped_events.value(row));
        self.links.write(row, out);
        proto::number_unless_zero(out, 14, self.numbers.dropped_links.value(row));
        if self.status.0.is_valid(row) {
            proto::message(out, 15, |out| {
                proto::bytes_unless_empty(out, 2, self.status.1.value(row).as_bytes());
                proto::enum_unless_zero(out, 3, self.status.0.value(row));
            });
        }
        proto::fixed32_unless_zero(out, 16, self.numbers.flags.value(row));
        Ok(())
    }

    fn write_attributes(&self, row: usize, out: &mut Vec<u8>) -> Result<()> {
        const ATTRIBUTES: u32 = 9;
        let mut rest = self.attributes.row(row);
        if self.order.is_null(row) {
            for column in &self.dedicated {
                if column.is_valid(row) {
                    column.write(row, out, ATTRIBUTES);
                }
            }
            rest.for_each(|item| self.attributes.write(item, out, ATTRIBUTES));
            return Ok(());
        }
        let corrupt =
            || Error::corrupt("segment", format!("attribute_order of row {row} does not fit its columns"));
        for &ordinal in self.order.value(row) {
            if ordinal == FROM_LIST {
                self.attributes.write(rest.next().ok_or_else(corrupt)?, out, ATTRIBUTES);
            } else {
                let column = self.dedicated.get(usize::from(ordinal) - 1).ok_or_else(corrupt)?;
                column.write(row, out, ATTRIBUTES);
            }
        }
        Ok(())
    }
}

/// An attribute with a column of its own, read.
#[derive(Debug)]
struct DedicatedColumn<'a> {
    key: &'a str,
    values: DedicatedValues<'a>,
}

/// The values of a dedicated column.
#[derive(Debug)]
pub(crate) enum DedicatedValues<'a> {
    String(&'a StringArray),
    Int(&'a Int64Array),
    Double(&'a Float64Array),
    Bool(&'a BooleanArray),
}

impl<'a> DedicatedValues<'a> {
    /// Looks at a column of one of the four types.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is of another.
    pub(crate) fn new(array: &'a ArrayRef) -> Result<Self> {
        let any = array.as_any();
        any.downcast_ref()
            .map(Self::String)
            .or_else(|| any.downcast_ref().map(Self::Int))
            .or_else(|| any.downcast_ref().map(Self::Double))
            .or_else(|| any.downcast_ref().map(Self::Bool))
            .ok_or_else(|| Error::corrupt("segment", "an attribute column has a type that no attribute has"))
    }

    /// The value of a row, if it has one.
    #[inline]
    pub(crate) fn value(&self, row: usize) -> Option<AnyValueView<'a>> {
        match self {
            Self::String(a) => a.is_valid(row).then(|| AnyValueView::Str(a.value(row))),
            Self::Int(a) => a.is_valid(row).then(|| AnyValueView::Int(a.value(row))),
            Self::Double(a) => a.is_valid(row).then(|| AnyValueView::Double(a.value(row))),
            Self::Bool(a) => a.is_valid(row).then(|| AnyValueView::Bool(a.value(row))),
        }
    }
}

impl<'a> DedicatedColumn<'a> {
    fn new(key: &'a str, array: &'a ArrayRef) -> Result<Self> {
        Ok(Self { key, values: DedicatedValues::new(array)? })
    }

    fn is_valid(&self, row: usize) -> bool {
        self.values.value(row).is_some()
    }

    fn write(&self, row: usize, out: &mut Vec<u8>, field: u32) {
        write_attribute(out, field, self.key, self.values.value(row));
    }
}

/// The events of spans, read.
#[derive(Debug)]
struct EventsColumn<'a> {
    rows: &'a [i32],
    times: &'a UInt64Array,
    names: &'a StringArray,
    dropped: &'a UInt32Array,
    attributes: AttributesColumn<'a>,
}

impl<'a> EventsColumn<'a> {
    fn new(array: Option<&'a ArrayRef>) -> Result<Self> {
        let (rows, columns) = list(array, "events")?;
        Ok(Self {
            rows,
            times: typed(columns.first(), "events.time_unix_nano")?,
            names: typed(columns.get(1), "events.name")?,
            dropped: typed(columns.get(2), "events.dropped_attributes_count")?,
            attributes: AttributesColumn::new(columns.get(3), "events.attributes")?,
        })
    }

    fn write(&self, row: usize, out: &mut Vec<u8>) {
        for event in row_range(self.rows, row) {
            proto::message(out, 11, |out| {
                let time = self.times.value(event);
                if time != 0 {
                    proto::fixed64(out, 1, time);
                }
                proto::bytes_unless_empty(out, 2, self.names.value(event).as_bytes());
                self.attributes.row(event).for_each(|item| self.attributes.write(item, out, 3));
                proto::number_unless_zero(out, 4, self.dropped.value(event));
            });
        }
    }
}

/// The links of spans, read.
#[derive(Debug)]
struct LinksColumn<'a> {
    rows: &'a [i32],
    trace_ids: &'a BinaryArray,
    span_ids: &'a BinaryArray,
    trace_states: &'a StringArray,
    flags: &'a UInt32Array,
    dropped: &'a UInt32Array,
    attributes: AttributesColumn<'a>,
}

impl<'a> LinksColumn<'a> {
    fn new(array: Option<&'a ArrayRef>) -> Result<Self> {
        let (rows, columns) = list(array, "links")?;
        Ok(Self {
            rows,
            trace_ids: typed(columns.first(), "links.trace_id")?,
            span_ids: typed(columns.get(1), "links.span_id")?,
            trace_states: typed(columns.get(2), "links.trace_state")?,
            flags: typed(columns.get(3), "links.flags")?,
            dropped: typed(columns.get(4), "links.dropped_attributes_count")?,
            attributes: AttributesColumn::new(columns.get(5), "links.attributes")?,
        })
    }

    fn write(&self, row: usize, out: &mut Vec<u8>) {
        for link in row_range(self.rows, row) {
            proto::message(out, 13, |out| {
                proto::bytes_unless_empty(out, 1, self.trace_ids.value(link));
                proto::bytes_unless_empty(out, 2, self.span_ids.value(link));
                proto::bytes_unless_empty(out, 3, self.trace_states.value(link).as_bytes());
                self.attributes.row(link).for_each(|item| self.attributes.write(item, out, 4));
                proto::number_unless_zero(out, 5, self.dropped.value(link));
                proto::fixed32_unless_zero(out, 6, self.flags.value(link));
            });
        }
    }
}
