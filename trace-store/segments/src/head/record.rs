//! One log record in memory: its payload as it came, and where each span lies in it.
//!
//! Knows: how a payload is walked. Must not know: other records.

use bytes::Bytes;
use runtime_engine::{Error, Result};
use shared_proto::otlp::view::{
    Attributes, EventView, KeyValueView, LinkView, ResourceSpansView, ScopeSpansView, SpanView, TracesView,
};

use crate::proto::{self, span_field};
use crate::{Malformed, Parsed as Outcome};

/// Where one span lies, and what is asked of spans most often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpanRef {
    pub(crate) trace_id: [u8; 16],
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// The span's message in the payload.
    pub(crate) at: u32,
    pub(crate) len: u32,
    pub(crate) resource: u32,
    pub(crate) scope: u32,
    pub(crate) operation: u32,
    pub(crate) status: i32,
}

/// A record with its spans, sorted by (trace id, start).
#[derive(Debug)]
pub(crate) struct HeadRecord {
    pub(crate) payload: Bytes,
    pub(crate) spans: Box<[SpanRef]>,
}

impl HeadRecord {
    /// The spans of one trace.
    pub(crate) fn of_trace(&self, trace_id: &[u8; 16]) -> &[SpanRef] {
        let from = self.spans.partition_point(|s| s.trace_id < *trace_id);
        let to = self.spans.partition_point(|s| s.trace_id <= *trace_id);
        self.spans.get(from..to).unwrap_or_default()
    }

    /// The bytes of a span's message.
    pub(crate) fn span_bytes(&self, span: &SpanRef) -> &[u8] {
        let from = span.at as usize;
        self.payload.get(from..from + span.len as usize).unwrap_or_default()
    }

    /// The span itself.
    ///
    /// # Errors
    /// Never for a span that [`parse`] has seen.
    pub(crate) fn span(&self, span: &SpanRef) -> Result<SpanView<'_>> {
        SpanView::parse(self.span_bytes(span)).map_err(|e| Error::corrupt("log record", e.to_string()))
    }
}

/// A span of a payload that made sense, before its tables are known.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    /// Number of its scope among those of the payload.
    pub(crate) group: usize,
    pub(crate) span: SpanView<'a>,
    pub(crate) status: i32,
}

/// The spans of a payload with their surroundings.
#[derive(Debug, Default)]
pub(crate) struct Parsed<'a> {
    pub(crate) groups: Vec<(ResourceSpansView<'a>, ScopeSpansView<'a>)>,
    pub(crate) spans: Vec<Found<'a>>,
}

/// Reads every field that a flush will read, so that what was taken can always be flushed.
///
/// # Errors
/// [`Error::Corrupt`] with the place of the damage.
pub(crate) fn parse(payload: &[u8]) -> Result<Parsed<'_>> {
    let malformed = |e: Malformed| Error::corrupt("log record", e.to_string());
    let mut parsed = Parsed::default();
    for resource in TracesView::new(payload) {
        let resource = resource.map_err(malformed)?;
        if let Some(view) = resource.resource().map_err(malformed)? {
            walk(view.attributes()).map_err(malformed)?;
        }
        for scope in resource.scopes() {
            let scope = scope.map_err(malformed)?;
            if let Some(view) = scope.scope().map_err(malformed)? {
                walk(view.attributes()).map_err(malformed)?;
            }
            let group = parsed.groups.len();
            parsed.groups.push((resource, scope));
            for span in scope.spans() {
                let span = span.map_err(malformed)?;
                check_ids(&span)?;
                check_children(&span).map_err(malformed)?;
                let status = span.status().map_err(malformed)?.map_or(0, |s| s.code);
                parsed.spans.push(Found { group, span, status });
            }
        }
    }
    Ok(parsed)
}

fn check_ids(span: &SpanView<'_>) -> Result<()> {
    let parent = span.parent_span_id.len();
    if span.trace_id.len() != 16 || span.span_id.len() != 8 || !(parent == 0 || parent == 8) {
        let detail = format!(
            "ids of {}, {} and {} bytes, expected 16 (trace), 8 (span) and 0 or 8 (parent)",
            span.trace_id.len(),
            span.span_id.len(),
            parent
        );
        return Err(Error::corrupt("log record", detail));
    }
    Ok(())
}

fn check_children(span: &SpanView<'_>) -> Outcome<()> {
    for (field, body) in proto::messages(span.bytes()) {
        match field {
            span_field::ATTRIBUTE => drop(KeyValueView::parse(body)?),
            span_field::EVENT => walk(EventView::parse(body)?.attributes())?,
            span_field::LINK => walk(LinkView::parse(body)?.attributes())?,
            _ => {}
        }
    }
    Ok(())
}

fn walk(attributes: Attributes<'_>) -> Outcome<()> {
    for attribute in attributes {
        attribute?;
    }
    Ok(())
}
