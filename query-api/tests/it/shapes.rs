//! Shapes of answers: every type, every error, every route.

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValueList};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use serde_json::{Value, json};

use crate::stack::{S, Stack, attribute, sent, sent_with, span, text};

#[tokio::test]
async fn every_type_of_attribute_has_its_form_in_v1() {
    let of = |value| AnyValue { value: Some(value) };
    let list = |values: Vec<AnyValue>| Any::ArrayValue(ArrayValue { values });
    let map = Any::KvlistValue(KeyValueList {
        values: vec![
            attribute("z", list(vec![of(Any::IntValue(1))])),
            attribute("a", Any::DoubleValue(1e21)),
        ],
    });
    let mixed = list(vec![
        of(text("x")),
        of(Any::DoubleValue(2.0)),
        AnyValue::default(),
        of(Any::BytesValue(vec![1, 2])),
    ]);
    let rows: Vec<(Any, Value)> = vec![
        (text("t"), json!(["string", "t"])),
        (text(""), json!(["string", ""])),
        (Any::BoolValue(false), json!(["bool", false])),
        (Any::IntValue(-42), json!(["int64", -42])),
        (Any::IntValue((1 << 53) - 1), json!(["int64", 9007199254740991_i64])),
        (Any::IntValue(1 << 53), json!(["int64", "9007199254740992"])),
        (Any::IntValue(i64::MIN), json!(["int64", "-9223372036854775808"])),
        (Any::DoubleValue(2.5), json!(["float64", 2.5])),
        (Any::DoubleValue(f64::NAN), json!(["float64", "NaN"])),
        (Any::DoubleValue(f64::INFINITY), json!(["float64", "Infinity"])),
        (Any::BytesValue(vec![0, 1, 254, 255]), json!(["binary", "AAH+/w=="])),
        (Any::BytesValue(vec![]), json!(["binary", null])),
        (list(vec![]), json!(["string", "[]"])),
        (mixed, json!(["string", r#"["x",2,null,"AQI="]"#])),
        (map, json!(["string", r#"{"a":1e+21,"z":[1]}"#])),
    ];
    let stack = Stack::start(&[]).await;
    let attributes: Vec<_> = rows
        .iter()
        .enumerate()
        .map(|(i, (value, _))| attribute(&format!("k{i:02}"), value.clone()))
        .collect();
    let event =
        Event { name: "e".into(), time_unix_nano: 7_500, attributes: attributes.clone(), ..Event::default() };
    let sent_span = Span { attributes: attributes.clone(), events: vec![event], ..span(1, 1, 0) };
    stack.store.write(sent_with(attributes, vec![sent_span]));

    let trace = stack.trace(1, "").await;
    let shown = &trace["spans"][0];
    let fields = shown["logs"][0]["fields"].as_array().unwrap();
    assert_eq!((&shown["logs"][0]["timestamp"], &fields[0]["value"]), (&json!(7), &json!("e")));
    let process = &trace["processes"]["p1"];
    assert_eq!(process["serviceName"], "missing-service-name");
    for (i, (_, expect)) in rows.iter().enumerate() {
        let expect = json!({"key": format!("k{i:02}"), "type": expect[0], "value": expect[1]});
        assert_eq!(shown["tags"][i], expect);
        assert_eq!(process["tags"][i], expect);
        assert_eq!(fields[i + 1], expect);
    }
    let v3 = stack.get("/api/v3/traces/1").await.json();
    let kept =
        v3["result"]["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"].as_array().unwrap();
    assert_eq!(kept.len(), rows.len());
    assert_eq!(kept[8], json!({"key": "k08", "value": {"doubleValue": "NaN"}}));
}

#[tokio::test]
async fn what_v1_has_no_field_for_becomes_tags_and_references() {
    let stack = Stack::start(&[]).await;
    let link = |trace: u128, id: u64| Link {
        trace_id: trace.to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        ..Link::default()
    };
    let child_of =
        Link { attributes: vec![attribute("opentracing.ref_type", text("child_of"))], ..link(9, 3) };
    stack.store.write(sent(
        "s",
        vec![Span {
            kind: 2,
            status: Some(Status { code: 2, message: "broken".into() }),
            trace_state: "a=1".into(),
            links: vec![link(1 << 64, 7), child_of, link(5, 9)],
            ..span(5, 1, 9)
        }],
    ));
    let shown = stack.trace(5, "raw=true").await;
    let reference =
        |kind: &str, trace: &str, span: &str| json!({"refType": kind, "traceID": trace, "spanID": span});
    let expect = json!({
        "traceID": "0000000000000005",
        "spanID": "0000000000000001",
        "operationName": "op1",
        "references": [
            reference("FOLLOWS_FROM", "0000000000000005", "0000000000000009"),
            reference("FOLLOWS_FROM", "00000000000000010000000000000000", "0000000000000007"),
            reference("CHILD_OF", "0000000000000009", "0000000000000003"),
        ],
        "startTime": 101_000_000,
        "duration": 1_000_000,
        "tags": [
            {"key": "span.kind", "type": "string", "value": "server"},
            {"key": "otel.status_code", "type": "string", "value": "ERROR"},
            {"key": "error", "type": "bool", "value": true},
            {"key": "otel.status_description", "type": "string", "value": "broken"},
            {"key": "w3c.tracestate", "type": "string", "value": "a=1"},
        ],
        "logs": [],
        "processID": "p1",
        "warnings": null,
    });
    assert_eq!(shown["spans"][0], expect);
    assert_eq!(shown["processes"], json!({"p1": {"serviceName": "s", "tags": []}}));
}

#[tokio::test]
async fn envelopes_have_every_key() {
    let stack = Stack::start(&[]).await;
    stack.store.write(sent("s", vec![span(1, 1, 0)]));
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for path in ["/api/services", "/api/services/s/operations", "/api/operations?service=s", "/api/traces/1"]
    {
        let answer = stack.get(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")), "{path}");
        assert_eq!(keys(&answer.json()), ["data", "errors", "limit", "offset", "total"], "{path}");
    }
    assert_eq!(stack.get("/api/services/s/operations").await.json()["data"], json!(["op1"]));
    assert_eq!(
        stack.get("/api/operations?service=s").await.json()["data"],
        json!([{"name": "op1", "spanKind": ""}])
    );
    assert_eq!(stack.get("/api/operations?service=s&spanKind=x").await.json()["total"], 0);
    let v3 = json!({"operations": [{"name": "op1", "spanKind": "internal"}]});
    assert_eq!(stack.get("/api/v3/operations?service=s").await.json(), v3);
    assert_eq!(stack.get("/api/v3/services").await.json(), json!({"services": ["s"]}));
    assert_eq!(stack.get("/api/v3/operations").await.json(), json!({"operations": []}));
}

#[tokio::test]
async fn errors_are_plain_text_with_jaegers_envelopes() {
    let stack = Stack::start(&[]).await;
    let check = async |path: &str, status: u16, body: &str| {
        let answer = stack.get(path).await;
        assert_eq!((answer.status, answer.text.trim_end()), (status, body), "{path}");
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"), "{path}");
    };
    let v1 = |code: u16, msg: &str| {
        format!(
            r#"{{"data":null,"total":0,"limit":0,"offset":0,"errors":[{{"code":{code},"msg":"{msg}"}}]}}"#
        )
    };
    let v3 = |code: u16, msg: &str| format!(r#"{{"error":{{"httpCode":{code},"message":"{msg}"}}}}"#);
    check("/api/traces/1", 404, &v1(404, "trace not found")).await;
    check("/api/traces/zz", 400, &v1(400, "invalid length for TraceID")).await;
    check("/api/operations", 400, &v1(400, "parameter 'service' is required")).await;
    check("/api/traces?limit=1501", 400, &v1(400, "'limit' should be between 1 and 1500, received: 1501"))
        .await;
    let not_bool = r#"unable to parse param 'raw': strconv.ParseBool: parsing \"x\": invalid syntax"#;
    check("/api/traces/1?raw=x", 400, &v1(400, not_bool)).await;
    check("/api/v3/traces/1", 404, &v3(404, "No traces found")).await;
    check("/api/v3/traces/zz", 400, &v3(400, "malformed parameter trace_id: invalid length for TraceID"))
        .await;
    check("/api/v3/traces", 400, &v3(400, "query.startTimeMin and query.startTimeMax are required")).await;
    for path in ["/api/nope", "/api/", "/api/traces/", "/api/v3/nope", "/api/traces/1/"] {
        check(path, 404, "404 page not found").await;
    }
}

#[tokio::test]
async fn several_traces_by_id_come_in_the_order_asked_for_and_misses_are_named() {
    let stack = Stack::start(&[]).await;
    stack.store.write(sent("s", vec![span(1, 1, 0), span(2, 2, 0)]));
    let answer = stack.get("/api/traces?traceID=2&traceID=a&traceID=1").await.json();
    let ids: Vec<_> = answer["data"].as_array().unwrap().iter().map(|t| t["traceID"].clone()).collect();
    assert_eq!(ids, ["0000000000000002", "0000000000000001"]);
    assert_eq!(answer["errors"], json!([{"msg": "trace not found", "traceID": "000000000000000a"}]));
}

#[tokio::test]
async fn a_search_gives_the_newest_traces_first() {
    let stack = Stack::start(&[]).await;
    for n in 1..=20 {
        stack.store.write(sent("s", vec![span(n.into(), n, 0)]));
    }
    let ids = async |params: &str| -> Vec<String> {
        let answer = stack.get(&format!("/api/traces?service=s&{params}")).await.json();
        answer["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t["traceID"].as_str().unwrap().split_at(13).1.to_owned())
            .collect()
    };
    assert_eq!(ids("start=0&end=999000000&limit=3").await, ["014", "013", "012"]);
    let inclusive = "start=101000000&end=103000000";
    assert_eq!(ids(inclusive).await, ["003", "002", "001"]);
    assert_eq!(ids("start=103000000&end=101000000").await, [""; 0]);
    assert_eq!(ids("").await, [""; 0], "by default only the last two days are searched");
}

#[tokio::test]
async fn prettily_printed_answers_say_the_same() {
    let stack = Stack::start(&[]).await;
    stack.store.write(sent("s", vec![span(1, 1, 0)]));
    for path in ["/api/traces/1", "/api/services"] {
        let (plain, pretty) = (stack.get(path).await, stack.get(&format!("{path}?prettyPrint=true")).await);
        assert_eq!(plain.json(), pretty.json());
        assert!(pretty.text.starts_with("{\n    \"data\": [\n        "), "{}", pretty.text);
    }
}

#[tokio::test]
async fn a_trace_over_the_limit_is_cut_and_says_so() {
    let stack = Stack::start(&["limits.trace_spans_max=3"]).await;
    stack.store.write(sent("s", (1..=5).map(|n| span(1, n, 0)).collect()));
    let trace = stack.trace(1, "").await;
    let warning = "trace has 5 spans, more than the limit of 3: the rest is left out";
    assert_eq!((trace["spans"].as_array().unwrap().len(), &trace["warnings"]), (3, &json!([warning])));
    let v3 = stack.get("/api/v3/traces/1").await.text;
    assert_eq!((v3.matches("\"spanId\"").count(), v3.contains(warning)), (3, true));
}

#[tokio::test]
async fn an_answer_over_the_limits_is_cut_or_refused() {
    let spans: Vec<_> = (1..=50).map(|n| span(1, n, 0)).collect();
    let stack = Stack::start(&["limits.answer_bytes_max=100"]).await;
    stack.store.write(sent("s", spans.clone()));
    let answer = stack.get("/api/traces/1").await;
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert!(answer.header("x-yc-partial").unwrap().ends_with("=cut"));

    let stack = Stack::start(&["limits.answers_bytes_max=100"]).await;
    stack.store.write(sent("s", spans));
    let answer = stack.get("/api/traces/1").await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")), "{}", answer.text);
}

#[tokio::test]
async fn a_deep_chain_and_a_cycle_are_answered_whole() {
    let stack = Stack::start(&[]).await;
    let deep = 10_000;
    let mut spans: Vec<_> = (1..=deep).map(|n| Span { kind: 3, ..span(1, n, n - 1) }).collect();
    spans.extend([span(1, deep + 1, deep + 2), span(1, deep + 2, deep + 1), span(1, deep + 3, deep + 3)]);
    stack.store.write(sent("s", spans));
    let trace = stack.trace(1, "").await;
    assert_eq!(trace["spans"].as_array().unwrap().len(), 10_003);
    assert_eq!(stack.get("/api/v3/traces/1").await.text.matches("\"spanId\"").count(), 10_003);
    assert_eq!(trace["spans"][0]["startTime"], 101 * S / 1_000);
}
