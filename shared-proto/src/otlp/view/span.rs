//! A span and what hangs on it.

use super::attribute::{Attributes, KeyValueView};
use super::{Items, low32, text, wrong_wire_type};
use crate::otlp::Malformed;
use crate::otlp::wire::{Reader, Value};

/// One span. Ids are as they came: 16 and 8 bytes after [`crate::otlp::admit`], a parent may be empty.
#[derive(Debug, Clone, Copy)]
pub struct SpanView<'a> {
    body: Reader<'a>,
    /// Id of the trace.
    pub trace_id: &'a [u8],
    /// Id of the span.
    pub span_id: &'a [u8],
    /// Id of the parent; empty for a root.
    pub parent_span_id: &'a [u8],
    /// W3C trace state.
    pub trace_state: &'a str,
    /// Name of the operation.
    pub name: &'a str,
    /// `Span.SpanKind`, 0 when unspecified; unknown numbers are kept.
    pub kind: i32,
    /// Start, Unix nanoseconds.
    pub start_unix_nano: u64,
    /// End, Unix nanoseconds; may lie before the start.
    pub end_unix_nano: u64,
    /// W3C trace flags and `SpanFlags`.
    pub flags: u32,
    /// Attributes that the sender left out.
    pub dropped_attributes_count: u32,
    /// Events that the sender left out.
    pub dropped_events_count: u32,
    /// Links that the sender left out.
    pub dropped_links_count: u32,
    status: Option<Reader<'a>>,
}

impl<'a> SpanView<'a> {
    /// Reads the bytes of a `Span` message.
    ///
    /// # Errors
    /// [`Malformed`] when they cannot be read.
    pub fn parse(bytes: &'a [u8]) -> Result<SpanView<'a>, Malformed> {
        SpanView::read(Reader::new(bytes))
    }

    pub(super) fn read(body: Reader<'a>) -> Result<SpanView<'a>, Malformed> {
        let mut view = SpanView {
            body,
            trace_id: &[],
            span_id: &[],
            parent_span_id: &[],
            trace_state: "",
            name: "",
            kind: 0,
            start_unix_nano: 0,
            end_unix_nano: 0,
            flags: 0,
            dropped_attributes_count: 0,
            dropped_events_count: 0,
            dropped_links_count: 0,
            status: None,
        };
        let mut fields = body;
        while let Some(field) = fields.field()? {
            match (field.number, field.value) {
                (1, Value::Bytes(id)) => view.trace_id = id.rest(),
                (2, Value::Bytes(id)) => view.span_id = id.rest(),
                (3, Value::Bytes(state)) => view.trace_state = text(&state)?,
                (4, Value::Bytes(id)) => view.parent_span_id = id.rest(),
                (5, Value::Bytes(name)) => view.name = text(&name)?,
                (6, Value::Varint(kind)) => view.kind = low32(kind).cast_signed(),
                (7, Value::Fixed64(time)) => view.start_unix_nano = time,
                (8, Value::Fixed64(time)) => view.end_unix_nano = time,
                (10, Value::Varint(count)) => view.dropped_attributes_count = low32(count),
                (12, Value::Varint(count)) => view.dropped_events_count = low32(count),
                (14, Value::Varint(count)) => view.dropped_links_count = low32(count),
                (15, Value::Bytes(status)) => view.status = Some(status),
                (16, Value::Fixed32(flags)) => view.flags = flags,
                (1..=8 | 10 | 12 | 14..=16, _) => return Err(wrong_wire_type(&fields)),
                _ => {}
            }
        }
        Ok(view)
    }

    /// The status; `None` when the span has none.
    ///
    /// # Errors
    /// [`Malformed`] when its bytes cannot be read.
    pub fn status(&self) -> Result<Option<StatusView<'a>>, Malformed> {
        self.status.map(StatusView::read).transpose()
    }

    /// Its attributes, in order.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        Items::new(self.body, 9, KeyValueView::read)
    }

    /// Its events, in order.
    #[must_use]
    pub fn events(&self) -> Items<'a, EventView<'a>> {
        Items::new(self.body, 11, EventView::read)
    }

    /// Its links, in order.
    #[must_use]
    pub fn links(&self) -> Items<'a, LinkView<'a>> {
        Items::new(self.body, 13, LinkView::read)
    }

    /// The message as it is in the request, without tag and length.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.body.rest()
    }
}

