//! One span: what OTLP has fields for and v1 has not becomes tags.
//!
//! Knows: names of those tags, references. Must not know: other spans. Start at [`write`].

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

use crate::trace::{attributes, value_text, warnings};
use crate::trace_id;

use super::tags::List;
use super::texts_or_null;

const MICROSECOND: u64 = 1_000;
/// OpenTracing shims mark a link that is really a parent.
const REF_TYPE: &str = "opentracing.ref_type";

/// Writes `span` of the process with number `process`.
pub(super) fn write(span: &Span, scope: (&str, &str), process: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"traceID\":");
    value_text::string(&trace_id_text(&span.trace_id), out);
    out.extend_from_slice(b",\"spanID\":");
    value_text::string(&span_id_text(&span.span_id), out);
    out.extend_from_slice(b",\"operationName\":");
    value_text::string(&span.name, out);
    out.extend_from_slice(b",\"references\":[");
    references(span, out);
    let duration = span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano) / MICROSECOND;
    let start = span.start_time_unix_nano / MICROSECOND;
    out.extend_from_slice(format!("],\"startTime\":{start},\"duration\":{duration},\"tags\":[").as_bytes());
    tags(span, scope, &mut List::new(out));
    out.extend_from_slice(b"],\"logs\":[");
    for (i, event) in span.events.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        log(event, out);
    }
    out.extend_from_slice(format!("],\"processID\":\"p{process}\",\"warnings\":").as_bytes());
    texts_or_null(span.attributes.iter().flat_map(warnings::texts), out);
    out.push(b'}');
}

/// The parent first, then the links. A link to the parent is no second reference, but says which type the first has.
fn references(span: &Span, out: &mut Vec<u8>) {
    let is_parent = |link: &Link| {
        !span.parent_span_id.is_empty()
            && link.trace_id == span.trace_id
            && link.span_id == span.parent_span_id
    };
    let mut first = true;
    let mut write = |kind: &str, trace: &[u8], span: &[u8]| {
        if !first {
            out.push(b',');
        }
        first = false;
        out.extend_from_slice(format!("{{\"refType\":\"{kind}\",\"traceID\":").as_bytes());
        value_text::string(&trace_id_text(trace), out);
        out.extend_from_slice(b",\"spanID\":");
        value_text::string(&span_id_text(span), out);
        out.push(b'}');
    };
    if !span.parent_span_id.is_empty() {
        let kind = span.links.iter().rev().find(|l| is_parent(l)).map_or("CHILD_OF", link_kind);
        write(kind, &span.trace_id, &span.parent_span_id);
    }
    for link in span.links.iter().filter(|link| !is_parent(link)) {
        write(link_kind(link), &link.trace_id, &link.span_id);
    }
}

fn link_kind(link: &Link) -> &'static str {
    match attributes::text(&link.attributes, REF_TYPE) {
        Some("child_of") => "CHILD_OF",
        _ => "FOLLOWS_FROM",
    }
}

fn tags(span: &Span, (scope_name, scope_version): (&str, &str), list: &mut List<'_>) {
    let mut text = |key: &str, value: &str| {
        if !value.is_empty() {
            list.text(key, value);
        }
    };
    text("otel.scope.name", scope_name);
    text("otel.scope.version", scope_version);
    span.attributes.iter().filter(|a| !warnings::is_list(a)).for_each(|a| list.attribute(a));
    if let Some(kind) = kind_text(span.kind) {
        list.text("span.kind", kind);
    }
    let Some(status) = &span.status else { return tracestate(span, list) };
    match StatusCode::try_from(status.code) {
        Ok(StatusCode::Ok) => list.text("otel.status_code", "OK"),
        Ok(StatusCode::Error) => {
            list.text("otel.status_code", "ERROR");
            list.bool("error", true);
        }
        Ok(StatusCode::Unset) | Err(_) => {}
    }
    if !status.message.is_empty() {
        list.text("otel.status_description", &status.message);
    }
    tracestate(span, list);
}

fn tracestate(span: &Span, list: &mut List<'_>) {
    if !span.trace_state.is_empty() {
        list.text("w3c.tracestate", &span.trace_state);
    }
}

/// Jaeger's word for a kind; none for an unspecified or unknown one.
pub(crate) fn kind_text(kind: i32) -> Option<&'static str> {
    match SpanKind::try_from(kind).ok()? {
        SpanKind::Unspecified => None,
        SpanKind::Internal => Some("internal"),
        SpanKind::Server => Some("server"),
        SpanKind::Client => Some("client"),
        SpanKind::Producer => Some("producer"),
        SpanKind::Consumer => Some("consumer"),
    }
}

fn log(event: &Event, out: &mut Vec<u8>) {
    out.extend_from_slice(
        format!("{{\"timestamp\":{},\"fields\":[", event.time_unix_nano / MICROSECOND).as_bytes(),
    );
    let mut fields = List::new(out);
    let named_by_attribute = attributes::get(&event.attributes, "event").is_some();
    if !event.name.is_empty() && !named_by_attribute {
        fields.text("event", &event.name);
    }
    event.attributes.iter().for_each(|a| fields.attribute(a));
    out.extend_from_slice(b"]}");
}

/// Absent ids are shown as zero.
fn trace_id_text(id: &[u8]) -> String {
    trace_id::v1_text(trace_id::from_bytes(id).unwrap_or_default())
}

fn span_id_text(id: &[u8]) -> String {
    format!("{:016x}", <[u8; 8]>::try_from(id).map_or(0, u64::from_be_bytes))
}
