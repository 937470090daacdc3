//! Whether a result is what a script expects.
//!
//! Knows: how close is close enough, and what of a histogram counts. Must not know: how results come to be.

use std::collections::HashSet;

use super::eval::{Eval, When};
use super::series::SequenceValue;
use crate::annotation::{Annotations, Level};
use crate::histogram::FloatHistogram;
use crate::labels::Labels;
use crate::number::general;
use crate::value::{Point, Series, Value, VectorSample, is_stale};

/// Relative difference that is none.
const EPSILON: f64 = 1e-6;

/// Whether two numbers are the same to Prometheus' tests: any two NaNs are, but a stale marker is only itself.
pub(super) fn almost_equal(a: f64, b: f64) -> bool {
    if is_stale(a) || is_stale(b) {
        return is_stale(a) && is_stale(b);
    }
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < EPSILON * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < EPSILON
}

fn same_histogram(expected: &FloatHistogram, got: &FloatHistogram, hinted: bool) -> bool {
    let (mut expected, mut got) = (expected.clone(), got.clone());
    expected.compact();
    got.compact();
    let same_side = |a: &crate::histogram::Buckets, b: &crate::histogram::Buckets| {
        a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.0 == b.0 && almost_equal(a.1, b.1))
    };
    expected.schema == got.schema
        && almost_equal(expected.count, got.count)
        && almost_equal(expected.sum, got.sum)
        && expected.custom_values == got.custom_values
        && expected.zero_threshold == got.zero_threshold
        && almost_equal(expected.zero_count, got.zero_count)
        && same_side(&expected.positive, &got.positive)
        && same_side(&expected.negative, &got.negative)
        && (!hinted || expected.hint == got.hint)
}

fn shown(value: &SequenceValue) -> String {
    match value {
        SequenceValue::Omitted => "_".to_owned(),
        SequenceValue::Float(v) => general(*v),
        SequenceValue::Histogram { histogram, .. } => histogram.test_expression(),
    }
}

fn shown_point(point: &Point) -> String {
    match point {
        Point::Float(v) => general(*v),
        Point::Histogram(h) => h.test_expression(),
    }
}

fn same_point(expected: &SequenceValue, got: &Point) -> bool {
    match (expected, got) {
        (SequenceValue::Float(a), Point::Float(b)) => almost_equal(*a, *b),
        (SequenceValue::Histogram { histogram, hinted }, Point::Histogram(b)) => {
            same_histogram(histogram, b, *hinted)
        }
        _ => false,
    }
}

/// Compares a result with what the evaluation expects.
pub(super) fn value(eval: &Eval, got: &Value) -> Result<(), String> {
    match got {
        Value::Scalar { value, .. } => match eval.scalar {
            Some(expected) if almost_equal(expected, *value) => Ok(()),
            Some(expected) => {
                Err(format!("expected scalar {} but got {}", general(expected), general(*value)))
            }
            None => Err(format!("expected vector or matrix result, but got scalar {}", general(*value))),
        },
        Value::String { value, .. } => {
            let expected = eval.text.clone().unwrap_or_default();
            if expected == *value {
                Ok(())
            } else {
                Err(format!("expected string {expected:?} but got {value:?}"))
            }
        }
        _ if eval.scalar.is_some() => Err("expected scalar result, but got a vector".to_owned()),
        Value::Vector(samples) => vector(eval, samples),
        Value::Matrix(series) => matrix(eval, series),
    }
}

fn all_seen(eval: &Eval, seen: &HashSet<&Labels>) -> Result<(), String> {
    match eval.series.iter().find(|(labels, _)| !seen.contains(labels)) {
        Some((labels, (_, values))) => {
            let values: Vec<_> = values.iter().map(shown).collect();
            Err(format!("expected metric {labels} with {} not found", values.join(" ")))
        }
        None => Ok(()),
    }
}

