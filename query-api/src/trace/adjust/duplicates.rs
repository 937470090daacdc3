//! A span that arrived twice (a client's retry, a replayed log) is shown once.
//!
//! Knows: spans as bytes. Must not know: why there are two. Start at [`remove`].

use std::collections::HashSet;

use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use prost::Message;
use xxhash_rust::xxh3::Xxh3;

use crate::trace::Trace;

/// Removes spans that equal an earlier one in everything, resource and scope included. Lists must be sorted before,
/// so that their order makes no difference. Two spans that share an id but not the content both stay.
///
/// Contents are compared by 128 bits of xxh3: among a million spans, two different ones are taken for equal with a
/// probability of 10⁻²⁷.
pub(crate) fn remove(trace: &mut Trace) {
    let mut contents = contents(trace).into_iter();
    let mut seen: HashSet<u128> = HashSet::new();
    for resource in &mut trace.resources {
        for scope in &mut resource.scope_spans {
            scope.spans.retain(|_| contents.next().is_none_or(|content| seen.insert(content)));
        }
        resource.scope_spans.retain(|scope| !scope.spans.is_empty());
    }
    trace.resources.retain(|resource| !resource.scope_spans.is_empty());
}

/// The hash of each span with its resource and scope, in the order of the spans.
pub(crate) fn contents(trace: &Trace) -> Vec<u128> {
    let mut contents = Vec::new();
    let mut bytes = Vec::new();
    for resource in &trace.resources {
        let mut of_resource = Xxh3::new();
        update(&mut of_resource, &mut bytes, &resource_alone(resource));
        for scope in &resource.scope_spans {
            let mut of_scope = of_resource.clone();
            update(&mut of_scope, &mut bytes, &scope_alone(scope));
            for span in &scope.spans {
                let mut of_span = of_scope.clone();
                update(&mut of_span, &mut bytes, span);
                contents.push(of_span.digest128());
            }
        }
    }
    contents
}

fn resource_alone(of: &ResourceSpans) -> ResourceSpans {
    ResourceSpans {
        resource: of.resource.clone(),
        scope_spans: Vec::new(),
        schema_url: of.schema_url.clone(),
    }
}

fn scope_alone(of: &ScopeSpans) -> ScopeSpans {
    ScopeSpans { scope: of.scope.clone(), spans: Vec::new(), schema_url: of.schema_url.clone() }
}

/// Adds a message, delimited, so that no two sequences of messages look alike.
fn update(hash: &mut Xxh3, bytes: &mut Vec<u8>, message: &impl Message) {
    bytes.clear();
    bytes.extend_from_slice(&message.encode_to_vec());
    hash.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes());
    hash.update(bytes);
}
