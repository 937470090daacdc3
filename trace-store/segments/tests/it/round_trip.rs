//! What was put is what comes back, to the bit.

use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::{Span, TracesData};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

use crate::data::{Row, key_value, rows, rows_of, trace_id, traces};
use crate::head::{plain_span, record_of};
use crate::memory::{Store, get};

/// Checks every trace; `exact` when duplicates must have stayed, else they may have been dropped.
pub(crate) fn assert_all_there(store: &Store, put: &[TracesData], exact: bool) {
    let expected = rows(put);
    let snap = store.snapshot();
    for n in 0..7 {
        let mut wanted = rows_of(&expected, trace_id(n));
        let mut found: Vec<Row> = rows(&get(&snap, trace_id(n)).unwrap());
        if !exact {
            wanted.dedup();
            found.dedup();
        }
        assert_eq!(found, wanted, "trace {n}");
    }
}

#[test]
fn more_attributes_than_columns_long_keys_and_repeated_keys_come_back_in_order() {
    let int = |n: i64| Some(AnyValue { value: Some(Value::IntValue(n)) });
    let mut attributes: Vec<_> = (0..100).rev().map(|n| key_value(format!("key{n}"), int(n))).collect();
    attributes.push(key_value("long ".repeat(200), int(1)));
    attributes.extend([key_value("key7".into(), int(8)), key_value("key7".into(), int(7))]);
    let span = |n: u8| {
        let mut attributes = attributes.clone();
        attributes.rotate_left(usize::from(n));
        Span { attributes, ..plain_span(n) }
    };
    let batch = TracesData::decode(record_of((1..6).map(span).collect())).unwrap();
    let mut store = Store::new();
    store.put(&batch);
    store.flush();
    assert_all_there(&store, std::slice::from_ref(&batch), true);
    store.merge_all();
    assert_all_there(&store, &[batch], true);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_trace_comes_back_from_head_and_segment_as_it_was_put(batches in vec(traces(), 1..5)) {
        let mut store = Store::new();
        for batch in &batches {
            store.put(batch);
        }
        assert_all_there(&store, &batches, true);
        store.flush();
        assert_all_there(&store, &batches, false);
    }

    #[test]
    fn a_trace_over_several_segments_and_heads_comes_back_whole(batches in vec(traces(), 3..7)) {
        let mut store = Store::new();
        for (i, batch) in batches.iter().enumerate() {
            store.put(batch);
            match i % 3 {
                0 => store.flush(),
                1 => store.seal(),
                _ => {}
            }
        }
        assert_all_there(&store, &batches, false);
    }

    #[test]
    fn merged_segments_hold_what_their_inputs_held_and_duplicates_once(batches in vec(traces(), 2..5)) {
        let mut store = Store::new();
        for batch in &batches {
            store.put(batch);
            store.flush();
        }
        // the client did not hear the answer and sent everything again
        for batch in &batches {
            store.put(batch);
        }
        store.flush();
        store.merge_all();
        assert!(store.metas.len() <= 1);
        assert_all_there(&store, &batches, false);
        let mut distinct = rows(&batches);
        distinct.dedup();
        let found: Vec<Row> = (0..7).flat_map(|n| rows(&get(&store.snapshot(), trace_id(n)).unwrap())).collect();
        assert_eq!(found.len(), distinct.len());
        let counted: u64 = store.metas.iter().map(|meta| meta.rows).sum();
        assert_eq!(counted, distinct.len() as u64);
    }
}
