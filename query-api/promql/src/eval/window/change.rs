//! `rate`, `increase` and `delta` of any window: histograms, and floats with start timestamps.

use std::sync::Arc;

use super::boundary::{add, subtract};
use super::column::{ColumnSlice, Slice};
use crate::annotation::{
    mixed_exponential_custom_histograms_warning, mixed_floats_histograms_warning,
    native_histogram_not_counter_warning, native_histogram_not_gauge_warning,
    start_timestamp_overlap_warning,
};
use crate::eval::Remarks;
use crate::histogram::{FloatHistogram, ResetHint};
use crate::kernels::extrapolate::{Change, Extent, overlaps, restarted};
use crate::value::Point;

/// A window and what is asked of it.
#[derive(Clone, Copy)]
pub(in crate::eval) struct Asked<'a> {
    pub(in crate::eval) change: Change,
    /// Right end of the window.
    pub(in crate::eval) end: i64,
    /// Length of the window.
    pub(in crate::eval) range: i64,
    pub(in crate::eval) remarks: Remarks<'a>,
}

impl Asked<'_> {
    pub(super) fn start(&self) -> i64 {
        self.end.saturating_sub(self.range)
    }

    pub(super) fn counter(&self) -> bool {
        self.change.is_counter()
    }
}

/// The extrapolated change of one window.
pub(in crate::eval) fn change(slice: &Slice<'_>, asked: Asked<'_>) -> Option<Point> {
    match (slice.floats.is_empty(), slice.histograms.is_empty()) {
        (true, true) => None,
        (false, false) => {
            asked.remarks.named(mixed_floats_histograms_warning);
            None
        }
        (false, true) => floats(&slice.floats, asked).map(Point::Float),
        (true, false) => histograms(&slice.histograms, asked).map(|h| Point::Histogram(Arc::new(h))),
    }
}

/// How far the change is extrapolated, and whether the first sample is counted from a zero at its start timestamp.
fn extent<V>(samples: &ColumnSlice<'_, V>, asked: &Asked<'_>) -> Option<(Extent, bool)> {
    let (&first, &last) = (samples.times.first()?, samples.times.last()?);
    let mut extent = Extent::new(asked.start(), asked.end, first, last, samples.len());
    let start = samples.start(0);
    if asked.counter() && start != 0 && start > asked.start() && start < first {
        // the counter was zero when it started: there is nothing to extrapolate on the left
        extent.to_start = 0.0;
        extent.sampled = (last - start) as f64 / 1000.0;
        return Some((extent, true));
    }
    (samples.len() > 1).then_some((extent, false))
}

fn floats(samples: &ColumnSlice<'_, f64>, asked: Asked<'_>) -> Option<f64> {
    let (&first, &last) = (samples.values.first()?, samples.values.last()?);
    let mut change = last - first;
    if asked.counter() {
        let mut overlapping = false;
        for index in 1..samples.len() {
            let ((&before, &previous), (&time, &value)) = (samples.at(index - 1)?, samples.at(index)?);
            let (previous_start, start) = (samples.start(index - 1), samples.start(index));
            overlapping |= overlaps(previous_start, before, start);
            if value < previous || restarted(previous_start, before, start, time) {
                change += previous;
            }
        }
        if overlapping {
            asked.remarks.named(start_timestamp_overlap_warning);
        }
    }
    let (extent, from_zero) = extent(samples, &asked)?;
    if from_zero {
        change += first;
    }
    Some(change * factor(extent, from_zero, &asked, first, change))
}

fn factor(extent: Extent, from_zero: bool, asked: &Asked<'_>, first: f64, change: f64) -> f64 {
    let factor = if from_zero {
        if extent.sampled == 0.0 { 1.0 } else { (extent.sampled + extent.to_end) / extent.sampled }
    } else {
        extent.factor(asked.counter(), first, change)
    };
    factor / asked.change.scale(asked.range)
}

fn histograms(samples: &ColumnSlice<'_, Arc<FloatHistogram>>, asked: Asked<'_>) -> Option<FloatHistogram> {
    let first = samples.values.first()?;
    let change = if samples.len() > 1 { Some(difference(samples, asked)?) } else { None };
    let (extent, from_zero) = extent(samples, &asked)?;
    let mut change = match (change, from_zero) {
        (None, _) => first.as_ref().clone(),
        (Some(change), false) => change,
        (Some(mut change), true) => {
            add(&mut change, first, asked.remarks)?;
            change
        }
    };
    change.mul(factor(extent, from_zero, &asked, first.count, change.count));
    Some(change)
}

/// Last minus first sample, corrected for resets.
fn difference(samples: &ColumnSlice<'_, Arc<FloatHistogram>>, asked: Asked<'_>) -> Option<FloatHistogram> {
    let ([first, second, ..], Some(last)) = (samples.values, samples.values.last()) else { return None };
    let counter = asked.counter();
    if counter && samples.values.iter().any(|h| h.hint == ResetHint::Gauge) {
        asked.remarks.named(native_histogram_not_counter_warning);
    }
    let reset = |index: usize, previous: &FloatHistogram| {
        let (Some((&before, _)), Some((&time, this))) = (samples.at(index - 1), samples.at(index)) else {
            return false;
        };
        restarted(samples.start(index - 1), before, samples.start(index), time) || this.detect_reset(previous)
    };
    // before a reset between the first two samples nothing counts, not even the first one's layout
    let emptied;
    let base: &FloatHistogram = if counter && reset(1, first) {
        emptied = FloatHistogram {
            schema: second.schema,
            custom_values: second.custom_values.clone(),
            ..FloatHistogram::default()
        };
        &emptied
    } else {
        first
    };
    let custom = base.uses_custom_buckets();
    let inner = samples.values.get(1..samples.len() - 1).unwrap_or_default();
    let mixed = |h: &FloatHistogram| h.uses_custom_buckets() != custom;
    if mixed(last) || counter && inner.iter().any(|h| mixed(h)) {
        asked.remarks.named(mixed_exponential_custom_histograms_warning);
        return None;
    }
    let mut schema = last.schema.min(base.schema);
    if counter {
        schema = inner.iter().map(|h| h.schema).fold(schema, i32::min);
    }
    let mut change = last.copy_to_schema(schema);
    subtract(&mut change, base, asked.remarks)?;
    if counter {
        add_resets(&mut change, samples, base, reset, asked.remarks)?;
    } else if first.hint != ResetHint::Gauge || last.hint != ResetHint::Gauge {
        asked.remarks.named(native_histogram_not_gauge_warning);
    }
    change.hint = ResetHint::Gauge;
    change.compact();
    Some(change)
}

fn add_resets(
    change: &mut FloatHistogram,
    samples: &ColumnSlice<'_, Arc<FloatHistogram>>,
    base: &FloatHistogram,
    reset: impl Fn(usize, &FloatHistogram) -> bool,
    remarks: Remarks<'_>,
) -> Option<()> {
    let mut previous = base;
    let mut overlapping = false;
    for index in 1..samples.len() {
        let (&before, _) = samples.at(index - 1)?;
        overlapping |= overlaps(samples.start(index - 1), before, samples.start(index));
        if reset(index, previous) {
            add(change, previous, remarks)?;
        }
        previous = samples.values.get(index)?;
    }
    if overlapping {
        remarks.named(start_timestamp_overlap_warning);
    }
    Some(())
}
