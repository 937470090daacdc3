//! Calls of functions of a range vector, one series after the other.

use std::borrow::Cow;
use std::sync::Arc;

use super::fetch::{ByColumn, Fetch};
use super::window::change::Asked;
use super::window::column::{Column, Live};
use super::window::count::Counted;
use super::window::{aggregate, change, count, extended, instant};
use super::{Evaluator, Remarks, Sink};
use crate::annotation::{
    histogram_ignored_in_mixed_range_info, invalid_quantile_warning, possible_non_counter_info,
    possible_non_counter_label_info,
};
use crate::ast::{Ends, Span, ValueType};
use crate::engine::QueryError;
use crate::functions::OverTime;
use crate::histogram::{FloatHistogram, ResetHint};
use crate::kernels::extrapolate::{Change, Geometry, extrapolate};
use crate::kernels::order;
use crate::kernels::stats;
use crate::kernels::windows::{Grid, Windows};
use crate::labels::{METRIC_TYPE, Matcher};
use crate::plan::{NodeId, Op, Window};
use crate::points::{ABSENT, Points, Row, is_absent};
use crate::value::Point;

/// One call, with everything that does not change from series to series.
struct Call {
    function: OverTime,
    window: Window,
    grid: Grid,
    /// Where its first argument stands.
    span: Span,
    lookback: i64,
    /// The scalar arguments, one number per step each.
    scalars: Vec<Vec<f64>>,
    windows: ByColumn<Windows>,
    geometries: ByColumn<Geometry>,
}

impl Call {
    /// How far the samples of interest reach to either side of the reference.
    fn reach(&self) -> (i64, i64) {
        match self.window.ends {
            Ends::Plain => (self.window.range, 0),
            Ends::Anchored => (self.window.range.saturating_add(self.lookback), 0),
            Ends::Smoothed => (self.window.range.saturating_add(self.lookback), self.lookback),
        }
    }

    fn scalar(&self, argument: usize, step: usize) -> f64 {
        self.scalars.get(argument).and_then(|scalar| scalar.get(step)).copied().unwrap_or(f64::NAN)
    }

    fn scan(&self, timestamps: &[i64]) -> Windows {
        let (back, ahead) = self.reach();
        Windows::scan(timestamps, self.grid, self.window.reference, back, ahead)
    }
}