fn vector(eval: &Eval, samples: &[VectorSample]) -> Result<(), String> {
    let mut seen = HashSet::new();
    for (at, sample) in samples.iter().enumerate() {
        let labels = &sample.labels;
        let got = shown_point(&sample.point);
        let Some((position, values)) = eval.series.get(labels) else {
            return Err(format!("unexpected metric {labels} in result, has value {got}"));
        };
        if eval.expect.ordered && *position != at + 1 {
            return Err(format!("expected metric {labels} at position {position} but was at {}", at + 1));
        }
        let expected = values.first().unwrap_or(&SequenceValue::Omitted);
        if !same_point(expected, &sample.point) {
            return Err(format!("expected {} for {labels} but got {got}", shown(expected)));
        }
        seen.insert(labels);
    }
    all_seen(eval, &seen)
}

fn matrix(eval: &Eval, all: &[Series]) -> Result<(), String> {
    if eval.expect.ordered {
        return Err("expected ordered result, but query returned a matrix".to_owned());
    }
    sorted(all)?;
    let (start, end, step) = match (eval.range_vector, eval.when) {
        (Some(times), _) => times,
        (None, When::Range(start, end, step)) => (start, end, step),
        (None, When::Instant(at)) => (at, at, 0),
    };
    let mut seen = HashSet::new();
    for series in all {
        let labels = &series.labels;
        let Some((_, values)) = eval.series.get(labels) else {
            return Err(format!("unexpected metric {labels} in result, has {}", shown_series(series)));
        };
        seen.insert(labels);
        let times = (0i64..).map(|i| start + i * step);
        let expected: Vec<_> = times.zip(values).filter(|(_, v)| **v != SequenceValue::Omitted).collect();
        if expected.last().is_some_and(|(time, _)| *time > end) {
            return Err(format!("expected {} points for {labels}, more than there are steps", values.len()));
        }
        let mut got: Vec<(i64, Point)> = series.floats.iter().map(|(t, v)| (*t, Point::Float(*v))).collect();
        got.extend(series.histograms.iter().map(|(t, h)| (*t, Point::Histogram(h.clone()))));
        got.sort_by_key(|(time, _)| *time);
        let same = expected.len() == got.len()
            && expected.iter().zip(&got).all(|(a, b)| a.0 == b.0 && same_point(a.1, &b.1));
        if !same {
            let expected: Vec<_> = expected.iter().map(|(t, v)| format!("{} @[{t}]", shown(v))).collect();
            let got = shown_series(series);
            return Err(format!("expected for {labels}: {}, but got {got}", expected.join(" ")));
        }
    }
    all_seen(eval, &seen)
}

fn shown_series(series: &Series) -> String {
    let floats = series.floats.iter().map(|(t, v)| format!("{} @[{t}]", general(*v)));
    let histograms = series.histograms.iter().map(|(t, h)| format!("{} @[{t}]", h.test_expression()));
    floats.chain(histograms).collect::<Vec<_>>().join(" ")
}

/// Range queries answer sorted by labels, always.
pub(super) fn sorted(all: &[Series]) -> Result<(), String> {
    match all.windows(2).find(|pair| pair.first().map(|s| &s.labels) > pair.last().map(|s| &s.labels)) {
        Some(_) => {
            Err("matrix results should always be sorted by labels, but matrix is not sorted".to_owned())
        }
        None => Ok(()),
    }
}

/// Compares warnings and infos with what the evaluation expects.
pub(super) fn annotations(eval: &Eval, got: &Annotations, query: &str) -> Result<(), String> {
    let of =
        |level| -> Vec<String> { got.iter().filter(|a| a.level == level).map(|a| a.render(query)).collect() };
    let expect = &eval.expect;
    for (level, word, expected, none) in [
        (Level::Warning, "warn", &expect.warn, expect.no_warn),
        (Level::Info, "info", &expect.info, expect.no_info),
    ] {
        let got = of(level);
        if none && !got.is_empty() {
            return Err(format!("unexpected {word} annotations: {got:?}"));
        }
        if expected.is_empty() {
            continue;
        }
        if let Some(missing) = expected.iter().find(|m| !got.iter().any(|g| m.matches(g))) {
            return Err(format!("expected {word} annotation {missing:?} not found, got {got:?}"));
        }
        if let Some(extra) = got.iter().find(|g| !expected.iter().any(|m| m.matches(g))) {
            return Err(format!("unexpected {word} annotation {extra:?}"));
        }
    }
    Ok(())
}
