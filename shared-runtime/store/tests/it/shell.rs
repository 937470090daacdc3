//! The threaded shell: appends, freshness, bounds, drains, restarts.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use runtime_engine::{Offset, Partition, Position};
use runtime_files::sim::{Operation, SimFiles};
use runtime_files::{Files, OsFiles, SystemClock};
use runtime_log::{LogConfig, NewRecord};
use runtime_objects::{Ids, LocalObjects, LocalRoots};
use runtime_store::toy::{Toy, numbers, payload};
use runtime_store::{AppendError, Media, Store, StoreConfig};

use crate::chance::{Dice, each_seed};
use crate::node;

pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) fn media(files: &SimFiles, log: LogConfig) -> Media {
    let shared: Arc<SimFiles> = Arc::new(files.clone());
    let clock = Arc::new(SystemClock::new());
    let roots = LocalRoots::open(shared.clone(), "/data".as_ref()).unwrap();
    let objects =
        LocalObjects::open(shared.clone(), "/data".as_ref(), Ids::seeded(files.operations())).unwrap();
    let log = runtime_log::LocalLog::open(shared, clock.clone(), log, Offset(0)).unwrap();
    Media::local(log, Arc::new(objects), Arc::new(roots), clock).unwrap()
}

pub(crate) fn log_config() -> LogConfig {
    LogConfig { file_bytes: 4096, tail_bytes_max: 1 << 16, ..node::log_config() }
}

fn open_with(files: &SimFiles, config: StoreConfig, log: LogConfig) -> Store<Toy> {
    Store::open(Toy, config, media(files, log)).unwrap()
}

fn open(files: &SimFiles) -> Store<Toy> {
    open_with(files, node::config(&[]), log_config())
}

pub(crate) fn record(partition: u32, some: &[u64]) -> NewRecord {
    let (partition, tenant) = (Partition(partition), Arc::from("default"));
    NewRecord { partition, tenant, encoding: 1, payload: payload(some) }
}

/// Appends and waits for the answer.
fn append(store: &Store<Toy>, records: Vec<NewRecord>) -> Result<Vec<Position>, AppendError> {
    let (tell, told) = mpsc::channel();
    store.append(records, Box::new(move |r| tell.send(r).unwrap()));
    told.recv_timeout(LONG).unwrap()
}

/// Waits until `done` says so.
pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !done() {
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::yield_now();
    }
}

fn seen(store: &Store<Toy>) -> Vec<u64> {
    let mut all: Vec<u64> =
        (0..node::PARTITIONS).flat_map(|p| numbers(&store.snapshot(Partition(p)))).collect();
    all.sort_unstable();
    all
}

#[test]
fn an_acknowledged_record_is_visible_at_its_position_well_within_a_second() {
    let store = open(&SimFiles::new(1));
    for n in 0..50 {
        let positions = append(&store, vec![record(0, &[n]), record(1, &[1000 + n])]).unwrap();
        for p in positions {
            store.wait_for(p, Duration::from_secs(1)).unwrap();
        }
        let all = seen(&store);
        assert!(all.contains(&n) && all.contains(&(1000 + n)));
    }
}

#[test]
fn an_asynchronous_wait_ends_when_the_position_is_reached() {
    let store = open(&SimFiles::new(2));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let position = append(&store, vec![record(1, &[7])]).unwrap()[0];
    runtime.block_on(store.reached(position));
    assert_eq!(seen(&store), [7]);
}

#[test]
fn a_wait_for_a_position_that_does_not_come_says_what_was_reached() {
    let store = open(&SimFiles::new(3));
    let asked = Position { partition: Partition(0), offset: Offset(99) };
    let missed = store.wait_for(asked, Duration::from_millis(20)).unwrap_err();
    assert_eq!(missed.to_string(), "partition 0 reached offset 0, asked for at least 99");
    let elsewhere = Position { partition: Partition(9), ..asked };
    assert!(store.wait_for(elsewhere, LONG).is_err());
}