impl Evaluator<'_> {
    pub(super) fn over_time(
        &self,
        id: NodeId,
        function: OverTime,
        args: &[NodeId],
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let is_range = |arg: &&NodeId| self.plan.node(**arg).value_type == ValueType::Matrix;
        let Some(&range) = args.iter().find(is_range) else {
            return Err(QueryError::execution("a range vector was expected"));
        };
        let window = match &self.plan.node(range).op {
            Op::Range(_, window) | Op::Subquery(_, _, window) => *window,
            _ => return Err(QueryError::execution("a range vector was expected")),
        };
        let scalars = args.iter().filter(|arg| **arg != range).map(|&arg| self.scalar(arg, grid));
        let call = Call {
            function,
            window,
            grid,
            span: self.plan.node(args.first().copied().unwrap_or(id)).span,
            lookback: self.options.lookback_ms,
            scalars: scalars.collect::<Result<_, _>>()?,
            windows: ByColumn::new(),
            geometries: ByColumn::new(),
        };
        check_scalars(&call)?;
        if function == OverTime::Absent {
            return self.absent_over_time(range, &call, sink);
        }
        let each = |sink: &mut Sink<'_>| {
            self.each_series(range, &call, &mut |row, live| {
                let points = self.apply(&call, &live, self.remarks(&row, call.span));
                self.note_counter_name(&call, &row, &points);
                if points.is_empty() { Ok(()) } else { sink(Row::new(row, points)) }
            })
        };
        if function.keeps_name() { each(sink) } else { self.unnaming(sink, each) }
    }

    /// Calls `each` for every series of a range selector or subquery.
    fn each_series(
        &self,
        range: NodeId,
        call: &Call,
        each: &mut dyn FnMut(crate::labels::Labels, Live<'_>) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        match &self.plan.node(range).op {
            Op::Range(matchers, _) => self.each_selected(range, matchers, call, each),
            Op::Subquery(inner, step, window) => {
                let grid = subquery_grid(call.grid, *step, *window);
                self.budget.allow_steps(grid.count)?;
                let times: Arc<[i64]> = grid.times().collect();
                self.stream(*inner, grid, &mut |row| {
                    let live = as_column(&row.points, &times);
                    self.budget.work(1 + (grid.count + call.grid.count) / 256)?;
                    each(row.labels, live)
                })
            }
            _ => Err(QueryError::execution("a range vector was expected")),
        }
    }

    fn each_selected(
        &self,
        range: NodeId,
        matchers: &[Matcher],
        call: &Call,
        each: &mut dyn FnMut(crate::labels::Labels, Live<'_>) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let (back, ahead) = call.reach();
        let reference = call.window.reference;
        let function = name(call.function);
        let fetch = Fetch { matchers, reference, back, ahead, range: call.window.range, function };
        self.fetch(range, &fetch, call.grid, &mut |view| {
            let mut live = Live::new(&view);
            if call.window.summary {
                live.summarise();
            }
            let floats = call.windows.get(&live.floats.timestamps, |times| call.scan(times)).touched();
            let histograms = live.histograms.times().len();
            each(view.labels.clone(), live)?;
            Ok(floats + histograms)
        })
    }

    fn absent_over_time(&self, range: NodeId, call: &Call, sink: &mut Sink<'_>) -> Result<(), QueryError> {
        let mut absent = vec![1.0; call.grid.count];
        self.each_series(range, call, &mut |_, live| {
            let floats = call.windows.get(&live.floats.timestamps, |times| call.scan(times));
            let histograms = call.scan(live.histograms.times());
            for (slot, (floats, histograms)) in absent.iter_mut().zip(floats.iter().zip(histograms.iter())) {
                if !floats.is_empty() || !histograms.is_empty() {
                    *slot = ABSENT;
                }
            }
            Ok(())
        })?;
        let points = Points { floats: absent, histograms: Vec::new() };
        if points.is_empty() {
            return Ok(());
        }
        let labels = match &self.plan.node(range).op {
            Op::Range(matchers, _) => super::series::absent_labels(matchers),
            _ => crate::labels::Labels::empty(),
        };
        sink(self.unnamed(Row::new(labels, points)))
    }

    fn apply(&self, call: &Call, live: &Live<'_>, remarks: Remarks<'_>) -> Points {
        let windows = call.windows.get(&live.floats.timestamps, |times| call.scan(times));
        let plain = call.window.ends == Ends::Plain;
        let use_starts = self.options.start_timestamps && !live.floats.starts.is_empty();
        if live.histograms.is_empty() && plain && !(use_starts && reads_starts(call.function)) {
            let floats = floats(call, live, &windows, remarks);
            return Points { floats, histograms: Vec::new() };
        }
        let histogram_windows = call.scan(live.histograms.times());
        if let Some(floats) = ignoring_histograms(call, live, &windows, &histogram_windows, remarks) {
            return Points { floats, histograms: Vec::new() };
        }
        let mut points = Points::absent(call.grid.count);
        for (step, time) in call.grid.times().enumerate() {
            let mut slice = live.slice(windows.get(step), histogram_windows.get(step));
            if !self.options.start_timestamps {
                (slice.floats.starts, slice.histograms.starts) = (&[], &[]);
            }
            if slice.is_empty() {
                continue;
            }
            match any_window(call, &slice, call.window.reference.time(time), remarks) {
                Some(Point::Float(value)) => points.set(step, value),
                Some(Point::Histogram(histogram)) => points.set_histogram(step, histogram),
                None => {}
            }
        }
        points
    }

    /// `rate` and `increase` make sense for counters: says so if the series is not called or labelled like one.
    fn note_counter_name(&self, call: &Call, labels: &crate::labels::Labels, points: &Points) {
        let counter = matches!(call.function, OverTime::Change(Change::Rate | Change::Increase));
        let name = labels.name();
        if !counter || name.is_empty() || points.floats.iter().all(|&x| is_absent(x)) {
            return;
        }
        if self.options.type_and_unit_labels {
            let metric_type = labels.get(METRIC_TYPE);
            if !["counter", "histogram"].contains(&metric_type) {
                self.annotate(possible_non_counter_label_info(name, metric_type, call.span));
            }
        } else if !["_total", "_sum", "_count", "_bucket"].iter().any(|suffix| name.ends_with(suffix)) {
            self.annotate(possible_non_counter_info(name, call.span));
        }
    }
}

