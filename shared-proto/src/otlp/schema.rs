//! The messages of OTLP as tables: one source for validating, repairing and both directions of JSON.
//!
//! Knows: field numbers, names and types of opentelemetry-proto 1.11 (traces, metrics, logs).
//! Must not know: what is done with them. Start at [`Message`]; the tables are in `schema/`.

mod attributes;
mod logs;
mod metrics;
mod traces;

pub(crate) use attributes::{ANY_VALUE, KEY_VALUE};
pub(crate) use traces::{RESOURCE_SPANS, SCOPE_SPANS, SPAN};

use super::Signal;

/// The highest field number of any table.
pub(crate) const NUMBER_MAX: usize = 16;

/// A message: its fields.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) role: Role,
    pub(crate) fields: &'static [FieldSpec],
    /// By field number: index into `fields` plus one, 0 when unknown.
    index: [u8; NUMBER_MAX + 1],
}

/// What a message is to the counting of items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Items lie somewhere below it.
    Above,
    /// What requests are counted in: a span, a data point, a log record.
    Item,
    /// Neither.
    Part,
}

/// One field of a message.
#[derive(Debug)]
pub(crate) struct FieldSpec {
    pub(crate) number: u32,
    /// Message and field as in the `.proto`: `Span.trace_id`.
    pub(crate) path: &'static str,
    /// As in JSON.
    pub(crate) json: &'static str,
    pub(crate) kind: Kind,
    pub(crate) label: Label,
}

/// How often a field occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    /// Once; the default value is the same as none (messages: none differs from empty).
    One,
    /// Once, and none differs from the default.
    Optional,
    /// A member of the message's only oneof.
    OneOf,
    /// Any number of times.
    Many,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Text,
    Bytes,
    /// 16 bytes or none, hex in JSON.
    TraceId,
    /// 8 bytes or none, hex in JSON.
    SpanId,
    Bool,
    Int32,
    UInt32,
    SInt32,
    Int64,
    UInt64,
    Fixed32,
    Fixed64,
    SFixed64,
    Double,
    Enum(&'static [(&'static str, i32)]),
    Message(&'static Message),
}

impl Kind {
    /// The wire type of one value.
    pub(crate) const fn wire(&self) -> u8 {
        match self {
            Kind::Bool
            | Kind::Int32
            | Kind::UInt32
            | Kind::SInt32
            | Kind::Int64
            | Kind::UInt64
            | Kind::Enum(_) => 0,
            Kind::Fixed64 | Kind::SFixed64 | Kind::Double => 1,
            Kind::Text | Kind::Bytes | Kind::TraceId | Kind::SpanId | Kind::Message(_) => 2,
            Kind::Fixed32 => 5,
        }
    }
}

impl Message {
    #[expect(
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        reason = "evaluated at compile time"
    )]
    const fn new(role: Role, fields: &'static [FieldSpec]) -> Message {
        let mut index = [0u8; NUMBER_MAX + 1];
        let mut i = 0;
        while i < fields.len() {
            index[fields[i].number as usize] = i as u8 + 1;
            i += 1;
        }
        Message { role, fields, index }
    }

    /// The field of that number, if it is known.
    #[inline]
    pub(crate) fn field(&self, number: u32) -> Option<&'static FieldSpec> {
        let at = usize::from(*self.index.get(number as usize)?).checked_sub(1)?;
        self.fields.get(at)
    }

    /// The field of that name in JSON, camelCase or snake_case.
    pub(crate) fn field_named(&self, name: &[u8]) -> Option<&'static FieldSpec> {
        let camel = self.fields.iter().find(|field| field.json.as_bytes() == name);
        camel.or_else(|| self.fields.iter().find(|field| field.name().as_bytes() == name))
    }
}

impl FieldSpec {
    /// As in the `.proto`: `trace_id`.
    pub(crate) fn name(&self) -> &'static str {
        self.path.split_once('.').map_or(self.path, |(_, name)| name)
    }
}

const fn field(number: u32, path: &'static str, json: &'static str, kind: Kind, label: Label) -> FieldSpec {
    FieldSpec { number, path, json, kind, label }
}

/// The request message of a signal.
pub(crate) fn request(signal: Signal) -> &'static Message {
    match signal {
        Signal::Traces => &traces::REQUEST,
        Signal::Metrics => &metrics::REQUEST,
        Signal::Logs => &logs::REQUEST,
    }
}