/// How a span ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusView<'a> {
    /// For people.
    pub message: &'a str,
    /// `Status.StatusCode`: 0 unset, 1 ok, 2 error; unknown numbers are kept.
    pub code: i32,
}

impl<'a> StatusView<'a> {
    fn read(mut fields: Reader<'a>) -> Result<StatusView<'a>, Malformed> {
        let mut view = StatusView { message: "", code: 0 };
        while let Some(field) = fields.field()? {
            match (field.number, field.value) {
                (2, Value::Bytes(message)) => view.message = text(&message)?,
                (3, Value::Varint(code)) => view.code = low32(code).cast_signed(),
                (2 | 3, _) => return Err(wrong_wire_type(&fields)),
                _ => {}
            }
        }
        Ok(view)
    }
}

/// Something that happened during a span.
#[derive(Debug, Clone, Copy)]
pub struct EventView<'a> {
    body: Reader<'a>,
    /// When, Unix nanoseconds.
    pub time_unix_nano: u64,
    /// Its name.
    pub name: &'a str,
    /// Attributes that the sender left out.
    pub dropped_attributes_count: u32,
}

impl<'a> EventView<'a> {
    /// Reads the bytes of a `Span.Event` message.
    ///
    /// # Errors
    /// [`Malformed`] when they cannot be read.
    pub fn parse(bytes: &'a [u8]) -> Result<EventView<'a>, Malformed> {
        EventView::read(Reader::new(bytes))
    }

    fn read(body: Reader<'a>) -> Result<EventView<'a>, Malformed> {
        let mut view = EventView { body, time_unix_nano: 0, name: "", dropped_attributes_count: 0 };
        let mut fields = body;
        while let Some(field) = fields.field()? {
            match (field.number, field.value) {
                (1, Value::Fixed64(time)) => view.time_unix_nano = time,
                (2, Value::Bytes(name)) => view.name = text(&name)?,
                (4, Value::Varint(count)) => view.dropped_attributes_count = low32(count),
                (1 | 2 | 4, _) => return Err(wrong_wire_type(&fields)),
                _ => {}
            }
        }
        Ok(view)
    }

    /// Its attributes, in order.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        Items::new(self.body, 3, KeyValueView::read)
    }

    /// The message as it is in the request, without tag and length.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.body.rest()
    }
}

/// A reference to another span, maybe of another trace.
#[derive(Debug, Clone, Copy)]
pub struct LinkView<'a> {
    body: Reader<'a>,
    /// Id of the other trace; 16 bytes or empty.
    pub trace_id: &'a [u8],
    /// Id of the other span; 8 bytes or empty.
    pub span_id: &'a [u8],
    /// W3C trace state of the other span.
    pub trace_state: &'a str,
    /// Attributes that the sender left out.
    pub dropped_attributes_count: u32,
    /// W3C trace flags and `SpanFlags` of the other span.
    pub flags: u32,
}

impl<'a> LinkView<'a> {
    /// Reads the bytes of a `Span.Link` message.
    ///
    /// # Errors
    /// [`Malformed`] when they cannot be read.
    pub fn parse(bytes: &'a [u8]) -> Result<LinkView<'a>, Malformed> {
        LinkView::read(Reader::new(bytes))
    }

    fn read(body: Reader<'a>) -> Result<LinkView<'a>, Malformed> {
        let mut view = LinkView {
            body,
            trace_id: &[],
            span_id: &[],
            trace_state: "",
            dropped_attributes_count: 0,
            flags: 0,
        };
        let mut fields = body;
        while let Some(field) = fields.field()? {
            match (field.number, field.value) {
                (1, Value::Bytes(id)) => view.trace_id = id.rest(),
                (2, Value::Bytes(id)) => view.span_id = id.rest(),
                (3, Value::Bytes(state)) => view.trace_state = text(&state)?,
                (5, Value::Varint(count)) => view.dropped_attributes_count = low32(count),
                (6, Value::Fixed32(flags)) => view.flags = flags,
                (1..=3 | 5 | 6, _) => return Err(wrong_wire_type(&fields)),
                _ => {}
            }
        }
        Ok(view)
    }

    /// Its attributes, in order.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        Items::new(self.body, 4, KeyValueView::read)
    }

    /// The message as it is in the request, without tag and length.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.body.rest()
    }
}
