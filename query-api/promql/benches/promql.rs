//! What a query costs from decoded columns: CPU time of one thread over samples in memory, so without decoding, index and network.
//!
//! `cargo bench -p promql --bench promql -- [words of a query's name…]` (profile `ci` is what the figures in README are of). The
//! data are those of the peers' figures: 20,000 gauges and 4,000 bucket counters of 1 h at 15 s, 4,000 counters of 24 h at 15 s; all series of a
//! target share their timestamps, which are jittered by ±5 ms.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench has no caller to hand errors to"
)]

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use promql::engine::{Answer, Engine};
use promql::labels::Labels;
use promql::limits::Control;
use promql::options::Syntax;
use promql::source::memory::MemorySource;
use promql::value::Value;

const INTERVAL: i64 = 15_000;
const HOUR: i64 = 3_600_000;

/// CPU time of this thread.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split_whitespace().next().unwrap().parse().unwrap())
}

/// The most memory this process has held, in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % limit
    }
}

fn timestamps(random: &mut Random, span: i64) -> Arc<[i64]> {
    let phase = random.below(INTERVAL as u64) as i64;
    (0..span / INTERVAL).map(|i| i * INTERVAL + phase + random.below(11) as i64 - 5).collect()
}

/// 45 % constant, whole numbers, hundredths, 8 % full precision.
fn gauge(random: &mut Random, length: usize) -> Vec<f64> {
    let kind = random.below(100);
    let mut value = random.below(1000) as f64;
    (0..length)
        .map(|_| {
            value += match kind {
                0..45 => 0.0,
                45..75 => random.below(21) as f64 - 10.0,
                75..92 => (random.below(201) as f64 - 100.0) / 100.0,
                _ => random.below(1 << 40) as f64 / (1u64 << 36) as f64 - 8.0,
            };
            value
        })
        .collect()
}

fn counter(random: &mut Random, length: usize) -> Vec<f64> {
    let speed = random.below(50) + 1;
    let mut value = 0.0;
    (0..length)
        .map(|_| {
            value = if random.below(20_000) == 0 { 0.0 } else { value + random.below(speed) as f64 };
            value
        })
        .collect()
}

/// `targets` targets with `metrics` series each.
fn source(
    span: i64,
    targets: usize,
    metrics: usize,
    series: impl Fn(usize, usize) -> Vec<(&'static str, String)>,
    values: impl Fn(&mut Random, usize) -> Vec<f64>,
) -> MemorySource {
    let mut random = Random(42);
    let mut columns = Vec::new();
    for target in 0..targets {
        let times = timestamps(&mut random, span);
        for metric in 0..metrics {
            let labels = Labels::from_pairs(series(target, metric));
            let values = values(&mut random, times.len());
            columns.push((labels, Arc::clone(&times), values));
        }
    }
    MemorySource::from_columns(columns)
}

fn gauges() -> MemorySource {
    let labels = |target: usize, metric: usize| {
        vec![
            ("__name__", format!("m{}", metric % 10)),
            ("all", "yes".to_owned()),
            ("instance", format!("host-{target:04}")),
            ("job", "node".to_owned()),
            ("device", format!("d{}", metric / 10)),
        ]
    };
    source(HOUR, 200, 100, labels, gauge)
}

fn buckets(span: i64) -> MemorySource {
    const BOUNDS: [&str; 10] = ["0.005", "0.01", "0.05", "0.1", "0.5", "1", "2.5", "5", "10", "+Inf"];
    let labels = |target: usize, metric: usize| {
        vec![
            ("__name__", "requests_seconds_bucket".to_owned()),
            ("instance", format!("host-{target:04}")),
            ("job", "api".to_owned()),
            ("handler", format!("/h{}", metric / BOUNDS.len())),
            ("le", BOUNDS[metric % BOUNDS.len()].to_owned()),
        ]
    };
    source(span, 80, 50, labels, counter)
}

fn run(name: &str, source: &MemorySource, text: &str, span: i64, step: i64) {
    let expr = promql::parse::expr(text, &Syntax::default()).unwrap();
    let (clock, cancelled) = (|| Duration::ZERO, AtomicBool::new(false));
    let control = Control { clock: &clock, cancelled: &cancelled };
    let once =
        || -> Answer { Engine::default().range(&expr, source, (5 * 60_000, span, step), control).unwrap() };
    let answer = once();
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let start = cpu();
        std::hint::black_box(once());
        best = best.min(cpu() - start);
    }
    let Value::Matrix(series) = &answer.value else { unreachable!() };
    let samples = answer.statistics.samples;
    println!(
        "{name:<22} {:>9.2} ms CPU {:>8.1} M samples/s {:>9} samples {:>6} series out {:>5} MiB peak   {text}",
        best.as_secs_f64() * 1e3,
        samples as f64 / best.as_secs_f64() / 1e6,
        samples,
        series.len(),
        peak_mib(),
    );
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    let hour = gauges();
    let queries = [
        ("count of 20 k", "count({all=\"yes\"})", 15_000),
        ("plain selector", "m1", 15_000),
        ("quantile of 20 k", "quantile(0.9, {all=\"yes\"})", 15_000),
        ("topk of 20 k", "topk(5, {all=\"yes\"})", 15_000),
        ("avg by", "avg by (instance) ({all=\"yes\"})", 15_000),
        ("quantile_over_time", "quantile_over_time(0.9, m1[10m])", 60_000),
        ("max_over_time", "max_over_time(m1[10m])", 60_000),
        ("join", "m1 / m2", 15_000),
        ("join group_left", "m1 * on (instance) group_left () avg by (instance) (m2)", 15_000),
        ("subquery", "max_over_time(avg by (instance) (m1)[30m:1m])", 60_000),
    ];
    for (name, text, step) in queries.into_iter().filter(|(name, ..)| wanted(name)) {
        run(name, &hour, text, HOUR, step);
    }
    drop(hour);
    let hour = buckets(HOUR);
    let queries = [
        ("sum(rate) of 4,000", "sum(rate(requests_seconds_bucket[5m]))", 60_000),
        ("sum by (rate)", "sum by (instance) (rate(requests_seconds_bucket[5m]))", 60_000),
        (
            "histogram_quantile",
            "histogram_quantile(0.99, sum by (le, handler) (rate(requests_seconds_bucket[5m])))",
            60_000,
        ),
    ];
    for (name, text, step) in queries.into_iter().filter(|(name, ..)| wanted(name)) {
        run(name, &hour, text, HOUR, step);
    }
    drop(hour);
    if wanted("24 h sum(rate)") {
        run(
            "24 h sum(rate)",
            &buckets(24 * HOUR),
            "sum(rate(requests_seconds_bucket[5m]))",
            24 * HOUR,
            60_000,
        );
    }
}
