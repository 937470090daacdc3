//! `sum_over_time`, `avg_over_time` and the pickers of any window.

use std::sync::Arc;

use super::column::Slice;
use crate::annotation::{
    HistogramOperation, histogram_counter_reset_collision_warning, mismatched_custom_buckets_histograms_info,
    mixed_exponential_custom_histograms_warning, mixed_floats_histograms_warning,
};
use crate::eval::Remarks;
use crate::functions::accumulate::{Mean, Seen, Sum};
use crate::histogram::{FloatHistogram, Incompatible};
use crate::kernels::kahan;
use crate::value::Point;

/// The sum, or the mean if `mean`, of one window; none of a mix of floats and histograms.
pub(in crate::eval) fn total(slice: &Slice<'_>, mean: bool, remarks: Remarks<'_>) -> Option<Point> {
    if slice.histograms.is_empty() {
        let values = slice.floats.values;
        let total = if mean { kahan::mean(values) } else { kahan::sum(values) };
        return (!values.is_empty()).then_some(Point::Float(total));
    }
    if !slice.floats.is_empty() {
        remarks.named(mixed_floats_histograms_warning);
        return None;
    }
    let values = slice.histograms.values;
    match if mean { mean_of(values) } else { sum_of(values) } {
        Ok((total, seen)) => {
            if seen.collision() {
                remarks
                    .plain(|s| histogram_counter_reset_collision_warning(HistogramOperation::Aggregation, s));
            }
            if seen.reconciled {
                remarks
                    .plain(|s| mismatched_custom_buckets_histograms_info(HistogramOperation::Aggregation, s));
            }
            Some(Point::Histogram(Arc::new(total)))
        }
        Err(_) => {
            remarks.named(mixed_exponential_custom_histograms_warning);
            None
        }
    }
}

fn sum_of(values: &[Arc<FloatHistogram>]) -> Result<(FloatHistogram, Seen), Incompatible> {
    let Some((first, rest)) = values.split_first() else { return Err(Incompatible) };
    let mut sum = Sum::new(first);
    rest.iter().try_for_each(|histogram| sum.push(histogram))?;
    let seen = sum.seen;
    Ok((sum.finish()?, seen))
}

fn mean_of(values: &[Arc<FloatHistogram>]) -> Result<(FloatHistogram, Seen), Incompatible> {
    let Some((first, rest)) = values.split_first() else { return Err(Incompatible) };
    let mut mean = Mean::new(first);
    rest.iter().try_for_each(|histogram| mean.push(histogram))?;
    let seen = mean.seen;
    Ok((mean.finish()?, seen))
}

/// The first (or the last) sample and its time.
pub(in crate::eval) fn pick(slice: &Slice<'_>, last: bool) -> Option<(i64, Point)> {
    let place = |len: usize| if last { len.checked_sub(1) } else { Some(0) };
    let float = place(slice.floats.len()).and_then(|i| slice.floats.at(i));
    let histogram = place(slice.histograms.len()).and_then(|i| slice.histograms.at(i));
    let float = float.map(|(&t, &v)| (t, Point::Float(v)));
    let histogram = histogram.map(|(&t, h)| (t, Point::Histogram(Arc::clone(h))));
    match (float, histogram) {
        (Some(float), Some(histogram)) => {
            let float_wins = if last { float.0 > histogram.0 } else { float.0 < histogram.0 };
            Some(if float_wins { float } else { histogram })
        }
        (float, histogram) => float.or(histogram),
    }
}
