//! Tags: typed key-value pairs, of which v1 knows five types.
//!
//! Knows: how each OTLP type is shown. Must not know: which list a tag is in. Start at [`List`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;

use crate::trace::{attributes, value_text};

/// Integers beyond these are texts: a JavaScript number cannot hold them.
const INT_MAX: i64 = (1 << 53) - 1;

/// A JSON list of tags under way; the brackets are the caller's.
pub(super) struct List<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> List<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, first: true }
    }

    /// A text under `key`.
    pub(super) fn text(&mut self, key: &str, text: &str) {
        self.tag(key, "string", |out| value_text::string(text, out));
    }

    /// A truth value under `key`.
    pub(super) fn bool(&mut self, key: &str, flag: bool) {
        let text: &[u8] = if flag { b"true" } else { b"false" };
        self.tag(key, "bool", |out| out.extend_from_slice(text));
    }

    /// An attribute of any type.
    pub(super) fn attribute(&mut self, attribute: &KeyValue) {
        let key = attribute.key.as_str();
        match attributes::value(attribute) {
            None | Some(Value::StringValueStrindex(_)) => self.text(key, ""),
            Some(Value::StringValue(text)) => self.text(key, text),
            Some(Value::BoolValue(flag)) => self.bool(key, *flag),
            Some(Value::IntValue(number)) => self.tag(key, "int64", |out| int(*number, out)),
            Some(Value::DoubleValue(number)) => {
                self.tag(key, "float64", |out| value_text::float(*number, out))
            }
            Some(Value::BytesValue(bytes)) => self.tag(key, "binary", |out| binary(bytes, out)),
            Some(Value::ArrayValue(_) | Value::KvlistValue(_)) => {
                let text = attribute.value.as_ref().map(value_text::plain).unwrap_or_default();
                self.text(key, &text);
            }
        }
    }

    fn tag(&mut self, key: &str, kind: &str, value: impl FnOnce(&mut Vec<u8>)) {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        self.out.extend_from_slice(b"{\"key\":");
        value_text::string(key, self.out);
        self.out.extend_from_slice(b",\"type\":\"");
        self.out.extend_from_slice(kind.as_bytes());
        self.out.extend_from_slice(b"\",\"value\":");
        value(self.out);
        self.out.push(b'}');
    }
}

fn int(number: i64, out: &mut Vec<u8>) {
    let quote: &[u8] = if number.unsigned_abs() > INT_MAX.unsigned_abs() { b"\"" } else { b"" };
    out.extend_from_slice(quote);
    out.extend_from_slice(number.to_string().as_bytes());
    out.extend_from_slice(quote);
}

/// Base64, or `null` when empty.
fn binary(bytes: &[u8], out: &mut Vec<u8>) {
    if bytes.is_empty() {
        out.extend_from_slice(b"null");
    } else {
        value_text::string(&STANDARD.encode(bytes), out);
    }
}
