//! Reading what summaries need: narrow columns of segments, references and messages of heads.
//!
//! Knows: which columns. Must not know: what is made of them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::{
    Array, BooleanArray, FixedSizeBinaryArray, Int32Array, Int64Array, RecordBatch, StringArray, UInt32Array,
    UInt64Array,
};
use arrow_schema::ArrowError;
use parquet::arrow::arrow_reader::{ArrowPredicate, ArrowPredicateFn, RowFilter};
use runtime_engine::{Error, Result, Snapshot, Stop};
use shared_proto::otlp::view::{AnyValueView, EventView};

use super::sum::{Line, Sums, Unexplained};
use crate::proto::{self, span_field};
use crate::query::Cost;
use crate::segment::{
    NARROW_ROWS, Scan, Segment, attributes_of_items, column, duration_of, row_range, typed,
};
use crate::{Parsed, Traces, View};

/// The columns of a [`Line`], in the order of the schema.
const COLUMNS: [usize; 9] = [
    column::TRACE_ID,
    column::SPAN_ID,
    column::PARENT_SPAN_ID,
    column::START,
    column::DURATION,
    column::NAME,
    column::STATUS_CODE,
    column::STATUS_MESSAGE,
    column::RESOURCE,
];

/// Adds what a segment holds of the traces; `ids` are sorted.
pub(super) fn add_segment(
    segment: &Segment,
    ids: &Arc<[[u8; 16]]>,
    sums: &mut Sums,
    stop: &Stop,
    cost: &mut Cost,
) -> Result<()> {
    let part = &segment.spans;
    let (row_groups, selection) = segment.places_of(ids, 0..part.row_groups());
    if row_groups.is_empty() {
        return Ok(());
    }
    cost.objects += 1;
    let mut batches = part.scan(Scan {
        row_groups,
        projection: part.projection(COLUMNS),
        selection: Some(selection),
        filter: Some(RowFilter::new(vec![segment.only(Arc::clone(ids))])),
        batch_rows: NARROW_ROWS,
    })?;
    while let Some(batch) = batches.next(cost)? {
        if stop.is_stopped() {
            return Err(Error::Stopped);
        }
        cost.spans += batch.num_rows() as u64;
        add_batch(segment, &batch, sums)?;
    }
    Ok(())
}

fn add_batch(segment: &Segment, batch: &RecordBatch, sums: &mut Sums) -> Result<()> {
    let at = |i: usize| batch.columns().get(i);
    let trace_ids: &FixedSizeBinaryArray = typed(at(0), "trace_id")?;
    let span_ids: &FixedSizeBinaryArray = typed(at(1), "span_id")?;
    let parents: &FixedSizeBinaryArray = typed(at(2), "parent_span_id")?;
    let starts: &UInt64Array = typed(at(3), "start_unix_nano")?;
    let durations: &Int64Array = typed(at(4), "duration_nano")?;
    let names: &StringArray = typed(at(5), "name")?;
    let statuses: &Int32Array = typed(at(6), "status_code")?;
    let messages: &StringArray = typed(at(7), "status_message")?;
    let resources: &UInt32Array = typed(at(8), "resource")?;
    for row in 0..batch.num_rows() {
        let start = starts.value(row);
        let has_status = statuses.is_valid(row);
        sums.add(&Line {
            trace_id: trace_ids.value(row).try_into().unwrap_or_default(),
            span_id: span_ids.value(row).try_into().unwrap_or_default(),
            parent_id: if parents.is_valid(row) {
                parents.value(row).try_into().unwrap_or_default()
            } else {
                [0; 8]
            },
            start,
            end: start.saturating_add(duration_of(start, durations.value(row))),
            service: &segment.resource(resources.value(row))?.service,
            name: names.value(row),
            status: if has_status { statuses.value(row) } else { 0 },
            status_message: if has_status { messages.value(row) } else { "" },
        });
    }
    Ok(())
}

/// Adds what a head holds of the traces.
pub(super) fn add_head(head: &View, ids: &[[u8; 16]], sums: &mut Sums, cost: &mut Cost) -> Result<()> {
    for id in ids {
        for (record, spans) in head.find(id) {
            cost.spans += spans.len() as u64;
            for reference in spans {
                let span = record.span(reference)?;
                let resource = head.resource(reference.resource);
                let (Some(resource), Some(operation)) = (resource, head.operation(reference.operation))
                else {
                    continue;
                };
                let status = span.status().map_err(|e| Error::corrupt("log record", e.to_string()))?;
                sums.add(&Line {
                    trace_id: *id,
                    span_id: span.span_id.try_into().unwrap_or_default(),
                    parent_id: span.parent_span_id.try_into().unwrap_or_default(),
                    start: reference.start,
                    end: reference.end.max(reference.start),
                    service: &resource.service,
                    name: &operation.name,
                    status: reference.status,
                    status_message: status.map_or("", |status| status.message),
                });
            }
        }
    }
    Ok(())
}

