//! `histogram_quantile`, `histogram_quantiles` and `histogram_fraction` over native histograms and over classic ones, whose buckets
//! are series that differ in `le` alone.

use std::collections::HashMap;

use super::{Evaluator, Sink};
use crate::annotation::{
    Monotonicity, bad_bucket_label_warning, histogram_quantile_forced_monotonicity_info,
    invalid_quantile_warning, mixed_classic_native_histograms_warning, native_histogram_fraction_nans_info,
    native_histogram_quantile_nan_result_info, native_histogram_quantile_nan_skew_info,
};
use crate::ast::Span;
use crate::engine::QueryError;
use crate::functions::Distribution;
use crate::functions::histogram::{Bucket, NanEffect, bucket_fraction, bucket_quantile, fraction, quantile};
use crate::kernels::windows::Grid;
use crate::labels::{BUCKET, Builder, Labels};
use crate::number;
use crate::plan::NodeId;
use crate::points::{Points, Row, is_absent};

/// The series of one distribution.
#[derive(Default)]
struct Group {
    /// Bounds and values of classic buckets, sorted by bound.
    buckets: Vec<(f64, Vec<f64>)>,
    /// Native histograms.
    native: Vec<Points>,
}

/// Groups in the order in which they were found.
struct Groups {
    places: HashMap<Labels, usize>,
    groups: Vec<(Labels, Group)>,
    held: usize,
}

/// What is asked of every distribution.
enum Question {
    Quantile(Vec<f64>),
    Fraction(Vec<f64>, Vec<f64>),
}

/// Where annotations point.
#[derive(Clone, Copy)]
struct Places {
    /// The first argument.
    first: Span,
    /// The vector.
    vector: Span,
}

