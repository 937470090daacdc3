//! Instant selectors: the newest sample of the lookback window, or, `smoothed`, the line between its neighbours.

use std::sync::Arc;

use super::fetch::{ByColumn, Fetch};
use super::{Evaluator, Remarks, Sink};
use crate::annotation::{mixed_exponential_custom_histograms_warning, mixed_floats_histograms_warning};
use crate::ast::Ends;
use crate::engine::QueryError;
use crate::eval::window::boundary::{interpolate, interpolate_histograms};
use crate::histogram::ResetHint;
use crate::kernels::picks::Picks;
use crate::kernels::windows::{Grid, Windows};
use crate::plan::{NodeId, Select};
use crate::points::{ABSENT, Points, Row};
use crate::source::SeriesView;
use crate::value::is_stale;

/// Picks and how many samples they span.
type Seen = (Picks, usize);

impl Evaluator<'_> {
    pub(super) fn select(
        &self,
        id: NodeId,
        select: &Select,
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        if select.ends == Ends::Smoothed {
            return self.select_smoothed(id, select, grid, sink);
        }
        let columns = ByColumn::new();
        self.fetch(id, &self.instant_fetch(select, ""), grid, &mut |view| {
            let summaries;
            let mut view = view;
            if select.summary && !view.histograms.values.is_empty() {
                summaries = super::window::column::summaries(view.histograms.values);
                view.histograms.values = &summaries;
            }
            let (points, samples) = self.newest(&columns, select, grid, &view);
            if !points.is_empty() {
                sink(Row::new(view.labels.clone(), points))?;
            }
            Ok(samples)
        })
    }

    fn instant_fetch<'s>(&self, select: &'s Select, function: &'s str) -> Fetch<'s> {
        Fetch {
            matchers: &select.matchers,
            reference: select.reference,
            back: self.options.lookback_ms,
            ahead: 0,
            range: 0,
            function,
        }
    }

    /// The newest sample at every step, and how many samples were looked at.
    fn newest(
        &self,
        columns: &ByColumn<Seen>,
        select: &Select,
        grid: Grid,
        view: &SeriesView<'_>,
    ) -> (Points, usize) {
        let lookback = self.options.lookback_ms;
        let scan = |timestamps: &[i64]| {
            let picks = Picks::scan(timestamps, grid, select.reference, lookback);
            let touched = picks.touched();
            (picks, touched)
        };
        let floats = columns.get(view.floats.timestamps, scan);
        if view.histograms.values.is_empty() {
            return (
                Points { floats: floats.0.gather(view.floats.values), histograms: Vec::new() },
                floats.1,
            );
        }
        let histograms = scan(view.histograms.timestamps);
        let mut points = Points::absent(grid.count);
        let picks = floats.0.iter().zip(histograms.0.iter());
        for (step, (float, histogram)) in picks.enumerate() {
            let time =
                |index: Option<usize>, times: &[i64]| index.and_then(|index| times.get(index)).copied();
            let newer_float =
                time(float, view.floats.timestamps) > time(histogram, view.histograms.timestamps);
            if let Some(&float) = float.and_then(|i| view.floats.values.get(i))
                && newer_float
            {
                points.set(step, float);
            } else if let Some(found) = histogram.and_then(|i| view.histograms.values.get(i))
                && !newer_float
                && !is_stale(found.sum)
            {
                points.set_histogram(step, Arc::clone(found));
            }
        }
        (points, floats.1 + histograms.1)
    }

    /// The time in seconds, or the start timestamp, of the sample that each step sees.
    pub(super) fn sample_times(
        &self,
        id: NodeId,
        select: &Select,
        starts: bool,
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let function = if starts { "start_timestamp" } else { "timestamp" };
        let reference = select.reference;
        let lookback = self.options.lookback_ms;
        self.fetch(id, &self.instant_fetch(select, function), grid, &mut |view| {
            let floats = Picks::scan(view.floats.timestamps, grid, reference, lookback);
            let histograms = Picks::scan(view.histograms.timestamps, grid, reference, lookback);
            let mut values = vec![ABSENT; grid.count];
            for (value, (float, histogram)) in values.iter_mut().zip(floats.iter().zip(histograms.iter())) {
                *value = seen_time(&view, float, histogram, starts).unwrap_or(ABSENT);
            }
            let points = Points { floats: values, histograms: Vec::new() };
            if !points.is_empty() {
                sink(Row::new(view.labels.clone(), points))?;
            }
            Ok(floats.touched() + histograms.touched())
        })
    }

    /// `smoothed`: exact hits, else the line between the samples around the step, else the last one.
    fn select_smoothed(
        &self,
        id: NodeId,
        select: &Select,
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let lookback = self.options.lookback_ms;
        let fetch = Fetch { ahead: lookback, ..self.instant_fetch(select, "") };
        let span = self.plan.node(id).span;
        self.fetch(id, &fetch, grid, &mut |view| {
            let live = super::window::column::Live::new(&view);
            let scan = |times: &[i64]| Windows::scan(times, grid, select.reference, lookback, lookback);
            let (float_windows, histogram_windows) =
                (scan(live.floats.times()), scan(live.histograms.times()));
            let mut points = Points::absent(grid.count);
            for (step, time) in grid.times().enumerate() {
                let slice = live.slice(float_windows.get(step), histogram_windows.get(step));
                let remarks = self.remarks(view.labels, span);
                smoothed_at(&slice, select.reference.time(time), remarks, &mut points, step);
            }
            if !points.is_empty() {
                sink(Row::new(view.labels.clone(), points))?;
            }
            Ok(float_windows.touched() + histogram_windows.touched())
        })
    }
}

