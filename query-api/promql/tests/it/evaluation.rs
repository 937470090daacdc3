//! What holds of every evaluation: a range query is its instant queries side by side, and no query outgrows its limits.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use promql::ast::Expr;
use promql::engine::{Answer, Engine, QueryError};
use promql::explain::Explanation;
use promql::labels::Labels;
use promql::limits::{Control, Limits};
use promql::options::Syntax;
use promql::source::memory::MemorySource;
use promql::value::{Point, STALE_NAN, Series, Value};
use proptest::prelude::*;

fn control<T>(work: impl FnOnce(Control<'_>) -> T) -> T {
    let (clock, cancelled) = (|| Duration::ZERO, AtomicBool::new(false));
    work(Control { clock: &clock, cancelled: &cancelled })
}

fn parse(text: &str) -> Expr {
    let Ok(expr) = promql::parse::expr(text, &Syntax::default()) else { unreachable!("{text} is valid") };
    expr
}

fn range(
    engine: &Engine,
    text: &str,
    source: &MemorySource,
    times: (i64, i64, i64),
) -> Result<Answer, QueryError> {
    let expr = parse(text);
    control(|control| engine.range(&expr, source, times, control))
}

fn instant(engine: &Engine, text: &str, source: &MemorySource, time: i64) -> Result<Answer, QueryError> {
    let expr = parse(text);
    control(|control| engine.instant(&expr, source, time, control))
}

/// A few series with gaps, resets, stale markers and infinities.
fn source(values: &[Vec<Option<f64>>]) -> MemorySource {
    let columns = values.iter().enumerate().map(|(number, values)| {
        let labels = Labels::from_pairs([
            ("__name__", if number % 2 == 0 { "a_total" } else { "b" }),
            ("n", &number.to_string()),
            ("half", &(number / 2).to_string()),
        ]);
        let samples = values.iter().enumerate().filter_map(|(i, v)| Some((i as i64 * 10_000, (*v)?)));
        let (timestamps, values): (Vec<i64>, Vec<f64>) = samples.unzip();
        (labels, Arc::from(timestamps), values)
    });
    MemorySource::from_columns(columns)
}

fn value() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        8 => (0u32..100).prop_map(|v| Some(f64::from(v))),
        2 => Just(None),
        1 => Just(Some(STALE_NAN)),
        1 => Just(Some(f64::NAN)),
        1 => Just(Some(f64::INFINITY)),
        1 => (-1e3..1e3f64).prop_map(Some),
    ]
}

const QUERIES: [&str; 40] = [
    "a_total",
    "rate(a_total[1m])",
    "increase(a_total[35s] offset 20s)",
    "delta(b[1m])",
    "irate(a_total[1m])",
    "sum by (half) (rate(a_total[1m]))",
    "avg(a_total) + on () count(b)",
    "sum_over_time(b[2m])",
    "avg_over_time(b[90s])",
    "max_over_time(b[2m])",
    "min_over_time(b[2m])",
    "stddev_over_time(b[2m])",
    "quantile_over_time(0.7, b[2m])",
    "changes(b[2m]) + resets(b[2m])",
    "deriv(b[2m])",
    "predict_linear(b[2m], 60)",
    "count_over_time(b[1m]) - last_over_time(b[1m])",
    "mad_over_time(b[1m])",
    "absent(b{n=\"1\"})",
    "absent_over_time(b{n=\"1\"}[15s])",
    "topk(1, a_total) or bottomk(1, b)",
    "quantile(0.3, {half=~\".+\"})",
    "stdvar({half=~\".+\"})",
    "count_values(\"v\", a_total)",
    "a_total and on (half) b",
    "a_total unless on (half) b > 50",
    "a_total / on (half) b",
    "a_total * on (half) group_left () (b * 2)",
    "a_total + on (half) fill (0) b",
    "max_over_time(rate(a_total[30s])[1m:10s])",
    "sum_over_time(a_total[1m:7s] offset 5s)",
    "a_total @ 50 + b",
    "timestamp(a_total) - time()",
    "scalar(b{n=\"1\"}) + vector(time())",
    "clamp(a_total, 10, 50) > bool 20",
    "label_replace(a_total, \"half\", \"x$1\", \"n\", \"(.*)\")",
    "limitk(1, a_total)",
    "rate(a_total[1m] anchored)",
    "increase(a_total[1m] smoothed)",
    "-a_total % 7",
];

fn at(series: &[Series], time: i64) -> Vec<(Labels, Vec<u64>)> {
    let mut all: Vec<_> = series
        .iter()
        .filter_map(|series| {
            let float = series.floats.iter().find(|(t, _)| *t == time)?;
            Some((series.labels.clone(), vec![normal(float.1)]))
        })
        .collect();
    all.sort();
    all
}

