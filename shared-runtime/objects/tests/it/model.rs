//! Both media against a map, and reads against slices.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use runtime_engine::ObjectId;
use runtime_files::sim::SimFiles;
use runtime_objects::{
    MemoryObjects, MemoryRoots, Objects, Root, RootError, Roots, StorePartition, SwapOutcome,
};

use crate::media::{bytes, objects, partition, read, root, roots};

#[derive(Debug, Clone)]
enum Step {
    Create { partition: u32, epoch: u64, len: usize, finish: bool },
    Delete(usize),
    Clear(usize),
    DeleteAll { partition: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..2u32, 0..3u64, 0..200_000usize, any::<bool>())
            .prop_map(|(partition, epoch, len, finish)| Step::Create { partition, epoch, len, finish }),
        2 => (0..20usize).prop_map(Step::Delete),
        2 => (0..20usize).prop_map(Step::Clear),
        1 => (0..2u32).prop_map(|partition| Step::DeleteAll { partition }),
    ]
}

/// `keeps_dropped`: whether a writer that is dropped leaves something.
fn follow_model(medium: &dyn Objects, keeps_dropped: bool, steps: &[Step]) {
    let of = |partition| StorePartition::new("metrics", partition);
    let mut stored: BTreeMap<(u32, ObjectId), Option<Vec<u8>>> = BTreeMap::new();
    let mut pending: BTreeMap<(u32, ObjectId), u64> = BTreeMap::new();
    let mut all = Vec::new();
    for (n, step) in steps.iter().enumerate() {
        match *step {
            Step::Create { partition, epoch, len, finish } => {
                let content = bytes(n as u64, len);
                let mut object = medium.create(&of(partition), epoch, "parquet").unwrap();
                let key = (partition, object.id());
                all.push(key);
                object.write_all(&content).unwrap();
                if finish {
                    assert_eq!(object.finish().unwrap(), len as u64);
                    stored.insert(key, Some(content));
                } else if keeps_dropped && len > 0 {
                    stored.insert(key, None);
                }
                if finish || keeps_dropped {
                    pending.insert(key, epoch);
                }
            }
            Step::Delete(n) => {
                let Some((partition, id)) = all.get(n) else { continue };
                medium.delete(&of(*partition), *id).unwrap();
                stored.remove(&(*partition, *id));
            }
            Step::Clear(n) => {
                let Some((partition, id)) = all.get(n) else { continue };
                medium.clear_pending(&of(*partition), &[*id, ObjectId(1)]).unwrap();
                pending.remove(&(*partition, *id));
            }
            Step::DeleteAll { partition } => {
                let ids: Vec<_> = all.iter().filter(|k| k.0 == partition).map(|k| k.1).collect();
                medium.delete_all(&of(partition), &ids).unwrap();
                stored.retain(|k, _| k.0 != partition);
            }
        }
    }
    for partition in 0..3 {
        let mine: Vec<_> = stored.iter().filter(|(k, _)| k.0 == partition).collect();
        let listed = medium.list(&of(partition)).unwrap();
        let listed: Vec<_> = listed.iter().map(|o| (o.id, o.finished)).collect();
        assert_eq!(listed, mine.iter().map(|(k, c)| (k.1, c.is_some())).collect::<Vec<_>>());
        for (key, content) in mine {
            assert_eq!(read(medium, &of(partition), key.1).ok(), *content);
        }
        let mut expected: Vec<_> =
            pending.iter().filter(|(k, _)| k.0 == partition).map(|(k, e)| (*e, k.1)).collect();
        expected.sort_unstable();
        assert_eq!(medium.pending(&of(partition)).unwrap(), expected);
    }
}

/// Swaps as (expected version back from the current one, expected writer, new writer).
fn follow_register(medium: &dyn Roots, swaps: &[(u64, u128, u128)]) {
    let of = partition();
    let mut current: Option<Root> = None;
    for (back, expected_writer, writer) in swaps {
        let now = current.unwrap_or_default();
        let version = now.version.saturating_sub(*back);
        let expect = (version > 0).then_some((version, *expected_writer));
        let new = root(version + 1, *writer, Some(ObjectId(*writer)));
        let outcome = medium.swap(&of, expect, &new).unwrap();
        if current == Some(new) {
            assert_eq!(outcome, SwapOutcome::Applied, "issued again");
        } else if current.map(|r| r.expectation()) == expect {
            assert_eq!(outcome, SwapOutcome::Applied);
            current = Some(new);
        } else {
            assert_eq!(outcome, SwapOutcome::Refused(current));
        }
        assert_eq!(medium.load(&of).unwrap(), current);
    }
    assert_eq!(medium.load(&StorePartition::new("traces", 4)).unwrap(), None);
}