/// Looks into the events of failed spans whose status says nothing.
pub(super) fn explain_errors(snap: &Snapshot<Traces>, sums: &mut Sums, cost: &mut Cost) -> Result<()> {
    let unexplained = sums.unexplained();
    if unexplained.is_empty() {
        return Ok(());
    }
    let mut ids: Vec<[u8; 16]> = unexplained.iter().map(|span| span.trace_id).collect();
    ids.sort_unstable();
    let ids: Arc<[[u8; 16]]> = ids.into();
    for segment in &snap.objects {
        explain_from_segment(segment, &ids, &unexplained, sums, cost)?;
    }
    let wanted: HashMap<[u8; 16], [u8; 8]> =
        unexplained.iter().map(|span| (span.trace_id, span.span_id)).collect();
    for head in &snap.heads {
        for (trace_id, span_id) in &wanted {
            for (record, spans) in head.find(trace_id) {
                for reference in spans {
                    let span = record.span(reference)?;
                    if span.span_id == span_id {
                        let text = exception_of(span.bytes());
                        let text = text.map_err(|e| Error::corrupt("log record", e.to_string()))?;
                        sums.explain(trace_id, span_id, &text);
                    }
                }
            }
        }
    }
    Ok(())
}

fn explain_from_segment(
    segment: &Segment,
    ids: &Arc<[[u8; 16]]>,
    unexplained: &[Unexplained],
    sums: &mut Sums,
    cost: &mut Cost,
) -> Result<()> {
    let part = &segment.spans;
    let (row_groups, selection) = segment.places_of(ids, 0..part.row_groups());
    if row_groups.is_empty() {
        return Ok(());
    }
    let wanted: HashSet<[u8; 8]> = unexplained.iter().map(|span| span.span_id).collect();
    let mut batches = part.scan(Scan {
        row_groups,
        projection: part.projection([column::TRACE_ID, column::SPAN_ID, column::EVENTS]),
        selection: Some(selection),
        filter: Some(RowFilter::new(vec![segment.only(Arc::clone(ids)), spans_only(segment, wanted)])),
        batch_rows: NARROW_ROWS,
    })?;
    while let Some(batch) = batches.next(cost)? {
        let trace_ids: &FixedSizeBinaryArray = typed(batch.columns().first(), "trace_id")?;
        let span_ids: &FixedSizeBinaryArray = typed(batch.columns().get(1), "span_id")?;
        let (rows, attributes) = attributes_of_items(batch.columns().get(2), "events")?;
        for row in 0..batch.num_rows() {
            let mut exception = Exception::default();
            for event in row_range(rows, row) {
                for item in attributes.row(event) {
                    exception.note(attributes.key(item), &attributes.value(item)?);
                }
            }
            let ids = (trace_ids.value(row).try_into(), span_ids.value(row).try_into());
            if let (Ok(trace_id), Ok(span_id)) = ids {
                sums.explain(&trace_id, &span_id, &exception.text());
            }
        }
    }
    Ok(())
}

/// Keeps spans with these ids.
fn spans_only(segment: &Segment, wanted: HashSet<[u8; 8]>) -> Box<dyn ArrowPredicate> {
    let projection = segment.spans.projection([column::SPAN_ID]);
    Box::new(ArrowPredicateFn::new(projection, move |batch: RecordBatch| {
        let ids: &FixedSizeBinaryArray = typed(batch.columns().first(), "span_id")
            .map_err(|e| ArrowError::from_external_error(Box::new(e)))?;
        let rows = ids.iter().map(|id| id.is_some_and(|id| wanted.contains(id)));
        Ok::<BooleanArray, ArrowError>(rows.collect::<Vec<bool>>().into())
    }))
}

/// Type and message of the first exception of a span.
#[derive(Debug, Default)]
struct Exception {
    kind: Option<String>,
    message: Option<String>,
}

impl Exception {
    fn note(&mut self, key: &str, value: &AnyValueView<'_>) {
        let AnyValueView::Str(text) = value else { return };
        match key {
            "exception.type" if self.kind.is_none() => self.kind = Some((*text).to_owned()),
            "exception.message" if self.message.is_none() => self.message = Some((*text).to_owned()),
            _ => {}
        }
    }

    fn text(&self) -> String {
        match (&self.kind, &self.message) {
            (Some(kind), Some(message)) if !kind.is_empty() && !message.is_empty() => {
                format!("{kind}: {message}")
            }
            (Some(text), None) | (None, Some(text)) => text.clone(),
            (Some(kind), Some(message)) => format!("{kind}{message}"),
            (None, None) => String::new(),
        }
    }
}

fn exception_of(span: &[u8]) -> Parsed<String> {
    let mut exception = Exception::default();
    for (_, body) in proto::messages(span).filter(|(field, _)| *field == span_field::EVENT) {
        for attribute in EventView::parse(body)?.attributes() {
            let attribute = attribute?;
            exception.note(attribute.key, &attribute.value);
        }
    }
    Ok(exception.text())
}
