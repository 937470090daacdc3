//! Zipkin's clients and servers share one span id per call: the server's span gets an id of its own.
//!
//! Knows: span kinds and parents. Must not know: Zipkin's formats. Start at [`separate`].

use std::collections::HashMap;

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use crate::trace::{Trace, warnings};

/// Renames server spans that share their id with a client span: the shared id becomes their parent, and spans that
/// named it as theirs are hung below the server.
pub(crate) fn separate(trace: &mut Trace) {
    let mut has_client: HashMap<Vec<u8>, bool> = HashMap::new();
    for span in trace.spans() {
        *has_client.entry(span.span_id.clone()).or_default() |= span.kind == i32::from(SpanKind::Client);
    }
    let mut renamed: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
    let mut last_free = 0_u64;
    for span in trace.spans_mut() {
        let shared = has_client.get(&span.span_id).copied().unwrap_or_default();
        if span.kind != i32::from(SpanKind::Server) || !shared {
            continue;
        }
        let Some(free) = next_free(last_free, &has_client) else {
            warnings::add(span, "cannot assign unique span ID, too many spans in the trace");
            continue;
        };
        last_free = free;
        let new = free.to_be_bytes().to_vec();
        renamed.insert(span.span_id.clone(), new.clone());
        span.parent_span_id = std::mem::replace(&mut span.span_id, new);
    }
    if renamed.is_empty() {
        return;
    }
    for span in trace.spans_mut() {
        if let Some(new) = renamed.get(&span.parent_span_id)
            && span.span_id != *new
        {
            span.parent_span_id.clone_from(new);
        }
    }
}

/// The first id above `last` that no span has.
fn next_free(last: u64, taken: &HashMap<Vec<u8>, bool>) -> Option<u64> {
    let mut id = last;
    loop {
        id = id.checked_add(1)?;
        if !taken.contains_key(id.to_be_bytes().as_slice()) {
            return Some(id);
        }
    }
}
