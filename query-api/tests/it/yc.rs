//! The web app's own API: pages, summaries, details, completion.

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use serde_json::{Value, json};

use crate::stack::{S, Stack, attribute, sent, sent_with, span, text};

const SEARCH: &str = "/api/yc/v1/search?start=0&end=100000000000000";

/// Twenty traces of one to three spans, the later the longer.
async fn filled() -> Stack {
    let stack = Stack::start(&[]).await;
    for n in 1..=20_u64 {
        let root = Span { end_time_unix_nano: (101 + 2 * n) * S, ..span(n.into(), n, 0) };
        let failed = Some(Status { code: 2, message: "boom".into() });
        let child = |i: u64| Span { status: failed.clone(), ..span(n.into(), n + i * 100, n) };
        let below = (1..=n % 3).map(child).map(|s| Span {
            start_time_unix_nano: (100 + n) * S,
            end_time_unix_nano: (101 + n) * S,
            ..s
        });
        stack.store.write(sent("front", vec![root]));
        stack.store.write(sent("back", below.collect()));
    }
    stack
}

fn ids(page: &Value) -> Vec<u64> {
    let id = |t: &Value| u64::from_str_radix(t["traceId"].as_str().unwrap(), 16).unwrap();
    page["traces"].as_array().unwrap().iter().map(id).collect()
}

#[tokio::test]
async fn pages_put_together_are_the_whole_answer_in_every_order() {
    let stack = filled().await;
    for order in ["newest", "oldest", "longest", "spans", "errors"] {
        let whole = stack.get(&format!("{SEARCH}&limit=100&order={order}")).await.json();
        assert_eq!((ids(&whole).len(), &whole["next"]), (20, &Value::Null));
        let (mut pages, mut next) = (Vec::new(), String::new());
        loop {
            let page = stack.get(&format!("{SEARCH}&limit=3&order={order}&page={next}")).await.json();
            pages.extend(ids(&page));
            let Some(token) = page["next"].as_str() else { break };
            token.clone_into(&mut next);
        }
        assert_eq!(pages, ids(&whole), "{order}");
    }
    let newest = stack.get(&format!("{SEARCH}&limit=3")).await.json();
    assert_eq!(ids(&newest), [20, 19, 18]);
    let token = newest["next"].as_str().unwrap();
    let check = async |params: &str, expect: &str| {
        let refused = stack.get(&format!("{SEARCH}&{params}")).await;
        assert_eq!((refused.status, refused.header("content-type")), (400, Some("application/json")));
        let error = &refused.json()["error"];
        assert!(error["message"].as_str().unwrap().starts_with(expect), "{error}");
        assert_eq!((&error["code"], error["requestId"].is_string()), (&json!(400), true));
    };
    check(&format!("order=oldest&page={token}"), "'page' continues a search in another order").await;
    check("page=x", "'page' is no token").await;
    check("order=x", "'order' should be one of newest, oldest,").await;
    check("limit=0", "'limit' should be between 1 and 1500").await;
    check("waitPosition=x", "`x` is not a position").await;
}

#[tokio::test]
async fn a_trace_is_summed_up_with_what_is_complete_of_it() {
    let stack = filled().await;
    stack.store.write(sent("back", vec![span(21, 500, 499)]));
    let page = stack.get(&format!("{SEARCH}&service=back&tag=error:true&limit=1&order=longest")).await.json();
    let expect = json!({
        "traceId": format!("{:032x}", 20), "start": (120 * S).to_string(), "durationNano": 21 * S,
        "rootService": "front", "rootOperation": "op20", "rootSeen": true, "spans": 3, "errors": 2,
        "orphans": 0, "growing": false,
        "firstError": { "text": "boom", "service": "back", "operation": "op120" },
        "services": [{ "name": "back", "spans": 2, "errors": 2 }, { "name": "front", "spans": 1, "errors": 0 }],
        "matched": ["0000000000000078", "00000000000000dc"],
    });
    assert_eq!(page["traces"][0], expect);
    assert_eq!((&page["partial"], page["cost"]["ms"].is_f64()), (&json!([]), true));
    let orphan = stack.get(&format!("{SEARCH}&operation=op500")).await.json();
    let orphan = &orphan["traces"][0];
    assert_eq!(
        (&orphan["rootSeen"], &orphan["orphans"], &orphan["rootOperation"]),
        (&json!(false), &json!(1), &json!("op500"))
    );
    let lasting = |params: &str| format!("{SEARCH}&limit=100&{params}");
    let long = stack.get(&lasting("minTraceDuration=21s&maxTraceDuration=22s")).await.json();
    assert_eq!(ids(&long), [20]);
    let none = stack.get(&lasting("minTraceDuration=2s&maxTraceDuration=1s")).await.json();
    assert_eq!((ids(&none), &none["next"]), (vec![], &Value::Null));
}

