//! The log's byte limit, the disk's reserve, a disk without space.

use std::sync::Arc;
use std::time::Duration;

use runtime_engine::{Offset, Partition};
use runtime_files::Files;
use runtime_files::sim::{SimClock, SimFiles};
use runtime_log::{AppendError, LocalLog, LogConfig, LogReader, NewRecord};

use crate::world::{World, config, expect};

fn record(partition: u32, len: usize) -> NewRecord {
    // not compressible, so that sizes are what they seem
    let mut state = 0x1234_5678_9abc_def1_u64;
    let payload: Vec<u8> = (0..len)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect();
    NewRecord {
        partition: Partition(partition),
        tenant: "default".into(),
        encoding: 1,
        payload: payload.into(),
    }
}

fn open(files: &SimFiles, clock: &SimClock, config: LogConfig) -> LocalLog {
    LocalLog::open(Arc::new(files.clone()), Arc::new(clock.clone()), config, Offset(0)).unwrap()
}

#[test]
fn at_the_byte_limit_appends_are_refused_until_a_flush_releases_files() {
    let (files, clock) = (SimFiles::new(1), SimClock::new(1));
    let log = open(&files, &clock, LogConfig { log_bytes_max: 6000, ..config() });
    let mut half_used_at = None;
    let refused = loop {
        match log.append_now(&[record(0, 400)]) {
            Ok(_) if log.stats().is_half_used() => half_used_at = half_used_at.or(Some(log.stats().bytes)),
            Ok(_) => {}
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, AppendError::LogFull { limit_bytes: 6000, .. }) && refused.is_retryable());
    assert!((3000..3600).contains(&half_used_at.unwrap()));
    let stats = log.stats();
    assert!(!stats.writable && stats.bytes <= 6000);
    log.release(&[stats.oldest_file_end, Offset(1)]);
    assert_eq!(log.stats().oldest_holder, Some(Partition(1)), "the partition that must be flushed is named");
    assert!(log.append_now(&[record(0, 400)]).is_err(), "one partition still needs the oldest file");
    log.release(&[stats.oldest_file_end, stats.oldest_file_end]);
    assert!(log.stats().writable && log.stats().files == stats.files - 1);
    log.append_now(&[record(0, 400)]).unwrap();
}

#[test]
fn appends_leave_the_reserve_of_the_disk_alone_and_go_on_when_space_returns() {
    let (files, clock) = (SimFiles::new(2), SimClock::new(1));
    files.set_capacity(Some(8000));
    let log = open(&files, &clock, LogConfig { reserve_bytes: 3000, ..config() });
    let refused = loop {
        if let Err(refused) = log.append_now(&[record(0, 300)]) {
            break refused;
        }
    };
    let AppendError::DiskFull { available_bytes, reserve_bytes: 3000, .. } = refused else {
        panic!("{refused}");
    };
    assert!(available_bytes >= 3000 && !log.stats().writable && log.stats().poisoned_files == 0);
    assert!(files.available_bytes(&crate::world::dir()).unwrap() >= 3000);
    assert_eq!(log.read(Partition(0), Offset(0), 100).unwrap().records.len(), 1, "reads go on");
    files.set_capacity(Some(20_000));
    log.probe();
    assert!(log.stats().writable);
    log.append_now(&[record(0, 300)]).unwrap();
}

#[test]
fn a_full_disk_poisons_the_file_and_the_log_heals_when_space_returns() {
    for seed in 0..50 {
        let mut world = World::new(seed);
        world.files.set_capacity(Some(4000 + seed * 37));
        world.open().unwrap();
        let mut acknowledged = 0;
        while world.append().unwrap() {
            acknowledged += 1;
        }
        assert!(acknowledged > 3 && !world.log().stats().writable);
        expect(world.check_reads(), "reads on a full disk", seed);
        world.clock.advance(Duration::from_secs(2));
        world.files.set_capacity(Some(1));
        assert!(!world.append().unwrap(), "still full");
        world.files.set_capacity(None);
        // well within ten seconds, and without an append: the commit thread probes every second
        world.clock.advance(Duration::from_secs(1));
        world.log().probe();
        assert!(world.log().stats().writable, "seed {seed}");
        assert!(world.append().unwrap());
        expect(world.check_reads(), "healed", seed);
        expect(world.check_trace(), "healed", seed);
        expect(world.survive(Some(seed)), "power loss afterwards", seed);
    }
}

