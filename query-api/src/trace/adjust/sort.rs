//! One order of attributes and events, whatever order they were sent in.
//!
//! Knows: keys and times. Must not know: values. Start at [`sort`].

use opentelemetry_proto::tonic::common::v1::KeyValue;

use crate::trace::Trace;

/// Sorts every attribute list by key and every span's events by time; equal ones keep their order.
pub(crate) fn sort(trace: &mut Trace) {
    for resource in &mut trace.resources {
        if let Some(resource) = &mut resource.resource {
            by_key(&mut resource.attributes);
        }
        for scope in &mut resource.scope_spans {
            if let Some(scope) = &mut scope.scope {
                by_key(&mut scope.attributes);
            }
            for span in &mut scope.spans {
                by_key(&mut span.attributes);
                span.events.sort_by_key(|event| event.time_unix_nano);
                span.events.iter_mut().for_each(|event| by_key(&mut event.attributes));
                span.links.iter_mut().for_each(|link| by_key(&mut link.attributes));
            }
        }
    }
}

fn by_key(attributes: &mut [KeyValue]) {
    attributes.sort_by(|a, b| a.key.cmp(&b.key));
}
