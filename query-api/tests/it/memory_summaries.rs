//! What the naive store says of whole traces: summaries and skeletons.
//!
//! Knows: all spans of a trace. Must not know: partitions. Start at [`summary`].

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message;
use shared_proto::trace_store::v1::{
    ErrorSpan, FindTracesRequest, RootSpan, ServiceCount, SkeletonChunk, SkeletonResource, TraceSummary,
};

use super::Stored;

pub(super) fn failed(span: &Span) -> bool {
    span.status.as_ref().is_some_and(|s| s.code == 2)
}

fn end_of(span: &Span) -> u64 {
    span.end_time_unix_nano.max(span.start_time_unix_nano)
}

/// First start and last end.
pub(super) fn times(spans: &[&Stored]) -> (u64, u64) {
    let start = spans.iter().map(|s| s.span().start_time_unix_nano).min().unwrap();
    (start, spans.iter().map(|s| end_of(s.span())).max().unwrap())
}

pub(super) fn by_trace(spans: &[Stored]) -> BTreeMap<Vec<u8>, Vec<&Stored>> {
    let mut traces: BTreeMap<Vec<u8>, Vec<&Stored>> = BTreeMap::new();
    for span in spans {
        traces.entry(span.span().trace_id.clone()).or_default().push(span);
    }
    traces
}

pub(super) fn summary(id: &[u8], spans: &[&Stored], matching: &FindTracesRequest) -> TraceSummary {
    let (start, end) = times(spans);
    let known = |id: &[u8]| spans.iter().any(|s| s.span().span_id == id);
    let root = |s: &&&Stored| s.span().parent_span_id.is_empty();
    let orphan = |s: &&&Stored| !root(s) && !known(&s.span().parent_span_id);
    let at = |s: &&&Stored| (s.span().start_time_unix_nano, s.span().span_id.clone());
    let named = |s: &&Stored| RootSpan {
        service: s.service().to_owned(),
        operation: s.operation().to_owned(),
        start_unix_nano: s.span().start_time_unix_nano,
    };
    let error = spans.iter().filter(|s| failed(s.span())).min_by_key(at).map(|s| ErrorSpan {
        text: s.span().status.clone().unwrap().message,
        service: s.service().to_owned(),
        operation: s.operation().to_owned(),
        start_unix_nano: s.span().start_time_unix_nano,
    });
    let mut services: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for span in spans {
        let counts = services.entry(span.service()).or_default();
        *counts = (counts.0 + 1, counts.1 + u32::from(failed(span.span())));
    }
    let mut matched: Vec<(u64, Vec<u8>)> =
        spans.iter().filter(|s| s.matches(matching)).map(|s| at(&s)).collect();
    matched.sort();
    TraceSummary {
        trace_id: id.to_vec().into(),
        start_unix_nano: start,
        end_unix_nano: end,
        root: spans.iter().filter(root).min_by_key(at).map(named),
        orphan: spans.iter().filter(orphan).min_by_key(at).map(named),
        spans: u32::try_from(spans.len()).unwrap(),
        errors: u32::try_from(spans.iter().filter(|s| failed(s.span())).count()).unwrap(),
        orphans: u32::try_from(spans.iter().filter(orphan).count()).unwrap(),
        services: services
            .into_iter()
            .map(|(service, (spans, errors))| ServiceCount { service: service.to_owned(), spans, errors })
            .collect(),
        error,
        matched_oldest_unix_nano: matched.first().map_or(0, |(start, _)| *start),
        matched_newest_unix_nano: matched.last().map_or(0, |(start, _)| *start),
        matched: matched.iter().take(10).flat_map(|(_, id)| id.clone()).collect::<Vec<u8>>().into(),
    }
}

/// One row, with tables of its own.
pub(super) fn skeleton_row(stored: &Stored, at: u32) -> SkeletonChunk {
    let span = stored.span();
    let id = |id: &[u8]| id.try_into().map_or(0, u64::from_be_bytes);
    let bit = |is: bool, bit: u8| if is { bit } else { 0 };
    let facts = u8::try_from(span.kind).unwrap_or(0)
        | bit(failed(span), 8)
        | bit(!span.events.is_empty(), 16)
        | bit(!span.links.is_empty(), 32);
    let resource = ResourceSpans { scope_spans: Vec::new(), ..stored.0.clone() };
    SkeletonChunk {
        state: None,
        resources: vec![SkeletonResource {
            resource_spans: resource.encode_to_vec().into(),
            service: stored.service().to_owned(),
        }],
        names: vec![stored.operation().to_owned()],
        span_ids: vec![id(&span.span_id)],
        parent_ids: vec![id(&span.parent_span_id)],
        starts_unix_nano: vec![span.start_time_unix_nano],
        ends_unix_nano: vec![span.end_time_unix_nano],
        resource: vec![at],
        name: vec![at],
        facts: vec![facts].into(),
    }
}