fn ranges(len: u64) -> impl Strategy<Value = Vec<Range<u64>>> {
    vec((0..=len, 0..=len).prop_map(|(a, b)| a.min(b)..a.max(b)), 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn local_objects_follow_the_model(steps in vec(step(), 0..20)) {
        follow_model(&objects(&SimFiles::new(1), 1), false, &steps);
    }

    #[test]
    fn memory_objects_follow_the_model(steps in vec(step(), 0..20)) {
        follow_model(&MemoryObjects::new(1), true, &steps);
    }

    #[test]
    fn local_roots_follow_the_model(swaps in vec((0..3u64, 1..3u128, 1..3u128), 0..30)) {
        follow_register(&roots(&SimFiles::new(1)), &swaps);
    }

    #[test]
    fn memory_roots_follow_the_model(swaps in vec((0..3u64, 1..3u128, 1..3u128), 0..30)) {
        follow_register(&MemoryRoots::new(1), &swaps);
    }

    #[test]
    fn any_ranges_of_any_writes_are_what_was_written(
        (len, asked) in (0..700_000usize).prop_flat_map(|len| (Just(len), ranges(len as u64))),
        steps in vec(1..300_000usize, 1..8),
    ) {
        let local = objects(&SimFiles::new(1), 1);
        let memory = MemoryObjects::new(1);
        let content = bytes(len as u64, len);
        for medium in [&local as &dyn Objects, &memory] {
            let mut object = medium.create(&partition(), 1, "parquet").unwrap();
            let (mut rest, mut sizes) = (&content[..], steps.iter().cycle());
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
                object.write_all(now).unwrap();
                rest = later;
            }
            let id = object.id();
            object.finish().unwrap();
            let reader = medium.open(&partition(), id).unwrap();
            prop_assert_eq!(reader.len_bytes(), len as u64);
            let got = reader.read_ranges(&asked).unwrap();
            prop_assert_eq!(got.len(), asked.len());
            for (got, asked) in got.iter().zip(&asked) {
                let (start, end) = (usize::try_from(asked.start).unwrap(), usize::try_from(asked.end).unwrap());
                prop_assert!(got[..] == content[start..end]);
            }
            let beyond = reader.read_ranges(&[0..len as u64 + 1]).unwrap_err();
            prop_assert_eq!(beyond.kind(), std::io::ErrorKind::UnexpectedEof);
        }
    }
}

#[test]
fn names_that_could_leave_the_directory_are_refused() {
    let files = SimFiles::new(1);
    let media: [Box<dyn Objects>; 2] = [Box::new(objects(&files, 1)), Box::new(MemoryObjects::new(1))];
    for medium in &media {
        for bad in ["..", "a/b", "", "/etc", "Traces"] {
            let of = StorePartition::new(bad, 0);
            let text = medium.create(&of, 1, "parquet").err().unwrap().to_string();
            assert!(text.starts_with(&format!("store name {bad:?} is not valid: 1 to 64 of ")), "{text}");
            assert!(medium.delete(&of, ObjectId(1)).is_err() && medium.pending(&of).is_err());
            assert!(medium.create(&partition(), 1, bad).is_err());
        }
    }
    let roots: [Box<dyn Roots>; 2] = [Box::new(roots(&files)), Box::new(MemoryRoots::new(1))];
    for medium in &roots {
        let refused = medium.load(&StorePartition::new("../traces", 0)).unwrap_err();
        assert!(matches!(refused, RootError::Name { .. }), "{refused}");
    }
}

#[test]
fn a_version_never_goes_back() {
    for medium in [&MemoryRoots::new(1) as &dyn Roots, &roots(&SimFiles::new(1))] {
        medium.swap(&partition(), None, &root(5, 1, None)).unwrap();
        let refused = medium.swap(&partition(), Some((5, 1)), &root(5, 2, None)).unwrap_err();
        assert_eq!(refused.to_string(), "swap of traces/3 from version 5 to 5: a version must grow");
    }
}
