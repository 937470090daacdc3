//! Views see what prost sees.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, TracesData};
use proptest::prelude::{ProptestConfig, proptest};
use prost::Message;
use shared_proto::otlp::view::{AnyValueView, Attributes, SpanView, TracesView};

use crate::model::bytes;
use crate::requests::traces;

fn value(view: &AnyValueView<'_>, expect: &AnyValue) {
    match (&expect.value, view) {
        (None | Some(Value::StringValueStrindex(_)), AnyValueView::None) => {}
        (Some(Value::StringValue(a)), AnyValueView::Str(b)) => assert_eq!(a, b),
        (Some(Value::BoolValue(a)), AnyValueView::Bool(b)) => assert_eq!(a, b),
        (Some(Value::IntValue(a)), AnyValueView::Int(b)) => assert_eq!(a, b),
        (Some(Value::DoubleValue(a)), AnyValueView::Double(b)) => assert_eq!(a.to_bits(), b.to_bits()),
        (Some(Value::BytesValue(a)), AnyValueView::Bytes(b)) => assert_eq!(a, b),
        (Some(Value::ArrayValue(a)), AnyValueView::Array(_)) => {
            assert_eq!(view.elements().count(), a.values.len());
            view.elements().zip(&a.values).for_each(|(view, expect)| value(&view.unwrap(), expect));
        }
        (Some(Value::KvlistValue(a)), AnyValueView::Map(_)) => attributes(view.entries(), &a.values),
        (expect, view) => panic!("{expect:?} is seen as {view:?}"),
    }
}

fn attributes(views: Attributes<'_>, expect: &[KeyValue]) {
    assert_eq!(views.count(), expect.len());
    for (view, expect) in views.zip(expect) {
        let view = view.unwrap();
        assert_eq!(view.key, expect.key);
        assert_eq!(view.value_bytes.map(<[u8]>::to_vec), expect.value.as_ref().map(Message::encode_to_vec));
        value(&view.value, expect.value.as_ref().unwrap_or(&AnyValue::default()));
    }
}

fn span(view: &SpanView<'_>, expect: &Span) {
    let found = Span {
        trace_id: view.trace_id.to_vec(),
        span_id: view.span_id.to_vec(),
        parent_span_id: view.parent_span_id.to_vec(),
        trace_state: view.trace_state.to_owned(),
        flags: view.flags,
        name: view.name.to_owned(),
        kind: view.kind,
        start_time_unix_nano: view.start_unix_nano,
        end_time_unix_nano: view.end_unix_nano,
        dropped_attributes_count: view.dropped_attributes_count,
        dropped_events_count: view.dropped_events_count,
        dropped_links_count: view.dropped_links_count,
        attributes: expect.attributes.clone(),
        events: expect.events.clone(),
        links: expect.links.clone(),
        status: expect.status.clone(),
    };
    assert_eq!(&found, expect);
    assert_eq!(view.bytes(), expect.encode_to_vec());
    let status = view.status().unwrap().map(|status| (status.code, status.message));
    assert_eq!(status, expect.status.as_ref().map(|status| (status.code, status.message.as_str())));
    attributes(view.attributes(), &expect.attributes);
    assert_eq!(view.events().count(), expect.events.len());
    for (view, expect) in view.events().zip(&expect.events) {
        let view = view.unwrap();
        let found = Event {
            time_unix_nano: view.time_unix_nano,
            name: view.name.to_owned(),
            dropped_attributes_count: view.dropped_attributes_count,
            attributes: expect.attributes.clone(),
        };
        assert_eq!(&found, expect);
        attributes(view.attributes(), &expect.attributes);
    }
    assert_eq!(view.links().count(), expect.links.len());
    for (view, expect) in view.links().zip(&expect.links) {
        let view = view.unwrap();
        let found = Link {
            trace_id: view.trace_id.to_vec(),
            span_id: view.span_id.to_vec(),
            trace_state: view.trace_state.to_owned(),
            dropped_attributes_count: view.dropped_attributes_count,
            flags: view.flags,
            attributes: expect.attributes.clone(),
        };
        assert_eq!(&found, expect);
        attributes(view.attributes(), &expect.attributes);
    }
}

fn request(bytes: &[u8], expect: &TracesData) {
    let views = TracesView::new(bytes);
    assert_eq!(views.resource_spans().count(), expect.resource_spans.len());
    for (view, expect) in views.into_iter().zip(&expect.resource_spans) {
        let view = view.unwrap();
        assert_eq!(view.schema_url(), expect.schema_url);
        let resource = view.resource().unwrap();
        assert_eq!(
            resource.map(|resource| resource.bytes().to_vec()),
            expect.resource.as_ref().map(Message::encode_to_vec)
        );
        if let (Some(view), Some(expect)) = (resource, &expect.resource) {
            assert_eq!(view.dropped_attributes_count, expect.dropped_attributes_count);
            attributes(view.attributes(), &expect.attributes);
        }
        assert_eq!(view.scopes().count(), expect.scope_spans.len());
        for (view, expect) in view.scopes().zip(&expect.scope_spans) {
            let view = view.unwrap();
            assert_eq!(view.schema_url(), expect.schema_url);
            let scope = view.scope().unwrap();
            assert_eq!(scope.is_some(), expect.scope.is_some());
            if let (Some(view), Some(expect)) = (scope, &expect.scope) {
                assert_eq!((view.name, view.version), (expect.name.as_str(), expect.version.as_str()));
                assert_eq!(view.dropped_attributes_count, expect.dropped_attributes_count);
                attributes(view.attributes(), &expect.attributes);
            }
            assert_eq!(view.spans().count(), expect.spans.len());
            view.spans().zip(&expect.spans).for_each(|(view, expect)| span(&view.unwrap(), expect));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn views_see_every_field_that_prost_sees(data in traces()) {
        request(&bytes(&data), &data);
    }
}
