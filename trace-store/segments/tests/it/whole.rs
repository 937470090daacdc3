//! What only whole traces tell: orders, durations, summaries, skeletons, against a look at every span.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, TracesData};
use proptest::collection::vec;
use proptest::prelude::*;
use runtime_engine::{Snapshot, Stop};
use trace_segments::{Completion, Cost, Order, Ranked, Rows, SearchQuery, Summary, Traces, facts};

use crate::data::{each_span, key_value, traces};
use crate::head::{plain_span, record_of};
use crate::memory::Store;
use crate::search::{matches, operation_of, query, service_of};
use prost::Message;

type Spans<'a> = Vec<(&'a ResourceSpans, &'a ScopeSpans, &'a Span)>;

/// No span equals another, and some parents are there.
fn distinct(batches: &mut [TracesData]) {
    let spans = batches.iter_mut().flat_map(|b| &mut b.resource_spans).flat_map(|r| &mut r.scope_spans);
    for (flags, span) in (0..).zip(spans.flat_map(|s| &mut s.spans)) {
        span.flags = flags;
        if let [.., there, 1 | 3 | 5 | 7] = span.parent_span_id.as_mut_slice() {
            *there = 7;
        }
    }
}

fn by_trace(data: &[TracesData]) -> BTreeMap<[u8; 16], Spans<'_>> {
    let mut traces: BTreeMap<[u8; 16], Spans<'_>> = BTreeMap::new();
    for line in data.iter().flat_map(each_span) {
        traces.entry(line.2.trace_id.as_slice().try_into().unwrap()).or_default().push(line);
    }
    traces
}

fn failed(span: &Span) -> bool {
    span.status.as_ref().is_some_and(|s| s.code == 2)
}

fn times(spans: &Spans<'_>) -> (u64, u64) {
    let start = spans.iter().map(|(_, _, s)| s.start_time_unix_nano).min().unwrap();
    let end = |s: &Span| s.end_time_unix_nano.max(s.start_time_unix_nano);
    (start, spans.iter().map(|(_, _, s)| end(s)).max().unwrap())
}

fn model(data: &[TracesData], query: &SearchQuery) -> Vec<Ranked> {
    let mut found: Vec<Ranked> = Vec::new();
    for (id, spans) in by_trace(data) {
        let matched: Vec<u64> = spans
            .iter()
            .filter(|(r, s, span)| matches(query, r, s, span))
            .map(|(_, _, span)| span.start_time_unix_nano)
            .collect();
        let (start, end) = times(&spans);
        let lasts = end - start;
        let is_long_enough = lasts >= query.trace_duration_min
            && (query.trace_duration_max == 0 || lasts <= query.trace_duration_max);
        if matched.is_empty() || !is_long_enough {
            continue;
        }
        let rank = match query.order {
            Order::Newest => *matched.iter().max().unwrap(),
            Order::Oldest => *matched.iter().min().unwrap(),
            Order::Longest => lasts,
            Order::Spans => spans.len() as u64,
            Order::Errors => spans.iter().filter(|(_, _, s)| failed(s)).count() as u64,
        };
        found.push((rank, id));
    }
    let place =
        |(rank, id): Ranked| (if query.order == Order::Oldest { Reverse(!rank) } else { Reverse(rank) }, id);
    found.sort_by_key(|found| place(*found));
    found.retain(|found| query.after.is_none_or(|after| place(*found) > place(after)));
    found.truncate(query.limit);
    found
}

fn find(snap: &Snapshot<Traces>, query: &SearchQuery) -> Vec<Ranked> {
    let hits = trace_segments::find(snap, query, &Stop::default(), &mut Cost::default()).unwrap();
    assert_eq!(hits.bounded_to, 0);
    hits.traces
}

fn assert_orders(snap: &Snapshot<Traces>, data: &[TracesData], queries: &[SearchQuery]) {
    for (query, order) in queries
        .iter()
        .zip([Order::Oldest, Order::Longest, Order::Spans, Order::Errors, Order::Newest].into_iter().cycle())
    {
        let (least, most) = (query.duration_min, query.duration_max);
        let query =
            SearchQuery { order, trace_duration_min: least, trace_duration_max: most, ..query.clone() };
        let query = SearchQuery { duration_min: 0, duration_max: 0, ..query };
        assert_eq!(find(snap, &query), model(data, &query), "{query:?}");
        let mut pages = Vec::new();
        let mut page = SearchQuery { limit: 2, ..query.clone() };
        loop {
            let found = find(snap, &page);
            assert_eq!(found, model(data, &page), "{page:?}");
            let Some(last) = found.last() else { break };
            page.after = Some(*last);
            pages.extend(found);
        }
        assert_eq!(pages, model(data, &SearchQuery { limit: 100, ..query }));
    }
}

