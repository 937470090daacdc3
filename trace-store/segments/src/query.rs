//! Questions over a snapshot, as plain functions.
//!
//! Knows: heads and segments of one partition, asked alike. Must not know: other partitions, time, HTTP. Start at
//! [`get_trace`]; `search` has its own room, and `condition` says what a match is.

mod completion;
mod condition;
mod emit;
mod order;
mod ranked;
mod scan;
mod search;
mod skeleton;
mod summary;
mod text;
mod totals;

use std::collections::{BTreeSet, HashSet};

use bytes::Bytes;
use runtime_engine::{Result, Snapshot};

use crate::Traces;
use crate::names::operation_of;
use crate::segment::SpanRows;
pub use completion::{Completion, Keys, Level, attribute_keys, attribute_values};
use emit::Emitter;
pub use order::{Order, Ranked};
pub use ranked::{Hits, find};
pub use search::search;
pub use skeleton::{Rows, SkeletonResource, facts, skeleton};
pub use summary::{ErrorSpan, RootSpan, ServiceCount, Summaries, Summary, summaries};

/// What an answer had to read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Objects whose rows were read (heads are not counted).
    pub objects: u64,
    /// Bytes read from stored parts.
    pub bytes: u64,
    /// Spans looked at.
    pub spans: u64,
}

/// What a search asks; all conditions must hold on one span.
///
/// An attribute is looked for in the span, its resource, its scope, its events and its links, by the text of its value.
/// Some keys mean other things, as in Jaeger: `error` (a truth value: status is ERROR, or anything else), `span.status`,
/// `span.kind`, `scope.name`, `scope.version`, and `resource.<key>` (the resource alone).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// Service name, as [`services`] tells it.
    pub service: Option<String>,
    /// Span name, as [`operations`] tells it.
    pub operation: Option<String>,
    /// Key and text of the value.
    pub attributes: Vec<(String, String)>,
    /// Spans that start at or after this (Unix ns).
    pub start_min: u64,
    /// Spans that start before this (Unix ns); 0 = open.
    pub start_max: u64,
    /// Spans that last at least this (ns).
    pub duration_min: u64,
    /// Spans that last at most this (ns); 0 = open.
    pub duration_max: u64,
    /// How many traces at most.
    pub limit: usize,
    /// Only traces after this one of an answer in the same order.
    pub after: Option<Ranked>,
    /// The order of the answer.
    pub order: Order,
    /// Traces that last at least this, first start to last end (ns).
    pub trace_duration_min: u64,
    /// Traces that last at most this (ns); 0 = open.
    pub trace_duration_max: u64,
}

/// What a partition holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// Spans in objects and heads.
    pub spans: u64,
    /// Start of the oldest span that has one (Unix ns); 0 when there is none.
    pub oldest: u64,
    /// Start of the newest span (Unix ns); 0 when there is none.
    pub newest: u64,
}

/// How much a partition holds, and from when.
#[must_use]
pub fn extent(snap: &Snapshot<Traces>) -> Extent {
    let mut extent = Extent { oldest: u64::MAX, ..Extent::default() };
    let mut note = |spans: u64, oldest: u64, newest: u64| {
        extent.spans += spans;
        extent.oldest = extent.oldest.min(if oldest == 0 { u64::MAX } else { oldest });
        extent.newest = extent.newest.max(newest);
    };
    for segment in &snap.objects {
        note(segment.extra.spans, segment.extra.start_min, segment.extra.start_max);
    }
    for head in &snap.heads {
        for span in head.records(0..head.len()).flat_map(|record| &record.spans) {
            note(1, span.start, span.start);
        }
    }
    if extent.oldest == u64::MAX {
        extent.oldest = 0;
    }
    extent
}

/// Emits every span of a trace as OTLP `TracesData`, in pieces of about 1 MiB (a larger span alone in its piece); says
/// whether there was any. A span that was sent twice may be emitted twice until compaction has merged its objects.
///
/// # Errors
/// A damaged segment, a failed read, or whatever `emit` returned.
pub fn get_trace(
    snap: &Snapshot<Traces>,
    trace_id: [u8; 16],
    emit: &mut dyn FnMut(Bytes) -> Result<()>,
    cost: &mut Cost,
) -> Result<bool> {
    emit_spans(snap, trace_id, &|_| true, emit, cost)
}

