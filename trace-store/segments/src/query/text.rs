//! Values as text: what a search compares, because queries come as text.
//!
//! Knows: how Go's OpenTelemetry library spells values (`pcommon.Value.AsString`), which is what Jaeger compares.
//! Must not know: where a value was found.

use std::collections::BTreeMap;
use std::fmt::Write;

use shared_proto::otlp::view::AnyValueView;

use crate::Parsed;

/// Arrays and maps nested deeper than this have no text; OTLP admits 100 levels at most.
const DEPTH_MAX: usize = 128;

/// The text that a value is looked for by, and the values of other types that have that text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted {
    text: Box<str>,
    int: Option<i64>,
    double: Option<f64>,
    truth: Option<bool>,
}

impl Wanted {
    pub(crate) fn new(text: &str) -> Self {
        let truth = match text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        Self {
            text: text.into(),
            int: text.parse().ok().filter(|value: &i64| value.to_string() == text),
            double: text.parse().ok().filter(|value| double(*value) == text),
            truth,
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The whole number that has the text.
    pub(crate) fn int(&self) -> Option<i64> {
        self.int
    }

    /// Whether a double can have the text.
    pub(crate) fn is_double(&self) -> bool {
        self.double.is_some()
    }

    /// Whether a truth value can have the text.
    pub(crate) fn is_truth(&self) -> bool {
        self.truth.is_some()
    }

    /// Whether a value has the text. Arrays and maps that cannot be read have none.
    pub(crate) fn is(&self, value: &AnyValueView<'_>) -> bool {
        match value {
            AnyValueView::Str(text) => **text == *self.text,
            AnyValueView::Int(int) => Some(*int) == self.int,
            AnyValueView::Double(double) => self
                .double
                .is_some_and(|d| d.to_bits() == double.to_bits() || (d.is_nan() && double.is_nan())),
            AnyValueView::Bool(truth) => Some(*truth) == self.truth,
            AnyValueView::None => self.text.is_empty(),
            AnyValueView::Bytes(bytes) => {
                base64_len(bytes.len()) == self.text.len() && base64(bytes) == *self.text
            }
            AnyValueView::Array(_) => self.text.starts_with('[') && self.is_json(value),
            AnyValueView::Map(_) => self.text.starts_with('{') && self.is_json(value),
        }
    }

    fn is_json(&self, value: &AnyValueView<'_>) -> bool {
        let mut text = String::new();
        write_json(value, &mut text, DEPTH_MAX).is_ok_and(|()| text == *self.text)
    }
}

/// The text that a value is found by. Arrays and maps that cannot be read have an empty one.
pub(crate) fn text_of(value: &AnyValueView<'_>) -> String {
    match value {
        AnyValueView::Str(text) => (*text).to_owned(),
        AnyValueView::None => String::new(),
        AnyValueView::Bytes(bytes) => base64(bytes),
        _ => {
            let mut text = String::new();
            match write_json(value, &mut text, DEPTH_MAX) {
                Ok(()) => text,
                Err(_) => String::new(),
            }
        }
    }
}

/// A double as Go's JSON encoder writes it.
fn double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf".into() } else { "-Inf".into() };
    }
    if value == 0.0 || (1e-6..1e21).contains(&value.abs()) {
        return value.to_string();
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, power)) if !power.starts_with('-') => format!("{digits}e+{power}"),
        _ => text,
    }
}

fn base64_len(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// Standard base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(base64_len(bytes.len()));
    for chunk in bytes.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            let index = (word >> (18 - 6 * digit)) & 63;
            let letter = if digit <= chunk.len() { ALPHABET.get(index as usize).copied() } else { None };
            out.push(char::from(letter.unwrap_or(b'=')));
        }
    }
    out
}

fn write_json(value: &AnyValueView<'_>, out: &mut String, depth: usize) -> Parsed<()> {
    match value {
        AnyValueView::None => out.push_str("null"),
        AnyValueView::Str(text) => quoted(text, out),
        AnyValueView::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        AnyValueView::Int(int) => out.push_str(&int.to_string()),
        AnyValueView::Double(value) => out.push_str(&double(*value)),
        AnyValueView::Bytes(bytes) => quoted(&base64(bytes), out),
        AnyValueView::Array(_) | AnyValueView::Map(_) if depth == 0 => out.push_str("null"),
        AnyValueView::Array(_) => {
            out.push('[');
            for (i, element) in value.elements().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_json(&element?, out, depth - 1)?;
            }
            out.push(']');
        }
        AnyValueView::Map(_) => {
            let mut entries = BTreeMap::new();
            for entry in value.entries() {
                let entry = entry?;
                entries.insert(entry.key, entry.value);
            }
            out.push('{');
            for (i, (key, value)) in entries.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                quoted(key, out);
                out.push(':');
                write_json(value, out, depth - 1)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => {
                // writing to a string cannot fail
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_its_text_whatever_its_type() {
        let rows: [(AnyValueView<'_>, &str, bool); 23] = [
            (AnyValueView::Str("200"), "200", true),
            (AnyValueView::Str("Red"), "red", false),
            (AnyValueView::Str(""), "", true),
            (AnyValueView::Int(200), "200", true),
            (AnyValueView::Int(200), "0200", false),
            (AnyValueView::Int(i64::MIN), "-9223372036854775808", true),
            (AnyValueView::Double(72.5), "72.5", true),
            (AnyValueView::Double(72.5), "72.50", false),
            (AnyValueView::Double(1.0), "1", true),
            (AnyValueView::Double(-0.0), "0", false),
            (AnyValueView::Double(-0.0), "-0", true),
            (AnyValueView::Double(1e21), "1e+21", true),
            (AnyValueView::Double(1e-7), "1e-7", true),
            (AnyValueView::Double(f64::NAN), "NaN", true),
            (AnyValueView::Bool(true), "true", true),
            (AnyValueView::Bool(true), "TRUE", false),
            (AnyValueView::Bool(true), "1", false),
            (AnyValueView::None, "", true),
            (AnyValueView::Bytes(&[0, 1, 254, 255]), "AAH+/w==", true),
            (AnyValueView::Bytes(&[]), "", true),
            (AnyValueView::Array(&[10, 5, 10, 3, b'r', b'e', b'd']), "[\"red\"]", true),
            (AnyValueView::Array(&[10, 5, 10, 3, b'r']), "[\"r\"]", false),
            (AnyValueView::Map(&[10, 7, 10, 1, b'a', 18, 2, 24, 1]), "{\"a\":1}", true),
        ];
        for (value, text, expected) in rows {
            assert_eq!(Wanted::new(text).is(&value), expected, "{value:?} as {text}");
        }
    }
}