fn assert_summary(summary: &Summary, spans: &Spans<'_>, query: &SearchQuery) {
    assert_eq!((summary.start, summary.end), times(spans));
    assert_eq!(summary.spans as usize, spans.len());
    assert_eq!(summary.errors as usize, spans.iter().filter(|(_, _, s)| failed(s)).count());
    let has_parent = |s: &Span| s.parent_span_id.iter().any(|b| *b != 0);
    let ids: HashSet<&[u8]> = spans.iter().map(|(_, _, s)| s.span_id.as_slice()).collect();
    let is_orphan = |s: &Span| has_parent(s) && !ids.contains(s.parent_span_id.as_slice());
    assert_eq!(summary.orphans as usize, spans.iter().filter(|(_, _, s)| is_orphan(s)).count());
    let earliest = |wanted: &dyn Fn(&Span) -> bool| {
        let found = spans.iter().filter(|(_, _, s)| wanted(s));
        let at = |s: &Span| (s.start_time_unix_nano, s.span_id.clone());
        let first = found.clone().map(|(_, _, s)| at(s)).min();
        let named: BTreeSet<(String, String, u64)> = found
            .filter(|(_, _, s)| Some(at(s)) == first)
            .map(|(r, _, s)| (service_of(r), operation_of(s), s.start_time_unix_nano))
            .collect();
        named
    };
    let is_one_of = |span: Option<(String, String, u64)>, of: BTreeSet<(String, String, u64)>| match span {
        Some(span) => assert!(of.contains(&span), "{span:?} is none of {of:?}"),
        None => assert!(of.is_empty(), "none, expected one of {of:?}"),
    };
    let root = summary.root.as_ref().map(|r| (r.service.to_string(), r.operation.clone(), r.start));
    is_one_of(root, earliest(&|s| !has_parent(s)));
    let orphan = summary.orphan.as_ref().map(|r| (r.service.to_string(), r.operation.clone(), r.start));
    is_one_of(orphan, earliest(&is_orphan));
    let error = summary.error.as_ref().map(|e| (e.service.to_string(), e.operation.clone(), e.start));
    is_one_of(error, earliest(&failed));
    let mut services: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for (r, _, span) in spans {
        let counts = services.entry(service_of(r)).or_default();
        *counts = (counts.0 + 1, counts.1 + u32::from(failed(span)));
    }
    let counted = summary.services.iter().map(|s| (s.service.to_string(), (s.spans, s.errors)));
    assert_eq!(counted.collect::<BTreeMap<_, _>>(), services);
    let matched = spans.iter().filter(|(r, s, span)| matches(query, r, s, span));
    let matched: BTreeSet<(u64, &[u8])> =
        matched.map(|(_, _, s)| (s.start_time_unix_nano, s.span_id.as_slice())).collect();
    let first: Vec<&[u8]> = matched.iter().take(10).map(|(_, id)| *id).collect();
    assert_eq!(summary.matched.iter().map(<[u8; 8]>::as_slice).collect::<Vec<_>>(), first);
    assert_eq!(summary.matched_oldest, matched.first().map_or(0, |(start, _)| *start));
    assert_eq!(summary.matched_newest, matched.last().map_or(0, |(start, _)| *start));
}

fn assert_summaries(snap: &Snapshot<Traces>, data: &[TracesData], query: &SearchQuery) {
    let traces = by_trace(data);
    let mut ids: Vec<[u8; 16]> = traces.keys().copied().collect();
    ids.push([0xee; 16]);
    let found =
        trace_segments::summaries(snap, &ids, Some(query), &Stop::default(), &mut Cost::default()).unwrap();
    assert!(found.are_orphans_counted);
    assert_eq!(found.traces.iter().map(|s| s.trace_id).collect::<Vec<_>>(), ids[..ids.len() - 1]);
    for summary in &found.traces {
        assert_summary(summary, &traces[&summary.trace_id], query);
    }
}

/// Rows of a skeleton, names resolved: id, parent, start, end, service, operation, facts.
type Resolved = (u64, u64, u64, u64, String, String, u8);

fn skeleton(snap: &Snapshot<Traces>, id: [u8; 16]) -> Vec<Resolved> {
    let (mut services, mut names, mut resolved) = (Vec::new(), Vec::new(), Vec::new());
    let mut emit = |rows: Rows| {
        services.extend(rows.resources.iter().map(|r| r.service.to_string()));
        names.extend(rows.names.iter().cloned());
        for at in 0..rows.span_ids.len() {
            resolved.push((
                rows.span_ids[at],
                rows.parent_ids[at],
                rows.starts[at],
                rows.ends[at],
                services[rows.resource[at] as usize].clone(),
                names[rows.name[at] as usize].clone(),
                rows.facts[at],
            ));
        }
        Ok(())
    };
    let found = trace_segments::skeleton(snap, id, &mut emit, &mut Cost::default()).unwrap();
    assert_eq!(found, !resolved.is_empty());
    resolved.sort();
    resolved
}

