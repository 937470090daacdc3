//! Traces.

use super::attributes::{KEY_VALUE, RESOURCE, SCOPE};
use super::{Kind, Label, Message, Role, field};

const SPAN_KINDS: &[(&str, i32)] = &[
    ("SPAN_KIND_UNSPECIFIED", 0),
    ("SPAN_KIND_INTERNAL", 1),
    ("SPAN_KIND_SERVER", 2),
    ("SPAN_KIND_CLIENT", 3),
    ("SPAN_KIND_PRODUCER", 4),
    ("SPAN_KIND_CONSUMER", 5),
];

const STATUS_CODES: &[(&str, i32)] =
    &[("STATUS_CODE_UNSET", 0), ("STATUS_CODE_OK", 1), ("STATUS_CODE_ERROR", 2)];

pub(super) static REQUEST: Message = Message::new(
    Role::Above,
    &[field(
        1,
        "ExportTraceServiceRequest.resource_spans",
        "resourceSpans",
        Kind::Message(&RESOURCE_SPANS),
        Label::Many,
    )],
);

pub(crate) static RESOURCE_SPANS: Message = Message::new(
    Role::Above,
    &[
        field(1, "ResourceSpans.resource", "resource", Kind::Message(&RESOURCE), Label::One),
        field(2, "ResourceSpans.scope_spans", "scopeSpans", Kind::Message(&SCOPE_SPANS), Label::Many),
        field(3, "ResourceSpans.schema_url", "schemaUrl", Kind::Text, Label::One),
    ],
);

pub(crate) static SCOPE_SPANS: Message = Message::new(
    Role::Above,
    &[
        field(1, "ScopeSpans.scope", "scope", Kind::Message(&SCOPE), Label::One),
        field(2, "ScopeSpans.spans", "spans", Kind::Message(&SPAN), Label::Many),
        field(3, "ScopeSpans.schema_url", "schemaUrl", Kind::Text, Label::One),
    ],
);

pub(crate) static SPAN: Message = Message::new(
    Role::Item,
    &[
        field(1, "Span.trace_id", "traceId", Kind::TraceId, Label::One),
        field(2, "Span.span_id", "spanId", Kind::SpanId, Label::One),
        field(3, "Span.trace_state", "traceState", Kind::Text, Label::One),
        field(4, "Span.parent_span_id", "parentSpanId", Kind::SpanId, Label::One),
        field(16, "Span.flags", "flags", Kind::Fixed32, Label::One),
        field(5, "Span.name", "name", Kind::Text, Label::One),
        field(6, "Span.kind", "kind", Kind::Enum(SPAN_KINDS), Label::One),
        field(7, "Span.start_time_unix_nano", "startTimeUnixNano", Kind::Fixed64, Label::One),
        field(8, "Span.end_time_unix_nano", "endTimeUnixNano", Kind::Fixed64, Label::One),
        field(9, "Span.attributes", "attributes", Kind::Message(&KEY_VALUE), Label::Many),
        field(10, "Span.dropped_attributes_count", "droppedAttributesCount", Kind::UInt32, Label::One),
        field(11, "Span.events", "events", Kind::Message(&EVENT), Label::Many),
        field(12, "Span.dropped_events_count", "droppedEventsCount", Kind::UInt32, Label::One),
        field(13, "Span.links", "links", Kind::Message(&LINK), Label::Many),
        field(14, "Span.dropped_links_count", "droppedLinksCount", Kind::UInt32, Label::One),
        field(15, "Span.status", "status", Kind::Message(&STATUS), Label::One),
    ],
);

static EVENT: Message = Message::new(
    Role::Part,
    &[
        field(1, "Event.time_unix_nano", "timeUnixNano", Kind::Fixed64, Label::One),
        field(2, "Event.name", "name", Kind::Text, Label::One),
        field(3, "Event.attributes", "attributes", Kind::Message(&KEY_VALUE), Label::Many),
        field(4, "Event.dropped_attributes_count", "droppedAttributesCount", Kind::UInt32, Label::One),
    ],
);

static LINK: Message = Message::new(
    Role::Part,
    &[
        field(1, "Link.trace_id", "traceId", Kind::TraceId, Label::One),
        field(2, "Link.span_id", "spanId", Kind::SpanId, Label::One),
        field(3, "Link.trace_state", "traceState", Kind::Text, Label::One),
        field(4, "Link.attributes", "attributes", Kind::Message(&KEY_VALUE), Label::Many),
        field(5, "Link.dropped_attributes_count", "droppedAttributesCount", Kind::UInt32, Label::One),
        field(6, "Link.flags", "flags", Kind::Fixed32, Label::One),
    ],
);

static STATUS: Message = Message::new(
    Role::Part,
    &[
        field(2, "Status.message", "message", Kind::Text, Label::One),
        field(3, "Status.code", "code", Kind::Enum(STATUS_CODES), Label::One),
    ],
);
