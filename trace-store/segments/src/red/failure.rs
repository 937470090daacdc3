//! Why a span failed, in words that many spans share.
//!
//! Knows: where OpenTelemetry puts errors; which parts of a text differ from span to span. Must not know: sums. Start at
//! [`Why::of`].

use shared_proto::otlp::view::{AnyValueView, SpanView};

use crate::Parsed;

/// Longest text that is kept, in bytes.
const TEXT_BYTES_MAX: usize = 160;
/// Longest type that is kept, in bytes.
const TYPE_BYTES_MAX: usize = 120;
/// Numbers of more digits than an HTTP status has are ids, times or sizes.
const DIGITS_MAX: usize = 3;

/// Type and text of a failure.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Why {
    /// `exception.type`, else `error.type`; maybe empty.
    pub(crate) label: String,
    /// Status message, else `exception.message`, else the HTTP status; masked; maybe empty.
    pub(crate) text: String,
}

impl Why {
    /// Why a failed span failed.
    ///
    /// # Errors
    /// [`crate::Malformed`] when it cannot be read.
    pub(crate) fn of(span: &SpanView<'_>) -> Parsed<Self> {
        let (mut label, mut text) = ("", span.status()?.map_or("", |status| status.message));
        for event in span.events() {
            let event = event?;
            if event.name != "exception" {
                continue;
            }
            for attribute in event.attributes() {
                let attribute = attribute?;
                match (attribute.key, attribute.value) {
                    ("exception.type", AnyValueView::Str(value)) => label = value,
                    ("exception.message", AnyValueView::Str(value)) if text.is_empty() => text = value,
                    _ => {}
                }
            }
        }
        let mut http = None;
        if label.is_empty() || text.is_empty() {
            for attribute in span.attributes() {
                let attribute = attribute?;
                match (attribute.key, attribute.value) {
                    ("error.type", AnyValueView::Str(value)) if label.is_empty() => label = value,
                    ("http.response.status_code" | "http.status_code", AnyValueView::Int(code)) => {
                        http = Some(code);
                    }
                    _ => {}
                }
            }
        }
        let text = match http {
            Some(code) if text.is_empty() => format!("HTTP {code}"),
            _ => masked(text),
        };
        Ok(Self { label: cut(label, TYPE_BYTES_MAX).to_owned(), text })
    }
}

/// The beginning of a text, ended where a character ends.
fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// A text whose ids, times and long numbers are an asterisk, so that texts of one cause are one text.
fn masked(text: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for c in cut(text.lines().next().unwrap_or_default(), TEXT_BYTES_MAX).chars() {
        // ids are made of these; anything else ends a word
        if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
            word.push(c);
        } else {
            push_word(&mut out, &word);
            word.clear();
            out.push(c);
        }
    }
    push_word(&mut out, &word);
    out
}

fn push_word(out: &mut String, word: &str) {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let is_hex = word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    if digits > DIGITS_MAX || (is_hex && digits > 0 && word.len() >= 8) {
        out.push('*');
    } else {
        out.push_str(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_one_cause_are_one_text() {
        let check = |text: &str, expect: &str| assert_eq!(masked(text), expect);
        check("connection refused", "connection refused");
        check("HTTP 503 from 10.0.0.12:8080", "HTTP 503 from 10.0.0.12:*");
        check("user 48151 not found", "user * not found");
        check("order 7c1f4a52-0000-4000-8000-000000000001 is gone\nat line 3", "order * is gone");
        check("trace deadbeef1 lost", "trace * lost");
        check("take 2", "take 2");
        check("", "");
        assert_eq!(masked(&"ä".repeat(200)).len(), TEXT_BYTES_MAX);
        assert_eq!(masked(&format!("x{}", "ä".repeat(200))).len(), TEXT_BYTES_MAX - 1);
    }
}
