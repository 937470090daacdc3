//! Spans becoming columns: one batch of a `spans` part in the making.
//!
//! Knows: which column every field of a span goes to. Must not know: files, sorting, tables.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, FixedSizeBinaryBuilder, Float64Builder, Int32Builder, Int64Builder,
    StringBuilder, UInt32Builder, UInt64Builder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;
use runtime_engine::{Error, Result};
use shared_proto::otlp::view::{AnyValueView, EventView, KeyValueView, LinkView, SpanView, StatusView};

use super::attributes::{AttributesBuilder, Offsets};
use super::layout::{Dedicated, Layout, ValueType, event_fields, link_fields};
use crate::proto::{self, span_field};
use crate::{Built, Malformed};

/// In `attribute_order`: the next attribute of the list. Other numbers are those of dedicated columns, from 1.
pub(crate) const FROM_LIST: u8 = 0;

/// The columns of one batch.
#[derive(Debug)]
pub(crate) struct SpanColumns {
    layout: Arc<Layout>,
    rows: usize,
    bytes: usize,
    ids: Ids,
    times: Times,
    words: Words,
    numbers: Numbers,
    order: BinaryBuilder,
    sequence: Vec<u8>,
    hints: Vec<u8>,
    attributes: AttributesBuilder,
    events: Events,
    links: Links,
    dedicated: Vec<DedicatedBuilder>,
}

#[derive(Debug)]
struct Ids {
    trace: FixedSizeBinaryBuilder,
    span: FixedSizeBinaryBuilder,
    parent: FixedSizeBinaryBuilder,
}

#[derive(Debug, Default)]
struct Times {
    start: UInt64Builder,
    duration: Int64Builder,
}

#[derive(Debug, Default)]
struct Words {
    name: StringBuilder,
    status_message: StringBuilder,
    trace_state: StringBuilder,
}

#[derive(Debug, Default)]
struct Numbers {
    kind: Int32Builder,
    status_code: Int32Builder,
    flags: UInt32Builder,
    dropped_attributes: UInt32Builder,
    dropped_events: UInt32Builder,
    dropped_links: UInt32Builder,
    resource: UInt32Builder,
    scope: UInt32Builder,
}

fn malformed(e: Malformed) -> Error {
    Error::corrupt("span", e.to_string())
}

fn arrow(e: &ArrowError) -> Error {
    Error::Invalid(format!("a span does not fit its columns: {e}"))
}

impl SpanColumns {
    pub(crate) fn new(layout: Arc<Layout>) -> Self {
        let dedicated = layout.dedicated.iter().map(DedicatedBuilder::new).collect();
        Self {
            layout,
            rows: 0,
            bytes: 0,
            ids: Ids {
                trace: FixedSizeBinaryBuilder::new(16),
                span: FixedSizeBinaryBuilder::new(8),
                parent: FixedSizeBinaryBuilder::new(8),
            },
            times: Times::default(),
            words: Words::default(),
            numbers: Numbers::default(),
            order: BinaryBuilder::new(),
            sequence: Vec::new(),
            hints: Vec::new(),
            attributes: AttributesBuilder::default(),
            events: Events::default(),
            links: Links::default(),
            dedicated,
        }
    }

    /// Spans in it.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of the spans in it, as OTLP.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a span.
    ///
    /// # Errors
    /// When it cannot be read, or an id has a wrong length.
    pub(crate) fn push(
        &mut self,
        span: &SpanView<'_>,
        status: Option<StatusView<'_>>,
        resource: u32,
        scope: u32,
    ) -> Result<()> {
        self.ids.trace.append_value(span.trace_id).map_err(|e| arrow(&e))?;
        self.ids.span.append_value(span.span_id).map_err(|e| arrow(&e))?;
        if span.parent_span_id.is_empty() {
            self.ids.parent.append_null();
        } else {
            self.ids.parent.append_value(span.parent_span_id).map_err(|e| arrow(&e))?;
        }
        self.times.start.append_value(span.start_unix_nano);
        // wraps where the end lies before the start, or further than an i64 reaches: wraps back when read
        self.times.duration.append_value(span.end_unix_nano.wrapping_sub(span.start_unix_nano).cast_signed());
        self.words.name.append_value(span.name);
        self.words.trace_state.append_value(span.trace_state);
        self.numbers.status_code.append_option(status.map(|s| s.code));
        self.words.status_message.append_option(status.map(|s| s.message));
        self.numbers.kind.append_value(span.kind);
        self.numbers.flags.append_value(span.flags);
        self.numbers.dropped_attributes.append_value(span.dropped_attributes_count);
        self.numbers.dropped_events.append_value(span.dropped_events_count);
        self.numbers.dropped_links.append_value(span.dropped_links_count);
        self.numbers.resource.append_value(resource);
        self.numbers.scope.append_value(scope);
        self.push_children(span.bytes())?;
        self.rows += 1;
        self.bytes += span.bytes().len();
        Ok(())
    }

