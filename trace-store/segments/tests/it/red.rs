//! Sums of spans against a naive count: the same in a head, after flushes and after a merge.

use std::collections::{BTreeMap, HashMap};

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, TracesData};
use proptest::prelude::*;
use runtime_engine::Stop;
use shared_proto::durations::Durations;
use trace_segments::{Callee, Cost, RedQuery, Window};

use crate::memory::Store;

const MINUTE: u64 = 60_000_000_000;
const NOW: u64 = 29_000_000 * MINUTE;
const ALL: Window = Window { start: NOW - 60 * MINUTE, end: NOW + 60 * MINUTE };

fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.into())) });
    KeyValue { key: key.into(), value, ..KeyValue::default() }
}

fn sent(service: &str, version: &str, span: Span) -> TracesData {
    let attributes = vec![text("service.name", service), text("service.version", version)];
    let resource = Some(Resource { attributes, ..Resource::default() });
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
    TracesData { resource_spans: vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }] }
}

fn span(trace: u8, id: u8, parent: u8) -> Span {
    let id_of = |n: u8| if n == 0 { Vec::new() } else { vec![9, 9, 9, 9, 9, 9, 9, n] };
    Span {
        trace_id: vec![trace; 16],
        span_id: id_of(id),
        parent_span_id: id_of(parent),
        name: "op".into(),
        kind: 2,
        start_time_unix_nano: NOW,
        end_time_unix_nano: NOW + 1_000_000,
        ..Span::default()
    }
}

/// A span of the property test, with its service.
#[derive(Debug, Clone)]
struct Made {
    service: usize,
    span: Span,
    /// Sent again later.
    again: bool,
    /// After this span the head is flushed.
    flush: bool,
}

/// Service, trace, parent, name, kind, status, minute and duration as they are drawn.
type Drawn = (usize, u8, u8, usize, i32, i32, u64, u64);

fn made() -> impl Strategy<Value = Vec<Made>> {
    let one = (0..3_usize, 1..6_u8, 0..7_u8, 0..3_usize, 0..7_i32, 0..4_i32, 0..4_u64, 0..3_000_000_u64);
    let flags = (prop::bool::weighted(0.1), prop::bool::weighted(0.1));
    prop::collection::vec((one, flags), 1..60).prop_map(|rows| {
        let numbered = (1_u8..).zip(rows);
        let make = |(id, (drawn, (again, flush))): (u8, (Drawn, (bool, bool)))| {
            let (service, trace, parent, name, kind, status, minute, lasts) = drawn;
            // parents are spans made before, spans that are nowhere, or none
            let start = NOW + minute * MINUTE + u64::from(id) * 1_000;
            let span = Span {
                name: ["", "get", "put"][name].into(),
                kind,
                status: (status > 0).then(|| Status { code: status, message: format!("failed {}", id % 3) }),
                start_time_unix_nano: start,
                end_time_unix_nano: start + lasts,
                ..span(trace, id, parent * 9 % 61)
            };
            Made { service, span, again, flush }
        };
        numbered.map(make).collect()
    })
}

const SERVICES: [&str; 3] = ["shop", "cart", "bank"];

/// What a naive count says: (service, operation, kind, status, minute) → count, sum, durations.
type Reds = BTreeMap<(String, String, i32, i32, u32), (u64, u64, Durations)>;
/// (caller, callee, kind) → calls, errors, sum.
type Calls = BTreeMap<(String, String, i32), (u64, u64, u64)>;

fn naive(made: &[Made]) -> (Reds, Calls, usize) {
    let (mut reds, mut calls, mut halves) = (Reds::new(), Calls::new(), 0);
    let known_kind = |kind: i32| if kind < 6 { kind } else { 0 };
    let by_id: HashMap<_, _> = made.iter().map(|m| ((&m.span.trace_id, &m.span.span_id), m)).collect();
    for Made { service, span, .. } in made {
        let lasts = span.end_time_unix_nano - span.start_time_unix_nano;
        let status = span.status.as_ref().map_or(0, |s| if s.code < 3 { s.code } else { 0 });
        let minute = u32::try_from((span.start_time_unix_nano - ALL.start) / MINUTE).unwrap();
        let name = if span.name.is_empty() { "empty-span-name" } else { &span.name };
        let key = (SERVICES[*service].to_owned(), name.to_owned(), known_kind(span.kind), status, minute);
        let (count, sum, durations) = reds.entry(key).or_default();
        *count += 1;
        *sum += lasts;
        durations.add(lasts);
        if span.parent_span_id.is_empty() {
            continue;
        }
        match by_id.get(&(&span.trace_id, &span.parent_span_id)) {
            Some(parent) => {
                let key = (
                    SERVICES[parent.service].to_owned(),
                    SERVICES[*service].to_owned(),
                    known_kind(span.kind),
                );
                let (count, errors, sum) = calls.entry(key).or_default();
                *count += 1;
                *errors += u64::from(status == 2);
                *sum += lasts;
            }
            None => halves += 1,
        }
    }
    (reds, calls, halves)
}

