//! `limitk` and `limit_ratio`: some of the series, whatever their values.

use super::groups::{Groups, Key};
use crate::annotation::invalid_ratio_warning;
use crate::engine::QueryError;
use crate::eval::{Evaluator, Sink};
use crate::kernels::windows::Grid;
use crate::labels::Labels;
use crate::number;
use crate::plan::Aggregate;
use crate::points::Row;

/// Parameters as whole numbers; none if all are below one.
pub(super) fn whole_counts(counts: &[f64]) -> Result<Option<Vec<usize>>, QueryError> {
    let (low, high) = extremes(counts);
    if high < 1.0 && !counts.iter().any(|k| k.is_nan()) {
        return Ok(None);
    }
    if counts.iter().any(|k| k.is_nan()) {
        return Err(QueryError::execution("Parameter value is NaN"));
    }
    let refuse = |value: f64, verb: &str| {
        QueryError::Execution(format!("Scalar value {} {verb} int64", number::general(value)))
    };
    if low <= i64::MIN as f64 {
        return Err(refuse(low, "underflows"));
    }
    if high >= i64::MAX as f64 {
        return Err(refuse(high, "overflows"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "cut to a whole number that is not negative"
    )]
    Ok(Some(counts.iter().map(|&k| k.max(0.0) as usize).collect()))
}

fn extremes(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)))
}

impl Evaluator<'_> {
    pub(super) fn limit(
        &self,
        aggregate: &Aggregate,
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let (counts, _) = self.parameter(aggregate, grid)?;
        let Some(counts) = whole_counts(&counts)? else { return Ok(()) };
        let mut groups: Groups<Vec<usize>> = Groups::new(Key::of(aggregate));
        self.stream(aggregate.input, grid, &mut |mut row| {
            let (taken, _) = groups.of(&row.labels, || vec![0; grid.count]);
            for (step, (taken, &k)) in taken.iter_mut().zip(&counts).enumerate() {
                if row.points.present(step) {
                    if *taken < k {
                        *taken += 1;
                    } else {
                        row.points.clear(step);
                    }
                }
            }
            if row.points.is_empty() { Ok(()) } else { sink(row) }
        })
    }

    pub(super) fn limit_ratio(
        &self,
        aggregate: &Aggregate,
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let (ratios, place) = self.parameter(aggregate, grid)?;
        let (low, high) = extremes(&ratios);
        if ratios.iter().any(|r| r.is_nan()) {
            return Err(QueryError::execution("Ratio value is NaN"));
        }
        if high > 1.0 {
            self.annotate(invalid_ratio_warning(high, 1.0, place));
        }
        if low < -1.0 {
            self.annotate(invalid_ratio_warning(low, -1.0, place));
        }
        self.stream(aggregate.input, grid, &mut |mut row: Row| {
            let offset = sampling_offset(&row.labels);
            for (step, &ratio) in ratios.iter().enumerate() {
                if !is_sampled(ratio, offset) {
                    row.points.clear(step);
                }
            }
            if row.points.is_empty() { Ok(()) } else { sink(row) }
        })
    }
}

/// Where in 0…1 a series stands: its hash as Prometheus computes it, so that both pick the same series (64-bit xxHash of names and
/// values, each after its length).
fn sampling_offset(labels: &Labels) -> f64 {
    let mut bytes = Vec::new();
    for part in labels.iter().flat_map(|(name, value)| [name, value]) {
        match u8::try_from(part.len()) {
            Ok(len) if len < u8::MAX => bytes.push(len),
            _ => {
                bytes.push(u8::MAX);
                bytes.extend(part.len().to_le_bytes().into_iter().take(3));
            }
        }
        bytes.extend_from_slice(part.as_bytes());
    }
    xxhash_rust::xxh64::xxh64(&bytes, 0) as f64 / u64::MAX as f64
}

/// A positive ratio takes series from the bottom, a negative one from the top: `r` and `r - 1` complement each other.
fn is_sampled(ratio: f64, offset: f64) -> bool {
    if ratio >= 0.0 { offset < ratio } else { offset >= 1.0 + ratio }
}
