//! Attribute values as text: JSON for lists and maps, plain for scalars, as Jaeger's v1 shows them.
//!
//! Knows: the JSON that Go writes (number forms, sorted keys). Must not know: where the text goes. Start at [`json`].

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

/// A value as JSON, appended to `out`.
pub(crate) fn json(value: &AnyValue, out: &mut Vec<u8>) {
    match &value.value {
        None | Some(Value::StringValueStrindex(_)) => out.extend_from_slice(b"null"),
        Some(Value::StringValue(text)) => string(text, out),
        Some(Value::BoolValue(flag)) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Some(Value::IntValue(number)) => out.extend_from_slice(number.to_string().as_bytes()),
        Some(Value::DoubleValue(number)) => float(*number, out),
        Some(Value::BytesValue(bytes)) => string(&STANDARD.encode(bytes), out),
        Some(Value::ArrayValue(list)) => {
            out.push(b'[');
            for (i, value) in list.values.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                json(value, out);
            }
            out.push(b']');
        }
        Some(Value::KvlistValue(map)) => object(&map.values, out),
    }
}

/// Keys sorted; of several equal ones the last counts.
fn object(map: &[KeyValue], out: &mut Vec<u8>) {
    let sorted: BTreeMap<&str, &KeyValue> = map.iter().map(|kv| (kv.key.as_str(), kv)).collect();
    out.push(b'{');
    for (i, (key, kv)) in sorted.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        string(key, out);
        out.push(b':');
        match &kv.value {
            Some(value) => json(value, out),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b'}');
}

/// A value as a person would write it: a text without quotes, everything else as JSON, nothing as nothing.
pub(crate) fn plain(value: &AnyValue) -> String {
    match &value.value {
        None => String::new(),
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::BytesValue(bytes)) => STANDARD.encode(bytes),
        Some(_) => {
            let mut out = Vec::new();
            json(value, &mut out);
            String::from_utf8_lossy(&out).into_owned()
        }
    }
}

/// A JSON string. The two line separators of Unicode are escaped, as Go does for the sake of JavaScript.
pub(crate) fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|b| *b < 0x20 || matches!(b, b'"' | b'\\' | 0xe2)) {
        let (clean, special) = rest.split_at(at);
        out.extend_from_slice(clean);
        let taken = escape(special, out);
        rest = special.get(taken..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Writes the character at the front of `special`, escaped if it must be; returns how many bytes it had.
fn escape(special: &[u8], out: &mut Vec<u8>) -> usize {
    let short: &[u8] = match special {
        [b'"', ..] => b"\\\"",
        [b'\\', ..] => b"\\\\",
        [b'\n', ..] => b"\\n",
        [b'\r', ..] => b"\\r",
        [b'\t', ..] => b"\\t",
        [0x08, ..] => b"\\b",
        [0x0c, ..] => b"\\f",
        [0xe2, 0x80, 0xa8, ..] => {
            out.extend_from_slice(b"\\u2028");
            return 3;
        }
        [0xe2, 0x80, 0xa9, ..] => {
            out.extend_from_slice(b"\\u2029");
            return 3;
        }
        [0xe2, ..] => b"\xe2",
        [control, ..] => {
            out.extend_from_slice(format!("\\u{control:04x}").as_bytes());
            return 1;
        }
        [] => return 0,
    };
    out.extend_from_slice(short);
    1
}

/// A JSON number in the form of Go's `encoding/json`; what JSON cannot say (NaN, ±Inf) becomes the text that
/// protobuf's JSON uses.
pub(crate) fn float(number: f64, out: &mut Vec<u8>) {
    let text = if number.is_nan() {
        "\"NaN\"".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" }.to_owned()
    } else if number != 0.0 && !(1e-6..1e21).contains(&number.abs()) {
        let text = format!("{number:e}");
        if text.contains("e-") { text } else { text.replace('e', "e+") }
    } else {
        format!("{number}")
    };
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::{ArrayValue, KeyValueList};

    use super::*;

    #[test]
    fn numbers_have_gos_form() {
        let check = |number: f64, expect: &str| {
            let mut out = Vec::new();
            float(number, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expect);
        };
        check(0.0, "0");
        check(-0.0, "-0");
        check(1.0, "1");
        check(1e20, "100000000000000000000");
        check(1e21, "1e+21");
        check(1e-6, "0.000001");
        check(1e-7, "1e-7");
        check(5e-324, "5e-324");
        check(f64::MAX, "1.7976931348623157e+308");
        check(2_f64.powi(63), "9223372036854776000");
        check(f64::NAN, "\"NaN\"");
        check(f64::NEG_INFINITY, "\"-Infinity\"");
    }

    #[test]
    fn texts_are_escaped_as_go_escapes_them() {
        let check = |text: &str, expect: &str| {
            let mut out = Vec::new();
            string(text, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expect);
        };
        check("a\"\\\n\r\t\u{8}\u{c}\u{1}\u{7f}", "\"a\\\"\\\\\\n\\r\\t\\b\\f\\u0001\u{7f}\"");
        check("a\u{2028}b\u{2029}c\u{2013}<b>&", "\"a\\u2028b\\u2029c\u{2013}<b>&\"");
        check("日本 👩‍👩‍👧", "\"日本 👩‍👩‍👧\"");
    }

    #[test]
    fn lists_and_maps_become_json() {
        let of = |value| AnyValue { value: Some(value) };
        let pair =
            |key: &str, value| KeyValue { key: key.into(), value: Some(of(value)), ..Default::default() };
        let list = Value::ArrayValue(ArrayValue {
            values: vec![
                of(Value::StringValue("x".into())),
                of(Value::IntValue(i64::MAX)),
                of(Value::BoolValue(false)),
                AnyValue { value: None },
                of(Value::BytesValue(vec![1, 2])),
            ],
        });
        let map = Value::KvlistValue(KeyValueList {
            values: vec![pair("z", list), pair("a", Value::DoubleValue(2.0))],
        });
        assert_eq!(plain(&of(map)), r#"{"a":2,"z":["x",9223372036854775807,false,null,"AQI="]}"#);
        assert_eq!(plain(&of(Value::StringValue("t".into()))), "t");
        assert_eq!(plain(&AnyValue { value: None }), "");
    }
}
