//! Admission: sound requests pass untouched, bad spans are left out by name, texts are repaired.

use bytes::Bytes;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use prost::Message;
use shared_proto::otlp::{Admitted, Limits, Rejected, Signal, admit, count};

use crate::model::{bytes, each_span, items, spans_of};
use crate::requests::{logs, metrics, traces};

fn passes_untouched(signal: Signal, request: &Bytes) {
    let admitted = admit(signal, request.clone(), &Limits::default()).unwrap();
    let expect = items(signal, request);
    assert_eq!(
        admitted,
        Admitted { bytes: request.clone(), items: expect, rejected: None, repaired_texts: 0 }
    );
    assert_eq!(admitted.bytes.as_ptr(), request.as_ptr(), "the same bytes, not a copy");
    assert_eq!(count(signal, request), Ok(expect));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn traces_in_order_pass_untouched(request in traces()) {
        passes_untouched(Signal::Traces, &bytes(&request));
    }

    #[test]
    fn metrics_in_order_pass_untouched(request in metrics()) {
        passes_untouched(Signal::Metrics, &bytes(&request));
    }

    #[test]
    fn logs_in_order_pass_untouched(request in logs()) {
        passes_untouched(Signal::Logs, &bytes(&request));
    }

    #[test]
    fn spans_with_bad_ids_are_left_out_and_all_others_kept(
        request in traces(), bad in vec((any::<u8>(), 0usize..4), 1..20),
    ) {
        let mut request = request;
        let mut rejected = 0;
        let mut kept = request.clone();
        let mut pick = bad.iter().cycle();
        for (resource, kept) in request.resource_spans.iter_mut().zip(&mut kept.resource_spans) {
            for (scope, kept) in resource.scope_spans.iter_mut().zip(&mut kept.scope_spans) {
                kept.spans.clear();
                for span in &mut scope.spans {
                    match pick.next().unwrap() {
                        (0..=127, _) => { kept.spans.push(span.clone()); continue }
                        (_, 0) => span.trace_id.clear(),
                        (_, 1) => span.trace_id.fill(0),
                        (_, 2) => span.span_id.clear(),
                        (_, _) => span.span_id.fill(0),
                    }
                    rejected += 1;
                }
            }
        }
        let admitted = admit(Signal::Traces, bytes(&request), &Limits::default()).unwrap();
        prop_assert_eq!(admitted.rejected.as_ref().map_or(0, |rejected| rejected.items), rejected);
        prop_assert_eq!(spans_of(&admitted.bytes), spans_of(&bytes(&kept)));
        prop_assert_eq!(admitted.items, items(Signal::Traces, &bytes(&kept)));
    }
}

fn span(id: u8) -> Span {
    Span { trace_id: vec![id; 16], span_id: vec![id; 8], name: format!("op {id}"), ..Span::default() }
}

fn attribute(key: &str, bytes: usize) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue("x".repeat(bytes))) });
    KeyValue { key: key.to_owned(), value, key_strindex: 0 }
}

fn request(spans: Vec<Span>) -> TracesData {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    TracesData { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] }
}

fn take(request: &TracesData) -> Admitted {
    admit(Signal::Traces, bytes(request), &Limits::default()).unwrap()
}

