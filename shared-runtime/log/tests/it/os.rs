//! The same log on the real file system.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use runtime_engine::{Offset, Partition};
use runtime_files::{OsFiles, SystemClock};
use runtime_log::{AppendError, LocalLog, LogConfig, LogReader, NewRecord, OpenError};

fn open(dir: &Path, change: impl FnOnce(&mut LogConfig)) -> Result<LocalLog, OpenError> {
    let mut config = LogConfig::new(dir.join("stores/traces/log"));
    config.reserve_bytes = 0;
    change(&mut config);
    LocalLog::open(Arc::new(OsFiles), Arc::new(SystemClock::new()), config, Offset(0))
}

fn record(n: u64, len: usize) -> NewRecord {
    let mut payload = n.to_le_bytes().to_vec();
    payload.resize(len.max(8), b'.');
    NewRecord {
        partition: Partition((n % 4) as u32),
        tenant: "default".into(),
        encoding: 1,
        payload: payload.into(),
    }
}

fn read_all(log: &LocalLog) -> usize {
    let mut records = 0;
    for partition in (0..4).map(Partition) {
        let mut at = Offset(0);
        loop {
            let batch = log.read(partition, at, 100_000).unwrap();
            assert_eq!(batch.damaged, 0);
            at = batch.next;
            records += batch.records.len();
            if batch.records.is_empty() {
                break;
            }
        }
    }
    records
}

#[test]
fn concurrent_appends_come_back_after_an_unclean_and_a_clean_restart() {
    let dir = tempfile::tempdir().unwrap();
    for life in 0..3u64 {
        let log = open(dir.path(), |c| c.file_bytes = 64 << 10).unwrap();
        assert_eq!(read_all(&log), 800 * life as usize);
        let (writer, _) = log.start().unwrap();
        let (send, answers) = mpsc::channel();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (writer, send) = (&writer, send.clone());
                scope.spawn(move || {
                    for n in 0..200 {
                        let send = send.clone();
                        let done = move |outcome: Result<Vec<Offset>, AppendError>| {
                            send.send(outcome.map(|offsets| offsets.len())).unwrap_or_default();
                        };
                        writer.append(vec![record(thread + n * 4, 500)], Box::new(done));
                    }
                });
            }
        });
        for _ in 0..800 {
            assert_eq!(answers.recv_timeout(Duration::from_secs(30)).unwrap().unwrap(), 1);
        }
        if life == 1 {
            log.close();
        }
    }
}

#[test]
fn a_second_log_in_the_same_directory_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path(), |_| {}).unwrap();
    let Err(error) = open(dir.path(), |_| {}) else { panic!("opened twice") };
    let text = error.to_string();
    assert!(text.contains("stores/traces/log") && text.contains("another process"), "{text}");
    drop(first);
    open(dir.path(), |_| {}).unwrap();
}

#[test]
fn a_reserve_larger_than_the_disk_refuses_appends_and_not_reads() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), |c| c.reserve_bytes = u64::MAX / 2).unwrap();
    let refused = log.append_now(&[record(1, 100)]).unwrap_err();
    assert!(matches!(&refused, AppendError::DiskFull { available_bytes, .. } if *available_bytes > 0));
    assert!(refused.is_retryable() && !log.stats().writable);
    assert!(log.read(Partition(1), Offset(0), 100).unwrap().records.is_empty());
}

#[test]
fn a_directory_that_vanishes_and_returns_is_a_disk_that_fails_and_heals() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), |c| {
        c.file_bytes = 2_000;
        c.probe_interval = Duration::ZERO;
    })
    .unwrap();
    let (there, away) = (dir.path().join("stores/traces/log"), dir.path().join("away"));
    std::fs::rename(&there, &away).unwrap();
    let refused = log.append_now(&[record(1, 100)]).unwrap_err();
    let AppendError::Poisoned { source } = &refused else { panic!("{refused}") };
    assert!(source.to_string().contains("cannot create"), "{source}");
    std::fs::rename(&away, &there).unwrap();
    log.append_now(&[record(1, 100)]).unwrap();
    assert!(log.stats().writable);
}
