//! Random traces with everything that OTLP allows in them, few enough names that things collide.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, TracesData};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use prost::Message;

pub(crate) fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => prop::sample::select(vec!["", "a", "GET", "200", "true", "ünï", "x/y"]).prop_map(|s| Value::StringValue(s.into())),
        1 => Just(Value::StringValue("long ".repeat(300))),
        3 => prop::sample::select(vec![0, 1, 200, -7, i64::MIN, i64::MAX]).prop_map(Value::IntValue),
        2 => prop::sample::select(vec![0.0, -0.0, 72.5, 1e300, f64::INFINITY]).prop_map(Value::DoubleValue),
        1 => (0_u64..1 << 51).prop_map(|payload| Value::DoubleValue(f64::from_bits(0x7ff8_0000_0000_0000 | payload))),
        1 => any::<bool>().prop_map(Value::BoolValue),
        1 => vec(any::<u8>(), 0..4).prop_map(Value::BytesValue),
    ]
}

fn any_value() -> impl Strategy<Value = Option<AnyValue>> {
    let leaf = option::weighted(0.9, scalar()).prop_map(|value| AnyValue { value });
    let nested = leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3)
                .prop_map(|values| AnyValue { value: Some(Value::ArrayValue(ArrayValue { values })) }),
            vec((key(), option::of(inner)), 0..3).prop_map(|pairs| {
                let values = pairs.into_iter().map(|(key, value)| key_value(key, value)).collect();
                AnyValue { value: Some(Value::KvlistValue(KeyValueList { values })) }
            }),
        ]
    });
    option::weighted(0.95, nested)
}

fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "http.method", "http.status_code", "k", "error", "a/b", "service.name"])
        .prop_map(String::from)
}

pub(crate) fn key_value(key: String, value: Option<AnyValue>) -> KeyValue {
    KeyValue { key, value, ..KeyValue::default() }
}

fn attributes(max: usize) -> impl Strategy<Value = Vec<KeyValue>> {
    vec((key(), any_value()), 0..max)
        .prop_map(|pairs| pairs.into_iter().map(|(k, v)| key_value(k, v)).collect())
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 1_000_u64..1_040, 1 => Just(0), 1 => Just(u64::MAX)]
}

fn event() -> impl Strategy<Value = Event> {
    (time(), key(), attributes(3), 0_u32..2).prop_map(|(time_unix_nano, name, attributes, dropped)| Event {
        time_unix_nano,
        name,
        attributes,
        dropped_attributes_count: dropped,
    })
}

fn link() -> impl Strategy<Value = Link> {
    let ids = (option::of(any::<[u8; 16]>()), option::of(any::<[u8; 8]>()));
    (ids, key(), attributes(3), 0_u32..2, any::<u32>()).prop_map(
        |((trace, span), state, attributes, dropped, flags)| Link {
            trace_id: trace.map(Vec::from).unwrap_or_default(),
            span_id: span.map(Vec::from).unwrap_or_default(),
            trace_state: state,
            attributes,
            dropped_attributes_count: dropped,
            flags,
        },
    )
}

fn status() -> impl Strategy<Value = Option<Status>> {
    let code = prop::sample::select(vec![0, 1, 2, 2, 77, -1]);
    option::of((code, key()).prop_map(|(code, message)| Status { message, code }))
}

pub(crate) fn trace_id(n: u8) -> [u8; 16] {
    let mut id = [n.wrapping_mul(97); 16];
    id[15] = n;
    id
}

