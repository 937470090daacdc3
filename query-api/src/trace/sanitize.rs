//! What every reader gets repaired, `raw` or not. Jaeger does this before it stores; we store what was sent and do
//! it at read.
//!
//! Knows: names and ids that OTLP allows and readers cannot use. Must not know: anything that needs a second span.
//! Start at [`sanitize`].

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};

use super::{Trace, attributes, warnings};
use crate::go;

/// The resource attribute that names a service.
pub(crate) const SERVICE_NAME: &str = "service.name";

/// Gives services and spans a name, and a span that ends before it starts a duration of 1 ns; all-zero ids become
/// absent ones.
pub(crate) fn sanitize(trace: &mut Trace) {
    for resource in &mut trace.resources {
        name_service(resource);
        for scope in &mut resource.scope_spans {
            scope.spans.iter_mut().for_each(sanitize_span);
        }
    }
}

fn name_service(resource: &mut ResourceSpans) {
    let resource = resource.resource.get_or_insert_with(Resource::default);
    let name = match attributes::get(&resource.attributes, SERVICE_NAME).map(attributes::value) {
        None => "missing-service-name",
        Some(Some(Value::StringValue(text))) if text.is_empty() => "empty-service-name",
        Some(Some(Value::StringValue(_))) => return,
        Some(_) => "service-name-wrong-type",
    };
    attributes::set(&mut resource.attributes, SERVICE_NAME, attributes::text_value(name));
}

fn sanitize_span(span: &mut Span) {
    if span.name.is_empty() {
        "empty-span-name".clone_into(&mut span.name);
    }
    if span.start_time_unix_nano >= span.end_time_unix_nano {
        let end = span.start_time_unix_nano.saturating_add(1);
        let warning = format!(
            "Negative duration detected, sanitizing end timestamp. Original end timestamp: {}, adjusted to: {}",
            go::format_time(span.end_time_unix_nano),
            go::format_time(end),
        );
        span.end_time_unix_nano = end;
        warnings::add(span, &warning);
    }
    absent_if_zero(&mut span.parent_span_id);
    for link in &mut span.links {
        absent_if_zero(&mut link.trace_id);
        absent_if_zero(&mut link.span_id);
    }
}

fn absent_if_zero(id: &mut Vec<u8>) {
    if id.iter().all(|b| *b == 0) {
        id.clear();
    }
}
