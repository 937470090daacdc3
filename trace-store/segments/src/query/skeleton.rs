//! One trace as columns: what a waterfall is drawn from, without attributes, events and links.
//!
//! Knows: narrow columns of segments, references of heads. Must not know: the order of a waterfall, or what a reader
//! adjusts. Start at [`skeleton`].

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{
    Array, FixedSizeBinaryArray, Int32Array, Int64Array, RecordBatch, StringArray, UInt32Array, UInt64Array,
};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::RowFilter;
use runtime_engine::{Error, Result, Snapshot};

use super::Cost;
use crate::names::{STATUS_ERROR, operation_of};
use crate::proto::{self, span_field};
use crate::segment::{NARROW_ROWS, Scan, Segment, column, list, row_range, typed};
use crate::tables::{Resource, ordinal};
use crate::{Traces, View};

/// Rows of a piece: with 45 bytes each, below 1 MiB.
const PIECE_ROWS: usize = 20_000;

/// Bits of [`Rows::facts`].
pub mod facts {
    /// The kind, 0 where it is none of OTLP's.
    pub const KIND: u8 = 0b111;
    /// The status is ERROR.
    pub const ERROR: u8 = 1 << 3;
    /// There are events.
    pub const EVENTS: u8 = 1 << 4;
    /// There are links.
    pub const LINKS: u8 = 1 << 5;
}

/// A resource that rows refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkeletonResource {
    /// A `ResourceSpans` message without scopes.
    pub otlp: Bytes,
    /// As [`super::services`] tells it.
    pub service: Arc<str>,
}

/// Rows of a trace, in no order; every column has one entry per row. Tables go on from piece to piece: the entries of
/// this piece are numbered on from those of all pieces before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// Resources that no piece before has named.
    pub resources: Vec<SkeletonResource>,
    /// Operation names (as [`super::operations`] tells them) that no piece before has named.
    pub names: Vec<String>,
    /// Ids as big-endian numbers.
    pub span_ids: Vec<u64>,
    /// 0 = no parent.
    pub parent_ids: Vec<u64>,
    /// Unix ns.
    pub starts: Vec<u64>,
    /// Unix ns; maybe before the start.
    pub ends: Vec<u64>,
    /// Ordinals of resources.
    pub resource: Vec<u32>,
    /// Ordinals of names.
    pub name: Vec<u32>,
    /// See [`facts`].
    pub facts: Vec<u8>,
}

/// The pieces of a trace in the making.
struct Pieces<'e> {
    emit: &'e mut dyn FnMut(Rows) -> Result<()>,
    rows: Rows,
    resources: HashMap<Bytes, u32>,
    names: HashMap<Box<str>, u32>,
    found: bool,
}

/// One span on its way into the columns.
struct Row {
    span_id: u64,
    parent_id: u64,
    start: u64,
    end: u64,
    resource: u32,
    name: u32,
    kind: i32,
    facts: u8,
}

/// Emits every span of a trace as rows, in pieces below 1 MiB; says whether there was any. As with
/// [`super::get_trace`], a span that was sent twice may be emitted twice.
///
/// # Errors
/// A damaged segment, a failed read, or whatever `emit` returned.
pub fn skeleton(
    snap: &Snapshot<Traces>,
    trace_id: [u8; 16],
    emit: &mut dyn FnMut(Rows) -> Result<()>,
    cost: &mut Cost,
) -> Result<bool> {
    let mut pieces = Pieces {
        emit,
        rows: Rows::default(),
        resources: HashMap::new(),
        names: HashMap::new(),
        found: false,
    };
    for segment in &snap.objects {
        add_segment(segment, trace_id, &mut pieces, cost)?;
    }
    for head in &snap.heads {
        add_head(head, trace_id, &mut pieces, cost)?;
    }
    pieces.send()?;
    Ok(pieces.found)
}

impl Pieces<'_> {
    fn resource(&mut self, resource: &Resource) -> Result<u32> {
        if let Some(known) = self.resources.get(&resource.otlp) {
            return Ok(*known);
        }
        let new = ordinal(self.resources.len())?;
        self.resources.insert(resource.otlp.clone(), new);
        let (otlp, service) = (resource.otlp.clone(), Arc::clone(&resource.service));
        self.rows.resources.push(SkeletonResource { otlp, service });
        Ok(new)
    }

    fn name(&mut self, name: &str) -> Result<u32> {
        let name = operation_of(name);
        if let Some(known) = self.names.get(name) {
            return Ok(*known);
        }
        let new = ordinal(self.names.len())?;
        self.names.insert(name.into(), new);
        self.rows.names.push(name.to_owned());
        Ok(new)
    }

    fn push(&mut self, row: &Row) -> Result<()> {
        let kind = u8::try_from(row.kind).ok().filter(|kind| (0..=5).contains(kind)).unwrap_or(0);
        let rows = &mut self.rows;
        rows.span_ids.push(row.span_id);
        rows.parent_ids.push(row.parent_id);
        rows.starts.push(row.start);
        rows.ends.push(row.end);
        rows.resource.push(row.resource);
        rows.name.push(row.name);
        rows.facts.push(row.facts | kind);
        if rows.span_ids.len() >= PIECE_ROWS {
            self.send()?;
        }
        Ok(())
    }

    fn send(&mut self) -> Result<()> {
        if self.rows.span_ids.is_empty() {
            return Ok(());
        }
        self.found = true;
        (self.emit)(std::mem::take(&mut self.rows))
    }
}