impl Evaluator<'_> {
    pub(super) fn distribution(
        &self,
        distribution: Distribution,
        args: &[NodeId],
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let vector = match distribution {
            Distribution::Quantile => self.arg(args, 1)?,
            Distribution::Quantiles => self.arg(args, 0)?,
            Distribution::Fraction => self.arg(args, 2)?,
        };
        let span = |id: NodeId| self.plan.node(id).span;
        let places = Places { first: span(self.arg(args, 0)?), vector: span(vector) };
        let mut groups = self.groups(vector, places, grid)?;
        self.separate_kinds(&mut groups, places, grid);
        match distribution {
            Distribution::Fraction => {
                let (lower, upper) =
                    (self.scalar(self.arg(args, 0)?, grid)?, self.scalar(self.arg(args, 1)?, grid)?);
                let question = Question::Fraction(lower, upper);
                self.answer(&groups, &question, places, grid, |labels| labels.clone(), sink)?;
            }
            Distribution::Quantile => {
                let question = self.quantile_argument(self.arg(args, 0)?, grid)?;
                self.answer(
                    &groups,
                    &Question::Quantile(question),
                    places,
                    grid,
                    |labels| labels.clone(),
                    sink,
                )?;
            }
            Distribution::Quantiles => self.quantiles(&groups, args, places, grid, sink)?,
        }
        for _ in 0..groups.held {
            self.budget.release(grid.count);
        }
        Ok(())
    }

    fn quantile_argument(&self, id: NodeId, grid: Grid) -> Result<Vec<f64>, QueryError> {
        let quantiles = self.scalar(id, grid)?;
        for &q in quantiles.iter().filter(|q| !(0.0..=1.0).contains(*q)) {
            self.annotate(invalid_quantile_warning(q, self.plan.node(id).span));
        }
        Ok(quantiles)
    }

    fn quantiles(
        &self,
        groups: &Groups,
        args: &[NodeId],
        places: Places,
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let name = self.text(args, 1)?;
        let mut rows = Vec::new();
        for &arg in args.iter().skip(2) {
            let quantiles = self.quantile_argument(arg, grid)?;
            let mut distinct = quantiles.clone();
            distinct.sort_by(f64::total_cmp);
            distinct.dedup_by_key(|q| q.to_bits());
            for q in distinct {
                // a parameter that changes from step to step has a series per value
                let only: Vec<f64> = quantiles
                    .iter()
                    .map(|&x| if x.to_bits() == q.to_bits() { x } else { crate::points::ABSENT })
                    .collect();
                let text = open_metrics_float(q);
                let labelled = |labels: &Labels| Builder::new(labels).set(name, &text).finish();
                self.answer(groups, &Question::Quantile(only), places, grid, labelled, &mut |row| {
                    self.hold(&mut rows, row)
                })?;
            }
        }
        self.release(&rows);
        super::result::merge_equal(rows)?.into_iter().try_for_each(sink)
    }

    fn groups(&self, vector: NodeId, places: Places, grid: Grid) -> Result<Groups, QueryError> {
        let mut groups = Groups { places: HashMap::new(), groups: Vec::new(), held: 0 };
        self.stream(vector, grid, &mut |row: Row| {
            self.budget.hold(grid.count)?;
            groups.held += 1;
            let Points { floats, histograms } = row.points;
            if floats.iter().any(|x| !is_absent(*x)) {
                let bound = row.labels.get(BUCKET);
                match number::float(bound) {
                    Some(upper) => {
                        let labels = row.labels.filtered(|name| name != BUCKET);
                        groups.of(labels).buckets.push((upper, floats));
                    }
                    None => self.annotate(bad_bucket_label_warning(row.labels.name(), bound, places.vector)),
                }
            }
            if histograms.iter().any(Option::is_some) {
                groups.of(row.labels).native.push(Points { floats: Vec::new(), histograms });
            }
            Ok(())
        })?;
        for (_, group) in &mut groups.groups {
            group.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        Ok(groups)
    }

    /// A classic and a native histogram of one name at one step: neither is evaluated.
    fn separate_kinds(&self, groups: &mut Groups, places: Places, grid: Grid) {
        let both = |(_, group): &&mut (Labels, Group)| !group.buckets.is_empty() && !group.native.is_empty();
        for (labels, group) in groups.groups.iter_mut().filter(both) {
            for step in 0..grid.count {
                let classic =
                    group.buckets.iter().any(|(_, values)| values.get(step).is_some_and(|x| !is_absent(*x)));
                let native = group.native.iter().any(|points| points.histogram(step).is_some());
                if classic && native {
                    self.annotate(mixed_classic_native_histograms_warning(labels.name(), places.vector));
                    for (_, values) in &mut group.buckets {
                        if let Some(value) = values.get_mut(step) {
                            *value = crate::points::ABSENT;
                        }
                    }
                    group.native.iter_mut().for_each(|points| points.clear(step));
                }
            }
        }
    }

    fn answer(
        &self,
        groups: &Groups,
        question: &Question,
        places: Places,
        grid: Grid,
        relabel: impl Fn(&Labels) -> Labels,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let mut scratch = Vec::new();
        for (labels, group) in &groups.groups {
            self.budget.work(1 + grid.count * group.buckets.len() / 256)?;
            let mut points = Points::absent(grid.count);
            for (step, time) in grid.times().enumerate() {
                if question.skips(step) {
                    continue;
                }
                let native = group.native.iter().find_map(|points| points.histogram(step));
                if let Some(histogram) = native {
                    points.set(step, self.of_native(question, step, histogram, labels, places));
                    continue;
                }
                scratch.clear();
                let present = group.buckets.iter().filter_map(|(upper, values)| {
                    let count = values.get(step).copied().filter(|x| !is_absent(*x))?;
                    Some(Bucket { upper: *upper, count })
                });
                scratch.extend(present);
                if !scratch.is_empty() {
                    points.set(step, self.of_classic(question, step, time, &mut scratch, labels, places));
                }
            }
            if !points.is_empty() {
                sink(Row::new(relabel(labels), points))?;
            }
        }
        Ok(())
    }

    fn of_native(
        &self,
        question: &Question,
        step: usize,
        histogram: &crate::histogram::FloatHistogram,
        labels: &Labels,
        places: Places,
    ) -> f64 {
        let remarks = self.remarks(labels, places.first);
        match question {
            Question::Quantile(q) => {
                let (value, effect) = quantile(number_at(q, step), histogram);
                match effect {
                    NanEffect::None => {}
                    NanEffect::Skew => remarks.named(native_histogram_quantile_nan_skew_info),
                    NanEffect::Hidden => remarks.named(native_histogram_quantile_nan_result_info),
                }
                value
            }
            Question::Fraction(lower, upper) => {
                let (value, nans) = fraction(number_at(lower, step), number_at(upper, step), histogram);
                if nans {
                    remarks.named(native_histogram_fraction_nans_info);
                }
                value
            }
        }
    }

    fn of_classic(
        &self,
        question: &Question,
        step: usize,
        time: i64,
        buckets: &mut Vec<Bucket>,
        labels: &Labels,
        places: Places,
    ) -> f64 {
        match question {
            Question::Quantile(q) => {
                let (value, forced) = bucket_quantile(number_at(q, step), buckets);
                if let Some(forced) = forced {
                    let forced = Monotonicity { time_ms: (time, time), ..forced };
                    let name = if self.options.delayed_name_removal { labels.name() } else { "" };
                    self.annotate(histogram_quantile_forced_monotonicity_info(name, places.vector, forced));
                }
                value
            }
            Question::Fraction(lower, upper) => {
                bucket_fraction(number_at(lower, step), number_at(upper, step), buckets)
            }
        }
    }
}

impl Question {
    /// Whether nothing is asked at a step.
    fn skips(&self, step: usize) -> bool {
        matches!(self, Self::Quantile(q) if q.get(step).copied().is_none_or(is_absent))
    }
}

impl Groups {
    fn of(&mut self, labels: Labels) -> &mut Group {
        let next = self.groups.len();
        let place = *self.places.entry(labels.clone()).or_insert(next);
        if place == next {
            self.groups.push((labels, Group::default()));
        }
        #[expect(clippy::indexing_slicing, reason = "places are positions in groups")]
        &mut self.groups[place].1
    }
}

fn number_at(numbers: &[f64], step: usize) -> f64 {
    numbers.get(step).copied().unwrap_or(f64::NAN)
}

/// A float as `OpenMetrics` wants it in labels: whole numbers with `.0`.
fn open_metrics_float(value: f64) -> String {
    match value {
        1.0 => "1.0".to_owned(),
        0.0 => "0.0".to_owned(),
        -1.0 => "-1.0".to_owned(),
        value if value.is_nan() => "NaN".to_owned(),
        value if value.is_infinite() => (if value > 0.0 { "+Inf" } else { "-Inf" }).to_owned(),
        value => {
            let text = number::general(value);
            if text.contains(['e', '.']) { text } else { text + ".0" }
        }
    }
}
