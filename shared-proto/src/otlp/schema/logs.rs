//! Logs.

use super::attributes::{ANY_VALUE, KEY_VALUE, RESOURCE, SCOPE};
use super::{Kind, Label, Message, Role, field};

const SEVERITIES: &[(&str, i32)] = &[
    ("SEVERITY_NUMBER_UNSPECIFIED", 0),
    ("SEVERITY_NUMBER_TRACE", 1),
    ("SEVERITY_NUMBER_TRACE2", 2),
    ("SEVERITY_NUMBER_TRACE3", 3),
    ("SEVERITY_NUMBER_TRACE4", 4),
    ("SEVERITY_NUMBER_DEBUG", 5),
    ("SEVERITY_NUMBER_DEBUG2", 6),
    ("SEVERITY_NUMBER_DEBUG3", 7),
    ("SEVERITY_NUMBER_DEBUG4", 8),
    ("SEVERITY_NUMBER_INFO", 9),
    ("SEVERITY_NUMBER_INFO2", 10),
    ("SEVERITY_NUMBER_INFO3", 11),
    ("SEVERITY_NUMBER_INFO4", 12),
    ("SEVERITY_NUMBER_WARN", 13),
    ("SEVERITY_NUMBER_WARN2", 14),
    ("SEVERITY_NUMBER_WARN3", 15),
    ("SEVERITY_NUMBER_WARN4", 16),
    ("SEVERITY_NUMBER_ERROR", 17),
    ("SEVERITY_NUMBER_ERROR2", 18),
    ("SEVERITY_NUMBER_ERROR3", 19),
    ("SEVERITY_NUMBER_ERROR4", 20),
    ("SEVERITY_NUMBER_FATAL", 21),
    ("SEVERITY_NUMBER_FATAL2", 22),
    ("SEVERITY_NUMBER_FATAL3", 23),
    ("SEVERITY_NUMBER_FATAL4", 24),
];

pub(super) static REQUEST: Message = Message::new(
    Role::Above,
    &[field(
        1,
        "ExportLogsServiceRequest.resource_logs",
        "resourceLogs",
        Kind::Message(&RESOURCE_LOGS),
        Label::Many,
    )],
);

static RESOURCE_LOGS: Message = Message::new(
    Role::Above,
    &[
        field(1, "ResourceLogs.resource", "resource", Kind::Message(&RESOURCE), Label::One),
        field(2, "ResourceLogs.scope_logs", "scopeLogs", Kind::Message(&SCOPE_LOGS), Label::Many),
        field(3, "ResourceLogs.schema_url", "schemaUrl", Kind::Text, Label::One),
    ],
);

static SCOPE_LOGS: Message = Message::new(
    Role::Above,
    &[
        field(1, "ScopeLogs.scope", "scope", Kind::Message(&SCOPE), Label::One),
        field(2, "ScopeLogs.log_records", "logRecords", Kind::Message(&LOG_RECORD), Label::Many),
        field(3, "ScopeLogs.schema_url", "schemaUrl", Kind::Text, Label::One),
    ],
);

static LOG_RECORD: Message = Message::new(
    Role::Item,
    &[
        field(1, "LogRecord.time_unix_nano", "timeUnixNano", Kind::Fixed64, Label::One),
        field(11, "LogRecord.observed_time_unix_nano", "observedTimeUnixNano", Kind::Fixed64, Label::One),
        field(2, "LogRecord.severity_number", "severityNumber", Kind::Enum(SEVERITIES), Label::One),
        field(3, "LogRecord.severity_text", "severityText", Kind::Text, Label::One),
        field(5, "LogRecord.body", "body", Kind::Message(&ANY_VALUE), Label::One),
        field(6, "LogRecord.attributes", "attributes", Kind::Message(&KEY_VALUE), Label::Many),
        field(7, "LogRecord.dropped_attributes_count", "droppedAttributesCount", Kind::UInt32, Label::One),
        field(8, "LogRecord.flags", "flags", Kind::Fixed32, Label::One),
        field(9, "LogRecord.trace_id", "traceId", Kind::TraceId, Label::One),
        field(10, "LogRecord.span_id", "spanId", Kind::SpanId, Label::One),
        field(12, "LogRecord.event_name", "eventName", Kind::Text, Label::One),
    ],
);