/// The evaluations of a subquery that the windows of `outer` need, aligned to multiples of `step`.
fn subquery_grid(outer: Grid, step: i64, window: Window) -> Grid {
    let reference = window.reference;
    let after = reference.time(outer.start).saturating_sub(window.range);
    let start = after.div_euclid(step).saturating_add(1).saturating_mul(step);
    Grid::range(start, reference.time(outer.end()), step)
}

/// A row as the column of its samples. Hints of histograms are forgotten: they told how neighbours in the source relate.
fn as_column<'a>(points: &Points, times: &Arc<[i64]>) -> Live<'a> {
    let mut floats = Column {
        timestamps: Cow::Owned(Arc::clone(times)),
        values: Cow::Owned(points.floats.clone()),
        starts: Cow::Owned(Vec::new()),
    };
    if points.floats.iter().any(|&x| is_absent(x)) {
        let live = || times.iter().zip(&points.floats).filter(|(_, x)| !is_absent(**x));
        floats.timestamps = Cow::Owned(live().map(|(&t, _)| t).collect());
        floats.values = Cow::Owned(live().map(|(_, &x)| x).collect());
    }
    let live = || times.iter().zip(&points.histograms).filter_map(|(&t, h)| Some((t, h.as_ref()?)));
    let histograms = Column {
        timestamps: Cow::Owned(live().map(|(t, _)| t).collect()),
        values: Cow::Owned(live().map(|(_, h)| without_hint(h)).collect()),
        starts: Cow::Owned(Vec::new()),
    };
    Live { floats, histograms }
}

fn without_hint(histogram: &Arc<FloatHistogram>) -> Arc<FloatHistogram> {
    if matches!(histogram.hint, ResetHint::Reset | ResetHint::NotReset) {
        return Arc::new(FloatHistogram { hint: ResetHint::Unknown, ..histogram.as_ref().clone() });
    }
    Arc::clone(histogram)
}

fn check_scalars(call: &Call) -> Result<(), QueryError> {
    if call.function != OverTime::DoubleExponentialSmoothing {
        return Ok(());
    }
    for (argument, what) in ["smoothing", "trend"].into_iter().enumerate() {
        let short = if argument == 0 { "sf" } else { "tf" };
        let wrong = |x: &&f64| **x <= 0.0 || **x >= 1.0;
        if let Some(factor) = call.scalars.get(argument).and_then(|factors| factors.iter().find(wrong)) {
            return Err(QueryError::Execution(format!(
                "invalid {what} factor. Expected: 0 < {short} < 1, got: {factor:.6}"
            )));
        }
    }
    Ok(())
}

fn reads_starts(function: OverTime) -> bool {
    matches!(
        function,
        OverTime::Change(_) | OverTime::InstantRate | OverTime::InstantDelta | OverTime::Resets
    )
}

fn name(function: OverTime) -> &'static str {
    match function {
        OverTime::Change(Change::Rate) => "rate",
        OverTime::Change(Change::Increase) => "increase",
        OverTime::Change(Change::Delta) => "delta",
        _ => "over_time",
    }
}

