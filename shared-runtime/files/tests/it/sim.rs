//! What the simulator does to files and names when something goes wrong, over many seeds: everything that POSIX
//! allows is seen, and nothing that it forbids.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use runtime_files::Files;
use runtime_files::sim::{Operation, Outcome, SimFiles};

const SEEDS: u64 = 200;

fn dir() -> PathBuf {
    PathBuf::from("/d")
}

fn path(name: &str) -> PathBuf {
    dir().join(name)
}

/// A file system with the directory in place.
fn fresh(seed: u64) -> SimFiles {
    let files = SimFiles::new(seed);
    files.create_dir_all(&dir()).unwrap();
    files
}

/// Every outcome of a power loss after `prepare`, over the seeds.
fn outcomes(prepare: impl Fn(&SimFiles)) -> BTreeSet<Vec<(String, Vec<u8>)>> {
    let outcome = |seed| {
        let files = fresh(seed);
        prepare(&files);
        let after = files.power_loss(seed);
        let read = |path: PathBuf| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), after.contents(&path).unwrap())
        };
        after.paths().into_iter().map(read).collect()
    };
    (0..SEEDS).map(outcome).collect()
}

fn durable(files: &SimFiles, name: &str, bytes: &[u8]) {
    let file = files.create(&path(name)).unwrap();
    file.append(bytes).unwrap();
    file.sync().unwrap();
    files.sync_dir(&dir()).unwrap();
}

#[test]
fn what_was_synced_with_its_name_is_always_there() {
    let seen = outcomes(|files| durable(files, "a", b"kept"));
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [vec![("a".to_owned(), b"kept".to_vec())]]);
}

#[test]
fn unsynced_bytes_are_kept_as_a_prefix_or_as_zeros_or_not_at_all() {
    let seen = outcomes(|files| {
        durable(files, "a", b"kept");
        let file = files.open_append(&path("a")).unwrap();
        file.append(b"one").unwrap();
        file.append(b"two").unwrap();
    });
    let contents: BTreeSet<Vec<u8>> = seen.into_iter().map(|mut files| files.remove(0).1).collect();
    for bytes in &contents {
        let real: Vec<u8> = bytes.iter().copied().take_while(|b| *b != 0).collect();
        assert!(b"keptonetwo".starts_with(&real[..]) && real.len() >= 4, "{bytes:?}");
        assert!(bytes[real.len()..].iter().all(|b| *b == 0) && bytes.len() <= 10, "{bytes:?}");
    }
    for expected in [&b"kept"[..], b"kepto", b"keptone", b"keptonetw", b"keptonetwo", b"kept\0\0\0"] {
        assert!(contents.contains(expected), "{expected:?} was never seen");
    }
}

#[test]
fn an_unsynced_name_may_or_may_not_be_there_whatever_its_contents() {
    let seen = outcomes(|files| {
        let file = files.create(&path("a")).unwrap();
        file.append(b"synced").unwrap();
        file.sync().unwrap();
    });
    let file = |bytes: &[u8]| vec![("a".to_owned(), bytes.to_vec())];
    assert_eq!(seen, BTreeSet::from([vec![], file(b"synced")]));
}

#[test]
fn an_unsynced_rename_shows_old_or_new_and_seems_reordered() {
    let seen = outcomes(|files| {
        durable(files, "current", b"old");
        let file = files.create(&path("next")).unwrap();
        file.append(b"new").unwrap();
        file.sync().unwrap();
        files.rename(&path("next"), &path("current")).unwrap();
        durable_elsewhere(files);
    });
    let current = |files: &Vec<(String, Vec<u8>)>| {
        files.iter().find(|(name, _)| name == "current").map(|(_, bytes)| bytes.clone())
    };
    let contents: BTreeSet<_> = seen.iter().map(current).collect();
    assert_eq!(contents, BTreeSet::from([Some(b"old".to_vec()), Some(b"new".to_vec())]), "never gone");
    assert!(seen.iter().any(|files| files.len() == 2), "both names at once");
    assert!(seen.iter().any(|files| files.len() == 1));
}

/// Another directory's sync does not help this one.
fn durable_elsewhere(files: &SimFiles) {
    files.create_dir_all(Path::new("/elsewhere")).unwrap();
    files.sync_dir(Path::new("/elsewhere")).unwrap();
}

#[test]
fn an_unsynced_removal_may_come_back() {
    let seen = outcomes(|files| {
        durable(files, "a", b"x");
        files.remove(&path("a")).unwrap();
    });
    assert_eq!(seen.len(), 2);
}

#[test]
fn a_crash_of_the_process_alone_keeps_the_page_cache() {
    let files = fresh(1);
    files.create(&path("a")).unwrap().append(b"unsynced").unwrap();
    files.crash();
    let after = files.reboot();
    assert_eq!(after.contents(&path("a")).unwrap(), b"unsynced");
}

