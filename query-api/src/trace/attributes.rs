//! Looking into attribute lists.
//!
//! Knows: OTLP's key-value lists. Must not know: what a key means. Start at [`get`].

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

/// The value under `key`; the first when there are several.
pub(crate) fn get<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a KeyValue> {
    attributes.iter().find(|a| a.key == key)
}

/// What an attribute holds, if anything.
pub(crate) fn value(attribute: &KeyValue) -> Option<&Value> {
    attribute.value.as_ref().and_then(|v| v.value.as_ref())
}

/// The text under `key`, when it is a text.
pub(crate) fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    match value(get(attributes, key)?)? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

/// A text as a value.
pub(crate) fn text_value(text: impl Into<String>) -> AnyValue {
    AnyValue { value: Some(Value::StringValue(text.into())) }
}

/// Puts `value` under `key`, in place of the first one there.
pub(crate) fn set(attributes: &mut Vec<KeyValue>, key: &str, value: AnyValue) {
    match attributes.iter_mut().find(|a| a.key == key) {
        Some(attribute) => attribute.value = Some(value),
        None => attributes.push(KeyValue { key: key.to_owned(), value: Some(value), ..Default::default() }),
    }
}
