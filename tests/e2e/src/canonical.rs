//! One form of a span in which an SDK's own words and an OTLP/JSON answer can be compared as values.
//!
//! Knows: OTLP/JSON. Must not know: SDKs. Start at [`spans`].

use serde_json::{Map, Value, json};

/// Every span of an `{"result": {"resourceSpans": […]}}` answer in canonical form, by span id.
#[must_use]
pub fn spans(answer: &Value) -> Vec<Value> {
    let mut out = Vec::new();
    for resource_spans in list(at(answer, "/result/resourceSpans")) {
        let resource = attributes(at(resource_spans, "/resource/attributes"));
        for scope_spans in list(at(resource_spans, "/scopeSpans")) {
            let scope =
                json!([text(at(scope_spans, "/scope/name")), text(at(scope_spans, "/scope/version"))]);
            for span in list(at(scope_spans, "/spans")) {
                out.push(one(span, &resource, &scope));
            }
        }
    }
    sort(&mut out);
    out
}

/// Sorts canonical spans by their ids.
pub fn sort(spans: &mut [Value]) {
    spans.sort_by_key(|s| format!("{}{}", at(s, "/traceId"), at(s, "/spanId")));
}

fn one(span: &Value, resource: &Value, scope: &Value) -> Value {
    let event = |e: &Value| {
        json!([text(at(e, "/name")), digits(at(e, "/timeUnixNano")), attributes(at(e, "/attributes"))])
    };
    let link = |l: &Value| {
        json!([text(at(l, "/traceId")), text(at(l, "/spanId")), attributes(at(l, "/attributes"))])
    };
    json!({
        "traceId": text(at(span, "/traceId")),
        "spanId": text(at(span, "/spanId")),
        "parentSpanId": text(at(span, "/parentSpanId")),
        "name": text(at(span, "/name")),
        "kind": at(span, "/kind").as_i64().unwrap_or_default(),
        "start": digits(at(span, "/startTimeUnixNano")),
        "end": digits(at(span, "/endTimeUnixNano")),
        "status": [at(span, "/status/code").as_i64().unwrap_or_default(), text(at(span, "/status/message"))],
        "attributes": attributes(at(span, "/attributes")),
        "events": list(at(span, "/events")).iter().map(event).collect::<Vec<_>>(),
        "links": list(at(span, "/links")).iter().map(link).collect::<Vec<_>>(),
        "resource": resource,
        "scope": scope,
    })
}

fn attributes(list_of: &Value) -> Value {
    let pairs = list(list_of).iter().map(|a| (text(at(a, "/key")), value(at(a, "/value"))));
    Value::Object(pairs.collect::<Map<_, _>>())
}

fn value(any: &Value) -> Value {
    let Some((kind, inner)) = any.as_object().and_then(|o| o.iter().next()) else { return json!(["none"]) };
    match kind.as_str() {
        "stringValue" => json!(["string", inner]),
        "boolValue" => json!(["bool", inner]),
        "intValue" => json!(["int", digits(inner)]),
        "doubleValue" => json!(["double", inner.as_f64()]),
        "arrayValue" => json!(["array", list(at(inner, "/values")).iter().map(value).collect::<Vec<_>>()]),
        other => json!([other, inner]),
    }
}

/// What stands at a JSON pointer; null when nothing does.
fn at<'a>(v: &'a Value, pointer: &str) -> &'a Value {
    v.pointer(pointer).unwrap_or(&Value::Null)
}

fn list(v: &Value) -> &[Value] {
    v.as_array().map_or(&[], Vec::as_slice)
}

fn text(v: &Value) -> String {
    v.as_str().unwrap_or_default().to_owned()
}

/// 64-bit numbers are strings in OTLP/JSON; numbers are tolerated.
fn digits(v: &Value) -> String {
    v.as_str().map_or_else(|| v.to_string(), ToOwned::to_owned)
}
