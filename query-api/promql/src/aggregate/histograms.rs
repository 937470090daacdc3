//! Sums and means of native histograms over the series of a group.

use std::sync::Arc;

use crate::annotation::{
    HistogramOperation, histogram_counter_reset_collision_warning, mismatched_custom_buckets_histograms_info,
    mixed_exponential_custom_histograms_warning,
};
use crate::eval::Remarks;
use crate::functions::accumulate::{Mean, Sum};
use crate::histogram::FloatHistogram;

/// What one step has so far.
enum Total {
    Nothing,
    Sum(Box<Sum>),
    Mean(Box<Mean>),
    /// Layouts that cannot be brought together were seen.
    Incompatible,
}

/// One total per step.
pub(super) struct Totals {
    mean: bool,
    steps: Vec<Total>,
}

impl Totals {
    pub(super) fn new(steps: usize, mean: bool) -> Self {
        Self { mean, steps: std::iter::repeat_with(|| Total::Nothing).take(steps).collect() }
    }

    pub(super) fn add(&mut self, histograms: &[Option<Arc<FloatHistogram>>], remarks: Remarks<'_>) {
        for (total, histogram) in self.steps.iter_mut().zip(histograms) {
            let Some(histogram) = histogram else { continue };
            let outcome = match total {
                Total::Nothing if self.mean => {
                    *total = Total::Mean(Box::new(Mean::new(histogram)));
                    Ok(())
                }
                Total::Nothing => {
                    *total = Total::Sum(Box::new(Sum::new(histogram)));
                    Ok(())
                }
                Total::Sum(sum) => sum.push(histogram),
                Total::Mean(mean) => mean.push(histogram),
                Total::Incompatible => Ok(()),
            };
            if outcome.is_err() {
                remarks.named(mixed_exponential_custom_histograms_warning);
                *total = Total::Incompatible;
            }
        }
    }

    /// The steps that saw a histogram, with their totals unless they were incompatible.
    pub(super) fn finish(
        self,
        remarks: Remarks<'_>,
    ) -> impl Iterator<Item = (usize, Option<Arc<FloatHistogram>>)> {
        self.steps.into_iter().enumerate().filter_map(move |(step, total)| {
            let (total, seen) = match total {
                Total::Nothing => return None,
                Total::Incompatible => return Some((step, None)),
                Total::Sum(sum) => {
                    let seen = sum.seen;
                    (sum.finish(), seen)
                }
                Total::Mean(mean) => {
                    let seen = mean.seen;
                    (mean.finish(), seen)
                }
            };
            if seen.collision() {
                remarks.plain(|span| {
                    histogram_counter_reset_collision_warning(HistogramOperation::Aggregation, span)
                });
            }
            if seen.reconciled {
                remarks.plain(|span| {
                    mismatched_custom_buckets_histograms_info(HistogramOperation::Aggregation, span)
                });
            }
            let total = total.ok().map(|mut total| {
                total.compact();
                Arc::new(total)
            });
            Some((step, total))
        })
    }
}
