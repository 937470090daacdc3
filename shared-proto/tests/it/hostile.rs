//! Requests made to hurt: deep, huge, endless.

use bytes::Bytes;
use shared_proto::otlp::{Limits, Signal, admit, count, json, split_traces};

/// `value` wrapped `depth` times in fields of these numbers, innermost first, round and round.
fn nested(numbers: &[u8], depth: usize, value: &[u8]) -> Vec<u8> {
    // written backwards, so that 100,000 levels cost no quadratic copying
    let mut reversed: Vec<u8> = value.iter().rev().copied().collect();
    for level in 0..depth {
        let mut head = vec![numbers[level % numbers.len()] << 3 | 2];
        let mut len = reversed.len();
        while len >= 0x80 {
            head.push(u8::try_from(len & 0x7f).unwrap() | 0x80);
            len >>= 7;
        }
        head.push(u8::try_from(len).unwrap());
        reversed.extend(head.iter().rev());
    }
    reversed.reverse();
    reversed
}

/// A span in order whose only attribute is an array in an array in an array, so many messages deep altogether.
fn deep_traces(depth: usize) -> Bytes {
    // below the request: ResourceSpans, ScopeSpans, Span, KeyValue, AnyValue, then ArrayValue and AnyValue in turn
    let from_inside: [u8; 2] = if depth % 2 == 1 { [1, 5] } else { [5, 1] };
    let value = nested(&from_inside, depth - 5, b"");
    let mut span = [&[0x0a, 16][..], &[1; 16], &[0x12, 8], &[1; 8]].concat();
    span.extend(nested(&[2, 9], 2, &value));
    nested(&[2, 2, 1], 3, &span).into()
}

#[test]
fn values_may_nest_to_the_limit_and_no_deeper() {
    for signal_depth in [6, 7, 50, 99, 100] {
        let admitted = admit(Signal::Traces, deep_traces(signal_depth), &Limits::default()).unwrap();
        assert_eq!((admitted.items, admitted.rejected), (1, None));
    }
    for depth in [101, 102, 1000, 100_000] {
        let request = deep_traces(depth);
        let error = admit(Signal::Traces, request.clone(), &Limits::default()).unwrap_err();
        assert_eq!(error.what, "messages nest too deeply", "{depth}");
        // neither needs to look that deep
        assert_eq!(count(Signal::Traces, &request), Ok(1));
        assert_eq!(split_traces(&request, 4, 1 << 24).unwrap().parts.len(), 1);
    }
    let mut out = Vec::new();
    assert!(json::encode_traces(&deep_traces(100_000), &mut out).is_err());
}

#[test]
fn depth_is_counted_as_prost_counts_it() {
    use crate::model::prost_takes;
    for depth in 95..105 {
        let request = deep_traces(depth);
        let ours = admit(Signal::Traces, request.clone(), &Limits::default()).is_ok();
        assert_eq!(ours, prost_takes(Signal::Traces, &request), "{depth}");
    }
}

#[test]
fn unknown_groups_are_skipped_without_a_stack() {
    let group = |depth: usize| {
        let open = [0xa3, 0x06].repeat(depth); // field 100, start of a group
        [open, [0xa4, 0x06].repeat(depth)].concat()
    };
    for signal in crate::model::SIGNALS {
        assert_eq!(admit(signal, group(3).into(), &Limits::default()).unwrap().items, 0);
        let error = admit(signal, group(100_000).into(), &Limits::default()).unwrap_err();
        assert_eq!(error.what, "groups nest too deeply, deeper than");
    }
    let crossed = Bytes::from_static(&[0x0b, 0x13, 0x0c, 0x14]);
    assert!(admit(Signal::Traces, crossed, &Limits::default()).is_err());
    let unknown_crossed = Bytes::from_static(&[0xa3, 0x06, 0x9c, 0x06]);
    assert!(admit(Signal::Traces, unknown_crossed, &Limits::default()).is_err());
}

#[test]
fn json_nested_100k_deep_is_refused_by_its_place() {
    let rows = [
        ("[".repeat(100_000), "expected an object, found an array"),
        ("{\"x\":".repeat(100_000), "values nest deeper than 512"),
        (format!("{{\"x\":{}", "[".repeat(100_000)), "values nest deeper than 512"),
        (
            format!(
                "{{\"resourceSpans\":[{{\"resource\":{{\"attributes\":[{{\"value\":{}",
                "{\"arrayValue\":{\"values\":[".repeat(100_000)
            ),
            "messages nest too deeply",
        ),
    ];
    for (body, expect) in rows {
        let error = json::decode(Signal::Traces, body.as_bytes()).unwrap_err();
        assert!(error.what.starts_with(expect), "{}", error.what);
        assert!(error.to_string().len() < 10_000, "the path is bounded by the nesting");
    }
}

#[test]
fn huge_lengths_allocate_nothing() {
    for len in
        [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]]
    {
        let request: Bytes = [&[0x0a][..], len, b"abc"].concat().into();
        let error = admit(Signal::Traces, request.clone(), &Limits::default()).unwrap_err();
        assert_eq!(error.what, "a length reaches beyond the end of its message");
        assert_eq!(error.at_byte, 1);
        assert!(split_traces(&request, 4, 1 << 20).is_err());
    }
}

#[test]
fn a_varint_over_64_bits_is_malformed() {
    let request =
        Bytes::from_static(&[0xa0, 0x06, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]);
    let error = admit(Signal::Traces, request, &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "malformed OTLP traces at byte 2: a varint is longer than 64 bits");
}

#[test]
fn a_million_empty_spans_are_counted_and_rejected() {
    let spans = [0x12, 0x00].repeat(1 << 20);
    let request: Bytes = nested(&[2, 1], 2, &spans).into();
    let admitted = admit(Signal::Traces, request, &Limits::default()).unwrap();
    assert_eq!(admitted.items, 0);
    assert_eq!(admitted.rejected.unwrap().items, 1 << 20);
    assert!(admitted.bytes.is_empty());
}
