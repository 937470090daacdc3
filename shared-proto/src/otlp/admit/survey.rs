//! One pass over a request: is it sound, how much is in it, is anything to be left out or repaired.
//!
//! Allocates nothing and recurses at most `Limits::depth_max` deep. Start at [`Survey::of`].

use super::Limits;
use super::verdict::{Place, WRAPPING_BYTES, over, owner_bytes};
use crate::otlp::schema::{
    FieldSpec, KEY_VALUE, Kind, Label, Message, RESOURCE_SPANS, Role, SCOPE_SPANS, SPAN, request,
};
use crate::otlp::wire::Reader;
use crate::otlp::{Malformed, Signal};

/// Stands for a message's oneof among the field numbers it has seen; no table goes that far.
const ONEOF: u32 = 31;

/// What a pass found.
pub(super) struct Survey<'l> {
    limits: &'l Limits,
    /// A message of at most this many bytes cannot exceed an attribute limit.
    small_bytes: usize,
    /// A message of at most this many bytes, with what owns it, cannot exceed a limit of spans or owners.
    light_bytes: usize,
    pub(super) items: u64,
    rejected: u64,
    bad_texts: u64,
    /// Something that occurs once occurred again.
    repeated: bool,
}

impl<'l> Survey<'l> {
    pub(super) fn of(signal: Signal, bytes: &[u8], limits: &'l Limits) -> Result<Survey<'l>, Malformed> {
        // an attribute takes two bytes at least: its tag and its length
        let small_bytes = limits.attribute_bytes_max.min(limits.attributes_max.saturating_mul(2));
        let light_bytes = limits.owner_bytes_max.min(limits.span_bytes_max.saturating_sub(WRAPPING_BYTES));
        let mut survey =
            Survey { limits, small_bytes, light_bytes, items: 0, rejected: 0, bad_texts: 0, repeated: false };
        let body = Reader::new(bytes);
        match signal {
            Signal::Traces => survey.traces(body),
            Signal::Metrics | Signal::Logs => survey.message(request(signal), body, limits.depth_max),
        }
        .map_err(|error| error.of(signal))?;
        Ok(survey)
    }

    /// Whether the request can be passed on as it is.
    pub(super) fn is_clean(&self) -> bool {
        self.rejected == 0 && self.bad_texts == 0 && !self.repeated
    }

    fn traces(&mut self, mut body: Reader<'_>) -> Result<(), Malformed> {
        let depth = self.limits.depth_max;
        while let Some((number, wire)) = body.tag()? {
            match (number, wire) {
                (1, 2) => {
                    let inner = body.body()?;
                    self.owner(&RESOURCE_SPANS, inner, deeper(depth, &inner)?, 0)?;
                }
                (1, _) => return Err(wrong_wire(&body, "TracesData.resource_spans", wire)),
                _ => body.skip(number, wire)?,
            }
        }
        Ok(())
    }

    /// A `ResourceSpans` or a `ScopeSpans`: field 1 owns what is in field 2, which shares its fate. `outer` is what
    /// the resource of a scope weighs, if that matters.
    fn owner(
        &mut self,
        message: &Message,
        mut body: Reader<'_>,
        depth: usize,
        outer: usize,
    ) -> Result<(), Malformed> {
        let (items, rejected) = (self.items, self.rejected);
        let light = outer + body.rest().len() <= self.light_bytes;
        let owners = if light { 0 } else { outer + owner_bytes(body)? };
        let mut is_over = owners > self.limits.owner_bytes_max;
        let mut seen = 0;
        while let Some((number, wire)) = body.tag()? {
            match (number, wire) {
                (2, 2) => {
                    let inner = body.body()?;
                    let depth = deeper(depth, &inner)?;
                    if std::ptr::eq(message, &SCOPE_SPANS) {
                        self.span(inner, depth, owners)?;
                    } else {
                        self.owner(&SCOPE_SPANS, inner, depth, owners)?;
                    }
                }
                (1, 2) => {
                    let inner = body;
                    self.known(message, number, wire, &mut body, depth, &mut seen)?;
                    is_over |= self.is_over(message, inner)?;
                }
                _ => self.known(message, number, wire, &mut body, depth, &mut seen)?,
            }
        }
        if is_over {
            self.rejected = rejected + (self.items - items);
        }
        Ok(())
    }

    /// Whether the resource or scope that `at` stands before breaks a limit.
    fn is_over(&self, message: &Message, mut at: Reader<'_>) -> Result<bool, Malformed> {
        let body = at.body()?;
        if body.rest().len() <= self.small_bytes {
            return Ok(false);
        }
        let place = if std::ptr::eq(message, &SCOPE_SPANS) { Place::Scope } else { Place::Resource };
        Ok(over(place, body, self.limits)?.is_some())
    }

    fn span(&mut self, body: Reader<'_>, depth: usize, owners: usize) -> Result<(), Malformed> {
        self.items += 1;
        let mut fields = body;
        let (mut trace_id, mut span_id) = (false, false);
        let mut seen = 0;
        while let Some((number, wire)) = fields.tag()? {
            match (number, wire) {
                (9, 2) => {
                    let inner = fields.body()?;
                    self.key_value(inner, deeper(depth, &inner)?)?;
                }
                (1, 2) => {
                    self.once(number, &mut seen);
                    trace_id = id::<16>(&mut fields, "Span.trace_id")?;
                }
                (2, 2) => {
                    self.once(number, &mut seen);
                    span_id = id::<8>(&mut fields, "Span.span_id")?;
                }
                _ => self.known(&SPAN, number, wire, &mut fields, depth, &mut seen)?,
            }
        }
        let bytes = body.rest().len();
        let heavy = bytes + owners + WRAPPING_BYTES > self.limits.span_bytes_max;
        let large = bytes > self.small_bytes;
        if !trace_id || !span_id || heavy || (large && over(Place::Span, body, self.limits)?.is_some()) {
            self.rejected += 1;
        }
        Ok(())
    }

    /// An attribute: the common form (key, then a text, number or truth value, all short) in one step.
    #[inline]
    fn key_value(&mut self, body: Reader<'_>, depth: usize) -> Result<(), Malformed> {
        if let Some((key, value)) = short_attribute(body.rest())
            && depth > 0
            && is_text(key)
        {
            match value {
                [0x0a, len, text @ ..] if usize::from(*len) == text.len() && is_text(text) => return Ok(()),
                [0x10 | 0x18, ..=0x7f] => return Ok(()),
                [0x18, low, ..=0x7f] if *low >= 0x80 => return Ok(()),
                [0x21, _, _, _, _, _, _, _, _] => return Ok(()),
                _ => {}
            }
        }
        self.message(&KEY_VALUE, body, depth)
    }

    fn message(&mut self, message: &Message, mut body: Reader<'_>, depth: usize) -> Result<(), Malformed> {
        let mut seen = 0;
        while let Some((number, wire)) = body.tag()? {
            self.known(message, number, wire, &mut body, depth, &mut seen)?;
        }
        Ok(())
    }

    /// One field of `message`, known or not.
    #[inline]
    fn known(
        &mut self,
        message: &Message,
        number: u32,
        wire: u8,
        body: &mut Reader<'_>,
        depth: usize,
        seen: &mut u32,
    ) -> Result<(), Malformed> {
        let Some(field) = message.field(number) else { return body.skip(number, wire) };
        if wire != field.kind.wire() {
            return packed(field, wire, body);
        }
        if field.label == Label::OneOf {
            self.once(ONEOF, seen);
        }
        match &field.kind {
            Kind::Text => {
                let text = body.body()?;
                self.bad_texts += u64::from(!is_text(text.rest()));
                Ok(())
            }
            Kind::Message(inner) => {
                if field.label == Label::One {
                    self.once(number, seen);
                }
                let body = body.body()?;
                self.inner(inner, body, deeper(depth, &body)?)
            }
            Kind::TraceId => id::<16>(body, field.path).map(drop),
            Kind::SpanId => id::<8>(body, field.path).map(drop),
            _ => body.skip(number, wire),
        }
    }

    fn inner(&mut self, message: &'static Message, body: Reader<'_>, depth: usize) -> Result<(), Malformed> {
        self.items += u64::from(message.role == Role::Item);
        if std::ptr::eq(message, &KEY_VALUE) {
            return self.key_value(body, depth);
        }
        self.message(message, body, depth)
    }

    #[inline]
    fn once(&mut self, number: u32, seen: &mut u32) {
        let bit = 1u32 << number;
        self.repeated |= *seen & bit != 0;
        *seen |= bit;
    }
}

/// The key and the `AnyValue` of an attribute whose fields are in order and shorter than 128 bytes.
#[inline]
fn short_attribute(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let [0x0a, key_len @ ..=0x7f, rest @ ..] = bytes else { return None };
    let (key, rest) = rest.split_at_checked(usize::from(*key_len))?;
    let [0x12, value_len @ ..=0x7f, value @ ..] = rest else { return None };
    (usize::from(*value_len) == value.len()).then_some((key, value))
}

#[inline]
fn is_text(bytes: &[u8]) -> bool {
    bytes.is_ascii() || std::str::from_utf8(bytes).is_ok()
}

/// One level less to go.
#[inline]
fn deeper(depth: usize, body: &Reader<'_>) -> Result<usize, Malformed> {
    depth.checked_sub(1).ok_or_else(|| Malformed::new(body.at(), "messages nest too deeply"))
}

/// An id of `N` bytes or none; whether it is there and not all zero.
#[inline]
fn id<const N: usize>(body: &mut Reader<'_>, path: &'static str) -> Result<bool, Malformed> {
    let bytes = body.body()?;
    if let Ok(id) = <&[u8; N]>::try_from(bytes.rest()) {
        return Ok(*id != [0; N]);
    }
    if bytes.is_empty() {
        return Ok(false);
    }
    let what = if N == 16 { "must be 16 bytes long or empty" } else { "must be 8 bytes long or empty" };
    Err(Malformed::with(bytes.at(), what, bytes.rest().len() as u64).in_field(path))
}

/// A known field with another wire type than its own: right only for packed numbers.
#[cold]
fn packed(field: &FieldSpec, wire: u8, body: &mut Reader<'_>) -> Result<(), Malformed> {
    if field.label != Label::Many || wire != 2 {
        return Err(wrong_wire(body, field.path, wire));
    }
    let mut values = body.body()?;
    while !values.is_empty() {
        values.skip(field.number, field.kind.wire()).map_err(|error| error.in_field(field.path))?;
    }
    Ok(())
}

#[cold]
fn wrong_wire(body: &Reader<'_>, path: &'static str, wire: u8) -> Malformed {
    Malformed::with(body.at(), "the wire type is not that of the field", wire.into()).in_field(path)
}

/// Counts the items below `message`, the wire structure above them checked.
pub(super) fn count(message: &Message, mut body: Reader<'_>) -> Result<u64, Malformed> {
    let mut items = 0;
    // of a oneof the last member counts, as everywhere in protobuf
    let mut member = (0, 0);
    while let Some((number, wire)) = body.tag()? {
        let (field, inner) = match message.field(number) {
            Some(field @ FieldSpec { kind: Kind::Message(inner), .. }) if inner.role != Role::Part => {
                (field, inner)
            }
            _ => {
                body.skip(number, wire)?;
                continue;
            }
        };
        if wire != 2 {
            return Err(wrong_wire(&body, field.path, wire));
        }
        let below = body.body()?;
        let found = if inner.role == Role::Item { 1 } else { count(inner, below)? };
        if field.label == Label::OneOf {
            let before = if member.0 == number { member.1 } else { 0 };
            member = (number, before + found);
        } else {
            items += found;
        }
    }
    Ok(items + member.1)
}
