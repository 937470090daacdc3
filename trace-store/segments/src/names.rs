//! The names under which services, operations and kinds are known to whoever asks.
//!
//! Knows: what stands for a name that is missing (as Jaeger's sanitizers have it) and the words of kinds and status
//! codes. Must not know: where a name was read from.

use shared_proto::otlp::view::{AnyValueView, Attributes};

use crate::Parsed;

/// `Status.StatusCode` of a span that failed.
pub(crate) const STATUS_ERROR: i32 = 2;
const STATUS_OK: i32 = 1;

const SERVICE_NAME: &str = "service.name";

/// The service of a resource with these attributes.
///
/// # Errors
/// [`Malformed`] when they cannot be read.
pub(crate) fn service_of<'a>(attributes: Attributes<'a>) -> Parsed<&'a str> {
    for attribute in attributes {
        let attribute = attribute?;
        if attribute.key == SERVICE_NAME {
            return Ok(match attribute.value {
                AnyValueView::Str("") => "empty-service-name",
                AnyValueView::Str(name) => name,
                _ => "service-name-wrong-type",
            });
        }
    }
    Ok(MISSING_SERVICE)
}

/// The service of spans without a resource, or with one that does not say.
pub(crate) const MISSING_SERVICE: &str = "missing-service-name";

/// Whether this is the attribute whose value [`service_of`] stands for.
pub(crate) fn is_service_key(key: &str) -> bool {
    key == SERVICE_NAME
}

/// The operation of a span with this name.
pub(crate) fn operation_of(span_name: &str) -> &str {
    if span_name.is_empty() { "empty-span-name" } else { span_name }
}

/// `Span.SpanKind` of a word in any case; words that mean nothing are "unspecified".
pub(crate) fn kind_of(word: &str) -> i32 {
    const WORDS: [&str; 5] = ["internal", "server", "client", "producer", "consumer"];
    let at = WORDS.iter().position(|known| known.eq_ignore_ascii_case(word));
    at.map_or(0, |at| i32::try_from(at + 1).unwrap_or(0))
}

/// `Status.StatusCode` of a word in any case; words that mean nothing are "unset".
pub(crate) fn status_of(word: &str) -> i32 {
    if word.eq_ignore_ascii_case("ok") {
        STATUS_OK
    } else if word.eq_ignore_ascii_case("error") {
        STATUS_ERROR
    } else {
        0
    }
}

/// A truth value as Go's `strconv.ParseBool` reads it.
pub(crate) fn truth_of(word: &str) -> Option<bool> {
    match word {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}
