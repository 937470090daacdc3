//! Zipkin's clients and servers share one span id per call: the server's span gets an id of its own.
//!
//! Knows: span kinds and parents, of whole spans and of columns alike. Must not know: Zipkin's formats. Start at
//! [`renamed`]; [`separate`] applies it to a whole trace.

use std::collections::HashMap;

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use super::id_of;
use crate::trace::Trace;

/// How spans hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kin {
    pub(crate) id: u64,
    /// 0 = no parent.
    pub(crate) parent: u64,
    pub(crate) kind: i32,
}

/// Renames server spans that share their id with a client span: the shared id becomes their parent, and spans that
/// named it as theirs are hung below the server. Says whether anything changed.
pub(crate) fn renamed(spans: &mut [Kin]) -> bool {
    let mut has_client: HashMap<u64, bool> = HashMap::with_capacity(spans.len());
    for span in spans.iter() {
        *has_client.entry(span.id).or_default() |= span.kind == i32::from(SpanKind::Client);
    }
    let mut renamed: HashMap<u64, u64> = HashMap::new();
    let mut last_free = 0_u64;
    for span in spans.iter_mut() {
        let shared = has_client.get(&span.id).copied().unwrap_or_default();
        if span.kind != i32::from(SpanKind::Server) || !shared {
            continue;
        }
        // a trace has fewer spans than there are ids
        last_free = (last_free + 1..).find(|id| !has_client.contains_key(id)).unwrap_or(last_free);
        renamed.insert(span.id, last_free);
        span.parent = std::mem::replace(&mut span.id, last_free);
    }
    if renamed.is_empty() {
        return false;
    }
    for span in spans {
        if let Some(new) = renamed.get(&span.parent)
            && span.id != *new
        {
            span.parent = *new;
        }
    }
    true
}

/// Gives such spans of a trace their new ids and parents.
pub(crate) fn separate(trace: &mut Trace) {
    let kin = trace.spans().map(|span| Kin {
        id: id_of(&span.span_id),
        parent: id_of(&span.parent_span_id),
        kind: span.kind,
    });
    let before: Vec<Kin> = kin.collect();
    let mut after = before.clone();
    if !renamed(&mut after) {
        return;
    }
    for ((span, before), after) in trace.spans_mut().zip(before).zip(after) {
        if after.id != before.id {
            span.span_id = after.id.to_be_bytes().to_vec();
        }
        if after.parent != before.parent {
            span.parent_span_id = after.parent.to_be_bytes().to_vec();
        }
    }
}