/// Bits, with one NaN for all.
fn normal(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_range_query_is_its_instant_queries_side_by_side(
        values in prop::collection::vec(prop::collection::vec(value(), 30), 4),
        step in 1i64..50,
    ) {
        let (engine, source) = (Engine::default(), source(&values));
        let times = (0, 400_000, step * 1000);
        for text in QUERIES {
            // kernels that slide merge windows in another order than a single window does: those are compared with tolerance
            let whole = range(&engine, text, &source, times);
            for time in (0..=times.1 / times.2).step_by(5).map(|index| index * times.2) {
                let single = instant(&engine, text, &source, time);
                let (Ok(whole), Ok(single)) = (&whole, &single) else { continue };
                let (Value::Matrix(series), Value::Vector(samples)) = (&whole.value, &single.value) else { unreachable!() };
                let mut want: Vec<_> = samples
                    .iter()
                    .map(|s| match s.point {
                        Point::Float(value) => (s.labels.clone(), vec![normal(value)]),
                        Point::Histogram(_) => unreachable!(),
                    })
                    .collect();
                want.sort();
                let got = at(series, time);
                prop_assert_eq!(got.len(), want.len(), "{} at {}", text, time);
                for (got, want) in got.iter().zip(&want) {
                    prop_assert_eq!(&got.0, &want.0, "{} at {}", text, time);
                    let (a, b) = (f64::from_bits(got.1[0]), f64::from_bits(want.1[0]));
                    let close = a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0);
                    prop_assert!(close, "{} at {}: {} and {}", text, time, a, b);
                }
            }
        }
    }
}

fn steady() -> MemorySource {
    let timestamps: Arc<[i64]> = (0..1000).map(|i| i * 15_000).collect();
    MemorySource::from_columns((0..50).map(|n| {
        let labels = Labels::from_pairs([("__name__", "m"), ("n", n.to_string().as_str())]);
        (labels, Arc::clone(&timestamps), (0..1000).map(f64::from).collect())
    }))
}

#[test]
fn a_subquery_of_a_year_by_the_second_is_refused() {
    let error = instant(&Engine::default(), "sum_over_time(m[1y:1s])", &steady(), 0).unwrap_err();
    assert!(matches!(error, QueryError::TooManySteps { .. }), "{error}");
}

#[test]
fn a_query_that_reads_too_much_is_stopped() {
    let limits = Limits { samples_max: 1000, ..Limits::default() };
    let engine = Engine { limits, ..Engine::default() };
    let error = instant(&engine, "sum(rate(m[4h]))", &steady(), 14_000_000).unwrap_err();
    assert!(matches!(error, QueryError::TooManySamples), "{error}");
}

#[test]
fn a_query_that_holds_too_much_is_stopped() {
    let limits = Limits { bytes_max: 100_000, ..Limits::default() };
    let engine = Engine { limits, ..Engine::default() };
    assert!(
        range(&engine, "sum(m)", &steady(), (0, 14_000_000, 15_000)).is_ok(),
        "a sum holds one row at a time"
    );
    let error = range(&engine, "m", &steady(), (0, 14_000_000, 15_000)).unwrap_err();
    assert!(matches!(error, QueryError::TooManyBytes { .. }), "{error}");
}

#[test]
fn deep_nesting_is_evaluated_or_refused_but_never_overflows_the_stack() {
    let text = format!("{}1{}", "abs(vector(".repeat(200), "))".repeat(200));
    if let Ok(expr) = promql::parse::expr(&text, &Syntax::default()) {
        let answer = control(|control| Engine::default().instant(&expr, &steady(), 0, control));
        assert!(matches!(answer.map(|a| a.value), Ok(Value::Vector(_)) | Err(QueryError::TooDeep { .. })));
    }
}

#[test]
fn equal_parts_are_computed_once_and_steady_parts_at_one_step() {
    let text = "sum(rate(m[5m])) / sum(rate(m[5m])) + m @ 100";
    let answer = range(
        &Engine::default(),
        "sum(rate(m[5m])) / sum(rate(m[5m]))",
        &steady(),
        (600_000, 900_000, 60_000),
    );
    assert_eq!(answer.unwrap().statistics.series, 50);
    let expr = promql::parse::expr(text, &Syntax::default()).unwrap();
    let plan = Engine::default().plan(&expr, 600_000, 900_000, 60_000).unwrap();
    let tree = Explanation::of(&plan).to_string();
    assert!(tree.contains("(computed once, above)") && tree.contains("once for all steps"), "{tree}");
}