#[test]
fn a_rejection_names_its_first_culprit_and_counts_the_rest() {
    let long = 6 << 20;
    let with = |id, change: fn(&mut Span)| {
        let mut span = span(id);
        change(&mut span);
        span
    };
    let rows: [(Span, String); 10] = [
        (with(1, |span| span.trace_id.fill(0)), "trace_id is all zero".into()),
        (with(2, |span| span.span_id.clear()), "span_id is missing".into()),
        (with(3, |span| span.trace_id.clear()), "trace_id is missing".into()),
        (with(4, |span| span.span_id.fill(0)), "span_id is all zero".into()),
        (
            with(5, |span| span.attributes = vec![attribute("blob", 6 << 20)]),
            format!("attribute \"blob\" is {} bytes long, the limit is 524288", long + 16),
        ),
        (
            with(6, |span| span.attributes = vec![attribute("k", 0); 4097]),
            "it has 4097 attributes, the limit is 4096".into(),
        ),
        (
            with(7, |span| {
                let attributes = vec![attribute("k", 0), attribute("stack", 1 << 20)];
                span.events = vec![Event::default(), Event { attributes, ..Event::default() }];
            }),
            "attribute \"stack\" of an event is 1048591 bytes long, the limit is 524288".into(),
        ),
        (
            with(8, |span| {
                span.links = vec![Link { attributes: vec![attribute("k", 0); 5000], ..Link::default() }];
            }),
            "a link has 5000 attributes, the limit is 4096".into(),
        ),
        (
            with(10, |span| span.attributes = vec![attribute("k", 400_000); 3]),
            "1200098 bytes with its resource and scope, a log record holds 1048576".into(),
        ),
        (with(9, |span| span.name = "é".repeat(100)), String::new()),
    ];
    for (bad, reason) in rows {
        let admitted = take(&request(vec![span(21), bad.clone(), span(22), bad.clone()]));
        if reason.is_empty() {
            assert_eq!(admitted.rejected, None);
            continue;
        }
        let ids = |id: &[u8]| match id {
            [] => "(none)".to_owned(),
            id => id.iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        let first =
            format!("span {} of trace {} {:?}: {reason}", ids(&bad.span_id), ids(&bad.trace_id), bad.name);
        let rejected = admitted.rejected.unwrap();
        assert_eq!(rejected, Rejected { items: 2, first: first.clone() });
        assert_eq!(rejected.to_string(), format!("{first}; 1 more span was rejected"));
        assert_eq!(each_span(&admitted.bytes), [span(21), span(22)]);
        assert_eq!(admitted.items, 2);
    }
}

#[test]
fn a_resource_or_scope_over_a_limit_takes_its_spans_with_it() {
    let mut data = request(vec![span(1), span(2)]);
    data.resource_spans[0].resource =
        Some(Resource { attributes: vec![attribute("env", 600_000)], ..Resource::default() });
    data.resource_spans.extend(request(vec![span(3)]).resource_spans);
    let scoped = ScopeSpans {
        scope: Some(InstrumentationScope { attributes: vec![attribute("k", 0); 4097], ..Default::default() }),
        spans: vec![span(4)],
        ..ScopeSpans::default()
    };
    data.resource_spans[1].scope_spans.push(scoped);
    let admitted = take(&data);
    assert_eq!(each_span(&admitted.bytes), [span(3)]);
    let rejected = admitted.rejected.unwrap();
    assert_eq!(rejected.items, 3);
    assert!(
        rejected.first.ends_with(
            "\"op 1\": attribute \"env\" of its resource is 600013 bytes long, the limit is 524288"
        ),
        "{}",
        rejected.first
    );
    assert_eq!(TracesData::decode(&*admitted.bytes).unwrap(), request(vec![span(3)]), "nothing empty stays");

    data.resource_spans.remove(0);
    let rejected = take(&data).rejected.unwrap();
    assert!(
        rejected.first.ends_with("\"op 4\": its scope has 4097 attributes, the limit is 4096"),
        "{rejected}"
    );
}

#[test]
fn a_resource_and_a_scope_that_are_too_large_together_take_their_spans_with_them() {
    let mut data = request(vec![span(1), span(2)]);
    data.resource_spans[0].schema_url = "r".repeat(300_000);
    data.resource_spans[0].scope_spans[0].schema_url = "s".repeat(300_000);
    data.resource_spans[0].scope_spans.push(ScopeSpans { spans: vec![span(3)], ..ScopeSpans::default() });
    let admitted = take(&data);
    assert_eq!(each_span(&admitted.bytes), [span(3)]);
    let rejected = admitted.rejected.unwrap();
    assert_eq!(rejected.items, 2);
    let reason = "its resource and scope are 600008 bytes long, the limit is 524288";
    assert!(rejected.first.ends_with(reason), "{}", rejected.first);
}

#[test]
fn an_attribute_at_the_limit_is_kept() {
    let mut at_limit = span(1);
    at_limit.attributes = vec![attribute("k", 524_288 - 3 - 4 - 4)];
    assert_eq!(at_limit.attributes[0].encoded_len(), 524_288);
    at_limit.events = vec![Event { attributes: vec![attribute("", 0); 4096], ..Event::default() }];
    assert_eq!(take(&request(vec![at_limit])).rejected, None);
}

#[test]
fn an_id_of_a_wrong_length_is_malformed_at_its_byte() {
    type Change = fn(&mut Span);
    let rows: [(Change, &str); 5] = [
        (|span| span.trace_id.truncate(7), "byte 8, Span.trace_id: must be 16 bytes long or empty, found 7"),
        (|span| span.span_id.push(1), "byte 26, Span.span_id: must be 8 bytes long or empty, found 9"),
        (
            |span| span.parent_span_id = vec![1; 16],
            "byte 36, Span.parent_span_id: must be 8 bytes long or empty, found 16",
        ),
        (
            |span| span.links = vec![Link { trace_id: vec![1; 15], ..Link::default() }],
            "byte 44, Link.trace_id: must be 16 bytes long or empty, found 15",
        ),
        (
            |span| span.links = vec![Link { span_id: vec![1; 4], ..Link::default() }],
            "byte 44, Link.span_id: must be 8 bytes long or empty, found 4",
        ),
    ];
    for (change, expect) in rows {
        let mut bad = span(1);
        change(&mut bad);
        let error = admit(Signal::Traces, bytes(&request(vec![bad])), &Limits::default()).unwrap_err();
        assert_eq!(error.to_string(), format!("malformed OTLP traces at {expect}"));
    }
    let log = [0x0a, 6, 0x12, 4, 0x12, 2, 0x4a, 0];
    assert_eq!(admit(Signal::Logs, Bytes::copy_from_slice(&log), &Limits::default()).unwrap().items, 1);
    let log = [0x0a, 7, 0x12, 5, 0x12, 3, 0x4a, 1, 1];
    let error = admit(Signal::Logs, Bytes::copy_from_slice(&log), &Limits::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "malformed OTLP logs at byte 8, LogRecord.trace_id: must be 16 bytes long or empty, found 1"
    );
}

/// A request as bytes with `from` replaced by the equally long `to`, which prost's strings could not hold.
fn with_raw(request: &TracesData, from: &str, to: &[u8]) -> Bytes {
    let mut bytes = request.encode_to_vec();
    assert_eq!(from.len(), to.len());
    let at: Vec<usize> =
        (0..=bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from.as_bytes())).collect();
    assert!(!at.is_empty());
    for at in at {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes.into()
}

#[test]
fn texts_that_are_not_utf8_are_repaired_and_counted() {
    let mut bad = span(1);
    bad.name = "BADTEXT".into();
    bad.attributes = vec![attribute("BADTEXT", 3)];
    bad.attributes.push(attribute("list", 0));
    let list = AnyValue { value: Some(Value::StringValue("BADTEXT".into())) };
    let list = opentelemetry_proto::tonic::common::v1::ArrayValue { values: vec![list.clone(), list] };
    bad.attributes[1].value = Some(AnyValue { value: Some(Value::ArrayValue(list)) });
    let data = request(vec![span(2), bad]);
    let admitted =
        admit(Signal::Traces, with_raw(&data, "BADTEXT", b"a\xff\xe9\xa0b\x80c"), &Limits::default())
            .unwrap();
    assert_eq!(admitted.repaired_texts, 4);
    assert_eq!((admitted.items, &admitted.rejected), (2, &None));
    let repaired = "a\u{fffd}\u{fffd}b\u{fffd}c";
    let text = format!("{:?}", each_span(&admitted.bytes)[1]);
    assert_eq!(text, format!("{:?}", each_span(&bytes(&data))[1]).replace("BADTEXT", repaired));
    assert_eq!(each_span(&admitted.bytes)[0], span(2));
}

#[test]
fn binary_values_are_no_texts() {
    let mut span = span(1);
    span.attributes = vec![attribute("b", 0)];
    span.attributes[0].value = Some(AnyValue { value: Some(Value::BytesValue(vec![0xff, 0xfe])) });
    assert_eq!(take(&request(vec![span])).repaired_texts, 0);
}

#[test]
fn what_occurs_twice_is_merged_as_protobuf_merges_it() {
    let mut one = request(vec![span(1)]).resource_spans.remove(0);
    one.resource = Some(Resource { attributes: vec![attribute("a", 1)], ..Resource::default() });
    let mut two = one.clone();
    two.resource.as_mut().unwrap().attributes = vec![attribute("b", 2)];
    two.scope_spans.clear();
    // two ResourceSpans bodies in one field
    let body = [one.encode_to_vec(), two.encode_to_vec()].concat();
    let mut twice = vec![0x0a, u8::try_from(body.len()).unwrap()];
    twice.extend_from_slice(&body);
    let admitted = admit(Signal::Traces, twice.clone().into(), &Limits::default()).unwrap();
    assert_ne!(admitted.bytes, twice);
    let mut merged = one;
    merged.resource.as_mut().unwrap().attributes = vec![attribute("a", 1), attribute("b", 2)];
    assert_eq!(TracesData::decode(&*twice).unwrap().resource_spans, std::slice::from_ref(&merged));
    assert_eq!(TracesData::decode(&*admitted.bytes).unwrap().resource_spans, [merged]);
}

#[test]
fn nothing_is_a_good_request() {
    for signal in crate::model::SIGNALS {
        let admitted = admit(signal, Bytes::new(), &Limits::default()).unwrap();
        assert_eq!((admitted.items, admitted.rejected), (0, None));
    }
}

#[test]
fn rejections_of_two_stages_add_up() {
    let one = |first: &str| Some(Rejected { items: 2, first: first.to_owned() });
    assert_eq!(Rejected::join(None, None), None);
    assert_eq!(Rejected::join(None, one("b")), one("b"));
    let both = Rejected::join(one("a"), one("b")).unwrap();
    assert_eq!((both.items, both.to_string()), (4, "a; 3 more spans were rejected".to_owned()));
}
