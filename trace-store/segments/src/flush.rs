//! A sealed head becoming a segment.
//!
//! Knows: how spans in memory are put in order, and which attributes get columns. Must not know: columns.

use std::collections::HashMap;
use std::sync::Arc;

use runtime_engine::{Error, ObjectSink, Result};
use shared_proto::otlp::view::AnyValueView;

use crate::head::{HeadRecord, SpanRef, View};
use crate::proto;
use crate::red::Sums;
use crate::segment::{Dedicated, Layout, SegmentWriter, ValueType};

/// Spans looked at to choose the attributes that get columns.
const SAMPLE_SPANS: usize = 8192;
/// An attribute gets a column when it is in at least one of so many spans (5 %).
const DEDICATED_ONE_IN: u64 = 20;

/// Writes everything that a head holds; nothing when it holds no span.
///
/// # Errors
/// The sink's.
pub(crate) fn flush(view: &View, out: &mut dyn ObjectSink) -> Result<()> {
    let rows = in_order(view);
    if rows.is_empty() {
        return Ok(());
    }
    let layout = Layout::new(choose(&rows)?);
    let mut writer = SegmentWriter::new(out, Arc::new(layout), Sums::counted())?;
    let mut resources = HashMap::new();
    let mut scopes = HashMap::new();
    for row in &rows {
        let resource = match resources.get(&row.at.resource) {
            Some(&known) => known,
            None => {
                let resource = view.resource(row.at.resource).ok_or_else(|| missing("resource"))?;
                let new = writer.tables.resource(resource)?;
                resources.insert(row.at.resource, new);
                new
            }
        };
        let scope = match scopes.get(&row.at.scope) {
            Some(&known) => known,
            None => {
                let scope = view.scope(row.at.scope).ok_or_else(|| missing("scope"))?;
                let new = writer.tables.scope(scope)?;
                scopes.insert(row.at.scope, new);
                new
            }
        };
        writer.push(&row.record.span(row.at)?, resource, scope)?;
    }
    writer.finish(0)
}

fn missing(what: &str) -> Error {
    Error::corrupt("head", format!("a span refers to a {what} that is not there"))
}

/// A span of a head, and where it is.
pub(crate) struct Row<'a> {
    trace_id: u128,
    pub(crate) record: &'a HeadRecord,
    pub(crate) at: &'a SpanRef,
}

impl Row<'_> {
    /// Looked up only where trace and start are the same.
    fn span_id(&self) -> Option<&[u8]> {
        const SPAN_ID: u32 = 2;
        let span = self.record.span_bytes(self.at);
        proto::messages(span).filter(|(field, _)| *field == SPAN_ID).last().map(|(_, id)| id)
    }
}

/// All spans by (trace id, start, span id).
pub(crate) fn in_order(view: &View) -> Vec<Row<'_>> {
    let mut rows = Vec::with_capacity(view.spans());
    for record in view.records(0..view.len()) {
        rows.extend(record.spans.iter().map(|at| Row {
            trace_id: u128::from_be_bytes(at.trace_id),
            record,
            at,
        }));
    }
    rows.sort_by(|a, b| {
        let first = (a.trace_id, a.at.start).cmp(&(b.trace_id, b.at.start));
        first.then_with(|| a.span_id().cmp(&b.span_id()))
    });
    rows
}

/// The attributes of spans that are frequent enough, most frequent first where there are too many.
fn choose(rows: &[Row<'_>]) -> Result<Vec<Dedicated>> {
    let mut counts = Counts::default();
    for row in rows.iter().step_by(rows.len().div_ceil(SAMPLE_SPANS)) {
        counts.spans += 1;
        for attribute in row.record.span(row.at)?.attributes() {
            let attribute = attribute.map_err(|e| Error::corrupt("log record", e.to_string()))?;
            let value = match attribute.value {
                AnyValueView::Str(_) => ValueType::String,
                AnyValueView::Int(_) => ValueType::Int,
                AnyValueView::Double(_) => ValueType::Double,
                AnyValueView::Bool(_) => ValueType::Bool,
                _ => continue,
            };
            counts.add(value, attribute.key, 1);
        }
    }
    Ok(counts.choose())
}

/// Keys longer than this have no column: it would be named after them.
const DEDICATED_KEY_BYTES_MAX: usize = 256;

/// How many spans have each attribute.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) spans: u64,
    /// Count and when it was first seen.
    of: HashMap<(ValueType, Box<str>), (u64, usize)>,
}

impl Counts {
    pub(crate) fn add(&mut self, value: ValueType, key: &str, spans: u64) {
        if key.len() > DEDICATED_KEY_BYTES_MAX {
            return;
        }
        let seen = self.of.len();
        let (count, _) = self.of.entry((value, key.into())).or_insert((0, seen));
        *count += spans;
    }

    /// Those present in at least 5 % of spans, in the order in which they were first seen: spans mostly have them in
    /// that order.
    pub(crate) fn choose(self) -> Vec<Dedicated> {
        let enough = |count: u64| count.saturating_mul(DEDICATED_ONE_IN) >= self.spans;
        let mut frequent: Vec<_> = self.of.into_iter().filter(|(_, (count, _))| enough(*count)).collect();
        frequent.sort_by_key(|(_, (count, seen))| (std::cmp::Reverse(*count), *seen));
        frequent.truncate(crate::segment::DEDICATED_MAX);
        frequent.sort_by_key(|(_, (_, seen))| *seen);
        frequent.into_iter().map(|((value, key), _)| Dedicated { value, key }).collect()
    }
}