prop_compose! {
    fn span()(
        trace in 1_u8..6,
        id in 1_u8..9,
        parent in option::of(0_u8..9),
        name in prop::sample::select(vec!["", "GET /", "query", "GET /", "send"]),
        kind in prop::sample::select(vec![0, 1, 2, 3, 3, 5, 99, -4]),
        start in time(),
        end in time(),
        attributes in attributes(7),
        events in vec(event(), 0..3),
        links in vec(link(), 0..2),
        status in status(),
        rest in (0_u32..2, 0_u32..2, 0_u32..2, prop::sample::select(vec![0, 1, 0x101, u32::MAX]), key()),
    ) -> Span {
        Span {
            trace_id: trace_id(trace).to_vec(),
            span_id: vec![0, 0, 0, 0, 0, 0, 7, id],
            parent_span_id: parent.map(|p| vec![0, 0, 0, 0, 0, 0, 0, p]).unwrap_or_default(),
            name: name.into(),
            kind,
            start_time_unix_nano: start,
            end_time_unix_nano: end,
            attributes,
            events,
            links,
            status,
            dropped_attributes_count: rest.0,
            dropped_events_count: rest.1,
            dropped_links_count: rest.2,
            flags: rest.3,
            trace_state: rest.4,
        }
    }
}

fn resource() -> impl Strategy<Value = Option<Resource>> {
    let name = prop_oneof![
        3 => prop::sample::select(vec!["shop", "cart", ""]).prop_map(|s| Some(Value::StringValue(s.into()))),
        1 => Just(Some(Value::IntValue(3))),
        1 => Just(None),
    ];
    option::weighted(
        0.9,
        (option::weighted(0.8, name), attributes(3), 0_u32..2).prop_map(|(name, mut attributes, dropped)| {
            if let Some(value) = name {
                attributes.insert(0, key_value("service.name".into(), Some(AnyValue { value })));
            }
            Resource { attributes, dropped_attributes_count: dropped, ..Resource::default() }
        }),
    )
}

fn scope() -> impl Strategy<Value = Option<InstrumentationScope>> {
    option::weighted(
        0.8,
        (key(), key(), attributes(2), 0_u32..2).prop_map(|(name, version, attributes, dropped)| {
            InstrumentationScope { name, version, attributes, dropped_attributes_count: dropped }
        }),
    )
}

pub(crate) fn traces() -> impl Strategy<Value = TracesData> {
    let url =
        || prop::sample::select(vec!["", "https://opentelemetry.io/schemas/1.30.0"]).prop_map(String::from);
    let scopes = (scope(), vec(span(), 0..6), url()).prop_map(|(scope, spans, schema_url)| ScopeSpans {
        scope,
        spans,
        schema_url,
    });
    let resources = (resource(), vec(scopes, 0..3), url())
        .prop_map(|(resource, scope_spans, schema_url)| ResourceSpans { resource, scope_spans, schema_url });
    vec(resources, 0..3).prop_map(|resource_spans| TracesData { resource_spans })
}

/// One span with its surroundings, as bytes: what has to come back.
pub(crate) type Row = (Vec<u8>, Vec<u8>, Vec<u8>);

/// Spans one by one.
pub(crate) fn each_span(data: &TracesData) -> impl Iterator<Item = (&ResourceSpans, &ScopeSpans, &Span)> {
    data.resource_spans
        .iter()
        .flat_map(|r| r.scope_spans.iter().flat_map(move |s| s.spans.iter().map(move |span| (r, s, span))))
}

pub(crate) fn rows<'a>(data: impl IntoIterator<Item = &'a TracesData>) -> Vec<Row> {
    let row = |(r, s, span): (&ResourceSpans, &ScopeSpans, &Span)| {
        let resource = ResourceSpans { scope_spans: Vec::new(), ..r.clone() };
        let scope = ScopeSpans { spans: Vec::new(), ..s.clone() };
        (resource.encode_to_vec(), scope.encode_to_vec(), span.encode_to_vec())
    };
    let mut rows: Vec<Row> =
        data.into_iter().flat_map(|d| each_span(d).map(row).collect::<Vec<_>>()).collect();
    rows.sort();
    rows
}

pub(crate) fn rows_of(all: &[Row], trace_id: [u8; 16]) -> Vec<Row> {
    let is_of = |row: &&Row| Span::decode(row.2.as_slice()).unwrap().trace_id == trace_id;
    all.iter().filter(is_of).cloned().collect()
}