fn fact(is_set: bool, bit: u8) -> u8 {
    if is_set { bit } else { 0 }
}

fn id_of(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_be_bytes)
}

/// The columns that rows need; of events and links one small leaf, to see whether there are any.
fn projection(segment: &Segment) -> ProjectionMask {
    let part = &segment.spans;
    let roots = [
        column::SPAN_ID,
        column::PARENT_SPAN_ID,
        column::START,
        column::DURATION,
        column::NAME,
        column::KIND,
        column::STATUS_CODE,
        column::RESOURCE,
    ];
    let leaves = roots.into_iter().filter_map(|root| part.leaf_of(root));
    let lists = ["events.list.element.time_unix_nano", "links.list.element.flags"];
    let lists = lists.into_iter().filter_map(|path| part.leaf_at(path));
    ProjectionMask::leaves(part.metadata.parquet_schema(), leaves.chain(lists))
}

fn add_segment(segment: &Segment, id: [u8; 16], pieces: &mut Pieces<'_>, cost: &mut Cost) -> Result<()> {
    let ids: Arc<[[u8; 16]]> = Arc::new([id]);
    let (row_groups, selection) = segment.places_of(&ids, 0..segment.spans.row_groups());
    if row_groups.is_empty() {
        return Ok(());
    }
    cost.objects += 1;
    let mut batches = segment.spans.scan(Scan {
        row_groups,
        projection: projection(segment),
        selection: Some(selection),
        filter: Some(RowFilter::new(vec![segment.only(ids)])),
        batch_rows: NARROW_ROWS,
    })?;
    // by ordinal in the tables of the segment
    let mut resources: HashMap<u32, u32> = HashMap::new();
    while let Some(batch) = batches.next(cost)? {
        cost.spans += batch.num_rows() as u64;
        add_batch(segment, &batch, &mut resources, pieces)?;
    }
    Ok(())
}

fn add_batch(
    segment: &Segment,
    batch: &RecordBatch,
    known: &mut HashMap<u32, u32>,
    pieces: &mut Pieces<'_>,
) -> Result<()> {
    let at = |name: &str| batch.column_by_name(name);
    let span_ids: &FixedSizeBinaryArray = typed(at("span_id"), "span_id")?;
    let parents: &FixedSizeBinaryArray = typed(at("parent_span_id"), "parent_span_id")?;
    let starts: &UInt64Array = typed(at("start_unix_nano"), "start_unix_nano")?;
    let durations: &Int64Array = typed(at("duration_nano"), "duration_nano")?;
    let names: &StringArray = typed(at("name"), "name")?;
    let kinds: &Int32Array = typed(at("kind"), "kind")?;
    let statuses: &Int32Array = typed(at("status_code"), "status_code")?;
    let resources: &UInt32Array = typed(at("resource"), "resource")?;
    let (events, _) = list(at("events"), "events")?;
    let (links, _) = list(at("links"), "links")?;
    for row in 0..batch.num_rows() {
        let start = starts.value(row);
        let resource = match known.get(&resources.value(row)) {
            Some(resource) => *resource,
            None => {
                let resource = pieces.resource(segment.resource(resources.value(row))?)?;
                known.insert(resources.value(row), resource);
                resource
            }
        };
        let failed = statuses.is_valid(row) && statuses.value(row) == STATUS_ERROR;
        let row = Row {
            span_id: id_of(span_ids.value(row)),
            parent_id: if parents.is_valid(row) { id_of(parents.value(row)) } else { 0 },
            start,
            end: start.wrapping_add(durations.value(row).cast_unsigned()),
            resource,
            name: pieces.name(names.value(row))?,
            kind: kinds.value(row),
            facts: fact(failed, facts::ERROR)
                | fact(!row_range(events, row).is_empty(), facts::EVENTS)
                | fact(!row_range(links, row).is_empty(), facts::LINKS),
        };
        pieces.push(&row)?;
    }
    Ok(())
}

fn add_head(head: &View, id: [u8; 16], pieces: &mut Pieces<'_>, cost: &mut Cost) -> Result<()> {
    for (record, spans) in head.find(&id) {
        cost.spans += spans.len() as u64;
        for reference in spans {
            let resource = head.resource(reference.resource);
            let (Some(resource), Some(operation)) = (resource, head.operation(reference.operation)) else {
                return Err(Error::corrupt("head", "a span refers to nothing"));
            };
            let span = record.span(reference)?;
            let has = |wanted: u32| proto::messages(span.bytes()).any(|(field, _)| field == wanted);
            let row = Row {
                span_id: id_of(span.span_id),
                parent_id: id_of(span.parent_span_id),
                start: reference.start,
                end: reference.end,
                resource: pieces.resource(resource)?,
                name: pieces.name(&operation.name)?,
                kind: operation.kind,
                facts: fact(reference.status == STATUS_ERROR, facts::ERROR)
                    | fact(has(span_field::EVENT), facts::EVENTS)
                    | fact(has(span_field::LINK), facts::LINKS),
            };
            pieces.push(&row)?;
        }
    }
    Ok(())
}
