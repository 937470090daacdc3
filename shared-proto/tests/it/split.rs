//! Splitting: every span once, unchanged, in its partition, within the record limit.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};
use shared_proto::hash::partition_of;
use shared_proto::otlp::{Signal, count, merge, split_traces};

use crate::model::{bytes, each_span, spans_of};
use crate::requests::traces;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_span_lands_unchanged_in_its_partition(request in traces(), partitions in 1u32..9) {
        let request = bytes(&request);
        let split = split_traces(&request, partitions, 1 << 20).unwrap();
        prop_assert_eq!(split.rejected, None);
        for part in &split.parts {
            let spans = each_span(&part.payload);
            prop_assert_eq!(spans.len() as u64, part.spans);
            prop_assert!(part.spans > 0);
            for span in spans {
                prop_assert_eq!(partition_of(&span.trace_id, partitions), part.partition);
            }
        }
        let order: Vec<u32> = split.parts.iter().map(|part| part.partition).collect();
        prop_assert!(order.is_sorted_by(|a, b| a < b), "one part per partition, in order: {:?}", order);
        let payloads: Vec<Bytes> = split.parts.into_iter().map(|part| part.payload).collect();
        prop_assert_eq!(spans_of(&merge(&payloads)), spans_of(&request));
    }

    #[test]
    fn no_part_exceeds_the_record_limit_and_no_span_is_lost(request in traces(), limit in 60usize..900) {
        let request = bytes(&request);
        let split = split_traces(&request, 3, limit).unwrap();
        for part in &split.parts {
            prop_assert!(part.payload.len() <= limit, "{} over {}", part.payload.len(), limit);
        }
        let kept: u64 = split.parts.iter().map(|part| part.spans).sum();
        let rejected = split.rejected.as_ref().map_or(0, |rejected| rejected.items);
        prop_assert_eq!(kept + rejected, count(Signal::Traces, &request).unwrap());
        if let Some(rejected) = split.rejected {
            let span = format!("bytes with its resource and scope, a log record holds {limit}");
            let owners = format!("bytes long, the limit is {}", limit / 2);
            let known = rejected.first.ends_with(&span) || rejected.first.ends_with(&owners);
            prop_assert!(known, "{}", rejected.first);
        }
        let payloads: Vec<Bytes> = split.parts.into_iter().map(|part| part.payload).collect();
        let kept_spans = spans_of(&merge(&payloads));
        let mut all = spans_of(&request);
        all.retain(|span| kept_spans.binary_search(span).is_ok());
        prop_assert!(kept_spans.len() <= all.len(), "nothing is invented");
    }

    #[test]
    fn merging_is_concatenation(requests in vec(traces(), 0..4)) {
        let parts: Vec<Bytes> = requests.iter().map(bytes).collect();
        let mut expect: Vec<_> = parts.iter().flat_map(|part| spans_of(part)).collect();
        expect.sort();
        prop_assert_eq!(spans_of(&merge(&parts)), expect);
    }
}

/// A message field with fields the protocol does not know around it.
fn field(number: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2, u8::try_from(body.len()).unwrap()];
    out.extend_from_slice(body);
    out
}

fn span(trace: u8) -> Vec<u8> {
    [field(1, &[trace; 16]), field(2, &[trace; 8]), field(14 + 1, b"")].concat()
}

