//! Warnings about a span, kept where Jaeger keeps them: in an attribute of the span.
//!
//! Knows: the attribute. Must not know: who warns. Start at [`add`].

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;

use super::attributes;

/// A list of texts under this key becomes `warnings` of Jaeger's v1 answer; v3 shows the attribute as it is.
const KEY: &str = "@jaeger@warnings";

/// Appends a warning to a span.
pub(crate) fn add(span: &mut Span, text: &str) {
    let warning = attributes::text_value(text);
    match span.attributes.iter_mut().find_map(list_of) {
        Some(list) => list.values.push(warning),
        None => {
            let list = Value::ArrayValue(ArrayValue { values: vec![warning] });
            span.attributes.push(KeyValue {
                key: KEY.to_owned(),
                value: Some(AnyValue { value: Some(list) }),
                ..Default::default()
            });
        }
    }
}

/// Whether this attribute is the list of warnings.
pub(crate) fn is_list(attribute: &KeyValue) -> bool {
    attribute.key == KEY && matches!(attributes::value(attribute), Some(Value::ArrayValue(_)))
}

/// The warnings in this attribute, if it is the list.
pub(crate) fn texts(attribute: &KeyValue) -> impl Iterator<Item = &str> {
    let list = match attributes::value(attribute) {
        Some(Value::ArrayValue(list)) if attribute.key == KEY => list.values.as_slice(),
        _ => &[],
    };
    list.iter().filter_map(|v| match &v.value {
        Some(Value::StringValue(text)) => Some(text.as_str()),
        _ => None,
    })
}

fn list_of(attribute: &mut KeyValue) -> Option<&mut ArrayValue> {
    if attribute.key != KEY {
        return None;
    }
    match attribute.value.as_mut()?.value.as_mut()? {
        Value::ArrayValue(list) => Some(list),
        _ => None,
    }
}
