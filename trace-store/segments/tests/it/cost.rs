//! What is not read: row groups and segments that cannot change an answer.

use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::{Span, TracesData};
use prost::Message;
use runtime_engine::{Error, Snapshot, Stop};
use trace_segments::{Cost, SearchQuery, Traces};

use crate::data::{key_value, trace_id};
use crate::head::{plain_span, record_of};
use crate::memory::{Store, get};

fn data(spans: Vec<Span>) -> TracesData {
    TracesData::decode(record_of(spans)).unwrap()
}

fn ask(snap: &Snapshot<Traces>, query: &SearchQuery) -> (usize, Cost) {
    let mut cost = Cost::default();
    let found = trace_segments::search(snap, query, &Stop::default(), &mut cost).unwrap();
    (found.len(), cost)
}

fn tagged(key: &str, value: &str) -> SearchQuery {
    SearchQuery { attributes: vec![(key.into(), value.into())], limit: 10, ..SearchQuery::default() }
}

#[test]
fn a_row_group_that_statistics_or_the_dictionary_exclude_is_never_read() {
    let mut store = Store::new();
    let value = |text: &str| Some(AnyValue { value: Some(Value::StringValue(text.into())) });
    let span = |n: u8| Span {
        start_time_unix_nano: 1000 + u64::from(n),
        end_time_unix_nano: 2000,
        attributes: vec![key_value("color".into(), value("m"))],
        ..plain_span(n)
    };
    store.put(&data((1..50).map(span).collect()));
    store.flush();
    let snap = store.snapshot();
    let base = SearchQuery { limit: 10, ..SearchQuery::default() };
    let excluded = [
        tagged("color", "a"),
        tagged("color", "z"),
        tagged("colour", "m"),
        SearchQuery { start_min: 1_100, ..base.clone() },
        SearchQuery { start_max: 1_001, ..base.clone() },
        SearchQuery { duration_min: 1_001, ..base.clone() },
        SearchQuery { operation: Some("no".into()), ..base.clone() },
        SearchQuery { service: Some("no".into()), ..base.clone() },
        SearchQuery { attributes: vec![("span.kind".into(), "server".into())], ..base.clone() },
    ];
    for query in excluded {
        assert_eq!(ask(&snap, &query), (0, Cost::default()), "{query:?}");
    }
    assert_eq!(ask(&snap, &tagged("color", "m")).0, 10);
    let mut cost = Cost::default();
    assert!(!trace_segments::get_trace(&snap, [9; 16], &mut |_| Ok(()), &mut cost).unwrap());
    assert_eq!(cost, Cost::default());
}

#[test]
fn a_span_from_the_end_of_time_that_ends_before_it_starts_lasts_nothing() {
    let mut store = Store::new();
    let span = Span { start_time_unix_nano: u64::MAX, end_time_unix_nano: 1_000, ..plain_span(1) };
    store.put(&data(vec![span]));
    let short = SearchQuery { duration_max: 2, limit: 1, ..SearchQuery::default() };
    assert_eq!(ask(&store.snapshot(), &short).0, 1);
    store.flush();
    assert_eq!(ask(&store.snapshot(), &short).0, 1);
}

#[test]
fn segments_that_are_too_old_to_change_the_answer_are_not_read() {
    let mut store = Store::new();
    for n in 1..6 {
        store.put(&data(vec![Span { start_time_unix_nano: 1000 * u64::from(n), ..plain_span(n) }]));
        store.flush();
    }
    let snap = store.snapshot();
    let (found, cost) = ask(&snap, &SearchQuery { limit: 2, ..SearchQuery::default() });
    assert_eq!((found, cost.objects), (2, 2));
}

#[test]
fn traces_are_found_in_segments_of_several_row_groups() {
    const TRACES: u32 = 15_000;
    let id = |n: u32| {
        let mut id = [1; 16];
        id[..4].copy_from_slice(&n.to_be_bytes());
        id
    };
    let mut store = Store::new();
    for n in 0..TRACES {
        let span = |i: u8| Span {
            trace_id: id(n).to_vec(),
            start_time_unix_nano: u64::from(n),
            name: if n == TRACES - 1 { "last".into() } else { "op".into() },
            ..plain_span(i)
        };
        store.put(&data((1..=10).map(span).collect()));
    }
    store.flush();
    for _ in 0..2 {
        let snap = store.snapshot();
        // 131,072 rows make a row group: trace 13,107 lies in both
        for n in [0, 1, 13_106, 13_107, 13_108, TRACES - 1] {
            let pieces = get(&snap, id(n)).unwrap();
            let spans: usize =
                pieces.iter().flat_map(|p| &p.resource_spans[0].scope_spans).map(|s| s.spans.len()).sum();
            assert_eq!(spans, 10, "trace {n}");
        }
        assert!(get(&snap, trace_id(3)).unwrap().is_empty());
        let last = SearchQuery { operation: Some("last".into()), limit: 5, ..SearchQuery::default() };
        let (found, cost) = ask(&snap, &last);
        assert_eq!((found, cost.spans), (1, u64::from(TRACES) * 10 - 131_072));
        store.merge_all();
    }
}

#[test]
fn a_trace_of_many_megabytes_comes_in_pieces_of_about_one() {
    let mut store = Store::new();
    let value = Some(AnyValue { value: Some(Value::StringValue("x".repeat(300_000))) });
    let span = |i: u8| Span {
        trace_id: trace_id(1).to_vec(),
        attributes: vec![key_value("large".into(), value.clone())],
        ..plain_span(i)
    };
    store.put(&data((1..30).map(span).collect()));
    store.flush();
    let pieces = get(&store.snapshot(), trace_id(1)).unwrap();
    assert!(pieces.len() >= 7);
    assert!(pieces.iter().all(|piece| piece.encoded_len() < 1_500_000));
}

#[test]
fn a_search_that_is_asked_to_stop_stops() {
    let mut store = Store::new();
    let stop = Stop::default();
    stop.stop();
    let query = SearchQuery { limit: 1, ..SearchQuery::default() };
    let ask = |store: &Store| trace_segments::search(&store.snapshot(), &query, &stop, &mut Cost::default());
    assert_eq!(ask(&store).unwrap(), []);
    store.put(&data(vec![plain_span(1)]));
    assert!(matches!(ask(&store), Err(Error::Stopped)));
    store.flush();
    assert!(matches!(ask(&store), Err(Error::Stopped)));
}