fn reds(store: &Store, by_operation: bool) -> Reds {
    let query =
        RedQuery { window: ALL, step_minutes: 1, services: Vec::new(), kinds: Vec::new(), by_operation };
    let red = trace_segments::red(&store.snapshot(), &query, &Stop::default(), &mut Cost::default()).unwrap();
    let mut sums = Reds::new();
    for series in red.series {
        for point in series.points {
            let key =
                (series.service.clone(), series.operation.clone(), series.kind, series.status, point.step);
            sums.insert(key, (point.count, point.duration_sum, point.durations));
        }
    }
    sums
}

fn calls(store: &Store) -> (Calls, usize) {
    let found =
        trace_segments::edges(&store.snapshot(), ALL, &Stop::default(), &mut Cost::default()).unwrap();
    let mut sums = Calls::new();
    for edge in found.edges.into_iter().filter(|edge| edge.callee_type == Callee::Service) {
        assert_eq!(edge.durations.count(), edge.calls);
        let (count, errors, sum) = sums.entry((edge.caller, edge.callee, edge.kind)).or_default();
        *count += edge.calls;
        *errors += edge.errors;
        *sum += edge.duration_sum;
    }
    (sums, found.halves.len())
}

fn by_service(reds: &Reds) -> Reds {
    let mut services = Reds::new();
    for ((service, _, kind, status, minute), (count, sum, durations)) in reds {
        let key = (service.clone(), String::new(), *kind, *status, *minute);
        let known = services.entry(key).or_default();
        known.0 += count;
        known.1 += sum;
        known.2.merge(durations);
    }
    services
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn heads_flushes_and_merges_say_what_a_naive_count_says(made in made()) {
        let (expect, expect_calls, expect_halves) = naive(&made);
        let put = |store: &mut Store, m: &Made| store.put(&sent(SERVICES[m.service], "1", m.span.clone()));
        let same = |store: &Store, what: &str| {
            assert_eq!(reds(store, true), expect, "{what}");
            assert_eq!(reds(store, false), by_service(&expect), "{what}, by service");
            assert_eq!(calls(store), (expect_calls.clone(), expect_halves), "{what}");
        };
        // all in one head, repeated spans too
        let mut store = Store::new();
        made.iter().for_each(|m| put(&mut store, m));
        made.iter().filter(|m| m.again).for_each(|m| put(&mut store, m));
        same(&store, "one head");
        store.flush();
        same(&store, "one segment");
        // each trace spread over heads and segments, nothing repeated
        let mut store = Store::new();
        for (at, m) in made.iter().enumerate() {
            put(&mut store, m);
            if m.flush {
                store.flush();
            } else if at % 11 == 5 {
                store.seal();
            }
        }
        same(&store, "heads and segments");
        store.flush();
        same(&store, "segments");
        // what was sent again is counted once when everything is merged
        for m in made.iter().filter(|m| m.again) {
            put(&mut store, m);
        }
        store.flush();
        if store.metas.len() > 1 {
            store.merge_all();
        }
        same(&store, "merged");
    }
}

#[test]
fn a_call_whose_ends_lie_in_different_segments_is_found_and_asked_for_once() {
    let mut store = Store::new();
    store.put(&sent("cart", "1", span(1, 2, 1)));
    assert_eq!(calls(&store), (Calls::new(), 1));
    store.flush();
    store.put(&sent("shop", "1", span(1, 1, 0)));
    let call = Calls::from([(("shop".into(), "cart".into(), 2), (1, 0, 1_000_000))]);
    assert_eq!(calls(&store), (call.clone(), 0), "a segment and a head");
    store.flush();
    let snap = store.snapshot();
    for _ in 0..2 {
        let mut cost = Cost::default();
        let found = trace_segments::edges(&snap, ALL, &Stop::default(), &mut cost).unwrap();
        assert_eq!((found.edges.len(), found.halves.len()), (1, 0));
    }
    let mut again = Cost::default();
    trace_segments::edges(&snap, ALL, &Stop::default(), &mut again).unwrap();
    assert_eq!(again.spans, 0, "a joined half is remembered");
}