/// The kernels: floats in plain windows.
fn floats(call: &Call, live: &Live<'_>, windows: &Windows, remarks: Remarks<'_>) -> Vec<f64> {
    let (values, times) = (&*live.floats.values, live.floats.times());
    match call.function {
        OverTime::Change(change) => {
            let Window { reference, range, .. } = call.window;
            let geometry = call.geometries.get(&live.floats.timestamps, |times| {
                Geometry::new(times, windows, call.grid, reference, range, change)
            });
            extrapolate(values, &geometry, change)
        }
        OverTime::Sum => stats::sums(values, windows),
        OverTime::Avg => stats::means(values, windows),
        OverTime::Changes => stats::pairs(values, windows, |a, b| a != b && !(a.is_nan() && b.is_nan())),
        OverTime::Resets => stats::pairs(values, windows, |a, b| b < a),
        OverTime::Count | OverTime::Present | OverTime::Absent => {
            let count = call.function == OverTime::Count;
            each_window(windows, |window| if count { window.len() as f64 } else { 1.0 })
        }
        OverTime::First => each_window(windows, |window| value(values, window.start)),
        OverTime::Last => each_window(windows, |window| value(values, window.end - 1)),
        OverTime::TimeOfFirst => each_window(windows, |window| seconds(times, window.start)),
        OverTime::TimeOfLast => each_window(windows, |window| seconds(times, window.end - 1)),
        OverTime::InstantRate | OverTime::InstantDelta => {
            let rate = call.function == OverTime::InstantRate;
            let mut out = vec![ABSENT; windows.len()];
            for (slot, window) in out.iter_mut().zip(windows.iter()) {
                let slice = live.slice(window, 0..0);
                if let Some(Point::Float(value)) = instant::instant(&slice, rate, remarks) {
                    *slot = value;
                }
            }
            out
        }
        _ => floats_alone(call, live, windows, remarks),
    }
}

/// Functions that never look at histograms.
fn floats_alone(call: &Call, live: &Live<'_>, windows: &Windows, remarks: Remarks<'_>) -> Vec<f64> {
    let (values, times) = (&*live.floats.values, live.floats.times());
    let mut out = vec![ABSENT; windows.len()];
    let mut set = |step: usize, value: f64| {
        if let Some(slot) = out.get_mut(step) {
            *slot = value;
        }
    };
    let at = |step: usize| values.get(windows.get(step)).unwrap_or_default();
    match call.function {
        OverTime::Min => return stats::extrema::<false>(values, windows),
        OverTime::Max => return stats::extrema::<true>(values, windows),
        OverTime::TimeOfMin => return stats::extrema_times::<false>(values, times, windows),
        OverTime::TimeOfMax => return stats::extrema_times::<true>(values, times, windows),
        OverTime::Stdvar => return stats::variances(values, windows),
        OverTime::Stddev => {
            let root = |x: f64| if is_absent(x) { x } else { x.sqrt() };
            return stats::variances(values, windows).into_iter().map(root).collect();
        }
        OverTime::Quantile => {
            let wrong = |q: f64| q.is_nan() || !(0.0..=1.0).contains(&q);
            order::sliding_quantile(
                values,
                windows,
                |step| call.scalar(0, step),
                |step, quantile| {
                    let q = call.scalar(0, step);
                    if wrong(q) {
                        remarks.plain(|_| invalid_quantile_warning(q, call.span));
                    }
                    set(step, quantile);
                },
            );
        }
        OverTime::Deriv => {
            let zero = |step: usize| times.get(windows.get(step).start).copied().unwrap_or_default();
            stats::lines(values, times, windows, zero, |step, line| set(step, line.slope));
        }
        OverTime::PredictLinear => {
            stats::lines(
                values,
                times,
                windows,
                |step| call.grid.time(step),
                |step, line| {
                    set(step, line.slope * call.scalar(0, step) + line.intercept);
                },
            );
        }
        OverTime::Mad => {
            for step in (0..windows.len()).filter(|&step| !windows.get(step).is_empty()) {
                set(step, order::median_absolute_deviation(at(step)));
            }
        }
        OverTime::DoubleExponentialSmoothing => {
            for step in (0..windows.len()).filter(|&step| windows.get(step).len() > 1) {
                let (smoothing, trend) = (call.scalar(0, step), call.scalar(1, step));
                set(step, stats::double_exponential(at(step), smoothing, trend));
            }
        }
        _ => {}
    }
    out
}