    /// Attributes, events and links, in one go over the message.
    fn push_children(&mut self, span: &[u8]) -> Result<()> {
        self.sequence.clear();
        for (field, body) in proto::messages(span) {
            match field {
                span_field::ATTRIBUTE => self.push_attribute(&KeyValueView::parse(body).map_err(malformed)?),
                span_field::EVENT => self.events.push(&EventView::parse(body).map_err(malformed)?)?,
                span_field::LINK => self.links.push(&LinkView::parse(body).map_err(malformed)?)?,
                _ => {}
            }
        }
        self.events.rows.end_row(self.events.items)?;
        self.links.rows.end_row(self.links.items)?;
        self.attributes.end_row()?;
        if is_default_order(&self.sequence) {
            self.order.append_null();
        } else {
            self.order.append_value(&self.sequence);
        }
        Ok(())
    }

    fn push_attribute(&mut self, attribute: &KeyValueView<'_>) {
        let column = self.column(self.sequence.len(), attribute.key, &attribute.value);
        let taken = column
            .and_then(|ordinal| self.dedicated.get_mut(usize::from(ordinal)))
            .is_some_and(|builder| builder.push(self.rows, &attribute.value));
        match column {
            Some(ordinal) if taken => self.sequence.push(ordinal + 1),
            _ => {
                self.attributes.push(attribute);
                self.sequence.push(FROM_LIST);
            }
        }
    }

    /// The dedicated column of an attribute. Spans of a kind have the same attributes in the same places, so the
    /// column that the last span had at this position is tried first.
    fn column(&mut self, position: usize, key: &str, value: &AnyValueView<'_>) -> Option<u8> {
        let value = match value {
            AnyValueView::Str(_) => ValueType::String,
            AnyValueView::Int(_) => ValueType::Int,
            AnyValueView::Double(_) => ValueType::Double,
            AnyValueView::Bool(_) => ValueType::Bool,
            _ => return None,
        };
        if let Some(&hint) = self.hints.get(position)
            && let Some(dedicated) = self.layout.dedicated.get(usize::from(hint))
            && dedicated.value == value
            && *dedicated.key == *key
        {
            return Some(hint);
        }
        let column = self.layout.columns_of(key).get(value as usize).copied().flatten()?;
        if self.hints.len() <= position {
            self.hints.resize(position + 1, u8::MAX);
        }
        if let Some(hint) = self.hints.get_mut(position) {
            *hint = column;
        }
        Some(column)
    }

    /// The batch; starts anew.
    ///
    /// # Errors
    /// Never for spans that were pushed whole.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch> {
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.ids.trace.finish()),
            Arc::new(self.ids.span.finish()),
            Arc::new(self.ids.parent.finish()),
            Arc::new(self.times.start.finish()),
            Arc::new(self.times.duration.finish()),
            Arc::new(self.words.name.finish()),
            Arc::new(self.numbers.kind.finish()),
            Arc::new(self.numbers.status_code.finish()),
            Arc::new(self.words.status_message.finish()),
            Arc::new(self.words.trace_state.finish()),
            Arc::new(self.numbers.flags.finish()),
            Arc::new(self.numbers.dropped_attributes.finish()),
            Arc::new(self.numbers.dropped_events.finish()),
            Arc::new(self.numbers.dropped_links.finish()),
            Arc::new(self.numbers.resource.finish()),
            Arc::new(self.numbers.scope.finish()),
            Arc::new(self.order.finish()),
            self.attributes.finish().map_err(|e| arrow(&e))?,
            self.events.finish().map_err(|e| arrow(&e))?,
            self.links.finish().map_err(|e| arrow(&e))?,
        ];
        for builder in &mut self.dedicated {
            columns.push(builder.finish(self.rows));
        }
        self.rows = 0;
        self.bytes = 0;
        RecordBatch::try_new(Arc::clone(&self.layout.schema), columns).map_err(|e| arrow(&e))
    }
}

/// Dedicated columns ascending, then the list.
pub(crate) fn is_default_order(sequence: &[u8]) -> bool {
    let key = |&ordinal: &u8| if ordinal == FROM_LIST { u8::MAX } else { ordinal };
    sequence.is_sorted_by_key(key)
}