#[test]
fn a_process_dies_at_the_operation_that_was_named_and_stays_dead() {
    let mut partial = BTreeSet::new();
    for seed in 0..SEEDS {
        let files = fresh(seed);
        let file = files.create(&path("a")).unwrap();
        files.crash_at(files.operations() + 1);
        file.append(b"one").unwrap();
        assert!(file.append(b"two").is_err() && files.is_crashed());
        assert!(file.sync().is_err() && file.len_bytes().is_err());
        assert!(files.create(&path("b")).is_err() && files.list(&dir()).is_err());
        assert!(files.lock(&path("LOCK")).is_err() && files.available_bytes(&dir()).is_err());
        let after = files.reboot();
        partial.insert(after.contents(&path("a")).unwrap());
        // the old process is gone for good
        assert!(file.append(b"late").is_err() && files.remove(&path("a")).is_err());
        after.remove(&path("a")).unwrap();
    }
    let expected: BTreeSet<Vec<u8>> = (3..=6).map(|len| b"onetwo"[..len].to_vec()).collect();
    assert_eq!(partial, expected, "the append was done, not done, or done in part");
}

#[test]
fn a_failed_sync_loses_the_bytes_and_a_second_one_lies() {
    for seed in 0..SEEDS {
        let files = fresh(seed);
        durable(&files, "a", b"kept");
        let file = files.open_append(&path("a")).unwrap();
        file.append(b"lost").unwrap();
        files.fail_next(Operation::Sync, 1);
        assert!(file.sync().is_err());
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"keptlost", "the page cache still shows them");
        file.sync().unwrap();
        files.open(&path("a")).unwrap().sync().unwrap();
        let after = files.power_loss(seed);
        assert_eq!(after.contents(&path("a")).unwrap(), b"kept\0\0\0\0");
    }
}

#[test]
fn a_failed_directory_sync_makes_no_name_durable() {
    let seen = outcomes(|files| {
        files.create(&path("a")).unwrap();
        files.fail_next(Operation::SyncDir, 1);
        assert!(files.sync_dir(&dir()).is_err());
    });
    assert_eq!(seen.len(), 2);
}

#[test]
fn a_full_disk_takes_what_fits_and_recovers_when_space_returns() {
    let files = fresh(1);
    files.set_capacity(Some(10));
    let file = files.create(&path("a")).unwrap();
    file.append(b"123456").unwrap();
    assert_eq!(files.available_bytes(&dir()).unwrap(), 4);
    let error = file.append(b"789012").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert_eq!(files.contents(&path("a")).unwrap(), b"1234567890");
    file.truncate(6).unwrap();
    file.append(b"7").unwrap();
    files.set_capacity(None);
    file.append(b"890123").unwrap();
}

#[test]
fn a_planned_failure_happens_once_and_a_random_one_now_and_then() {
    let files = fresh(1);
    let file = files.create(&path("a")).unwrap();
    files.fail_at(files.operations() + 1);
    file.append(b"1").unwrap();
    assert!(file.append(b"2").is_err());
    file.sync().unwrap();
    files.fail_one_in(Some(10));
    let failed = (0..1000).filter(|_| file.sync().is_err()).count();
    assert!((50..200).contains(&failed), "{failed}");
}

#[test]
fn a_lock_dies_with_its_process() {
    let files = fresh(1);
    let old = files.lock(&path("LOCK")).unwrap();
    let after = files.reboot();
    let new = after.lock(&path("LOCK")).unwrap();
    drop(old);
    assert!(after.lock(&path("LOCK")).is_err(), "the old guard does not free the new lock");
    drop(new);
    after.lock(&path("LOCK")).unwrap();
}

#[test]
fn bits_flip_and_fixtures_are_put_durably() {
    let files = fresh(1);
    files.put(&path("a"), vec![0, 0]).unwrap();
    assert!(
        files.flip_bit(&path("a"), 9) && !files.flip_bit(&path("a"), 16) && !files.flip_bit(&path("b"), 0)
    );
    assert_eq!(files.power_loss(1).contents(&path("a")).unwrap(), [0, 2]);
}

#[test]
fn the_trace_tells_handles_apart_and_the_same_seed_gives_the_same_story() {
    let story = |seed| {
        let files = fresh(seed);
        files.fail_one_in(Some(3));
        for n in 0..50 {
            if let Ok(file) = files.create(&path(&n.to_string())) {
                let _ = file.append(b"some bytes").and_then(|()| file.sync());
            }
        }
        let trace = files.trace();
        (trace, files.power_loss(seed).paths())
    };
    assert_eq!(story(5), story(5));
    assert_ne!(story(5).0, story(6).0);
    let (trace, _) = story(5);
    let appends: Vec<_> = trace.iter().filter(|s| s.operation == Operation::Append).collect();
    let handles: BTreeSet<u64> = appends.iter().map(|s| s.handle).collect();
    assert_eq!(handles.len(), appends.len());
    assert!(appends.iter().all(|s| s.bytes == 10 && s.path.starts_with("/d")));
    assert!(trace.iter().any(|s| s.outcome == Outcome::Failed));
}

#[test]
fn held_syncs_wait_until_they_are_let_go() {
    let files = fresh(1);
    let file = files.create(&path("a")).unwrap();
    let hold = files.hold_syncs();
    assert!(!hold.wait_for_sync(Duration::from_millis(1)));
    std::thread::scope(|scope| {
        let syncing = scope.spawn(|| file.sync().is_ok());
        assert!(hold.wait_for_sync(Duration::from_secs(10)));
        assert!(!syncing.is_finished());
        drop(hold);
        assert!(syncing.join().unwrap());
    });
}