/// Functions of floats alone over a series that has histograms too: windows with both are annotated.
fn ignoring_histograms(
    call: &Call,
    live: &Live<'_>,
    windows: &Windows,
    histogram_windows: &Windows,
    remarks: Remarks<'_>,
) -> Option<Vec<f64>> {
    let alone = matches!(
        call.function,
        OverTime::Min
            | OverTime::Max
            | OverTime::TimeOfMin
            | OverTime::TimeOfMax
            | OverTime::Stddev
            | OverTime::Stdvar
            | OverTime::Quantile
            | OverTime::Mad
            | OverTime::Deriv
            | OverTime::PredictLinear
            | OverTime::DoubleExponentialSmoothing
    );
    if !alone {
        return None;
    }
    if windows
        .iter()
        .zip(histogram_windows.iter())
        .any(|(floats, both)| !floats.is_empty() && !both.is_empty())
    {
        remarks.named(histogram_ignored_in_mixed_range_info);
    }
    Some(floats_alone(call, live, windows, remarks))
}

/// One window of functions that take floats and histograms.
fn any_window(
    call: &Call,
    slice: &super::window::column::Slice<'_>,
    end: i64,
    remarks: Remarks<'_>,
) -> Option<Point> {
    let range = call.window.range;
    let smoothed = call.window.ends == Ends::Smoothed;
    let anchor = (call.window.ends == Ends::Anchored).then(|| end.saturating_sub(range));
    let float = |value: f64| Some(Point::Float(value));
    match call.function {
        OverTime::Change(kind) => {
            let asked = Asked { change: kind, end, range, remarks };
            if call.window.ends == Ends::Plain {
                change::change(slice, asked)
            } else {
                extended::change(slice, smoothed, asked)
            }
        }
        OverTime::InstantRate => instant::instant(slice, true, remarks),
        OverTime::InstantDelta => instant::instant(slice, false, remarks),
        OverTime::Changes => count::count(slice, Counted::Changes, anchor).map(Point::Float),
        OverTime::Resets => count::count(slice, Counted::Resets, anchor).map(Point::Float),
        OverTime::Sum => aggregate::total(slice, false, remarks),
        OverTime::Avg => aggregate::total(slice, true, remarks),
        OverTime::Count => float((slice.floats.len() + slice.histograms.len()) as f64),
        OverTime::First => aggregate::pick(slice, false).map(|(_, point)| point),
        OverTime::Last => aggregate::pick(slice, true).map(|(_, point)| point),
        OverTime::TimeOfFirst => float(aggregate::pick(slice, false)?.0 as f64 / 1000.0),
        OverTime::TimeOfLast => float(aggregate::pick(slice, true)?.0 as f64 / 1000.0),
        _ => float(1.0),
    }
}

fn each_window(windows: &Windows, f: impl Fn(std::ops::Range<usize>) -> f64) -> Vec<f64> {
    windows.iter().map(|window| if window.is_empty() { ABSENT } else { f(window) }).collect()
}

fn value(values: &[f64], index: usize) -> f64 {
    values.get(index).copied().unwrap_or(ABSENT)
}

fn seconds(times: &[i64], index: usize) -> f64 {
    times.get(index).map_or(ABSENT, |&time| time as f64 / 1000.0)
}