#[test]
fn callers_of_other_partitions_are_named_by_their_ids() {
    let mut store = Store::new();
    store.put(&sent("cart", "1", span(1, 2, 1)));
    store.flush();
    store.put(&sent("shop", "1", span(2, 1, 0)));
    let asked = |trace: u8, id: u8| ([trace; 16], u64::from_be_bytes([9, 9, 9, 9, 9, 9, 9, id]));
    let spans = [asked(1, 2), asked(1, 1), asked(2, 1)];
    let found = trace_segments::callers(&store.snapshot(), &spans, &mut Cost::default()).unwrap();
    assert_eq!(found, [Some("cart".to_owned()), None, Some("shop".to_owned())]);
}

fn failed(trace: u8, status: &str, exception: Option<(&str, &str)>) -> Span {
    let event = |(kind, message)| Event {
        name: "exception".into(),
        attributes: vec![text("exception.type", kind), text("exception.message", message)],
        ..Event::default()
    };
    Span {
        status: Some(Status { code: 2, message: status.into() }),
        events: exception.map(event).into_iter().collect(),
        ..span(trace, trace, 0)
    }
}

#[test]
fn failures_are_counted_by_type_and_text_before_and_after_a_merge() {
    let mut store = Store::new();
    for n in 0..20 {
        store.put(&sent(
            "shop",
            "1.0",
            failed(n + 1, "", Some(("Timeout", &format!("order {} timed out", 10_000 + u32::from(n))))),
        ));
        if n == 9 {
            store.flush();
        }
    }
    store.put(&sent("shop", "1.1", failed(40, "refused", None)));
    let check = |store: &Store, what: &str| {
        let found =
            trace_segments::failures(&store.snapshot(), ALL, &Stop::default(), &mut Cost::default()).unwrap();
        let shown: Vec<_> =
            found.failures.iter().map(|f| (&*f.operation, &*f.label, &*f.text, f.count)).collect();
        assert_eq!(shown, [("op", "Timeout", "order * timed out", 20), ("op", "", "refused", 1)], "{what}");
        let versions: Vec<_> =
            found.versions.iter().map(|v| (&*v.service, &*v.version, v.first_seen)).collect();
        assert_eq!(versions, [("shop", "1.0", NOW), ("shop", "1.1", NOW)], "{what}");
    };
    check(&store, "a segment and a head");
    store.flush();
    store.merge_all();
    check(&store, "merged");
}

#[test]
fn callees_that_send_no_spans_are_known_by_what_calls_say() {
    let calling = |trace: u8, attributes: Vec<KeyValue>| Span { kind: 3, attributes, ..span(trace, 1, 0) };
    let mut store = Store::new();
    store.put(&sent(
        "shop",
        "1",
        calling(1, vec![text("db.system.name", "postgresql"), text("db.namespace", "orders")]),
    ));
    store.put(&sent("shop", "1", calling(2, vec![text("server.address", "api.example.com")])));
    // answered by a span: not to the outside
    store.put(&sent("shop", "1", calling(3, vec![text("server.address", "cart")])));
    store.put(&sent("cart", "1", span(3, 2, 1)));
    // so near the end, the answer may still come
    let mut late = calling(4, vec![text("server.address", "cart")]);
    late.start_time_unix_nano += 30_000_000_000;
    late.end_time_unix_nano += 30_000_000_000;
    store.put(&sent("shop", "1", late));
    let shown = |store: &Store| {
        let found =
            trace_segments::edges(&store.snapshot(), ALL, &Stop::default(), &mut Cost::default()).unwrap();
        let mut edges: Vec<_> = found.edges.into_iter().map(|e| (e.callee, e.callee_type, e.calls)).collect();
        edges.sort();
        edges
    };
    let expect = [
        ("api.example.com".to_owned(), Callee::External, 1),
        ("cart".to_owned(), Callee::Service, 1),
        ("postgresql/orders".to_owned(), Callee::Database, 1),
    ];
    assert_eq!(shown(&store), expect);
    store.flush();
    assert_eq!(shown(&store), expect);
}

#[test]
fn too_many_operations_are_counted_together_and_said_so() {
    let mut store = Store::new();
    for n in 0..4_200_u32 {
        let mut span = span(1, 1, 0);
        span.name = format!("op{n}");
        span.span_id = u64::from(n + 1).to_be_bytes().to_vec();
        store.put(&sent("shop", "1", span));
    }
    let query =
        RedQuery { window: ALL, step_minutes: 0, services: Vec::new(), kinds: vec![2], by_operation: true };
    let check = |store: &Store| {
        let red =
            trace_segments::red(&store.snapshot(), &query, &Stop::default(), &mut Cost::default()).unwrap();
        assert_eq!((red.series.len(), red.left_out), (4_097, 104));
        assert_eq!(red.series[0].operation, "(other operations)");
        assert_eq!(red.series.iter().map(|s| s.points[0].count).sum::<u64>(), 4_200);
    };
    check(&store);
    store.flush();
    check(&store);
}
