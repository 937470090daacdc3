//! Adding and subtracting histograms of different shapes.
//!
//! Knows: how two layouts meet: the wider zero bucket, the lower resolution, the custom bounds that both have.
//! Must not know: who adds what for which reason.

use super::bounds::exponential_bound;
use super::{Buckets, FloatHistogram, ResetHint};

/// Exponential and custom buckets cannot be combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot apply this operation on histograms with a mix of exponential and custom bucket schemas")]
pub struct Incompatible;

/// What happened while two histograms were combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Combined {
    /// One claimed a reset, the other denied it.
    pub reset_collision: bool,
    /// Custom bounds differed; those in common were kept.
    pub bounds_reconciled: bool,
}

impl FloatHistogram {
    /// Adds another histogram to this one.
    ///
    /// # Errors
    /// When one has exponential and the other custom buckets; nothing has changed then.
    pub fn add(&mut self, other: &Self) -> Result<Combined, Incompatible> {
        self.combine(other, 1.0)
    }

    /// Subtracts another histogram from this one.
    ///
    /// # Errors
    /// When one has exponential and the other custom buckets; nothing has changed then.
    pub fn sub(&mut self, other: &Self) -> Result<Combined, Incompatible> {
        self.combine(other, -1.0)
    }

    fn combine(&mut self, other: &Self, sign: f64) -> Result<Combined, Incompatible> {
        let mut done = self.check(other)?;
        let mut other = std::borrow::Cow::Borrowed(other);
        if self.needs_reshaping(&other) {
            done.bounds_reconciled = self.meet(other.to_mut());
        }
        self.zero_count += sign * other.zero_count;
        self.count += sign * other.count;
        self.sum += sign * other.sum;
        self.positive = self.positive.merged(&other.positive, |_, a, b| a + sign * b);
        self.negative = self.negative.merged(&other.negative, |_, a, b| a + sign * b);
        Ok(done)
    }

    /// Refuses what cannot be combined, and settles the hint about resets.
    pub(super) fn check(&mut self, other: &Self) -> Result<Combined, Incompatible> {
        if self.uses_custom_buckets() != other.uses_custom_buckets() {
            return Err(Incompatible);
        }
        let (hint, reset_collision) = match (self.hint, other.hint) {
            (a, b) if a == b => (a, false),
            (ResetHint::Gauge, _) | (_, ResetHint::Gauge) => (ResetHint::Gauge, false),
            (ResetHint::Unknown, _) | (_, ResetHint::Unknown) => (ResetHint::Unknown, false),
            _ => (ResetHint::Unknown, true),
        };
        self.hint = hint;
        Ok(Combined { reset_collision, bounds_reconciled: false })
    }

    pub(super) fn needs_reshaping(&self, other: &Self) -> bool {
        self.schema != other.schema
            || self.zero_threshold != other.zero_threshold
            || self.custom_values != other.custom_values
            || (self.zero_threshold > 0.0 && !self.uses_custom_buckets())
    }

    /// Gives both the same layout; says whether custom bounds were lost on the way.
    pub(super) fn meet(&mut self, other: &mut Self) -> bool {
        if self.uses_custom_buckets() {
            return self.meet_custom(other);
        }
        while self.zero_threshold != other.zero_threshold {
            if self.zero_threshold > other.zero_threshold {
                other.widen_zero_bucket(self.zero_threshold);
            } else {
                self.widen_zero_bucket(other.zero_threshold);
            }
        }
        let schema = self.schema.min(other.schema);
        self.reduce(schema);
        other.reduce(schema);
        other.drop_leading_within_zero();
        false
    }

    fn meet_custom(&mut self, other: &mut Self) -> bool {
        if self.custom_values == other.custom_values {
            return false;
        }
        let common: Vec<f64> =
            self.custom_values.iter().filter(|b| other.custom_values.contains(b)).copied().collect();
        for side in [self, other] {
            side.positive = rolled_up(&side.positive, &side.custom_values, &common);
            side.custom_values = common.as_slice().into();
        }
        true
    }

    /// Widens the zero bucket to `threshold`, or to the end of a bucket with observations that it would cut.
    pub(super) fn widen_zero_bucket(&mut self, threshold: f64) {
        let (count, threshold) = self.zero_count_for(threshold);
        self.zero_count = count;
        self.zero_threshold = threshold;
        let schema = self.schema;
        let outside = |index: i32, count: f64| {
            (exponential_bound(index.saturating_sub(1), schema) >= threshold && count != 0.0).then_some(count)
        };
        self.positive.filter_map(outside);
        self.negative.filter_map(outside);
    }

    /// The zero count with a zero bucket at least as wide as `threshold`, and how wide it has to be.
    pub(super) fn zero_count_for(&self, mut threshold: f64) -> (f64, f64) {
        if threshold <= self.zero_threshold {
            return (self.zero_count, self.zero_threshold);
        }
        'wider: loop {
            let mut count = self.zero_count;
            for (side, last) in [(&self.positive, false), (&self.negative, true)] {
                for (index, population) in side.iter() {
                    if exponential_bound(index.saturating_sub(1), self.schema) >= threshold {
                        break;
                    }
                    count += population;
                    let upper = exponential_bound(index, self.schema);
                    if upper > threshold {
                        if population != 0.0 {
                            threshold = upper;
                            if last {
                                continue 'wider;
                            }
                        }
                        break;
                    }
                }
            }
            return (count, threshold);
        }
    }

    /// Drops the buckets that lie inside the zero bucket altogether.
    fn drop_leading_within_zero(&mut self) {
        let (schema, threshold) = (self.schema, self.zero_threshold);
        for side in [&mut self.positive, &mut self.negative] {
            let mut inside = true;
            side.filter_map(|index, count| {
                inside = inside && exponential_bound(index, schema) <= threshold;
                (!inside).then_some(count)
            });
        }
    }
}

/// The counts of custom buckets under fewer bounds.
pub(super) fn rolled_up(buckets: &Buckets, bounds: &[f64], common: &[f64]) -> Buckets {
    let mut counts = vec![0.0; common.len() + 1];
    for (index, count) in buckets.iter() {
        let bound = usize::try_from(index).ok().and_then(|i| bounds.get(i));
        let target = bound.map_or(common.len(), |bound| common.partition_point(|c| c < bound));
        if let Some(slot) = counts.get_mut(target) {
            *slot += count;
        }
    }
    (0..).zip(counts).filter(|(_, count)| *count != 0.0).collect()
}