fn seen_time(
    view: &SeriesView<'_>,
    float: Option<usize>,
    histogram: Option<usize>,
    starts: bool,
) -> Option<f64> {
    let float_time = float.and_then(|i| view.floats.timestamps.get(i)).copied();
    let histogram_time = histogram.and_then(|i| view.histograms.timestamps.get(i)).copied();
    let start =
        |index: Option<usize>, starts: &[i64]| index.and_then(|i| starts.get(i)).copied().unwrap_or(0);
    let (time, start, stale) = if float_time > histogram_time {
        let value = view.floats.values.get(float?).copied()?;
        (float_time?, start(float, view.floats.starts), is_stale(value))
    } else {
        let sum = view.histograms.values.get(histogram?)?.sum;
        (histogram_time?, start(histogram, view.histograms.starts), is_stale(sum))
    };
    let seen = if starts { start } else { time };
    (!stale).then_some(seen as f64 / 1000.0)
}

fn smoothed_at(
    slice: &super::window::column::Slice<'_>,
    time: i64,
    remarks: Remarks<'_>,
    points: &mut Points,
    step: usize,
) {
    let (floats, histograms) = (&slice.floats, &slice.histograms);
    if !floats.is_empty() && !histograms.is_empty() {
        remarks.named(mixed_floats_histograms_warning);
        return;
    }
    let after = floats.times.partition_point(|&t| t < time);
    if let Some((&next_time, &next)) = floats.at(after) {
        if next_time == time {
            points.set(step, next);
        } else if let Some((&previous_time, &previous)) = after.checked_sub(1).and_then(|i| floats.at(i)) {
            points.set(step, interpolate((previous_time, previous), (next_time, next), time, false));
        }
        return;
    }
    if let Some((_, &previous)) = after.checked_sub(1).and_then(|i| floats.at(i)) {
        points.set(step, previous);
        return;
    }
    let after = histograms.times.partition_point(|&t| t < time);
    let previous = after.checked_sub(1).and_then(|i| histograms.at(i));
    match (previous, histograms.at(after)) {
        (_, Some((&at, next))) if at == time => points.set_histogram(step, Arc::clone(next)),
        (Some((&from, previous)), Some((&to, next))) => {
            if previous.uses_custom_buckets() != next.uses_custom_buckets() {
                remarks.named(mixed_exponential_custom_histograms_warning);
                return;
            }
            let counter = previous.hint != ResetHint::Gauge || next.hint != ResetHint::Gauge;
            if let Some(between) =
                interpolate_histograms((from, previous), (to, next), time, counter, remarks)
            {
                points.set_histogram(step, Arc::new(between));
            }
        }
        (Some((_, previous)), None) => {
            // the hint told how this sample stands to the one before it, not what it is worth later
            let mut held = previous.as_ref().clone();
            held.hint = ResetHint::Unknown;
            points.set_histogram(step, Arc::new(held));
        }
        (None, _) => {}
    }
}
