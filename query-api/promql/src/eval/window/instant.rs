//! `irate` and `idelta`: the last two samples of a window.

use std::sync::Arc;

use super::boundary::subtract;
use super::column::{ColumnSlice, Slice};
use crate::annotation::{
    mixed_floats_histograms_warning, native_histogram_not_counter_warning, native_histogram_not_gauge_warning,
};
use crate::eval::Remarks;
use crate::histogram::{FloatHistogram, ResetHint};
use crate::kernels::extrapolate::restarted;
use crate::value::Point;

#[derive(Clone, Copy)]
struct Stamped<'a> {
    time: i64,
    start: i64,
    value: Stored<'a>,
}

#[derive(Clone, Copy)]
enum Stored<'a> {
    Float(f64),
    Histogram(&'a FloatHistogram),
}

/// The change from the last sample but one to the last; per second if `rate`.
pub(in crate::eval) fn instant(slice: &Slice<'_>, rate: bool, remarks: Remarks<'_>) -> Option<Point> {
    let (before, last) = last_two(slice)?;
    if before.time == last.time {
        return None;
    }
    let restart = restarted(before.start, before.time, last.start, last.time);
    let seconds = (last.time - before.time) as f64 / 1000.0;
    match (before.value, last.value) {
        (Stored::Float(previous), Stored::Float(value)) => {
            let reset = rate && (value < previous || restart);
            let change = if reset { value } else { value - previous };
            Some(Point::Float(if rate { change / seconds } else { change }))
        }
        (Stored::Histogram(previous), Stored::Histogram(value)) => {
            let gauges = [previous, value].map(|h| h.hint == ResetHint::Gauge);
            if rate && gauges.contains(&true) {
                remarks.named(native_histogram_not_counter_warning);
            }
            if !rate && gauges.contains(&false) {
                remarks.named(native_histogram_not_gauge_warning);
            }
            let mut change = value.clone();
            if !rate || !(restart || value.detect_reset(previous)) {
                subtract(&mut change, previous, remarks)?;
            }
            change.hint = ResetHint::Gauge;
            change.compact();
            if rate {
                change.div(seconds);
            }
            Some(Point::Histogram(Arc::new(change)))
        }
        _ => {
            remarks.named(mixed_floats_histograms_warning);
            None
        }
    }
}

fn last_two<'a>(slice: &Slice<'a>) -> Option<(Stamped<'a>, Stamped<'a>)> {
    let floats = &slice.floats;
    let mut all: Vec<Stamped<'a>> = tail(floats, |value| Stored::Float(*value)).collect();
    all.extend(tail(&slice.histograms, |value| Stored::Histogram(value)));
    all.sort_by_key(|sample| sample.time);
    let last = all.pop()?;
    Some((all.pop()?, last))
}

fn tail<'a, V>(
    samples: &ColumnSlice<'a, V>,
    stored: impl Fn(&'a V) -> Stored<'a>,
) -> impl Iterator<Item = Stamped<'a>> {
    let samples = ColumnSlice { times: samples.times, values: samples.values, starts: samples.starts };
    (samples.len().saturating_sub(2)..samples.len()).filter_map(move |index| {
        let (&time, value) = samples.at(index)?;
        Some(Stamped { time, start: samples.start(index), value: stored(value) })
    })
}
