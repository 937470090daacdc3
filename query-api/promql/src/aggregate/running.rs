//! Aggregations that need only running values: one column of each per group.

use super::histograms::Totals;
use crate::annotation::{histogram_ignored_in_aggregation_info, mixed_floats_histograms_agg_warning};
use crate::ast::Aggregation;
use crate::eval::Remarks;
use crate::kernels::kahan;
use crate::points::{ABSENT, Points, Row, is_absent};

/// The running values of one group, one column entry per step.
pub(super) struct Running {
    op: Aggregation,
    drop_name: bool,
    /// How many samples were taken in: floats, or, for `count` and `group`, any.
    counts: Vec<u32>,
    /// The sum, extreme, or sum of squared deviations.
    values: Vec<f64>,
    /// The compensation of a sum, or the mean of a deviation.
    seconds: Vec<f64>,
    /// No sum of a mean is larger.
    sum_max: f64,
    /// Steps at which a mean would have overflowed.
    incremental: Vec<bool>,
    /// Totals of histograms, once there is one.
    histograms: Option<Box<Totals>>,
}

/// Below this no sum of a mean can have overflowed.
const MEAN_BY_SUM_MAX: f64 = 1e300;

impl Running {
    /// Columns held per group, for the budget.
    pub(super) const COLUMNS: usize = 3;

    pub(super) fn new(op: Aggregation, steps: usize) -> Self {
        let start = match op {
            Aggregation::Sum | Aggregation::Avg => -0.0,
            Aggregation::Min | Aggregation::Max => f64::NAN,
            _ => 0.0,
        };
        let seconds =
            matches!(op, Aggregation::Sum | Aggregation::Avg | Aggregation::Stddev | Aggregation::Stdvar);
        Self {
            op,
            drop_name: false,
            counts: vec![0; steps],
            values: vec![start; steps],
            seconds: vec![0.0; if seconds { steps } else { 0 }],
            sum_max: 0.0,
            incremental: Vec::new(),
            histograms: None,
        }
    }

    pub(super) fn drop_name(&self) -> bool {
        self.drop_name
    }

    pub(super) fn add(&mut self, row: &Row, remarks: Remarks<'_>) {
        self.drop_name |= row.drop_name;
        self.add_floats(&row.points.floats);
        if row.points.histograms.is_empty() {
            return;
        }
        match self.op {
            Aggregation::Count | Aggregation::Group => {
                for (count, histogram) in self.counts.iter_mut().zip(&row.points.histograms) {
                    *count += u32::from(histogram.is_some());
                }
            }
            Aggregation::Sum | Aggregation::Avg => {
                let (steps, mean) = (self.values.len(), self.op == Aggregation::Avg);
                let totals = self.histograms.get_or_insert_with(|| Box::new(Totals::new(steps, mean)));
                totals.add(&row.points.histograms, remarks);
            }
            op => {
                if row.points.histograms.iter().any(Option::is_some) {
                    remarks.plain(|span| histogram_ignored_in_aggregation_info(op.name(), span));
                }
            }
        }
    }

    fn add_floats(&mut self, floats: &[f64]) {
        match self.op {
            Aggregation::Sum => self.sum(floats),
            Aggregation::Avg => self.mean(floats),
            Aggregation::Min => self.extreme(floats, |x, least| x < least),
            Aggregation::Max => self.extreme(floats, |x, most| x > most),
            Aggregation::Stddev | Aggregation::Stdvar => self.deviate(floats),
            _ => self.count(floats),
        }
    }

    fn count(&mut self, floats: &[f64]) {
        for (count, &x) in self.counts.iter_mut().zip(floats) {
            *count += u32::from(!is_absent(x));
        }
    }

    fn sum(&mut self, floats: &[f64]) {
        self.count(floats);
        for ((sum, compensation), &x) in self.values.iter_mut().zip(&mut self.seconds).zip(floats) {
            // an absent sample adds a negative zero, which changes no sum
            (*sum, *compensation) = kahan::add(if is_absent(x) { -0.0 } else { x }, *sum, *compensation);
        }
    }

    fn mean(&mut self, floats: &[f64]) {
        // NaN and absent samples do not count here: they do not make a sum infinite
        let largest =
            floats.iter().fold(0.0, |largest: f64, x| if x.abs() > largest { x.abs() } else { largest });
        self.sum_max += largest;
        if self.incremental.is_empty() && self.sum_max < MEAN_BY_SUM_MAX {
            return self.sum(floats);
        }
        let columns = self.counts.iter_mut().zip(&mut self.values).zip(&mut self.seconds);
        for (step, (((count, sum), compensation), &x)) in columns.zip(floats).enumerate() {
            if is_absent(x) {
                continue;
            }
            *count += 1;
            let n = f64::from(*count);
            if !self.incremental.get(step).copied().unwrap_or(false) {
                let (total, lost) = kahan::add(x, *sum, *compensation);
                if *count == 1 || !total.is_infinite() {
                    (*sum, *compensation) = (total, lost);
                    continue;
                }
                self.incremental.resize(floats.len(), false);
                if let Some(incremental) = self.incremental.get_mut(step) {
                    *incremental = true;
                }
                *sum /= n - 1.0;
                *compensation /= n - 1.0;
            }
            let share = (n - 1.0) / n;
            (*sum, *compensation) = kahan::add(x / n, share * *sum, share * *compensation);
        }
    }

    fn extreme(&mut self, floats: &[f64], better: impl Fn(f64, f64) -> bool) {
        for ((count, value), &x) in self.counts.iter_mut().zip(&mut self.values).zip(floats) {
            if !is_absent(x) {
                *count += 1;
                if better(x, *value) || value.is_nan() {
                    *value = x;
                }
            }
        }
    }

    /// Welford's method.
    fn deviate(&mut self, floats: &[f64]) {
        let columns = self.counts.iter_mut().zip(&mut self.values).zip(&mut self.seconds);
        for (((count, squares), mean), &x) in columns.zip(floats) {
            if is_absent(x) {
                continue;
            }
            *count += 1;
            if *count == 1 {
                *mean = x;
                *squares = if x.is_finite() { 0.0 } else { f64::NAN };
                continue;
            }
            let delta = x - *mean;
            *mean += delta / f64::from(*count);
            *squares += delta * (x - *mean);
        }
    }

    pub(super) fn finish(mut self, remarks: Remarks<'_>) -> Points {
        let (op, incremental) = (self.op, std::mem::take(&mut self.incremental));
        let mut points = Points { floats: self.values, histograms: Vec::new() };
        for (step, (value, &count)) in points.floats.iter_mut().zip(&self.counts).enumerate() {
            let second = self.seconds.get(step).copied().unwrap_or(0.0);
            let n = f64::from(count);
            *value = match op {
                _ if count == 0 => ABSENT,
                Aggregation::Sum => *value + second,
                Aggregation::Avg if incremental.get(step) == Some(&true) => *value + second,
                Aggregation::Avg => *value / n + second / n,
                Aggregation::Count => n,
                Aggregation::Group => 1.0,
                Aggregation::Stdvar => *value / n,
                Aggregation::Stddev => (*value / n).sqrt(),
                _ => *value,
            };
        }
        if let Some(totals) = self.histograms {
            for (step, total) in totals.finish(remarks) {
                if points.present(step) {
                    remarks.plain(mixed_floats_histograms_agg_warning);
                    points.clear(step);
                } else if let Some(total) = total {
                    points.set_histogram(step, total);
                }
            }
        }
        points
    }
}
