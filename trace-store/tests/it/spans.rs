//! Requests to send, and how to compare what comes back.

use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, TracesData};

/// An hour ago: inside every retention.
pub(crate) static T0: LazyLock<u64> = LazyLock::new(|| {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_nanos()).unwrap() - 3_600_000_000_000
});

pub(crate) fn id(n: u64) -> [u8; 16] {
    let mut id = [0xab; 16];
    id[8..].copy_from_slice(&n.to_be_bytes());
    id
}

pub(crate) fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn any(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

/// A span that uses every field.
pub(crate) fn span(trace: u64, n: u64) -> Span {
    let list = ArrayValue { values: vec![any(Value::IntValue(1)), any(Value::StringValue("x".into()))] };
    let map = KeyValueList { values: vec![attribute("inner", Value::BoolValue(true))] };
    Span {
        trace_id: id(trace).to_vec(),
        span_id: (n + 1).to_be_bytes().to_vec(),
        trace_state: "a=b".into(),
        parent_span_id: if n == 0 { Vec::new() } else { 1_u64.to_be_bytes().to_vec() },
        flags: 0x101,
        name: format!("op {}", n % 3),
        kind: i32::try_from(n % 6).unwrap(),
        start_time_unix_nano: *T0 + trace * 1_000_000 + n,
        end_time_unix_nano: *T0 + trace * 1_000_000 + n + 5_000,
        attributes: vec![
            attribute("http.method", Value::StringValue("GET".into())),
            attribute("count", Value::IntValue(-7)),
            attribute("ratio", Value::DoubleValue(0.25)),
            attribute("ok", Value::BoolValue(true)),
            attribute("raw", Value::BytesValue(vec![0, 255])),
            attribute("list", Value::ArrayValue(list)),
            attribute("map", Value::KvlistValue(map)),
        ],
        dropped_attributes_count: 1,
        events: vec![Event {
            time_unix_nano: *T0 + 9,
            name: "exception".into(),
            attributes: vec![attribute("exception.type", Value::StringValue("Oops".into()))],
            dropped_attributes_count: 2,
        }],
        dropped_events_count: 3,
        links: vec![Link {
            trace_id: id(999).to_vec(),
            span_id: vec![9; 8],
            trace_state: "c=d".into(),
            attributes: vec![attribute("why", Value::StringValue("because".into()))],
            dropped_attributes_count: 4,
            flags: 1,
        }],
        dropped_links_count: 5,
        status: Some(Status { message: "bad".into(), code: 2 }),
    }
}

pub(crate) fn request(service: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let resource = Resource {
        attributes: vec![attribute("service.name", Value::StringValue(service.into()))],
        ..Resource::default()
    };
    let scope =
        InstrumentationScope { name: "lib".into(), version: "1.2".into(), ..InstrumentationScope::default() };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource),
            scope_spans: vec![ScopeSpans { scope: Some(scope), spans, schema_url: "urn:scope".into() }],
            schema_url: "urn:resource".into(),
        }],
    }
}

/// Traces `first..first + traces`, `spans` spans each.
pub(crate) fn batch(service: &str, first: u64, traces: u64, spans: u64) -> ExportTraceServiceRequest {
    request(service, (first..first + traces).flat_map(|t| (0..spans).map(move |n| span(t, n))).collect())
}

/// Each span with its resource and scope, in an order that does not depend on batches.
pub(crate) fn flat(data: &[ResourceSpans]) -> Vec<ResourceSpans> {
    let mut all = Vec::new();
    for rs in data {
        for ss in &rs.scope_spans {
            for span in &ss.spans {
                let scope_spans = vec![ScopeSpans { spans: vec![span.clone()], ..ss.clone() }];
                all.push(ResourceSpans { scope_spans, ..rs.clone() });
            }
        }
    }
    all.sort_by_key(|rs| {
        let span = &rs.scope_spans[0].spans[0];
        (span.trace_id.clone(), span.start_time_unix_nano, span.span_id.clone())
    });
    all
}

pub(crate) fn of_trace(request: &ExportTraceServiceRequest, trace: u64) -> Vec<ResourceSpans> {
    let all = flat(&request.resource_spans);
    all.into_iter().filter(|rs| rs.scope_spans[0].spans[0].trace_id == id(trace)).collect()
}

pub(crate) fn decode(chunks: &[bytes::Bytes]) -> Vec<ResourceSpans> {
    use prost::Message;
    let data = chunks.iter().flat_map(|c| TracesData::decode(c.clone()).unwrap().resource_spans);
    flat(&data.collect::<Vec<_>>())
}
