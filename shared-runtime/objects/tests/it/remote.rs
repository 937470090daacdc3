//! The media in memory: how they misbehave, and that a seed repeats it.

use runtime_objects::{
    MemoryObjects, MemoryRoots, ObjectFaults, Objects, Root, RootError, RootFaults, Roots, SwapOutcome,
};

use crate::media::{Dice, bytes, partition, read, root, write};

#[test]
fn a_delayed_swap_that_was_issued_again_changes_nothing_when_it_arrives() {
    let (of, roots) = (partition(), MemoryRoots::new(1));
    roots.swap(&of, None, &root(1, 7, None)).unwrap();
    roots.set_faults(RootFaults { delayed_per_mille: 1000, ..RootFaults::default() });
    let (expect, new) = (Some((1, 7)), root(2, 7, None));
    assert!(matches!(roots.swap(&of, expect, &new), Err(RootError::Unknown { .. })));
    assert_eq!((roots.in_flight(), roots.load(&of).unwrap()), (1, Some(root(1, 7, None))));
    roots.set_faults(RootFaults::default());
    assert_eq!(roots.swap(&of, expect, &new).unwrap(), SwapOutcome::Applied);
    assert_eq!(roots.swap(&of, Some((2, 7)), &root(3, 8, None)).unwrap(), SwapOutcome::Applied);
    assert!(roots.deliver_one());
    assert_eq!(roots.load(&of).unwrap(), Some(root(3, 8, None)));
}

#[test]
fn a_delayed_claim_may_win_over_a_writer_that_stands_still() {
    let (of, roots) = (partition(), MemoryRoots::new(1));
    roots.swap(&of, None, &root(1, 7, None)).unwrap();
    roots.set_faults(RootFaults { delayed_per_mille: 1000, ..RootFaults::default() });
    roots.swap(&of, Some((1, 7)), &root(2, 8, None)).unwrap_err();
    roots.set_faults(RootFaults { deliver_per_mille: 1000, ..RootFaults::default() });
    let late = roots.swap(&of, Some((1, 7)), &root(2, 7, None)).unwrap();
    assert_eq!(late, SwapOutcome::Refused(Some(root(2, 8, None))));
}

#[test]
fn lost_swaps_and_lost_answers_are_unknown_outcomes() {
    let of = partition();
    for (faults, seen) in [
        (RootFaults { lost_per_mille: 1000, ..RootFaults::default() }, None),
        (RootFaults { answer_lost_per_mille: 1000, ..RootFaults::default() }, Some(root(1, 7, None))),
    ] {
        let roots = MemoryRoots::new(1);
        roots.set_faults(faults);
        let unknown = roots.swap(&of, None, &root(1, 7, None)).unwrap_err();
        assert!(matches!(unknown, RootError::Unknown { .. }), "{unknown}");
        assert_eq!(roots.load(&of).unwrap(), seen);
    }
}

/// Two writers that only ever re-issue: each version has one winner, and both agree who it was.
#[test]
fn under_all_faults_every_version_is_won_once() {
    let of = partition();
    for seed in 0..300 {
        let roots = MemoryRoots::new(seed);
        let (lost_per_mille, delayed_per_mille) = (200, 200);
        let faults = RootFaults {
            lost_per_mille,
            delayed_per_mille,
            answer_lost_per_mille: 200,
            load_per_mille: 100,
            deliver_per_mille: 300,
        };
        roots.set_faults(faults);
        let mut won: Vec<Root> = Vec::new();
        let mut asked: [Option<(Option<Root>, Root)>; 2] = [None, None];
        let mut dice = Dice(seed);
        for _ in 0..200 {
            let who = dice.below(2);
            let Some((from, new)) = asked[who] else {
                let Ok(from) = roots.load(&of) else { continue };
                let version = from.map_or(1, |r| r.version + 1);
                asked[who] = Some((from, root(version, u128::from(dice.roll()), None)));
                continue;
            };
            match roots.swap(&of, from.map(|r| r.expectation()), &new) {
                Ok(SwapOutcome::Applied) => won.push(new),
                Ok(SwapOutcome::Refused(now)) => assert_ne!(now, from, "seed {seed}"),
                Err(_) => continue,
            }
            asked[who] = None;
        }
        let versions: Vec<u64> = won.iter().map(|r| r.version).collect();
        assert!(versions.windows(2).all(|w| w[0] < w[1]), "seed {seed}: {versions:?}");
        assert!(won.len() > 20, "seed {seed}: {} swaps won", won.len());
    }
}

#[test]
fn replicas_share_objects_and_a_dropped_writer_leaves_its_id_pending() {
    let of = partition();
    let writer = MemoryObjects::new(4);
    let replica = writer.clone();
    let id = write(&writer, &of, 3, &bytes(1, 100_000)).unwrap();
    assert_eq!(read(&replica, &of, id).unwrap(), bytes(1, 100_000));
    let mut object = writer.create(&of, 4, "parquet").unwrap();
    std::io::Write::write_all(&mut object, b"half").unwrap();
    let half = object.id();
    drop(object);
    assert_eq!(replica.pending(&of).unwrap(), [(3, id), (4, half)]);
    let unfinished: Vec<_> = replica.list(&of).unwrap().into_iter().filter(|o| !o.finished).collect();
    assert_eq!((unfinished.len(), unfinished[0].id), (1, half));
    assert!(replica.open(&of, half).is_err());
    assert!(writer.flip_bit(&of, id, 12345));
    assert!(replica.open(&of, id).map(|_| ()).unwrap_err().is_corrupt());
}

#[test]
fn the_same_seed_repeats_ids_and_faults() {
    let of = partition();
    let run = |seed| {
        let objects = MemoryObjects::new(seed);
        objects.set_faults(ObjectFaults { before_per_mille: 300, after_per_mille: 300 });
        (0..50).map(|n| write(&objects, &of, 1, &bytes(n, 100)).ok()).collect::<Vec<_>>()
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
    assert!(run(5).iter().any(Option::is_some) && run(5).iter().any(Option::is_none));
}
