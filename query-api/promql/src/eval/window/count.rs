//! `changes` and `resets` of any window.

use super::column::Slice;
use crate::histogram::FloatHistogram;
use crate::kernels::extrapolate::restarted;

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::eval) enum Counted {
    Changes,
    Resets,
}

#[derive(Clone, Copy)]
enum Stored<'a> {
    Float(f64),
    Histogram(&'a FloatHistogram),
}

#[derive(Clone, Copy)]
struct Stamped<'a> {
    time: i64,
    start: i64,
    value: Stored<'a>,
}

/// How often it happens. With an anchor, counting starts at the last sample at or before it, and there must be one after it.
pub(in crate::eval) fn count(slice: &Slice<'_>, counted: Counted, anchor: Option<i64>) -> Option<f64> {
    let mut all: Vec<Stamped<'_>> = Vec::with_capacity(slice.floats.len() + slice.histograms.len());
    for index in 0..slice.floats.len() {
        let (&time, &value) = slice.floats.at(index)?;
        all.push(Stamped { time, start: slice.floats.start(index), value: Stored::Float(value) });
    }
    for index in 0..slice.histograms.len() {
        let (&time, value) = slice.histograms.at(index)?;
        all.push(Stamped { time, start: slice.histograms.start(index), value: Stored::Histogram(value) });
    }
    if !slice.floats.is_empty() && !slice.histograms.is_empty() {
        all.sort_by_key(|sample| sample.time);
    }
    let mut from = 0;
    if let Some(anchor) = anchor {
        let after = all.partition_point(|sample| sample.time <= anchor);
        if after == all.len() {
            return None;
        }
        from = after.saturating_sub(1);
    }
    let all = all.get(from..).filter(|all| !all.is_empty())?;
    let pairs = all.iter().zip(all.iter().skip(1));
    let found = pairs.filter(|(before, this)| happens(before, this, counted)).count();
    Some(found as f64)
}

fn happens(before: &Stamped<'_>, this: &Stamped<'_>, counted: Counted) -> bool {
    let restart = || restarted(before.start, before.time, this.start, this.time);
    match (before.value, this.value, counted) {
        (Stored::Float(a), Stored::Float(b), Counted::Changes) => a != b && !(a.is_nan() && b.is_nan()),
        (Stored::Float(a), Stored::Float(b), Counted::Resets) => b < a || restart(),
        (Stored::Histogram(a), Stored::Histogram(b), Counted::Changes) => !b.equals(a),
        (Stored::Histogram(a), Stored::Histogram(b), Counted::Resets) => restart() || b.detect_reset(a),
        _ => true,
    }
}
