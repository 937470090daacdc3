//! Protobuf to JSON, driven by the tables.

use std::fmt::Display;
use std::io::Write;

use super::scalar::put_base64;
use crate::otlp::schema::{FieldSpec, Kind, Label, Message, NUMBER_MAX, SPAN, request};
use crate::otlp::wire::Reader;
use crate::otlp::{Malformed, Signal};

/// How deep messages may nest; as [`crate::otlp::Limits`] has it.
const DEPTH_MAX: usize = 100;

/// Appends `TracesData` as OTLP/JSON: `docs/wire.md`, "OTLP/JSON".
///
/// Fields stand in the order of the `.proto`. Of a field that occurs once the last occurrence counts ([`crate::otlp::admit`]
/// has merged repeated messages).
///
/// # Errors
/// [`Malformed`] when the bytes cannot be read; `out` then ends in the middle.
pub fn encode_traces(traces_data: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    encode(Signal::Traces, traces_data, out)
}

/// Appends the request of a signal as OTLP/JSON.
///
/// # Errors
/// When the bytes are not a request of that signal.
pub fn encode(signal: Signal, request_bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    message(request(signal), Reader::new(request_bytes), DEPTH_MAX, out)
}

fn message(
    message: &'static Message,
    body: Reader<'_>,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let found = last_values(message, body)?;
    out.push(b'{');
    let mut first = true;
    for field in message.fields {
        let value = found.get(field.number as usize).copied().flatten();
        let status = std::ptr::eq(message, &SPAN) && field.number == 15;
        match value {
            None if !status => continue,
            Some(value) if field.label == Label::One && is_default(field, value)? => continue,
            _ => {}
        }
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        out.push(b'"');
        out.extend_from_slice(field.json.as_bytes());
        out.extend_from_slice(b"\":");
        match value {
            None => out.extend_from_slice(b"{}"),
            Some(_) if field.label == Label::Many => array(field, body, depth, out)?,
            Some(value) => one(field, value, depth, out)?,
        }
    }
    out.push(b'}');
    Ok(())
}

/// Where the last value of each known field lies, by number; of a oneof only the last member.
fn last_values<'a>(
    message: &Message,
    mut fields: Reader<'a>,
) -> Result<[Option<Reader<'a>>; NUMBER_MAX + 1], Malformed> {
    let mut found = [None; NUMBER_MAX + 1];
    let mut member = None;
    while let Some((number, wire)) = fields.tag()? {
        let value = fields;
        fields.skip(number, wire)?;
        let Some(field) = message.field(number) else { continue };
        if wire != field.kind.wire() {
            let error = Malformed::with(value.at(), "the wire type is not that of the field", wire.into());
            return Err(error.in_field(field.path));
        }
        if field.label == Label::OneOf
            && let Some(before) = member.replace(number).filter(|before| *before != number)
            && let Some(slot) = found.get_mut(before as usize)
        {
            *slot = None;
        }
        if let Some(slot) = found.get_mut(number as usize) {
            *slot = Some(value);
        }
    }
    Ok(found)
}

fn is_default(field: &FieldSpec, mut value: Reader<'_>) -> Result<bool, Malformed> {
    Ok(match field.kind {
        Kind::Message(_) => false,
        Kind::Text | Kind::Bytes | Kind::TraceId | Kind::SpanId => value.body()?.is_empty(),
        Kind::Fixed64 | Kind::SFixed64 | Kind::Double => value.fixed64()? == 0,
        Kind::Fixed32 => value.fixed32()? == 0,
        _ => value.varint()? == 0,
    })
}

fn array(
    field: &'static FieldSpec,
    mut fields: Reader<'_>,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    out.push(b'[');
    let mut first = true;
    while let Some((number, wire)) = fields.tag()? {
        let value = fields;
        fields.skip(number, wire)?;
        if number != field.number {
            continue;
        }
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        one(field, value, depth, out)?;
    }
    out.push(b']');
    Ok(())
}

fn one(
    field: &'static FieldSpec,
    mut value: Reader<'_>,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    match field.kind {
        Kind::Message(inner) => {
            let body = value.body()?;
            let Some(depth) = depth.checked_sub(1) else {
                return Err(Malformed::new(body.at(), "messages nest too deeply"));
            };
            message(inner, body, depth, out)?;
        }
        Kind::Text => text(value.body()?.rest(), out),
        Kind::Bytes => quoted(put_base64(value.body()?.rest()), out),
        Kind::TraceId | Kind::SpanId => {
            out.push(b'"');
            out.extend(value.body()?.rest().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
            out.push(b'"');
        }
        Kind::Bool => plain(value.varint()? != 0, out),
        Kind::Int64 => quoted(value.varint()?.cast_signed(), out),
        Kind::UInt64 => quoted(value.varint()?, out),
        Kind::Fixed64 => quoted(value.fixed64()?, out),
        Kind::SFixed64 => quoted(value.fixed64()?.cast_signed(), out),
        Kind::Double => double(f64::from_bits(value.fixed64()?), out),
        Kind::Fixed32 => plain(value.fixed32()?, out),
        Kind::UInt32 => plain(low32(value.varint()?), out),
        Kind::Int32 | Kind::Enum(_) => plain(low32(value.varint()?).cast_signed(), out),
        Kind::SInt32 => {
            let zigzag = low32(value.varint()?);
            plain((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed(), out);
        }
    }
    Ok(())
}

fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' - 10 + value }
}

#[expect(clippy::cast_possible_truncation, reason = "protobuf keeps the low 32 bits of a varint")]
fn low32(value: u64) -> u32 {
    value as u32
}

fn plain(value: impl Display, out: &mut Vec<u8>) {
    // writing to memory cannot fail
    drop(write!(out, "{value}"));
}

fn quoted(value: impl Display, out: &mut Vec<u8>) {
    drop(write!(out, "\"{value}\""));
}

fn double(value: f64, out: &mut Vec<u8>) {
    if value.is_nan() {
        out.extend_from_slice(b"\"NaN\"");
    } else if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" });
    } else if value.fract() == 0.0 && value.abs() < 1e15 {
        plain(value, out);
    } else {
        // the shortest digits that read back the same, with an exponent where that is shorter
        plain(format_args!("{value:?}"), out);
    }
}

/// A JSON string; what is not UTF-8 becomes U+FFFD.
fn text(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let text = String::from_utf8_lossy(bytes);
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..=0x1f)) {
        let (head, tail) = rest.split_at(at);
        out.extend_from_slice(head);
        match tail.first() {
            Some(b'\n') => out.extend_from_slice(b"\\n"),
            Some(b'\r') => out.extend_from_slice(b"\\r"),
            Some(b'\t') => out.extend_from_slice(b"\\t"),
            Some(byte @ (b'"' | b'\\')) => out.extend_from_slice(&[b'\\', *byte]),
            Some(byte) => plain(format_args!("\\u{byte:04x}"), out),
            None => {}
        }
        rest = tail.get(1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}
