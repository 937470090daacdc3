//! Append throughput by number of appenders, latency of an idle log, and replay speed, on the real file system.
//!
//! `cargo bench -p runtime-log` (add `--profile dist` for shipped code); `LOG_BENCH_DIR` chooses the disk,
//! `LOG_BENCH_MIB` how much is replayed (default 256).

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench is a test that prints")]

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use runtime_engine::{Offset, Partition};
use runtime_files::{OsFiles, SystemClock};
use runtime_log::{LocalLog, LogConfig, LogReader, NewRecord};

/// Text about as compressible as spans are: four to one.
fn payload(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut out = Vec::with_capacity(len + 64);
    while out.len() < len {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        out.extend_from_slice(b"\x0a\x10http.request.method\x12\x06\x0a\x04GET http.route /api/v1/items");
        out.extend_from_slice(&state.to_be_bytes());
    }
    out.truncate(len);
    out
}

fn open(dir: &Path) -> LocalLog {
    let mut config = LogConfig::new(dir);
    config.log_bytes_max = u64::MAX;
    LocalLog::open(Arc::new(OsFiles), Arc::new(SystemClock::new()), config, Offset(0)).unwrap()
}

fn record(n: u64, payload: &bytes::Bytes) -> NewRecord {
    NewRecord {
        partition: Partition(u32::try_from(n % 4).unwrap()),
        tenant: "default".into(),
        encoding: 1,
        payload: payload.clone(),
    }
}

/// `appenders` threads, each with one append of four records under way at a time.
fn appends(dir: &Path, appenders: u64, record_bytes: usize) {
    let log = open(&dir.join(format!("append-{appenders}-{record_bytes}")));
    let (writer, _) = log.start().unwrap();
    let started = Instant::now();
    let mut latencies: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..appenders)
            .map(|n| {
                let writer = &writer;
                scope.spawn(move || {
                    let payload = bytes::Bytes::from(payload(n, record_bytes));
                    let (send, done) = mpsc::channel();
                    let mut latencies = Vec::new();
                    while started.elapsed() < Duration::from_secs(2) {
                        let (send, asked) = (send.clone(), Instant::now());
                        let records = (0..4).map(|p| record(p, &payload)).collect();
                        writer.append(
                            records,
                            Box::new(move |outcome| send.send(outcome.is_ok()).unwrap_or_default()),
                        );
                        assert!(done.recv().unwrap());
                        latencies.push(asked.elapsed());
                    }
                    latencies
                })
            })
            .collect();
        threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
    });
    let (seconds, stats) = (started.elapsed().as_secs_f64(), log.stats());
    latencies.sort();
    let quantile = |q: usize| latencies.get(latencies.len() * q / 100).copied().unwrap_or_default();
    println!(
        "{appenders:>3} appenders, 4 x {record_bytes:>6} B: {:>7.1} MiB/s in, {:>7.0} appends/s, {:>6.0} fsyncs/s, \
         p50 {:>9.3?}, p99 {:>9.3?}, stored {:.2} of payload",
        stats.appended_bytes as f64 / seconds / f64::from(1 << 20),
        latencies.len() as f64 / seconds,
        stats.commits as f64 / seconds,
        quantile(50),
        quantile(99),
        stats.bytes as f64 / stats.appended_bytes as f64,
    );
}

/// Fills a log, opens it again and reads all partitions, one thread each.
fn replay(dir: &Path, mib: u64) {
    let dir = dir.join("replay");
    let log = open(&dir);
    let payload = bytes::Bytes::from(payload(7, 16 << 10));
    while log.stats().bytes < mib << 20 {
        let records: Vec<NewRecord> = (0..64).map(|n| record(n, &payload)).collect();
        log.append_now(&records).unwrap();
    }
    let stored = log.stats().bytes;
    drop(log); // not closed, as after a kill
    let started = Instant::now();
    let log = open(&dir);
    let opened = started.elapsed();
    let bytes: usize = std::thread::scope(|scope| {
        let threads = (0..4).map(|p| {
            let log = &log;
            scope.spawn(move || {
                let (mut at, mut bytes) = (Offset(0), 0);
                loop {
                    let batch = log.read(Partition(p), at, 4 << 20).unwrap();
                    if batch.records.is_empty() {
                        return bytes;
                    }
                    bytes += batch.records.iter().map(|r| r.payload.len()).sum::<usize>();
                    at = batch.next;
                }
            })
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    });
    let seconds = started.elapsed().as_secs_f64();
    let mib = |bytes: f64| bytes / f64::from(1 << 20);
    println!(
        "replay of {:.0} MiB stored ({:.0} MiB of payload): open {opened:.3?}, all read after {seconds:.3} s = {:.0} MiB/s stored",
        mib(stored as f64),
        mib(bytes as f64),
        mib(stored as f64) / seconds,
    );
}

fn main() {
    let dir = std::env::var_os("LOG_BENCH_DIR").map_or_else(tempfile::tempdir, tempfile::tempdir_in).unwrap();
    for (appenders, record_bytes) in [(1, 1 << 10), (8, 1 << 10), (64, 1 << 10), (1, 64 << 10), (8, 64 << 10)]
    {
        appends(dir.path(), appenders, record_bytes);
    }
    let mib = std::env::var("LOG_BENCH_MIB").ok().and_then(|n| n.parse().ok()).unwrap_or(256);
    replay(dir.path(), mib);
}