#[derive(Debug)]
struct DedicatedBuilder {
    /// Rows it has, nulls included; those up to the span at hand are filled in when the next value comes.
    len: usize,
    values: DedicatedValues,
}

#[derive(Debug)]
enum DedicatedValues {
    String(StringBuilder),
    Int(Int64Builder),
    Double(Float64Builder),
    Bool(BooleanBuilder),
}

impl DedicatedBuilder {
    fn new(of: &Dedicated) -> Self {
        let values = match of.value {
            ValueType::String => DedicatedValues::String(StringBuilder::new()),
            ValueType::Int => DedicatedValues::Int(Int64Builder::new()),
            ValueType::Double => DedicatedValues::Double(Float64Builder::new()),
            ValueType::Bool => DedicatedValues::Bool(BooleanBuilder::new()),
        };
        Self { len: 0, values }
    }

    /// Takes the value of `row`, unless the row has one already (a key that occurs twice).
    fn push(&mut self, row: usize, value: &AnyValueView<'_>) -> bool {
        if self.len > row {
            return false;
        }
        self.fill(row);
        match (&mut self.values, *value) {
            (DedicatedValues::String(b), AnyValueView::Str(v)) => b.append_value(v),
            (DedicatedValues::Int(b), AnyValueView::Int(v)) => b.append_value(v),
            (DedicatedValues::Double(b), AnyValueView::Double(v)) => b.append_value(v),
            (DedicatedValues::Bool(b), AnyValueView::Bool(v)) => b.append_value(v),
            _ => return false,
        }
        self.len = row + 1;
        true
    }

    fn fill(&mut self, rows: usize) {
        let nulls = rows.saturating_sub(self.len);
        match &mut self.values {
            DedicatedValues::String(b) => (0..nulls).for_each(|_| b.append_null()),
            DedicatedValues::Int(b) => b.append_nulls(nulls),
            DedicatedValues::Double(b) => b.append_nulls(nulls),
            DedicatedValues::Bool(b) => b.append_nulls(nulls),
        }
        self.len += nulls;
    }

    fn finish(&mut self, rows: usize) -> ArrayRef {
        self.fill(rows);
        self.len = 0;
        match &mut self.values {
            DedicatedValues::String(b) => Arc::new(b.finish()),
            DedicatedValues::Int(b) => Arc::new(b.finish()),
            DedicatedValues::Double(b) => Arc::new(b.finish()),
            DedicatedValues::Bool(b) => Arc::new(b.finish()),
        }
    }
}

#[derive(Debug, Default)]
struct Events {
    rows: Offsets,
    items: usize,
    times: UInt64Builder,
    names: StringBuilder,
    dropped: UInt32Builder,
    attributes: AttributesBuilder,
}

impl Events {
    fn push(&mut self, event: &EventView<'_>) -> Result<()> {
        self.items += 1;
        self.times.append_value(event.time_unix_nano);
        self.names.append_value(event.name);
        self.dropped.append_value(event.dropped_attributes_count);
        for attribute in event.attributes() {
            self.attributes.push(&attribute.map_err(malformed)?);
        }
        self.attributes.end_row()
    }

    fn finish(&mut self) -> Built<ArrayRef> {
        self.items = 0;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.times.finish()),
            Arc::new(self.names.finish()),
            Arc::new(self.dropped.finish()),
            self.attributes.finish()?,
        ];
        self.rows.finish(event_fields(), columns)
    }
}

#[derive(Debug, Default)]
struct Links {
    rows: Offsets,
    items: usize,
    trace_ids: BinaryBuilder,
    span_ids: BinaryBuilder,
    trace_states: StringBuilder,
    flags: UInt32Builder,
    dropped: UInt32Builder,
    attributes: AttributesBuilder,
}

impl Links {
    fn push(&mut self, link: &LinkView<'_>) -> Result<()> {
        self.items += 1;
        self.trace_ids.append_value(link.trace_id);
        self.span_ids.append_value(link.span_id);
        self.trace_states.append_value(link.trace_state);
        self.flags.append_value(link.flags);
        self.dropped.append_value(link.dropped_attributes_count);
        for attribute in link.attributes() {
            self.attributes.push(&attribute.map_err(malformed)?);
        }
        self.attributes.end_row()
    }

    fn finish(&mut self) -> Built<ArrayRef> {
        self.items = 0;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.trace_ids.finish()),
            Arc::new(self.span_ids.finish()),
            Arc::new(self.trace_states.finish()),
            Arc::new(self.flags.finish()),
            Arc::new(self.dropped.finish()),
            self.attributes.finish()?,
        ];
        self.rows.finish(link_fields(), columns)
    }
}
