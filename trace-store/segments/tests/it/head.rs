//! The head: bounded, consistent, and deaf to records that make no sense.

use bytes::Bytes;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};
use prost::Message;
use runtime_engine::{Applied, Engine, Error, Offset, Record, Time};
use trace_segments::{Head, Traces};

use crate::data::trace_id;

pub(crate) fn record_of(spans: Vec<Span>) -> Bytes {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    TracesData { resource_spans }.encode_to_vec().into()
}

pub(crate) fn plain_span(n: u8) -> Span {
    Span { trace_id: trace_id(n).to_vec(), span_id: vec![n; 8], name: "op".into(), ..Span::default() }
}

fn apply(head: &mut Head, encoding: u8, payload: &Bytes) -> Result<Applied, Error> {
    Traces.apply(head, Offset(0), Record { time: Time(0), tenant: "default", encoding, payload })
}

#[test]
fn a_full_head_takes_nothing_more_but_an_empty_one_takes_any_record() {
    let payload = record_of((1..100).map(plain_span).collect());
    let mut head = Traces.head(&[], None, 10).unwrap();
    let Applied::Taken { head_bytes } = apply(&mut head, 1, &payload).unwrap() else { panic!("not taken") };
    assert!(head_bytes > payload.len() as u64 + 99 * 56);
    assert_eq!(apply(&mut head, 1, &payload).unwrap(), Applied::Full);
    assert_eq!(Traces.view(&head).spans(), 99);
}

#[test]
fn a_record_that_makes_no_sense_is_corrupt_and_leaves_the_head_as_it_was() {
    let mut head = Traces.head(&[], None, u64::MAX).unwrap();
    let good = record_of(vec![plain_span(1)]);
    apply(&mut head, 1, &good).unwrap();
    let short_id = record_of(vec![plain_span(2), Span { span_id: vec![1; 7], ..plain_span(3) }]);
    let torn = good.slice(..good.len() - 1);
    for (encoding, payload) in [(7, &good), (1, &short_id), (1, &torn), (1, &Bytes::from_static(&[0xff; 9]))]
    {
        assert!(matches!(apply(&mut head, encoding, payload), Err(Error::Corrupt { .. })));
    }
    assert_eq!(Traces.view(&head).spans(), 1);
}

#[test]
fn a_view_shows_what_was_there_when_it_was_taken() {
    let mut head = Traces.head(&[], None, u64::MAX).unwrap();
    let mut views = Vec::new();
    for n in 0..200 {
        views.push(Traces.view(&head));
        apply(&mut head, 1, &record_of(vec![plain_span(n)])).unwrap();
    }
    for (spans, view) in views.iter().enumerate() {
        assert_eq!(view.spans(), spans);
    }
}