#[test]
fn a_restart_on_a_full_disk_serves_what_is_there() {
    let mut world = World::new(9);
    world.files.set_capacity(Some(4000));
    world.open().unwrap();
    while world.append().unwrap() {}
    world.restart(Some(1)).unwrap();
    world.check_reads().unwrap();
    world.files.set_capacity(None);
    world.clock.advance(Duration::from_secs(1));
    assert!(world.append().unwrap());
}

#[test]
fn a_record_that_is_too_large_is_refused_alone_and_for_good() {
    let (files, clock) = (SimFiles::new(3), SimClock::new(1));
    let log = open(&files, &clock, LogConfig { record_bytes_max: 1000, ..config() });
    let refused = log.append_now(&[record(0, 10), record(0, 1001)]).unwrap_err();
    assert_eq!(refused.to_string(), "payload is 1001 bytes long, more than the 1000 that a log record takes");
    assert!(!refused.is_retryable() && log.stats().appended_records == 0);
    let named = NewRecord { tenant: "t".repeat(300).into(), ..record(0, 1) };
    assert!(matches!(log.append_now(&[named]), Err(AppendError::TooLarge { what: "tenant", .. })));
    log.append_now(&[record(0, 1000)]).unwrap();
    // larger than a whole file: it gets one of its own
    let log = open(&SimFiles::new(4), &clock, LogConfig { file_bytes: 500, ..config() });
    log.append_now(&[record(0, 5000), record(1, 5000)]).unwrap();
    log.append_now(&[record(0, 5000)]).unwrap();
    assert_eq!((log.stats().files, log.read(Partition(0), Offset(0), 1).unwrap().records.len()), (2, 1));
}

#[test]
fn the_commit_thread_heals_the_log_by_itself() {
    let files = SimFiles::new(5);
    files.set_capacity(Some(2000));
    let config = LogConfig { probe_interval: Duration::from_millis(5), ..config() };
    let clock = Arc::new(runtime_files::SystemClock::new());
    let log = LocalLog::open(Arc::new(files.clone()), clock, config, Offset(0)).unwrap();
    let (writer, reader) = log.start().unwrap();
    let (send, answers) = std::sync::mpsc::channel();
    for _ in 0..20 {
        let send = send.clone();
        writer.append(
            vec![record(0, 300)],
            Box::new(move |outcome| send.send(outcome.is_ok()).unwrap_or_default()),
        );
    }
    let outcomes: Vec<bool> =
        (0..20).map(|_| answers.recv_timeout(Duration::from_secs(10)).unwrap()).collect();
    assert!(outcomes.contains(&false) && !log.stats().writable);
    files.set_capacity(None);
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while !log.stats().writable {
        assert!(std::time::Instant::now() < deadline, "not healed in ten seconds");
        std::thread::yield_now();
    }
    let seen = reader.durable_end();
    writer.append(
        vec![record(0, 300)],
        Box::new(move |outcome| send.send(outcome.is_ok()).unwrap_or_default()),
    );
    assert!(answers.recv_timeout(Duration::from_secs(10)).unwrap());
    assert!(reader.wait(seen, Duration::from_secs(10)) > seen);
}

#[test]
fn a_log_smaller_than_a_file_still_frees_itself() {
    let log = open(
        &SimFiles::new(6),
        &SimClock::new(1),
        LogConfig { log_bytes_max: 6000, file_bytes: 1 << 30, ..config() },
    );
    for _ in 0..50 {
        while log.append_now(&[record(0, 400)]).is_ok() {}
        log.release(&[log.durable_end()]);
        log.append_now(&[record(0, 400)]).unwrap();
    }
}
