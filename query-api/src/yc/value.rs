//! Attributes with their types, as JSON.
//!
//! Knows: `{"key","type","value"}`, integers as decimal strings, lists and maps of the same shape. Must not know: whose
//! attributes they are. Start at [`attributes`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use serde_json::{Value, json};

use crate::trace::warnings;

/// A list of attributes; the one in which warnings travel is none of them.
pub(super) fn attributes(list: &[KeyValue]) -> Value {
    list.iter().filter(|attribute| !warnings::is_list(attribute)).map(keyed).collect()
}

fn keyed(attribute: &KeyValue) -> Value {
    let (kind, value) = typed(attribute.value.as_ref());
    json!({ "key": attribute.key, "type": kind, "value": value })
}

/// The type's word and the value.
fn typed(value: Option<&AnyValue>) -> (&'static str, Value) {
    match value.and_then(|value| value.value.as_ref()) {
        None | Some(Any::StringValueStrindex(_)) => ("empty", Value::Null),
        Some(Any::StringValue(text)) => ("string", text.as_str().into()),
        Some(Any::BoolValue(flag)) => ("bool", (*flag).into()),
        Some(Any::IntValue(number)) => ("int", number.to_string().into()),
        Some(Any::DoubleValue(number)) => ("double", double(*number)),
        Some(Any::BytesValue(bytes)) => ("bytes", STANDARD.encode(bytes).into()),
        Some(Any::ArrayValue(list)) => {
            let items = list.values.iter().map(|item| {
                let (kind, value) = typed(Some(item));
                json!({ "type": kind, "value": value })
            });
            ("array", items.collect())
        }
        Some(Any::KvlistValue(map)) => ("kvlist", map.values.iter().map(keyed).collect()),
    }
}

/// What JSON has no number for is a text.
fn double(number: f64) -> Value {
    if number.is_finite() {
        return number.into();
    }
    let text = if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    };
    text.into()
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::{ArrayValue, KeyValueList};

    use super::*;

    #[test]
    fn every_type_keeps_its_name_and_no_value_its_precision_less() {
        let of = |value| AnyValue { value: Some(value) };
        let attribute = |value| KeyValue { key: "k".into(), value: Some(of(value)), ..KeyValue::default() };
        let list = ArrayValue { values: vec![of(Any::IntValue(1)), AnyValue { value: None }] };
        let map = KeyValueList { values: vec![attribute(Any::BoolValue(true))] };
        let check = |value: Any, expect: Value| {
            let mut expect = expect;
            expect["key"] = "k".into();
            assert_eq!(attributes(&[attribute(value)]), json!([expect]));
        };
        check(Any::StringValue("x".into()), json!({ "type": "string", "value": "x" }));
        check(Any::IntValue(i64::MIN), json!({ "type": "int", "value": "-9223372036854775808" }));
        check(Any::DoubleValue(0.5), json!({ "type": "double", "value": 0.5 }));
        check(Any::DoubleValue(f64::NAN), json!({ "type": "double", "value": "NaN" }));
        check(Any::BytesValue(vec![1, 2]), json!({ "type": "bytes", "value": "AQI=" }));
        let items = json!([{ "type": "int", "value": "1" }, { "type": "empty", "value": null }]);
        check(Any::ArrayValue(list), json!({ "type": "array", "value": items }));
        let entries = json!([{ "key": "k", "type": "bool", "value": true }]);
        check(Any::KvlistValue(map), json!({ "type": "kvlist", "value": entries }));
    }
}
