//! What is merged and removed when.

use std::time::Duration;

use runtime_engine::{Engine, Error, Job, ObjectId, ObjectMeta, Offset, PartMeta, Policy, Stop, Time};
use trace_segments::Traces;

use crate::head::{plain_span, record_of};
use crate::memory::Store;

const DAY: u64 = 86_400_000_000_000;

fn object(id: u128, level: u8, bytes: u64, day: u64) -> ObjectMeta {
    ObjectMeta {
        id: ObjectId(id),
        parts: vec![PartMeta { name: "spans".into(), id: ObjectId(id), len_bytes: bytes }],
        level,
        time_max: Time(day * DAY),
        write_time: Time(day * DAY),
        log_first: Offset(u64::try_from(id).unwrap()),
        ..ObjectMeta::default()
    }
}

fn policy() -> Policy {
    Policy { retention: None, retention_bytes: None, merge_fan_in: 3, object_bytes_max: 100 }
}

fn plan(live: &[ObjectMeta], policy: &Policy) -> Option<Job> {
    Traces.plan(live, &[], policy, Time(100 * DAY))
}

fn merge(ids: &[u128], level: u8) -> Option<Job> {
    Some(Job::Merge { inputs: ids.iter().map(|id| ObjectId(*id)).collect(), level })
}

#[test]
fn a_level_is_merged_oldest_first_when_it_has_as_many_objects_as_the_fan_in() {
    let live: Vec<_> = (1..=2).map(|id| object(id, 0, 10, 1)).collect();
    assert_eq!(plan(&live, &policy()), None);
    let live: Vec<_> = (1..=4).rev().map(|id| object(id, 0, 10, 1)).collect();
    assert_eq!(plan(&live, &policy()), merge(&[1, 2, 3], 1));
}

#[test]
fn the_lowest_level_goes_first_and_levels_do_not_mix() {
    let live = [
        object(1, 1, 10, 1),
        object(2, 1, 10, 1),
        object(3, 1, 10, 1),
        object(4, 0, 10, 1),
        object(5, 0, 10, 1),
        object(6, 0, 10, 1),
    ];
    assert_eq!(plan(&live, &policy()), merge(&[4, 5, 6], 1));
    assert_eq!(plan(&live[..5], &policy()), merge(&[1, 2, 3], 2));
}

#[test]
fn nothing_grows_past_the_largest_size() {
    let large: Vec<_> = (1..=5).map(|id| object(id, 2, 60, 1)).collect();
    assert_eq!(plan(&large, &policy()), None);
    let mixed = [object(1, 2, 60, 1), object(2, 2, 30, 1), object(3, 2, 30, 1), object(4, 2, 30, 1)];
    assert_eq!(plan(&mixed, &policy()), merge(&[2, 3, 4], 3));
    let halves = [object(1, 2, 45, 1), object(2, 2, 45, 1), object(3, 2, 45, 1)];
    assert_eq!(plan(&halves, &policy()), merge(&[1, 2], 3));
    assert_eq!(plan(&halves[..2], &policy()), None);
}

#[test]
fn retention_removes_what_is_too_old_or_too_much_oldest_first() {
    let live = [object(1, 0, 10, 98), object(2, 0, 10, 90), object(3, 0, 10, 99)];
    let expire = |ids: &[u128]| Some(Job::Expire { inputs: ids.iter().map(|id| ObjectId(*id)).collect() });
    let age = Policy { retention: Some(Duration::from_secs(86_400 * 5)), ..policy() };
    assert_eq!(plan(&live, &age), expire(&[2]));
    let bytes = Policy { retention_bytes: Some(15), ..policy() };
    assert_eq!(plan(&live, &bytes), expire(&[1, 2]));
    // a span from the future does not keep an object for ever
    let future = ObjectMeta { time_max: Time(u64::MAX), ..object(4, 0, 10, 1) };
    assert_eq!(plan(&[future], &age), expire(&[4]));
}

#[test]
fn a_merge_that_is_asked_to_stop_adds_nothing() {
    let mut store = Store::new();
    for _ in 0..2 {
        let mut spans = Vec::new();
        for n in 0..250_u8 {
            spans.extend((0..40_u8).map(|i| {
                let mut span = plain_span(n);
                span.span_id[0] = i;
                span
            }));
        }
        store.put(&prost::Message::decode(record_of(spans)).unwrap());
        store.flush();
    }
    let stop = Stop::default();
    stop.stop();
    let job = Job::Merge { inputs: store.metas.iter().map(|m| m.id).collect(), level: 1 };
    let stopped = Traces.run(&job, &store.objects(), &mut store.sink, &stop);
    assert!(matches!(stopped, Err(Error::Stopped)));
    assert!(store.sink.added.is_empty());
}