#[tokio::test]
async fn a_live_tail_answers_when_something_new_is_visible() {
    let stack = filled().await;
    let first = stack.get(&format!("{SEARCH}&limit=1")).await.json();
    let position = first["position"].as_str().unwrap().to_owned();
    let late = async {
        stack.store.has_a_waiting_read().await;
        stack.store.write(sent("late", vec![span(77, 99, 0)]))
    };
    let path = format!("{SEARCH}&limit=1&waitPosition={position}");
    let (answer, _) = tokio::join!(stack.get(&path), late);
    assert_eq!(ids(&answer.json()), [77]);
    assert_ne!(answer.json()["position"], json!(position));
}

#[tokio::test]
async fn rows_are_told_in_detail_as_the_skeleton_shows_them() {
    let stack = Stack::start(&["clock_skew_adjust_max=1h"]).await;
    let host = |name: &str| vec![attribute("service.name", text("s")), attribute("host.name", text(name))];
    let event = Event {
        name: "e".into(),
        time_unix_nano: 50 * S,
        attributes: vec![attribute("n", Any::IntValue(7))],
        ..Event::default()
    };
    stack.store.write(sent_with(host("a"), vec![span(1, 1, 0)]));
    let early = Span {
        start_time_unix_nano: 50 * S,
        end_time_unix_nano: 50 * S + S / 2,
        kind: 2,
        events: vec![event],
        attributes: vec![attribute("http.route", text("/cart")), attribute("a", Any::BoolValue(true))],
        status: Some(Status { code: 2, message: "no".into() }),
        ..span(1, 2, 1)
    };
    stack.store.write(sent_with(host("b"), vec![early]));
    let details = stack.get("/api/yc/v1/traces/1/spans?rows=1,0-1").await.json();
    let spans = details["spans"].as_array().unwrap();
    assert_eq!(spans.len(), 2);
    let child = &spans[1];
    let moved = (101 * S + S / 4).to_string();
    assert_eq!(
        (&child["row"], &child["start"], &child["durationNano"]),
        (&json!(1), &json!(moved), &json!(S / 2))
    );
    assert_eq!(
        child["events"][0],
        json!({ "time": moved, "name": "e", "attributes": [
        { "key": "n", "type": "int", "value": "7" }] })
    );
    assert_eq!(child["attributes"][0], json!({ "key": "a", "type": "bool", "value": true }));
    assert_eq!(
        (&child["kind"], &child["status"]),
        (&json!("server"), &json!({ "code": "ERROR", "message": "no" }))
    );
    assert_eq!(child["warnings"], json!(["This span's timestamps were adjusted by 51.25s"]));
    assert_eq!(child["parentSpanId"], "0000000000000001");
    let raw = stack.get("/api/yc/v1/traces/1/spans?rows=1&raw=true").await.json();
    assert_eq!(
        (&raw["spans"][0]["spanId"], &raw["spans"][0]["warnings"]),
        (&json!("0000000000000002"), &json!([]))
    );

    let events = stack.get("/api/yc/v1/traces/1/events").await.json();
    assert_eq!((&events["events"][0]["row"], &events["events"][0]["time"]), (&json!(1), &json!(moved)));
    let find =
        async |q: &str| stack.get(&format!("/api/yc/v1/traces/1/find?q={q}")).await.json()["rows"].clone();
    assert_eq!(find("CART").await, json!([1]));
    assert_eq!(find("op1%20http.route").await, json!([0, 1]));
    assert_eq!(find("cart%20-http.route").await, json!([]));
    assert_eq!(find("%22http.route=/cart%22").await, json!([1]));

    let gone = stack.get("/api/yc/v1/traces/1/spans?rows=0&version=0000000000000000").await;
    assert_eq!(gone.status, 412, "{}", gone.text);
    assert_eq!(stack.get("/api/yc/v1/traces/2/spans?rows=0").await.status, 404);
    assert_eq!(stack.get("/api/yc/v1/traces/1/spans?rows=7").await.status, 400);
}

#[tokio::test]
async fn names_attributes_and_the_state_of_the_store_are_told() {
    let stack = filled().await;
    let get = async |path: &str| stack.get(&format!("/api/yc/v1/{path}")).await.json();
    assert_eq!(get("services").await["services"], json!([{ "name": "back" }, { "name": "front" }]));
    let operations = get("operations?service=front").await;
    assert_eq!(operations["operations"][0], json!({ "name": "op1", "kind": "unspecified" }));
    let status = get("status").await;
    assert_eq!(
        (&status["spans"], &status["partitions"], &status["replaying"]),
        (&json!(41), &json!(4), &json!(false))
    );
    assert_eq!(
        (&status["newest"], &status["dataFrom"]),
        (&json!((120 * S).to_string()), &json!((101 * S).to_string()))
    );
    let keys = get("attributes?prefix=s").await;
    assert_eq!(
        keys["keys"],
        json!([
            { "key": "service.name", "levels": ["resource"] },
            { "key": "span.kind", "levels": ["span"] },
            { "key": "span.status", "levels": ["span"] },
        ])
    );
    let values = get("attributes/values?key=service.name&limit=1").await;
    assert_eq!(values["values"], json!([{ "value": "back", "count": 21 }]));
    assert_eq!(
        get("attributes/values?key=error&prefix=t").await["values"],
        json!([{ "value": "true", "count": 0 }])
    );
}