#[test]
fn records_are_flushed_merged_and_released_while_more_arrive() {
    let store = open(&SimFiles::new(4));
    let mut sent = Vec::new();
    for n in 0..600u64 {
        let some: Vec<u64> = (n * 10..n * 10 + 4).collect();
        let partition = u32::try_from(n % 2).unwrap();
        until("room", || match append(&store, vec![record(partition, &some)]) {
            Ok(_) => true,
            Err(AppendError::Exhausted { .. }) => false,
            Err(e) => panic!("{e}"),
        });
        sent.extend(some);
    }
    assert!(store.flush_all(LONG));
    until("merges and a released log", || {
        let s = store.stats();
        s.partitions.iter().all(|p| p.counters.merges > 0) && s.log.files <= 2
    });
    let s = store.stats();
    assert!(s.partitions.iter().all(|p| p.counters.flushes > 5), "{s:?}");
    assert_eq!((s.head_bytes, s.replay_lag, s.quarantined()), (0, 0, 0));
    assert_eq!(seen(&store), sent);
}

#[test]
fn a_drained_store_replays_nothing_and_a_dropped_one_everything() {
    let files = SimFiles::new(5);
    let store = open(&files);
    append(&store, vec![record(0, &[1]), record(1, &[2])]).unwrap();
    let report = store.drain(LONG);
    assert_eq!((report.released, report.unfinished), (2, 0));
    let refused = append(&store, vec![record(0, &[3])]).unwrap_err();
    assert_eq!(refused.to_string(), "store toys is closing");
    drop(store);

    let store = open(&files);
    assert_eq!(seen(&store), [1, 2]);
    until("replay", || store.is_replayed());
    assert!(store.stats().partitions.iter().all(|p| p.counters.records == 0 && p.root_epoch == 2));
    append(&store, vec![record(0, &[4])]).unwrap();
    drop(store);

    let store = open(&files);
    until("replay", || store.is_replayed());
    assert_eq!(seen(&store), [1, 2, 4]);
}