/// Emits some spans of a trace as [`get_trace`] does.
///
/// # Errors
/// Those of [`get_trace`].
pub fn get_spans(
    snap: &Snapshot<Traces>,
    trace_id: [u8; 16],
    span_ids: &HashSet<[u8; 8]>,
    emit: &mut dyn FnMut(Bytes) -> Result<()>,
    cost: &mut Cost,
) -> Result<bool> {
    let is_wanted = |id: &[u8]| <[u8; 8]>::try_from(id).is_ok_and(|id| span_ids.contains(&id));
    emit_spans(snap, trace_id, &is_wanted, emit, cost)
}

fn emit_spans(
    snap: &Snapshot<Traces>,
    trace_id: [u8; 16],
    is_wanted: &dyn Fn(&[u8]) -> bool,
    emit: &mut dyn FnMut(Bytes) -> Result<()>,
    cost: &mut Cost,
) -> Result<bool> {
    let mut found = false;
    for segment in &snap.objects {
        let Some(mut batches) = segment.rows_of(&trace_id)? else { continue };
        cost.objects += 1;
        let mut emitter = Emitter::new(emit);
        while let Some(batch) = batches.next(cost)? {
            let rows = SpanRows::new(&batch, &segment.layout)?;
            cost.spans += rows.len() as u64;
            for row in (0..rows.len()).filter(|row| is_wanted(rows.span_id(*row))) {
                let (resource, scope) = (rows.resource(row), rows.scope(row));
                let resource = (resource, &segment.resource(resource)?.otlp);
                let scope = (scope, &segment.scope(scope)?.otlp);
                emitter.push(resource, scope, |out| rows.write(row, out))?;
            }
        }
        found |= emitter.finish()?;
    }
    for head in &snap.heads {
        let mut emitter = Emitter::new(emit);
        for (record, spans) in head.find(&trace_id) {
            cost.spans += spans.len() as u64;
            for span in spans {
                let (Some(resource), Some(scope)) = (head.resource(span.resource), head.scope(span.scope))
                else {
                    continue;
                };
                if !is_wanted(record.span(span)?.span_id) {
                    continue;
                }
                emitter.push((span.resource, &resource.otlp), (span.scope, &scope.otlp), |out| {
                    out.extend_from_slice(record.span_bytes(span));
                    Ok(())
                })?;
            }
        }
        found |= emitter.finish()?;
    }
    Ok(found)
}

/// Names of all services, sorted. A resource without one counts as `missing-service-name`, with an empty one as
/// `empty-service-name`, with one that is no text as `service-name-wrong-type`.
///
/// # Errors
/// None today: names are resident.
pub fn services(snap: &Snapshot<Traces>) -> Result<Vec<String>> {
    let stored = snap.objects.iter().flat_map(|s| s.tables.operations.iter().map(|(o, _)| &*o.service));
    let fresh = snap.heads.iter().flat_map(|head| head.operations().map(|o| &*o.service));
    let names: BTreeSet<&str> = stored.chain(fresh).collect();
    Ok(names.into_iter().map(String::from).collect())
}

/// Span names and kinds of a service, sorted; `kind` narrows to one OTLP kind number. An empty name counts as
/// `empty-span-name`.
///
/// # Errors
/// None today: names are resident.
pub fn operations(snap: &Snapshot<Traces>, service: &str, kind: Option<i32>) -> Result<Vec<(String, i32)>> {
    let stored = snap.objects.iter().flat_map(|s| s.tables.operations.iter().map(|(o, _)| o));
    let fresh = snap.heads.iter().flat_map(|head| head.operations());
    let wanted =
        stored.chain(fresh).filter(|o| *o.service == *service && kind.is_none_or(|kind| kind == o.kind));
    let names: BTreeSet<(&str, i32)> = wanted.map(|o| (operation_of(&o.name), o.kind)).collect();
    Ok(names.into_iter().map(|(name, kind)| (name.to_string(), kind)).collect())
}
