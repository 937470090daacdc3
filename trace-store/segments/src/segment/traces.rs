//! The `traces` part: one row per trace of the segment.
//!
//! Knows: how the spans of a trace, coming in order, add up. Must not know: spans of other segments; whoever reads the
//! rows merges them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::{FixedSizeBinaryBuilder, StringBuilder, UInt32Builder, UInt64Builder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, SchemaRef};

use super::attributes::Offsets;
use super::layout::item;
use super::outline::Outline;
use super::tables_part::TablesBuilder;
use crate::Built;
use crate::names::{MISSING_SERVICE, STATUS_ERROR};

/// The trace that spans are being added to.
#[derive(Debug)]
struct Open {
    id: [u8; 16],
    start: u64,
    end: u64,
    /// Resource and name of the first span without a parent.
    root: Option<(u32, Box<str>)>,
    spans: u32,
    errors: u32,
    /// Spans and errors by resource.
    resources: Vec<(u32, u32, u32)>,
}

/// The rows of a batch in the making.
#[derive(Debug)]
pub(crate) struct TracesColumns {
    schema: SchemaRef,
    open: Option<Open>,
    rows: usize,
    ids: FixedSizeBinaryBuilder,
    starts: UInt64Builder,
    ends: UInt64Builder,
    root_services: StringBuilder,
    root_names: StringBuilder,
    spans: UInt32Builder,
    errors: UInt32Builder,
    services: Services,
}

#[derive(Debug, Default)]
struct Services {
    rows: Offsets,
    items: usize,
    names: StringBuilder,
    spans: UInt32Builder,
    errors: UInt32Builder,
}

fn service_fields() -> Fields {
    Fields::from(vec![
        Field::new("service", DataType::Utf8, false),
        Field::new("span_count", DataType::UInt32, false),
        Field::new("error_count", DataType::UInt32, false),
    ])
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("trace_id", DataType::FixedSizeBinary(16), false),
        Field::new("start_unix_nano", DataType::UInt64, false),
        Field::new("end_unix_nano", DataType::UInt64, false),
        Field::new("root_service", DataType::Utf8, true),
        Field::new("root_name", DataType::Utf8, true),
        Field::new("span_count", DataType::UInt32, false),
        Field::new("error_count", DataType::UInt32, false),
        Field::new("services", DataType::List(item(service_fields())), false),
    ]))
}

impl TracesColumns {
    pub(crate) fn new() -> Self {
        Self {
            schema: schema(),
            open: None,
            rows: 0,
            ids: FixedSizeBinaryBuilder::new(16),
            starts: UInt64Builder::new(),
            ends: UInt64Builder::new(),
            root_services: StringBuilder::new(),
            root_names: StringBuilder::new(),
            spans: UInt32Builder::new(),
            errors: UInt32Builder::new(),
            services: Services::default(),
        }
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Whole traces in the batch.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Whether a span is of another trace than the one at hand, which has to be closed first then.
    pub(crate) fn is_new(&self, id: &[u8; 16]) -> bool {
        self.open.as_ref().is_none_or(|open| u128::from_ne_bytes(open.id) != u128::from_ne_bytes(*id))
    }

    /// Adds a span; those of a trace come together, by start.
    pub(crate) fn push(&mut self, span: &Outline<'_>) {
        let &Outline { trace_id: id, start, resource, .. } = span;
        let open = self.open.get_or_insert_with(|| Open {
            id,
            start,
            end: 0,
            root: None,
            spans: 0,
            errors: 0,
            resources: Vec::new(),
        });
        let error = u32::from(span.status == STATUS_ERROR);
        open.start = open.start.min(start);
        open.end = open.end.max(span.end).max(start);
        open.spans = open.spans.saturating_add(1);
        open.errors = open.errors.saturating_add(error);
        if open.root.is_none() && span.is_root() {
            open.root = Some((resource, span.name.into()));
        }
        match open.resources.iter_mut().find(|(known, _, _)| *known == resource) {
            Some((_, spans, errors)) => {
                *spans = spans.saturating_add(1);
                *errors = errors.saturating_add(error);
            }
            None => open.resources.push((resource, 1, error)),
        }
    }

    /// Ends the trace at hand.
    ///
    /// # Errors
    /// When a batch holds too many services.
    pub(crate) fn close(&mut self, tables: &TablesBuilder) -> Built<()> {
        let Some(trace) = self.open.take() else { return Ok(()) };
        let service = |resource: u32| tables.service(resource).map_or(MISSING_SERVICE, |service| service);
        self.rows += 1;
        self.ids.append_value(trace.id)?;
        self.starts.append_value(trace.start);
        self.ends.append_value(trace.end);
        self.root_services.append_option(trace.root.as_ref().map(|(resource, _)| service(*resource)));
        self.root_names.append_option(trace.root.as_ref().map(|(_, name)| name));
        self.spans.append_value(trace.spans);
        self.errors.append_value(trace.errors);
        let mut services: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
        for (resource, spans, errors) in &trace.resources {
            let counts = services.entry(service(*resource)).or_default();
            *counts = (counts.0.saturating_add(*spans), counts.1.saturating_add(*errors));
        }
        for (service, (spans, errors)) in services {
            self.services.items += 1;
            self.services.names.append_value(service);
            self.services.spans.append_value(spans);
            self.services.errors.append_value(errors);
        }
        self.services
            .rows
            .end_row(self.services.items)
            .map_err(|e| ArrowError::from_external_error(Box::new(e)))
    }

    /// The batch of the traces that are whole; starts anew.
    ///
    /// # Errors
    /// Never for rows that were closed.
    pub(crate) fn finish(&mut self) -> Built<RecordBatch> {
        self.rows = 0;
        self.services.items = 0;
        let services: Vec<ArrayRef> = vec![
            Arc::new(self.services.names.finish()),
            Arc::new(self.services.spans.finish()),
            Arc::new(self.services.errors.finish()),
        ];
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.ids.finish()),
            Arc::new(self.starts.finish()),
            Arc::new(self.ends.finish()),
            Arc::new(self.root_services.finish()),
            Arc::new(self.root_names.finish()),
            Arc::new(self.spans.finish()),
            Arc::new(self.errors.finish()),
            self.services.rows.finish(service_fields(), services)?,
        ];
        RecordBatch::try_new(self.schema(), columns)
    }
}