#[test]
fn unknown_fields_of_owners_and_spans_are_repeated_with_them() {
    let unknown = [0xba, 0x3e, 0x02, b'h', b'i']; // field 999, length-delimited
    let resource = field(1, &[field(1, &field(1, b"k")), unknown.to_vec()].concat());
    let scope = [
        field(1, &[field(1, b"lib"), unknown.to_vec()].concat()),
        field(2, &[span(1), unknown.to_vec()].concat()),
        unknown.to_vec(),
        field(2, &span(2)),
        field(3, b"scope-url"),
    ]
    .concat();
    let whole = [resource.clone(), field(2, &scope), unknown.to_vec(), field(3, b"url")].concat();
    let request: Bytes = field(1, &whole).into();
    let split = split_traces(&request, 64, 1 << 20).unwrap();
    assert_eq!(split.parts.len(), 2);
    for part in &split.parts {
        let trace = each_span(&part.payload)[0].trace_id[0];
        let unchanged = if trace == 1 { [span(1), unknown.to_vec()].concat() } else { span(2) };
        let scope = [
            field(1, &[field(1, b"lib"), unknown.to_vec()].concat()),
            unknown.to_vec(),
            field(3, b"scope-url"),
            field(2, &unchanged),
        ]
        .concat();
        let expect = [resource.clone(), unknown.to_vec(), field(3, b"url"), field(2, &scope)].concat();
        assert_eq!(part.payload, field(1, &expect), "trace {trace}");
    }
}

#[test]
fn a_request_of_one_partition_is_the_same_bytes() {
    let request: Bytes = field(1, &field(2, &[field(2, &span(7)), field(2, &span(7))].concat())).into();
    let split = split_traces(&request, 8, 1 << 20).unwrap();
    assert_eq!(split.parts.len(), 1);
    assert_eq!(split.parts[0].payload.as_ptr(), request.as_ptr());
    assert_eq!(split.parts[0].spans, 2);
}

#[test]
fn spans_without_ids_are_rejected_by_name() {
    let nameless = [field(5, b"GET /")].concat();
    let request: Bytes = field(1, &field(2, &[field(2, &nameless), field(2, &span(7))].concat())).into();
    let split = split_traces(&request, 8, 1 << 20).unwrap();
    assert_eq!(split.parts.len(), 1);
    let rejected = split.rejected.unwrap();
    assert_eq!(rejected.items, 1);
    assert_eq!(rejected.first, "span (none) of trace (none) \"GET /\": trace_id is missing");
}

#[test]
fn nothing_becomes_no_parts() {
    for request in [vec![], field(1, b""), field(1, &field(2, b""))] {
        let split = split_traces(&request.into(), 8, 1 << 20).unwrap();
        assert!(split.parts.is_empty() && split.rejected.is_none());
    }
}

#[test]
fn a_large_resource_does_not_blow_up_the_log() {
    let large = |len: usize| {
        let url = vec![b'u'; len];
        let mut resource =
            vec![3 << 3 | 2, u8::try_from(len & 0x7f).unwrap() | 0x80, u8::try_from(len >> 7).unwrap()];
        resource.extend_from_slice(&url);
        let spans = [0x12, 0x1c].iter().chain(&span(1)[..28]).copied().collect::<Vec<u8>>().repeat(1000);
        let mut scope = vec![0x12, u8::try_from(spans.len() & 0x7f).unwrap() | 0x80];
        scope.extend([
            u8::try_from(spans.len() >> 7 & 0x7f).unwrap() | 0x80,
            u8::try_from(spans.len() >> 14).unwrap(),
        ]);
        let body = [resource, scope, spans].concat();
        let mut request = vec![0x0a, u8::try_from(body.len() & 0x7f).unwrap() | 0x80];
        request.extend([
            u8::try_from(body.len() >> 7 & 0x7f).unwrap() | 0x80,
            u8::try_from(body.len() >> 14).unwrap(),
        ]);
        Bytes::from([request, body].concat())
    };
    let split = split_traces(&large(4000), 4, 8192).unwrap();
    assert_eq!(split.rejected, None);
    let written: usize = split.parts.iter().map(|part| part.payload.len()).sum();
    assert!(written < 2 * 30 * 1000 + 2 * 4000, "{written}");

    let split = split_traces(&large(4200), 4, 8192).unwrap();
    assert!(split.parts.is_empty());
    let rejected = split.rejected.unwrap();
    assert_eq!(rejected.items, 1000);
    assert!(
        rejected.first.ends_with("\"\": its resource and scope are 4203 bytes long, the limit is 4096"),
        "{}",
        rejected.first
    );
}