fn assert_skeletons(snap: &Snapshot<Traces>, data: &[TracesData]) {
    let number = |id: &[u8]| id.try_into().map_or(0, u64::from_be_bytes);
    for (id, spans) in by_trace(data) {
        let mut expected: Vec<Resolved> = spans
            .iter()
            .map(|(r, _, span)| {
                let kind = u8::try_from(span.kind).ok().filter(|kind| *kind <= 5).unwrap_or(0);
                let fact = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
                let bits = kind
                    | fact(failed(span), facts::ERROR)
                    | fact(!span.events.is_empty(), facts::EVENTS)
                    | fact(!span.links.is_empty(), facts::LINKS);
                let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
                let ids = (number(&span.span_id), number(&span.parent_span_id));
                (ids.0, ids.1, start, end, service_of(r), operation_of(span), bits)
            })
            .collect();
        expected.sort();
        assert_eq!(skeleton(snap, id), expected);
    }
    assert_eq!(skeleton(snap, [0xee; 16]), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whole_traces_answer_like_a_look_at_every_span(
        mut batches in vec(traces(), 1..7),
        queries in vec(query(), 10),
    ) {
        distinct(&mut batches);
        let mut in_head = Store::new();
        let mut mixed = Store::new();
        for (i, batch) in batches.iter().enumerate() {
            in_head.put(batch);
            mixed.put(batch);
            match i % 3 {
                0 => mixed.flush(),
                1 => mixed.seal(),
                _ => {}
            }
        }
        let assert_all = |store: &Store| {
            let snap = store.snapshot();
            assert_orders(&snap, &batches, &queries);
            queries.iter().take(3).for_each(|query| assert_summaries(&snap, &batches, query));
            assert_skeletons(&snap, &batches);
            let spans = batches.iter().flat_map(each_span).count() as u64;
            assert_eq!(trace_segments::extent(&snap).spans, spans);
        };
        assert_all(&in_head);
        assert_all(&mixed);
        mixed.flush();
        assert_all(&mixed);
        mixed.merge_all();
        assert_all(&mixed);
    }
}

fn text(value: &str) -> Option<AnyValue> {
    Some(AnyValue { value: Some(Value::StringValue(value.into())) })
}

#[test]
fn a_failure_without_a_message_is_explained_by_its_exception() {
    use opentelemetry_proto::tonic::trace::v1::span::Event;
    let exception = |key: &str, value: &str| key_value(format!("exception.{key}"), text(value));
    let event = |attributes| Event { name: "exception".into(), attributes, ..Event::default() };
    let failed = |n: u8, message: &str, events: Vec<Event>| Span {
        status: Some(Status { code: 2, message: message.into() }),
        events,
        ..plain_span(n)
    };
    let spans = vec![
        failed(1, "told", vec![event(vec![exception("type", "E")])]),
        failed(2, "", vec![event(vec![exception("type", "E"), exception("message", "boom")])]),
        failed(3, "", vec![event(vec![exception("message", "boom")])]),
        failed(4, "", vec![]),
    ];
    let ids: Vec<[u8; 16]> = spans.iter().map(|s| s.trace_id.as_slice().try_into().unwrap()).collect();
    let mut store = Store::new();
    store.put(&TracesData::decode(record_of(spans)).unwrap());
    for _ in 0..2 {
        let snap = store.snapshot();
        let ask = |id| {
            let found = trace_segments::summaries(&snap, &[id], None, &Stop::default(), &mut Cost::default())
                .unwrap();
            found.traces[0].error.clone().unwrap().text
        };
        assert_eq!(ids.iter().map(|id| ask(*id)).collect::<Vec<_>>(), ["told", "E: boom", "boom", ""]);
        store.flush();
    }
}

#[test]
fn attributes_are_completed_in_the_head_and_at_rest() {
    let mut store = Store::new();
    let span = |n: u8| Span {
        attributes: vec![
            key_value("http.method".into(), text(if n.is_multiple_of(4) { "POST" } else { "GET" })),
            key_value(if n == 7 { "rare".into() } else { "http.route".into() }, text("/x")),
        ],
        ..plain_span(n)
    };
    store.put(&TracesData::decode(record_of((1..=60).map(span).collect())).unwrap());
    for _ in 0..2 {
        let snap = store.snapshot();
        let (stop, mut cost) = (Stop::default(), Cost::default());
        let wanted = |prefix: &str, service: Option<&str>| Completion {
            service: service.map(String::from),
            prefix: prefix.into(),
            limit: 10,
        };
        let mut keys = |prefix: &str, service: Option<&str>| {
            trace_segments::attribute_keys(&snap, &wanted(prefix, service), &stop, &mut cost).unwrap()
        };
        assert_eq!(keys("http", None), [("http.method".to_owned(), 1), ("http.route".to_owned(), 1)]);
        assert_eq!(keys("r", Some("missing-service-name")), [("rare".to_owned(), 1)]);
        assert_eq!(keys("", Some("no")), []);
        let mut values = |prefix: &str| {
            let wanted = wanted(prefix, None);
            trace_segments::attribute_values(&snap, "http.method", &wanted, &stop, &mut cost).unwrap()
        };
        assert_eq!(values(""), [("GET".to_owned(), 45), ("POST".to_owned(), 15)]);
        assert_eq!(values("P"), [("POST".to_owned(), 15)]);
        store.flush();
    }
}
