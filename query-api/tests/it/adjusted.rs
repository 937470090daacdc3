//! The seven adjusters, each by what a reader sees; `raw=true` shows what was sent.

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use serde_json::{Value, json};

use crate::stack::{S, Stack, attribute, sent, sent_with, span, text};

const CLIENT: i32 = 3;
const SERVER: i32 = 2;

/// (id, parent or "-", first warning or "-") of every span.
fn tree(trace: &Value) -> Vec<(String, String, String)> {
    let short = |v: &Value| v.as_str().map_or("-".to_owned(), |s| s.trim_start_matches('0').to_owned());
    let spans = trace["spans"].as_array().unwrap().iter();
    spans
        .map(|s| {
            let warning = s["warnings"][0].as_str().unwrap_or("-").to_owned();
            (short(&s["spanID"]), short(&s["references"][0]["spanID"]), warning)
        })
        .collect()
}

fn row(id: &str, parent: &str, warning: &str) -> (String, String, String) {
    (id.to_owned(), parent.to_owned(), warning.to_owned())
}

fn host(name: &str, spans: Vec<Span>) -> opentelemetry_proto::tonic::trace::v1::TracesData {
    sent_with(vec![attribute("service.name", text("s")), attribute("host.name", text(name))], spans)
}

#[tokio::test]
async fn a_server_that_shares_its_clients_id_gets_its_own() {
    let stack = Stack::start(&[]).await;
    let client = Span { kind: CLIENT, ..span(1, 5, 0) };
    let server = Span { kind: SERVER, ..span(1, 5, 0) };
    stack.store.write(host("h", vec![client, server, span(1, 6, 5), span(1, 1, 0)]));
    let expect = [row("5", "-", "-"), row("2", "5", "-"), row("6", "2", "-"), row("1", "-", "-")];
    assert_eq!(tree(&stack.trace(1, "").await), expect);
    let raw = [row("5", "-", "-"), row("5", "-", "-"), row("6", "5", "-"), row("1", "-", "-")];
    assert_eq!(tree(&stack.trace(1, "raw=true").await), raw);
}

#[tokio::test]
async fn exact_duplicates_are_shown_once_and_different_twins_both() {
    let stack = Stack::start(&[]).await;
    let a = Span { attributes: vec![attribute("x", text("1")), attribute("a", text("2"))], ..span(1, 1, 0) };
    let reordered = Span { attributes: a.attributes.iter().rev().cloned().collect(), ..a.clone() };
    let twin = Span { name: "twin".into(), ..a.clone() };
    stack.store.write(sent("s", vec![a.clone(), a.clone()]));
    stack.store.write(sent("s", vec![reordered, twin]));
    stack.store.write(sent("other", vec![a]));
    let duplicate = "duplicate span IDs; skipping clock skew adjustment";
    let expect = [row("1", "-", "-"), row("1", "-", duplicate), row("1", "-", duplicate)];
    assert_eq!(tree(&stack.trace(1, "").await), expect);
    assert_eq!(tree(&stack.trace(1, "raw=true").await).len(), 5);
}