#[test]
fn appends_over_the_head_budget_are_refused_with_a_hint_until_a_flush_frees_it() {
    let files = SimFiles::new(6);
    let store = open_with(&files, node::config(&[]), LogConfig { file_bytes: 1 << 20, ..log_config() });
    append(&store, vec![record(0, &[0])]).unwrap();
    files.fail_next(Operation::SyncDir, u32::MAX);
    let mut sent = vec![0];
    let refused = (1..10_000u64).find_map(|n| match append(&store, vec![record(0, &[n])]) {
        Ok(p) => {
            sent.push(n);
            store.wait_for(p[0], LONG).unwrap();
            None
        }
        Err(e) => Some(e),
    });
    let Some(AppendError::Exhausted { what: "head bytes", used, limit, retry_after, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert!(used >= limit && retry_after < Duration::from_secs(10));
    assert_eq!(store.stats().refusing, Some("head bytes"));
    assert!(store.ready_to_write().is_err());
    assert_eq!(seen(&store), sent);
    files.fail_next(Operation::SyncDir, 0);
    until("room", || append(&store, vec![record(0, &[1_000_000])]).map(|_| sent.push(1_000_000)).is_ok());
    assert!(store.flush_all(LONG));
    assert_eq!(seen(&store), sent);
}

#[test]
fn a_failing_flush_keeps_its_records_readable_and_is_retried() {
    let files = SimFiles::new(7);
    let store = open_with(&files, node::config(&[]), LogConfig { file_bytes: 1 << 20, ..log_config() });
    let first = append(&store, vec![record(0, &[1])]).unwrap()[0];
    store.wait_for(first, LONG).unwrap();
    files.fail_next(Operation::Rename, u32::MAX);
    assert!(!store.flush_all(Duration::from_millis(300)));
    assert_eq!(seen(&store), [1]);
    assert!(store.stats().flush_age() > Duration::ZERO);
    files.fail_next(Operation::Rename, 0);
    assert!(store.flush_all(LONG));
    assert_eq!(seen(&store), [1]);
    assert_eq!(store.stats().objects(), 1);
}

#[test]
fn an_idle_partition_lets_the_log_go_by_empty_commits_one_a_file() {
    let files = SimFiles::new(8);
    let store = open(&files);
    for n in 0..400u64 {
        append(&store, vec![record(0, &[n, n + 1000])]).unwrap();
    }
    assert!(store.flush_all(LONG));
    until("a released log", || store.stats().log.files <= 2);
    let idle = store.stats().partitions[1].counters;
    assert!(idle.empty_commits > 0 && idle.flushes == 0, "{idle:?}");
    assert!(idle.empty_commits < 30, "{idle:?}");
}

#[test]
fn a_log_that_is_half_full_is_flushed() {
    let files = SimFiles::new(9);
    let config = StoreConfig { generation_bytes: 1 << 20, head_bytes_max: 1 << 24, ..node::config(&[]) };
    let store = open_with(&files, config, LogConfig { log_bytes_max: 64 << 10, ..log_config() });
    let mut sent = Vec::new();
    for n in 0..2000u64 {
        let some: Vec<u64> = (n * 100..n * 100 + 8).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        until("room in the log", || match append(&store, vec![record(0, &some)]) {
            Ok(_) => true,
            Err(AppendError::Log(e)) if e.is_retryable() => false,
            Err(e) => panic!("{e}"),
        });
        sent.extend(some);
    }
    assert!(store.stats().partitions[0].counters.flushes > 0);
    until("replay", || store.stats().replay_lag == 0);
    sent.sort_unstable();
    assert_eq!(seen(&store), sent);
}

#[test]
fn too_much_in_flight_is_refused() {
    let files = SimFiles::new(10);
    let config = StoreConfig { inflight_bytes_max: 64, ..node::config(&[]) };
    let store = open_with(&files, config, log_config());
    let hold = files.hold_syncs();
    let (tell, told) = mpsc::channel();
    store.append(vec![record(0, &[0; 16])], Box::new(move |r| tell.send(r.is_ok()).unwrap()));
    let refused = append(&store, vec![record(0, &[1])]).unwrap_err();
    assert!(refused.to_string().contains("over its limit of bytes in flight: 128 of 64"), "{refused}");
    drop(hold);
    assert!(told.recv_timeout(LONG).unwrap());
    assert_eq!(store.stats().refused, 1);
    until("room", || append(&store, vec![record(0, &[1])]).is_ok());
}

#[test]
fn a_configuration_that_cannot_be_is_refused_by_key() {
    let files = SimFiles::new(11);
    let config = StoreConfig { partitions: 0, ..node::config(&[]) };
    let e = Store::open(Toy, config, media(&files, log_config())).err().unwrap();
    assert_eq!(e.to_string(), "store toys: partitions must be at least 1");
}

/// Threads, not steps: the process dies at some file operation while all of them work.
#[test]
fn a_kill_under_load_loses_nothing_acknowledged() {
    for seed in each_seed(24) {
        println!("seed {seed}");
        let files = SimFiles::new(seed);
        let mut dice = Dice::new(seed);
        let store = open(&files);
        files.crash_at(files.operations() + dice.below(700));
        let (mut sent, mut acked) = (BTreeSet::new(), BTreeSet::new());
        for n in 0..400 {
            sent.insert(n);
            let partition = u32::try_from(n % 2).unwrap();
            if append(&store, vec![record(partition, &[n])]).is_ok() {
                acked.insert(n);
            }
            if files.is_crashed() {
                break;
            }
        }
        drop(store);
        let files = if dice.below(2) == 0 { files.reboot() } else { files.power_loss(seed) };
        let store = open(&files);
        until("replay", || store.stats().replay_lag == 0);
        let all = seen(&store);
        let once: BTreeSet<u64> = all.iter().copied().collect();
        assert_eq!(all.len(), once.len(), "seed {seed}: doubled");
        assert!(acked.is_subset(&once) && once.is_subset(&sent), "seed {seed}: {acked:?} {once:?}");
        assert_eq!(store.stats().quarantined(), 0);
        assert!(store.flush_all(LONG));
        assert_eq!(seen(&store), all);
    }
}

#[test]
fn a_store_that_cannot_compact_fast_enough_refuses_appends() {
    let mut config = StoreConfig { objects_behind: 1, ..node::config(&[]) };
    config.policy.merge_fan_in = 100;
    let store = open_with(&SimFiles::new(12), config, log_config());
    let refused = (0..100u64).find_map(|n| {
        let refused = append(&store, vec![record(0, &[n])]).err();
        assert!(refused.is_some() || store.flush_all(LONG));
        refused
    });
    let Some(AppendError::Exhausted { what, used: 2, limit: 2, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(what, "objects that wait for compaction");
}

#[test]
fn a_damaged_root_silences_one_partition_and_no_other() {
    let files = SimFiles::new(13);
    let store = open(&files);
    append(&store, vec![record(0, &[1]), record(1, &[2])]).unwrap();
    assert!(store.flush_all(LONG));
    append(&store, vec![record(0, &[3]), record(1, &[4])]).unwrap();
    drop(store);
    let current = |p: &PathBuf| p.ends_with("CURRENT") && p.to_string_lossy().contains("/0/");
    let damaged = files.paths().into_iter().find(current).unwrap();
    assert!(files.flip_bit(&damaged, 100));
    let store = open(&files);
    until("replay", || store.stats().replay_lag == 0);
    assert_eq!(numbers(&store.snapshot(Partition(1))), [2, 4]);
    // the log holds all of it still, but nobody knows that
    assert_eq!(numbers(&store.snapshot(Partition(0))), [1, 3]);
    assert!(store.snapshot(Partition(0)).quarantined > 0 && store.snapshot(Partition(1)).quarantined == 0);
    assert!(!store.stats().partitions[0].writing && store.stats().partitions[1].writing);
}

#[test]
fn a_full_disk_refuses_writes_and_heals_by_itself() {
    let files = SimFiles::new(14);
    let log =
        LogConfig { reserve_bytes: 16 << 10, probe_interval: Duration::from_millis(20), ..log_config() };
    files.set_capacity(Some(48 << 10));
    let store = open_with(&files, node::config(&[]), log);
    let mut acked = BTreeSet::new();
    let mut sent = 0..;
    let mut send = |acked: &mut BTreeSet<u64>| {
        let n: u64 = sent.next().unwrap();
        let some: Vec<u64> = (n * 100..n * 100 + 8).collect();
        append(&store, vec![record(0, &some)]).map(|_| acked.extend(some))
    };
    until("a refusal by the log", || match send(&mut acked) {
        Err(AppendError::Log(e)) => {
            assert!(e.is_retryable(), "{e}");
            true
        }
        _ => false,
    });
    // what was acknowledged is served while nothing can be written
    until("replay", || store.stats().replay_lag == 0);
    let all: BTreeSet<u64> = seen(&store).into_iter().collect();
    assert!(acked.is_subset(&all));
    files.set_capacity(None);
    until("healing", || send(&mut acked).is_ok());
    assert!(store.flush_all(LONG));
    let once = seen(&store);
    let all: BTreeSet<u64> = once.iter().copied().collect();
    assert!(acked.is_subset(&all) && all.len() == once.len());
}

#[test]
fn a_real_directory_is_locked_drained_and_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let open = || {
        let files: Arc<dyn Files> = Arc::new(OsFiles);
        let clock = Arc::new(SystemClock::new());
        let roots = LocalRoots::open(files.clone(), dir.path())?;
        let objects = LocalObjects::open(files.clone(), dir.path(), Ids::random())?;
        let log = LogConfig { dir: dir.path().join("log"), ..log_config() };
        let log = runtime_log::LocalLog::open(files, clock.clone(), log, Offset(0)).unwrap();
        let media = Media::local(log, Arc::new(objects), Arc::new(roots), clock).unwrap();
        Ok::<_, runtime_objects::RootError>(Store::open(Toy, node::config(&[]), media).unwrap())
    };
    let store = open().unwrap();
    for n in 0..100 {
        append(&store, vec![record(0, &[n]), record(1, &[1000 + n])]).unwrap();
    }
    let taken = open().err().unwrap().to_string();
    assert!(
        taken.contains(&dir.path().display().to_string()) && taken.contains("another process"),
        "{taken}"
    );
    assert_eq!(store.drain(LONG).released, 2);
    let before = seen(&store);
    drop(store);
    let store = open().unwrap();
    assert_eq!((seen(&store), before.len()), (before, 200));
    assert!(store.is_replayed());
}
