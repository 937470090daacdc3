//! `anchored` and `smoothed` windows. Anchored: the last sample at or before the window's start stands for its start, and nothing
//! is extrapolated. Smoothed: the values at both ends are interpolated between the samples around them.

use std::sync::Arc;

use super::boundary::{add, interpolate, interpolate_histograms, subtract};
use super::change::Asked;
use super::column::{ColumnSlice, Slice};
use crate::annotation::{
    mixed_exponential_custom_histograms_warning, mixed_floats_histograms_warning,
    native_histogram_not_counter_warning, native_histogram_not_gauge_warning,
};
use crate::histogram::{FloatHistogram, ResetHint};
use crate::value::Point;

/// The change over one window; `slice` reaches beyond its ends.
pub(in crate::eval) fn change(slice: &Slice<'_>, smoothed: bool, asked: Asked<'_>) -> Option<Point> {
    match (slice.floats.is_empty(), slice.histograms.is_empty()) {
        (true, true) => None,
        (false, false) => {
            asked.remarks.named(mixed_floats_histograms_warning);
            None
        }
        (false, true) => floats(&slice.floats, smoothed, asked).map(Point::Float),
        (true, false) => {
            histograms(&slice.histograms, smoothed, asked).map(|h| Point::Histogram(Arc::new(h)))
        }
    }
}

/// The samples that decide: from the last one at or before `start` to the last one, or, smoothed, to the first at or after `end`.
fn deciding<V>(samples: &ColumnSlice<'_, V>, smoothed: bool, start: i64, end: i64) -> Option<(usize, usize)> {
    let newest = samples.len().checked_sub(1)?;
    let before = samples.times.get(..newest)?;
    let first = before.partition_point(|&t| t <= start).saturating_sub(1);
    let last = if smoothed { before.partition_point(|&t| t < end) } else { newest };
    let inside = *samples.times.get(last)? > start && !(smoothed && *samples.times.get(first)? > end);
    inside.then_some((first, last))
}

/// The floats of an anchored or smoothed selector on its own: what the window holds, with a sample at each end.
pub(in crate::eval) fn points(
    samples: &ColumnSlice<'_, f64>,
    smoothed: bool,
    start: i64,
    end: i64,
) -> Vec<(i64, f64)> {
    let Some((first, last)) = deciding(samples, smoothed, start, end) else { return Vec::new() };
    let (Some(left), Some(right)) =
        (left(samples, first, smoothed, start, false), right(samples, last, smoothed, end, false))
    else {
        return Vec::new();
    };
    let all = samples.times.iter().copied().zip(samples.values.iter().copied());
    let inner = all.skip(first).take(last + 1 - first).filter(|(t, _)| *t > start && *t < end);
    [(start, left)].into_iter().chain(inner).chain([(end, right)]).collect()
}

fn left(
    samples: &ColumnSlice<'_, f64>,
    first: usize,
    smoothed: bool,
    start: i64,
    counter: bool,
) -> Option<f64> {
    let (&time, &value) = samples.at(first)?;
    if smoothed && time < start {
        let (&next_time, &next) = samples.at(first + 1)?;
        return Some(interpolate((time, value), (next_time, next), start, counter));
    }
    Some(value)
}

fn right(
    samples: &ColumnSlice<'_, f64>,
    last: usize,
    smoothed: bool,
    end: i64,
    counter: bool,
) -> Option<f64> {
    let (&time, &value) = samples.at(last)?;
    if smoothed && time > end && last > 0 {
        let (&previous_time, &previous) = samples.at(last - 1)?;
        return Some(interpolate((previous_time, previous), (time, value), end, counter));
    }
    Some(value)
}

fn floats(samples: &ColumnSlice<'_, f64>, smoothed: bool, asked: Asked<'_>) -> Option<f64> {
    let (start, end, counter) = (asked.start(), asked.end, asked.counter());
    let (mut first, last) = deciding(samples, smoothed, start, end)?;
    let left = left(samples, first, smoothed, start, counter)?;
    let right = right(samples, last, smoothed, end, counter)?;
    let mut change = right - left;
    if counter {
        // the ends have taken care of resets at the ends
        first += usize::from(*samples.times.get(first)? <= start);
        let until = if *samples.times.get(last)? >= end { last } else { last + 1 };
        let mut previous = left;
        for &value in samples.values.get(first..until).unwrap_or_default().iter().chain([&right]) {
            if value < previous {
                change += previous;
            }
            previous = value;
        }
    }
    Some(change / asked.change.scale(asked.range))
}

fn histograms(
    samples: &ColumnSlice<'_, Arc<FloatHistogram>>,
    smoothed: bool,
    asked: Asked<'_>,
) -> Option<FloatHistogram> {
    let (start, end, counter, remarks) = (asked.start(), asked.end, asked.counter(), asked.remarks);
    let (first, last) = deciding(samples, smoothed, start, end)?;
    let deciding = samples.values.get(first..=last)?;
    let custom = deciding.first()?.uses_custom_buckets();
    for histogram in deciding {
        if histogram.uses_custom_buckets() != custom {
            remarks.named(mixed_exponential_custom_histograms_warning);
            return None;
        }
        if counter && histogram.hint == ResetHint::Gauge {
            remarks.named(native_histogram_not_counter_warning);
        }
    }
    let between = |from: usize, to: usize, time: i64| {
        let ((&from_time, from), (&to_time, to)) = (samples.at(from)?, samples.at(to)?);
        interpolate_histograms((from_time, from), (to_time, to), time, counter, remarks)
    };
    let left = if smoothed && *samples.times.get(first)? < start {
        between(first, first + 1, start)?
    } else {
        samples.values.get(first)?.as_ref().clone()
    };
    let right = if smoothed && *samples.times.get(last)? > end && last > 0 {
        between(last - 1, last, end)?
    } else {
        samples.values.get(last)?.as_ref().clone()
    };
    if !counter && (left.hint != ResetHint::Gauge || right.hint != ResetHint::Gauge) {
        remarks.named(native_histogram_not_gauge_warning);
    }
    let mut change = right.clone();
    subtract(&mut change, &left, remarks)?;
    if counter {
        let lost = resets(samples, (first, last), (&left, &right), smoothed, &asked)?;
        if let Some(lost) = lost {
            add(&mut change, &lost, remarks)?;
        }
    }
    change.div(asked.change.scale(asked.range));
    change.hint = ResetHint::Gauge;
    change.compact();
    Some(change)
}

/// What resets between the two ends took away, if there were any; the outer `None` means incompatible layouts.
fn resets(
    samples: &ColumnSlice<'_, Arc<FloatHistogram>>,
    (first, last): (usize, usize),
    (left, right): (&FloatHistogram, &FloatHistogram),
    smoothed: bool,
    asked: &Asked<'_>,
) -> Option<Option<FloatHistogram>> {
    let mut next = first + 1;
    let mut previous = left;
    if smoothed && *samples.times.get(first)? < asked.start() {
        let (one, two) = (samples.values.get(first)?, samples.values.get(next)?);
        if two.detect_reset(one) {
            // the left end was interpolated across this reset and knows of it
            previous = two;
            next += 1;
        }
    }
    if next > last {
        return Some(None);
    }
    let mut lost: Option<FloatHistogram> = None;
    for histogram in samples.values.get(next..last)?.iter().map(Arc::as_ref).chain([right]) {
        if histogram.detect_reset(previous) {
            match &mut lost {
                None => lost = Some(previous.clone()),
                Some(lost) => add(lost, previous, asked.remarks)?,
            }
        }
        previous = histogram;
    }
    Some(lost)
}