#[tokio::test]
async fn attributes_are_sorted_by_key_and_events_by_time() {
    let stack = Stack::start(&[]).await;
    let event = |name: &str, time_unix_nano| Event { name: name.into(), time_unix_nano, ..Event::default() };
    let keys = ["b", "a", "c"].map(|k| attribute(k, text("v"))).to_vec();
    let events = vec![event("late", 2 * S), event("early", S), event("early too", S)];
    stack.store.write(sent("s", vec![Span { attributes: keys, events, ..span(1, 1, 0) }]));
    let check = async |params: &str, keys: &[&str], events: &[&str]| {
        let shown = stack.trace(1, params).await["spans"][0].clone();
        let list = |v: &Value, at: &str| -> Vec<String> {
            v.as_array()
                .unwrap()
                .iter()
                .map(|e| e.pointer(at).unwrap().as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(list(&shown["tags"], "/key"), keys);
        assert_eq!(list(&shown["logs"], "/fields/0/value"), events);
    };
    check("", &["a", "b", "c"], &["early", "early too", "late"]).await;
    check("raw=true", &["b", "a", "c"], &["late", "early", "early too"]).await;
}

#[tokio::test]
async fn a_clock_that_is_off_is_only_reported_by_default() {
    let stack = Stack::start(&[]).await;
    let early = Span { start_time_unix_nano: 90 * S, end_time_unix_nano: 90 * S + S / 2, ..span(1, 2, 1) };
    stack.store.write(host(
        "a",
        vec![span(1, 1, 0), Span { span_id: 4_u64.to_be_bytes().to_vec(), ..early.clone() }],
    ));
    stack.store.write(host("b", vec![early, span(1, 3, 99)]));
    let disabled = "clock skew adjustment disabled; not applying calculated delta of 11.25s";
    let orphan = "parent span ID=0000000000000063 is not in the trace; skipping clock skew adjustment";
    let trace = stack.trace(1, "").await;
    let expect = [row("1", "-", "-"), row("4", "1", "-"), row("2", "1", disabled), row("3", "63", orphan)];
    assert_eq!(tree(&trace), expect);
    assert_eq!(trace["spans"][2]["startTime"], 90_000_000);
    assert!(tree(&stack.trace(1, "raw=true").await).iter().all(|(_, _, warning)| warning == "-"));
}

#[tokio::test]
async fn a_clock_that_is_off_is_corrected_within_the_limit() {
    let stack = Stack::start(&["clock_skew_adjust_max=12s"]).await;
    let event = Event { time_unix_nano: 90 * S, ..Event::default() };
    let early = Span {
        start_time_unix_nano: 90 * S,
        end_time_unix_nano: 90 * S + S / 2,
        events: vec![event],
        ..span(1, 2, 1)
    };
    let grandchild =
        Span { start_time_unix_nano: 90 * S, end_time_unix_nano: 90 * S + S / 4, ..span(1, 3, 2) };
    let far = Span { start_time_unix_nano: S, end_time_unix_nano: 2 * S, ..span(1, 4, 1) };
    stack.store.write(host("a", vec![span(1, 1, 0)]));
    stack.store.write(host("b", vec![early, grandchild]));
    stack.store.write(host("c", vec![far]));
    let trace = stack.trace(1, "").await;
    let moved = "This span's timestamps were adjusted by 11.25s";
    let exceeded = "max clock skew adjustment delta of 12s exceeded; not applying calculated delta of 1m40s";
    let expect = [row("1", "-", "-"), row("2", "1", moved), row("3", "2", moved), row("4", "1", exceeded)];
    assert_eq!(tree(&trace), expect);
    let times: Vec<_> =
        trace["spans"].as_array().unwrap().iter().map(|s| s["startTime"].as_u64().unwrap()).collect();
    assert_eq!(times, [101_000_000, 101_250_000, 101_250_000, 1_000_000]);
    assert_eq!(trace["spans"][1]["logs"][0]["timestamp"], 101_250_000);
}

#[tokio::test]
async fn numeric_addresses_are_dotted() {
    let stack = Stack::start(&[]).await;
    let attributes = vec![
        attribute("ip", Any::IntValue(-1)),
        attribute("net.ip", Any::IntValue(5)),
        attribute("peer.ipv4", Any::IntValue(0x0808_0404)),
    ];
    let resource =
        vec![attribute("ip", Any::DoubleValue(3_232_235_777.0)), attribute("service.name", text("s"))];
    stack.store.write(sent_with(resource, vec![Span { attributes, ..span(1, 1, 0) }]));
    let trace = stack.trace(1, "").await;
    let values: Vec<_> =
        trace["spans"][0]["tags"].as_array().unwrap().iter().map(|t| t["value"].clone()).collect();
    assert_eq!(values, [json!("255.255.255.255"), json!(5), json!("8.8.4.4")]);
    assert_eq!(trace["processes"]["p1"]["tags"][0]["value"], "192.168.1.1");
}

#[tokio::test]
async fn attributes_of_the_sdk_move_to_the_process_unless_they_conflict() {
    let stack = Stack::start(&[]).await;
    let with = |n, value: &str| Span {
        attributes: vec![attribute("telemetry.sdk.language", text(value)), attribute("keep", text("k"))],
        ..span(1, n, 0)
    };
    stack.store.write(sent("s", vec![with(1, "go"), with(2, "go"), with(3, "java")]));
    let trace = stack.trace(1, "").await;
    let conflict = "conflicting values between Span and Resource for attribute telemetry.sdk.language";
    assert_eq!(tree(&trace), [row("1", "-", "-"), row("2", "-", "-"), row("3", "-", conflict)]);
    let keys = |n: usize| trace["spans"][n]["tags"].as_array().unwrap().len();
    assert_eq!((keys(0), keys(1), keys(2)), (1, 1, 2));
    let tag = json!([{"key": "telemetry.sdk.language", "type": "string", "value": "go"}]);
    assert_eq!(trace["processes"]["p1"]["tags"], tag);
}

#[tokio::test]
async fn links_that_name_no_trace_are_removed() {
    let stack = Stack::start(&[]).await;
    let link =
        |id: u128| Link { trace_id: id.to_be_bytes().to_vec(), span_id: vec![1; 8], ..Link::default() };
    stack.store.write(sent("s", vec![Span { links: vec![link(0), link(7)], ..span(1, 1, 0) }]));
    let shown = stack.trace(1, "").await["spans"][0].clone();
    assert_eq!(shown["references"].as_array().unwrap().len(), 1);
    assert_eq!(shown["warnings"], json!(["Invalid span link removed"]));
    assert_eq!(stack.trace(1, "raw=true").await["spans"][0]["references"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn names_and_durations_are_repaired_even_for_raw() {
    let stack = Stack::start(&[]).await;
    let backwards = Span { name: String::new(), end_time_unix_nano: 3 * S, ..span(1, 1, 0) };
    stack.store.write(sent_with(vec![attribute("service.name", Any::IntValue(5))], vec![backwards.clone()]));
    stack.store.write(sent("", vec![Span { trace_id: 2_u128.to_be_bytes().to_vec(), ..backwards }]));
    for params in ["", "raw=true"] {
        let trace = stack.trace(1, params).await;
        let shown = &trace["spans"][0];
        assert_eq!((&shown["operationName"], &shown["duration"]), (&json!("empty-span-name"), &json!(0)));
        let warning = "Negative duration detected, sanitizing end timestamp. Original end timestamp: \
                       1970-01-01 00:00:03 +0000 UTC, adjusted to: 1970-01-01 00:01:41.000000001 +0000 UTC";
        assert_eq!(shown["warnings"], json!([warning]));
        assert_eq!(trace["processes"]["p1"]["serviceName"], "service-name-wrong-type");
        assert_eq!(stack.trace(2, params).await["processes"]["p1"]["serviceName"], "empty-service-name");
    }
}
