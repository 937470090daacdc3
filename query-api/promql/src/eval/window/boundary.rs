//! Values between samples: straight lines, also between histograms.

use crate::annotation::{
    HistogramOperation, mismatched_custom_buckets_histograms_info,
    mixed_exponential_custom_histograms_warning,
};
use crate::eval::Remarks;
use crate::histogram::{Combined, FloatHistogram, Incompatible};

/// The value at `time` on the line between two samples. A counter that was reset in between rises from zero.
pub(in crate::eval) fn interpolate(from: (i64, f64), to: (i64, f64), time: i64, counter: bool) -> f64 {
    let start = if counter && to.1 < from.1 { 0.0 } else { from.1 };
    start + (to.1 - start) * (time - from.0) as f64 / (to.0 - from.0) as f64
}

/// [`interpolate`] for histograms; none if they cannot be brought together, which is then annotated.
pub(in crate::eval) fn interpolate_histograms(
    from: (i64, &FloatHistogram),
    to: (i64, &FloatHistogram),
    time: i64,
    counter: bool,
    remarks: Remarks<'_>,
) -> Option<FloatHistogram> {
    if time == from.0 {
        return Some(from.1.clone());
    }
    if time == to.0 {
        return Some(to.1.clone());
    }
    let fraction = (time - from.0) as f64 / (to.0 - from.0) as f64;
    let mut between = to.1.clone();
    if counter && to.1.detect_reset(from.1) {
        between.mul(fraction);
        return Some(between);
    }
    subtract(&mut between, from.1, remarks)?;
    between.mul(fraction);
    add(&mut between, from.1, remarks)?;
    Some(between)
}

/// Adds in place; none, and annotated, if the layouts are incompatible.
pub(in crate::eval) fn add(
    to: &mut FloatHistogram,
    other: &FloatHistogram,
    remarks: Remarks<'_>,
) -> Option<()> {
    told(to.add(other), HistogramOperation::Addition, remarks)
}

/// Subtracts in place; none, and annotated, if the layouts are incompatible.
pub(in crate::eval) fn subtract(
    from: &mut FloatHistogram,
    other: &FloatHistogram,
    remarks: Remarks<'_>,
) -> Option<()> {
    told(from.sub(other), HistogramOperation::Subtraction, remarks)
}

fn told(
    outcome: Result<Combined, Incompatible>,
    operation: HistogramOperation,
    remarks: Remarks<'_>,
) -> Option<()> {
    match outcome {
        Ok(combined) => {
            if combined.bounds_reconciled {
                remarks.plain(|span| mismatched_custom_buckets_histograms_info(operation, span));
            }
            Some(())
        }
        Err(Incompatible) => {
            remarks.named(mixed_exponential_custom_histograms_warning);
            None
        }
    }
}
