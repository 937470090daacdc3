//! Failed operations without a crash: unknown outcomes, a full disk, failed fsyncs.

use std::io::Write;

use runtime_files::sim::{Operation, SimFiles};
use runtime_objects::{Objects, ObjectsError, RootError, Roots, SwapOutcome};

use crate::media::{Dice, bytes, objects, partition, read, root, roots, write};

#[test]
fn a_swap_that_failed_at_any_step_is_resolved_by_issuing_it_again() {
    let of = partition();
    for operation in
        [Operation::Create, Operation::Append, Operation::Sync, Operation::Rename, Operation::SyncDir]
    {
        for seed in 0..20 {
            let files = SimFiles::new(seed);
            let local = roots(&files);
            local.swap(&of, None, &root(1, 7, None)).unwrap();
            files.fail_next(operation, 1);
            let (expect, new) = (Some((1, 7)), root(2, 7, None));
            let unknown = local.swap(&of, expect, &new).unwrap_err();
            assert!(matches!(unknown, RootError::Unknown { version: 2, .. }), "{unknown}");
            assert_eq!(local.swap(&of, expect, &new).unwrap(), SwapOutcome::Applied);
            drop(local);
            let files = files.power_loss(seed);
            assert_eq!(roots(&files).load(&of).unwrap(), Some(new), "{operation:?} failed, seed {seed}");
        }
    }
}

#[test]
fn after_an_unknown_outcome_a_refusal_or_a_load_is_durable_too() {
    let of = partition();
    for seed in 0..50 {
        let files = SimFiles::new(seed);
        let local = roots(&files);
        local.swap(&of, None, &root(1, 7, None)).unwrap();
        files.fail_next(Operation::SyncDir, 1);
        local.swap(&of, Some((1, 7)), &root(2, 7, None)).unwrap_err();
        let seen = match seed % 2 {
            0 => local.load(&of).unwrap(),
            _ => match local.swap(&of, Some((1, 7)), &root(2, 8, None)).unwrap() {
                SwapOutcome::Refused(seen) => seen,
                SwapOutcome::Applied => panic!("version 1 was still expected to be gone"),
            },
        };
        drop(local);
        let files = files.power_loss(seed);
        assert_eq!(roots(&files).load(&of).unwrap(), seen, "seed {seed}");
    }
}

#[test]
fn a_root_that_a_killed_process_left_visible_is_durable_once_it_was_loaded() {
    let of = partition();
    for seed in 0..50 {
        let files = SimFiles::new(seed);
        let local = roots(&files);
        local.swap(&of, None, &root(1, 7, None)).unwrap();
        // dies in the fsync of the directory: the name is changed, but perhaps only in memory
        files.crash_at(files.operations() + 5);
        local.swap(&of, Some((1, 7)), &root(2, 7, None)).unwrap_err();
        let files = files.reboot();
        let seen = roots(&files).load(&of).unwrap();
        assert_eq!(seen, Some(root(2, 7, None)), "seed {seed}");
        let files = files.power_loss(seed);
        assert_eq!(roots(&files).load(&of).unwrap(), seen, "seed {seed}");
    }
}

#[test]
fn a_full_disk_fails_the_write_and_leaves_nothing_behind() {
    let files = SimFiles::new(1);
    let objects = objects(&files, 1);
    let of = partition();
    let kept = write(&objects, &of, 1, &bytes(1, 1000)).unwrap();
    files.set_capacity(Some(300_000));
    let mut object = objects.create(&of, 1, "parquet").unwrap();
    let full = object.write_all(&bytes(2, 1_000_000)).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    assert!(object.write_all(&bytes(2, 1_000_000)).is_err(), "an object with a hole is never continued");
    assert!(object.finish().is_err());
    assert_eq!(objects.pending(&of).unwrap(), [(1, kept)]);
    assert_eq!(objects.list(&of).unwrap().len(), 1);
    let next = write(&objects, &of, 1, &bytes(3, 200_000)).unwrap();
    assert_eq!(read(&objects, &of, next).unwrap(), bytes(3, 200_000));
}

#[test]
fn an_object_is_given_up_when_one_of_its_writes_failed() {
    let files = SimFiles::new(1);
    let objects = objects(&files, 1);
    let mut object = objects.create(&partition(), 1, "parquet").unwrap();
    files.fail_next(Operation::Append, 1);
    assert!(object.write_all(&bytes(1, 600_000)).is_err());
    assert!(object.write_all(&bytes(1, 600_000)).is_err());
    assert!(object.finish().is_err());
    assert_eq!(
        (objects.list(&partition()).unwrap(), objects.pending(&partition()).unwrap()),
        (vec![], vec![])
    );
}

#[test]
fn a_create_that_failed_takes_its_registration_back() {
    let files = SimFiles::new(1);
    let objects = objects(&files, 1);
    let of = partition();
    let first = write(&objects, &of, 1, b"first").unwrap();
    for _ in 0..20 {
        // the registration is made, the sync of its directory fails; then that succeeds, the data file fails
        files.fail_next(Operation::SyncDir, 1);
        assert!(objects.create(&of, 1, "parquet").is_err());
        files.fail_at(files.operations() + 2);
        assert!(objects.create(&of, 1, "parquet").is_err());
    }
    assert_eq!(objects.pending(&of).unwrap(), [(1, first)]);
}

#[test]
fn a_half_done_delete_is_never_taken_for_corruption() {
    let of = partition();
    for operation in 0..3 {
        for seed in 0..30 {
            let files = SimFiles::new(seed);
            let local = objects(&files, 1);
            let id = write(&local, &of, 1, b"bytes").unwrap();
            files.crash_at(files.operations() + operation);
            assert!(local.delete(&of, id).is_err());
            let local = objects(&files.reboot(), 2);
            if let Err(gone) = local.open(&of, id) {
                assert!(
                    matches!(gone, ObjectsError::NotFound { .. }),
                    "operation {operation}, seed {seed}: {gone}"
                );
            }
            local.delete(&of, id).unwrap();
            assert_eq!(local.list(&of).unwrap(), []);
        }
    }
}

#[test]
fn whatever_fails_an_object_is_whole_or_pending_or_gone() {
    let of = partition();
    for seed in 0..300 {
        let files = SimFiles::new(seed);
        let objects = objects(&files, seed);
        let mut dice = Dice(seed);
        files.fail_one_in(Some(6));
        let (mut finished, mut deleted) = (Vec::new(), Vec::new());
        for n in 0..8 {
            let content = bytes(n, dice.below(200_000));
            if let Ok(id) = write(&objects, &of, 1, &content) {
                finished.push((id, content));
            }
            if dice.below(4) == 0
                && let Some((id, content)) = finished.pop()
            {
                match objects.delete(&of, id) {
                    Ok(()) => deleted.push(id),
                    Err(_) => drop(content),
                }
            }
        }
        files.fail_one_in(None);
        let files = files.power_loss(seed);
        let objects = crate::media::objects(&files, !seed);
        let pending: Vec<_> = objects.pending(&of).unwrap().into_iter().map(|(_, id)| id).collect();
        for (id, content) in &finished {
            assert_eq!(read(&objects, &of, *id).as_ref(), Ok(content), "seed {seed}");
            assert!(pending.contains(id), "seed {seed}");
        }
        for object in objects.list(&of).unwrap() {
            assert!(pending.contains(&object.id), "seed {seed}: {} is forgotten", object.id);
            assert!(!deleted.contains(&object.id), "seed {seed}: {} is back", object.id);
        }
    }
}
